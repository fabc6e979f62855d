"""One user who is logged in at several places."""

import itertools
import re
import time
from urllib.parse import parse_qs, urlsplit

from .expect import refused
from .logins import attempt

SESSIONS = "/.doorward/sessions"
# A log-out everywhere outranks logins that began up to redis.timeouts.command (250 ms) after it.
A_MOMENT = 0.3

_users = itertools.count(1)


def a_user():
    """Somebody whom no other play knows."""
    return f"user-{next(_users)}"


def now_ms():
    return int(time.time() * 1000)


def id_in(response):
    """The session id that a login's answer gives."""
    cookie = response.header("Set-Cookie")
    assert response.status == 200 and cookie, response
    return re.match(r"sid=((?:[0-9a-f]{4}\.)?[A-Za-z0-9_-]{43});", cookie)[1]


def log_in(door, user, session=None, agent=None, **more):
    """The answer to a login of `user`; `session` is the cookie that comes with it, `agent` the name of the browser."""
    headers = {**({"Cookie": f"sid={session}"} if session else {}), **({"User-Agent": agent} if agent else {})}
    return attempt(door, user, "right", headers, **more)


def a_place(door, user, **more):
    """The id of a new session of `user`."""
    return id_in(log_in(door, user, **more))


def listed(door, session):
    """What the user of this session sees of the sessions, as a program."""
    response = door.get(SESSIONS, session=session)
    assert response.status == 200, response
    return response.json()["sessions"]


def handle(door, session):
    """The handle of this very session."""
    (own,) = [place["handle"] for place in listed(door, session) if place["current"]]
    return own


def end(door, session, what, headers=(), method="DELETE"):
    """`what`: a handle, "?others=1" or "?all=1"."""
    target = SESSIONS + (what if what.startswith("?") or not what else f"/{what}")
    return door.ask(method, target, headers, b"" if method == "POST" else None, session=session)


def in_redis(stage, user):
    """The keys in the user's index."""
    return set(stage.redis("SMEMBERS", f"user:{user}:sessions"))


def keys(*ids):
    return {f"session:{id}" for id in ids}


def mark(stage, id):
    """What stands where this session was; None when nothing does."""
    record = stage.redis.hash(f"session:{id}")
    assert record == {} or list(record) == ["doorward.ended"], record
    return record.get("doorward.ended")


def ended(door, reason):
    """How many sessions ended for that reason, as the metrics have it."""
    return door.metrics().value("doorward_sessions_ended_total", reason=reason)


def commands(monitor, stage):
    """The names of the commands since the last call, without the connections' own pings."""
    return [words[0].upper() for words in monitor.commands(stage.db) if words[0].upper() != "PING"]


def told(door, id, code, page="/page"):
    """Whoever comes with this id hears that code, as a program and as a person; returns both answers."""
    program = refused(door.get(page, session=id), 401, code)
    person = door.navigate(page, session=id)
    assert person.status == 302 and "no-store" in person.header("Cache-Control"), person
    where = urlsplit(person.header("Location"))
    expected = {"next": [page], **({"reason": [code]} if code != "no_session" else {})}
    assert where.path == "/login" and parse_qs(where.query) == expected, where
    return program, person
