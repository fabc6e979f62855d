"""`session.bind`: a session is good where its user logged in, and nobody who took its id elsewhere can use it or end it."""

import hashlib
import json

import pytest
from support.doorward import run, write_config
from support.expect import cookie_expired, cookie_untouched, refused, refused_page, sent_to_login
from support.logins import grants
from support.places import SESSIONS, a_place, a_user, id_in, in_redis, keys, listed, log_in
from support.stage import Stage

HOME, NEXT_DOOR, AWAY = "192.0.2.7", "192.0.2.200", "198.51.100.7"
BROWSER, OTHER = "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0", "curl/7.88.1"


@pytest.fixture(scope="module")
def bound(redis_server, tmp_path_factory):
    """Doorwards that bind by each, by both and by nothing, behind a proxy at 127.0.0.1 that says who the client is."""
    with Stage(redis_server, tmp_path_factory.mktemp("bound")) as stage:
        stage.identity.script = grants
        start = lambda *bind: stage.start(server={"trusted_proxies": ["127.0.0.1"]}, session={"bind": list(bind)})  # noqa: E731
        stage.agent, stage.network = start("user_agent"), start("ip_prefix")
        stage.both, stage.free = start("user_agent", "ip_prefix"), start()
        yield stage


def headers(via=HOME, agent=BROWSER):
    return {**({"X-Forwarded-For": via} if via else {}), **({"User-Agent": agent} if agent else {})}


def at_home(stage, user, **more):
    return a_place(stage.both, user, via=HOME, agent=BROWSER, **more)


def elsewhere(door):
    return door.metrics().value("doorward_session_lookups_total", result="elsewhere")


def test_what_is_noted_of_a_login(bound, user):
    """By whatever doorward, so that switching it on binds those who are there."""
    id = a_place(bound.free, user, via=HOME, agent=BROWSER)
    record = bound.redis.hash(f"session:{id}")
    assert record["doorward.agent"] == hashlib.sha256(BROWSER.encode()).hexdigest()[:16]
    assert (record["doorward.address"], record["doorward.deviceClass"]) == (HOME, "computer")
    assert bound.both.get("/page", headers(), session=id).status == 200
    refused(bound.both.get("/page", headers(via=AWAY), session=id), 401, "no_session")


@pytest.mark.parametrize(
    "door, via, agent, good",
    [
        ("both", HOME, BROWSER, True),
        ("both", NEXT_DOOR, BROWSER, True),
        ("both", f"::ffff:{NEXT_DOOR}", BROWSER, True),
        ("both", AWAY, BROWSER, False),
        ("both", HOME, OTHER, False),
        ("both", HOME, None, False),
        ("both", None, BROWSER, False),
        ("agent", AWAY, BROWSER, True),
        ("agent", HOME, OTHER, False),
        ("network", HOME, OTHER, True),
        ("network", AWAY, BROWSER, False),
        ("free", AWAY, OTHER, True),
    ],
)
def test_request_from_here_and_there(bound, user, door, via, agent, good):
    id, door = at_home(bound, user), getattr(bound, door)
    record, before, count = bound.redis.hash(f"session:{id}"), elsewhere(door), len(bound.app.requests)
    response = door.get("/page", headers(via, agent), session=id)
    if good:
        assert response.status == 200 and elsewhere(door) == before
        return
    cookie_untouched(refused(response, 401, "no_session"))
    assert b"another place" in response.body
    assert elsewhere(door) == before + 1 and len(bound.app.requests) == count
    line = door.access.wait_for_json(lambda e: e.get("request_id") == response.header("X-Request-Id"), 5, "its log line")
    assert (line["reason"], line["decision"], line["status"]) == ("session_elsewhere", "no_session", 401) and not line["user"]
    assert bound.redis.hash(f"session:{id}") == record, "the session goes on"
    assert bound.both.get("/page", headers(), session=id).status == 200


def test_networks_of_ipv6(bound, user):
    id = a_place(bound.network, user, via="2001:db8:1:2::3")
    assert bound.network.get("/page", headers("2001:db8:1:ffff::9"), session=id).status == 200
    refused(bound.network.get("/page", headers("2001:db8:2::3"), session=id), 401, "no_session")


def test_address_is_what_trusted_proxies_say(bound, user):
    """Not what a client writes in front of them: the last node that no proxy of ours is."""
    id = at_home(bound, user)
    refused(bound.both.get("/page", headers(f"{HOME}, {AWAY}"), session=id), 401, "no_session")
    assert bound.both.get("/page", headers(f"{AWAY}, {HOME}"), session=id).status == 200


def test_person_is_sent_to_the_login_page(bound, user):
    cookie_untouched(sent_to_login(bound.both.navigate("/page", headers(via=AWAY), at_home(bound, user)), "/page"))


def test_public_page_has_nobody(bound, user):
    assert bound.both.get("/maybe/x", headers(via=AWAY), session=at_home(bound, user)).status == 200
    assert not [name for name, _ in bound.app.last.headers if name.lower().startswith("x-user")]


def test_session_that_does_not_say_is_not_bound(bound, user):
    """Another program wrote it, or a doorward that noted less."""
    assert bound.both.get("/page", headers(via=AWAY, agent=OTHER), session=bound.session(user)).status == 200


@pytest.mark.parametrize("field, value", [("doorward.agent", ""), ("doorward.agent", BROWSER), ("doorward.address", "home"), ("doorward.address", "")])
def test_session_that_says_what_cannot_be_read(bound, user, field, value):
    cookie_untouched(refused(bound.both.get("/page", headers(), session=bound.session(user, **{field: value})), 401, "no_session"))


# ---- who has taken the id ends nothing ----


@pytest.mark.parametrize("target", ["/logout", "/logout?everywhere=1"])
def test_log_out_from_elsewhere(bound, user, target):
    id, other = at_home(bound, user), at_home(bound, user)
    cookie_untouched(refused(bound.both.ask("POST", target, headers(via=AWAY), b"", session=id), 401, "no_session"))
    refused_page(bound.both.navigate(target, headers(via=AWAY), id, "POST", b""), 401, "no_session")
    assert in_redis(bound, user) == keys(id, other)
    cookie_expired(bound.both.ask("POST", target, headers(), b"", session=id))
    assert in_redis(bound, user) == (keys(other) if target == "/logout" else set())


def test_ends_of_sessions_from_elsewhere(bound, user):
    id, other = at_home(bound, user), at_home(bound, user)
    for what in ("?others=1", "?all=1", "/" + [place["handle"] for place in bound.both.get(SESSIONS, headers(), id).json()["sessions"]][0]):
        refused(bound.both.ask("DELETE", SESSIONS + what, headers(via=AWAY), session=id), 401, "no_session")
    assert in_redis(bound, user) == keys(id, other)


def test_login_of_somebody_else_with_a_taken_id(bound, user):
    id, thief = at_home(bound, user), a_user()
    own = id_in(log_in(bound.both, thief, session=id, via=AWAY, agent=BROWSER))
    assert in_redis(bound, user) == keys(id) and in_redis(bound, thief) == keys(own)
    assert bound.both.get("/page", headers(), session=id).status == 200


def test_login_of_the_user_who_has_moved(bound, user):
    """The password says who it is: the session of the old place goes, as any that comes with a login does."""
    id = at_home(bound, user)
    own = id_in(log_in(bound.both, user, session=id, via=AWAY, agent=BROWSER))
    assert in_redis(bound, user) == keys(own) and not bound.has_session(id)


def test_login_of_somebody_else_at_the_same_place(bound, user):
    id, other = at_home(bound, user), a_user()
    id_in(log_in(bound.both, other, session=id, via=NEXT_DOOR, agent=BROWSER))
    assert not bound.has_session(id)


def test_taken_cookie_beside_the_own_one(bound, user):
    """A session that is not good here is none: neither a conflict nor in the way."""
    own, taken = a_place(bound.both, user, via=AWAY, agent=BROWSER), at_home(bound, a_user())
    for cookies in (f"sid={taken}; sid={own}", f"sid={own}; sid={taken}"):
        assert bound.both.get("/page", {**headers(via=AWAY), "Cookie": cookies}).status == 200
        assert bound.app.last.header("X-User-Id") == user
    both = f"sid={taken}; sid=dead-but-well-formed"
    cookie_untouched(refused(bound.both.get("/page", {**headers(via=AWAY), "Cookie": both}), 401, "no_session"))


# ---- what it costs, and what is told ----


def test_commands(bound, user):
    from support.places import commands

    id = at_home(bound, user)
    bound.both.ask("POST", "/logout", headers(), b"", session=at_home(bound, user))  # by now Redis has the scripts
    monitor = bound.monitor()
    for door, expected in ((bound.both, ["HGETALL"]), (bound.free, ["HGETALL"])):
        door.get("/page", headers(), session=id)
        assert commands(monitor, bound) == expected
    for door, expected in ((bound.free, ["EVALSHA"]), (bound.both, ["HGETALL", "EVALSHA"])):
        id = at_home(bound, user)
        monitor.commands(bound.db)
        door.ask("POST", "/logout", headers(), b"", session=id)
        assert commands(monitor, bound) == expected


def test_explain_tells_what_differs(bound, user):
    id = at_home(bound, user)
    path = write_config(bound.folder / "explain.yaml", json.dumps(bound.both.config))

    def told(*arguments):
        result = run("explain", "-c", path, "GET", "/page", "--session", id, *arguments)
        assert result.returncode == 0, result
        return result.stdout

    good = told("--from", NEXT_DOOR, "--header", f"User-Agent: {BROWSER}")
    assert "forward to app" in good and "the same User-Agent" in good and "192.0.2.0/24; the request comes from 192.0.2.200, which is there" in good
    bad = told("--from", AWAY)
    assert "another User-Agent" in bad and "which is elsewhere" in bad and "session_elsewhere" in bad and "is not ended" in bad


def test_list_still_shows_where(bound, user):
    id = a_place(bound.free, user, via=HOME, agent=BROWSER)
    (place,) = listed(bound.free, id)
    assert (place["address"], place["device"]) == (HOME, "Firefox on Linux")
