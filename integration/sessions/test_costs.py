"""What each operation asks of Redis, counted by MONITOR and compared with the table in docs/redis.md."""

from pathlib import Path

import pytest
from support.logins import grants
from support.places import SESSIONS, a_place, a_user, commands, end, handle, id_in, log_in
from support.stage import Stage
from support.wait import eventually

PAGE = Path(__file__).resolve().parents[2] / "docs/redis.md"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0"
AGENT = {"User-Agent": BROWSER}


@pytest.fixture(scope="module")
def house(redis_server, tmp_path_factory):
    with Stage(redis_server, tmp_path_factory.mktemp("costs")) as stage:
        stage.identity.script = grants
        stage.free, stage.bound = stage.start(), stage.start(session={"bind": ["user_agent"]})
        stage.limited = stage.start(session={"limit": {"per_user": 3}})
        yield stage


def documented():
    """The rows of the table: what is done, what is sent, and what scripts call."""
    section = PAGE.read_text().split("### What each operation costs")[1].split("\n#")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {what.strip(): (sent.strip(), inside.strip()) for what, sent, inside in rows[2:]}


def told(names):
    """`HGET` ×3, in the order of first use."""
    times = {name: names.count(name) for name in names}
    return ", ".join(f"`{name}`" + (f" ×{count}" if count > 1 else "") for name, count in times.items()) or "–"


def a_user_with_three(house):
    """Who it is, this session, and two others, of which the first is the oldest of all."""
    user = a_user()
    me = a_place(house.free, user, agent=BROWSER)
    made = int(house.redis("HGET", f"session:{me}", "createdAt"))
    others = [house.session(user, createdAt=made - age) for age in (5000, 3000)]
    return user, me, others


def ask(door, method, target, id):
    return door.ask(method, target, AGENT, None if method == "GET" else b"", session=id)


def when_due(house, user, me, others):
    ask(house.free, "GET", "/page", me)
    eventually(lambda: house.redis("HGET", f"session:{me}", "lastSeen") != "0")


def login(house, user, session=None, door="free"):
    return id_in(log_in(getattr(house, door), user, session=session, agent=BROWSER))


DONE = {
    "a request where `auth` is `none`": lambda house, user, me, others: ask(house.free, "GET", "/public/x", me),
    "a request with what cannot be an id": lambda house, user, me, others: ask(house.free, "GET", "/page", "short"),
    "a request": lambda house, user, me, others: ask(house.free, "GET", "/page", me),
    "a request whose session was seen `touch_every` ago": when_due,
    "a login": lambda house, user, me, others: login(house, user),
    "a login that replaces a session": lambda house, user, me, others: login(house, user, me),
    "a login that replaces a session, with `session.bind`": lambda house, user, me, others: login(house, user, me, "bound"),
    "a login that displaces the oldest": lambda house, user, me, others: login(house, user, None, "limited"),
    "a log-out": lambda house, user, me, others: ask(house.free, "POST", "/logout", me),
    "a log-out, with `session.bind`": lambda house, user, me, others: ask(house.bound, "POST", "/logout", me),
    "a log-out everywhere": lambda house, user, me, others: ask(house.free, "POST", "/logout?everywhere=1", me),
    "`/.doorward/whoami`": lambda house, user, me, others: ask(house.free, "GET", "/.doorward/whoami", me),
    "`/.doorward/sessions`": lambda house, user, me, others: ask(house.free, "GET", SESSIONS, me),
    "the end of one, by its handle": lambda house, user, me, others: end(house.free, me, handle_of(house, others[0])),
    "the end of all others": lambda house, user, me, others: end(house.free, me, "?others=1"),
    "the end of all": lambda house, user, me, others: end(house.free, me, "?all=1"),
}


def handle_of(house, id):
    return house.handles[id]


def test_the_table_is_what_is_counted(house):
    measured, monitor = {}, house.monitor()
    for what, act in DONE.items():
        for _ in range(2):  # once so that Redis has the scripts, and once to count
            user, me, others = a_user_with_three(house)
            house.handles = {id: handle(house.free, id) for id in others}
            if act is when_due:
                house.redis("HSET", f"session:{me}", "lastSeen", 0)
            commands(monitor, house)
            act(house, user, me, others)
            # A HGET by itself is the play's own look.
            measured[what] = told([name for name in commands(monitor, house) if name != "HGET"]), told(monitor.inside)
    rows = "\n".join(f"| {what} | {sent} | {inside} |" for what, (sent, inside) in measured.items())
    assert measured == documented(), f"the table would be:\n{rows}"
