"""session.store_hashed, with signed ids on top: what is read in Redis opens nothing, and all else is as before."""

import hashlib
import re

import pytest
from support.client import build
from support.doorward import run, with_session, write_config
from support.expect import cookie_expired, refused
from support.logins import attempt, grants
from support.places import SESSIONS, a_user, commands, end, ended, handle, listed, now_ms, told
from support.signing import KEYS, cookie_in, id_of, sign
from support.stage import Stage
from support.tunnels import FarEnds
from support.wait import eventually

SESSION = {"store_hashed": True}
BARE, SIGNED = {**SESSION}, {**SESSION, "cookie": {"keys": KEYS[:1]}}


@pytest.fixture(scope="module", params=[BARE, SIGNED], ids=["bare", "signed"])
def house(request, redis_server, tmp_path_factory):
    with Stage(redis_server, tmp_path_factory.mktemp("house")) as stage:
        stage.identity.script = grants
        stage.signs = request.param is SIGNED
        stage.door = stage.start(session=request.param)
        yield stage


@pytest.fixture
def user():
    return a_user()


def log_in(house, user, session=None):
    """The cookie's value after a login."""
    return cookie_in(attempt(house.door, user, "right", {"Cookie": f"sid={session}"} if session else {}))


def id_in(house, value):
    return id_of(value) if house.signs else value


def key(house, value):
    return "session:" + hashlib.sha256(id_in(house, value).encode()).hexdigest()


def index(house, user):
    return set(house.redis("SMEMBERS", f"user:{user}:sessions"))


def dump(stage):
    """All that is in Redis, as text."""
    out = []
    for name in stage.redis("KEYS", "*"):
        kind = stage.redis("TYPE", name)
        out += [name, str(stage.redis("SMEMBERS", name) if kind == "set" else stage.redis.hash(name))]
    return "\n".join(out)


def test_login_and_what_is_in_redis(house, user):
    monitor = house.monitor()
    value = log_in(house, user)
    assert house.door.get("/page", session=value).status == 200 and house.app.last.header("X-User-Id") == user
    assert index(house, user) == {key(house, value)} and house.redis.hash(key(house, value))["userId"] == user
    assert id_in(house, value) not in dump(house)
    assert not any(id_in(house, value) in word for words in monitor.commands(house.db) for word in words), "nor was it ever sent there"


def test_dump_cannot_be_replayed(house, user):
    values = [log_in(house, user) for _ in range(3)]
    count = len(house.app.requests)
    texts = set(re.findall(r"[A-Za-z0-9._~-]{16,256}", dump(house).replace("session:", " ")))
    assert {key(house, value)[len("session:") :] for value in values} <= texts
    for text in texts:
        refused(house.door.get("/page", session=text), 401, "no_session")
        if house.signs:  # even for whoever can sign
            refused(house.door.get("/page", session=sign(KEYS[0], text)), 401, "no_session")
    assert len(house.app.requests) == count


def test_list_handles_and_ends(house, user):
    me, it, other = (log_in(house, user) for _ in range(3))
    assert [place["current"] for place in listed(house.door, me)].count(True) == 1
    assert house.door.navigate(SESSIONS, session=me).status == 200
    before = ended(house.door, "revoked")
    assert end(house.door, me, handle(house.door, it)).status == 204
    assert ended(house.door, "revoked") == before + 1 and index(house, user) == {key(house, me), key(house, other)}
    assert house.redis.hash(key(house, it)) == {"doorward.ended": "revoked"}
    cookie_expired(told(house.door, it, "session_revoked")[0])
    assert end(house.door, me, "?others=1").status == 204
    told(house.door, other, "session_revoked")
    cookie_expired(end(house.door, me, "?all=1"))
    told(house.door, me, "no_session")
    assert index(house, user) == set()


def test_logout_and_logout_everywhere(house, user):
    one, two, three = (log_in(house, user) for _ in range(3))
    cookie_expired(house.door.ask("POST", "/logout", body=b"", session=one))
    assert index(house, user) == {key(house, two), key(house, three)} and not house.redis("EXISTS", key(house, one))
    cookie_expired(house.door.ask("POST", "/logout?everywhere=1", body=b"", session=two))
    told(house.door, three, "session_revoked")


def test_login_replaces(house, user):
    old = log_in(house, user)
    new = log_in(house, user, old)
    assert index(house, user) == {key(house, new)} and not house.redis("EXISTS", key(house, old))


def test_touch(house, user):
    value = log_in(house, user)
    house.redis("HSET", key(house, value), "lastSeen", now_ms() - 120_000)
    house.redis("EXPIRE", key(house, value), 100)
    assert house.door.get("/page", session=value).status == 200
    eventually(lambda: house.redis("TTL", key(house, value)) > 1700)


def test_displaced(redis_server, tmp_path, user):
    with Stage(redis_server, tmp_path) as stage:
        stage.identity.script, stage.signs = grants, True
        stage.door = stage.start(session={**SIGNED, "limit": {"per_user": 1}})
        first, second = log_in(stage, user), log_in(stage, user)
        cookie_expired(told(stage.door, first, "session_displaced")[0])
        assert stage.door.get("/page", session=second).status == 200 and index(stage, user) == {key(stage, second)}


def test_open_event_stream_ends_with_its_session(redis_server, tmp_path, user):
    with Stage(redis_server, tmp_path) as stage:
        stage.identity.script, stage.signs = grants, True
        far_ends = stage.app.script = FarEnds()
        stage.door = stage.start(session=SIGNED)
        for how in (lambda: end(stage.door, other, handle(stage.door, it)), lambda: stage.door.ask("POST", "/logout", body=b"", session=it)):
            it, other = log_in(stage, user), log_in(stage, user)
            with stage.door.client() as client:
                client.send(build("GET", "/events", with_session({"Accept": "text/event-stream"}, it)))
                far = far_ends.next()
                far.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
                client.receive_until(b"data: 1\n\n\r\n")
                assert how().status == 204
                assert client.receive_until(b"0\r\n\r\n") == b"0\r\n\r\n"
        far_ends.close()


def test_session_of_another_program(house, user):
    """Under a bare id it is not found; under the hash of one it is."""
    value = lambda id: sign(KEYS[0], id) if house.signs else id  # noqa: E731
    bare = house.session(user, index=False)
    told(house.door, value(bare), "no_session")
    id = "written-by-who-knows-of-it"
    house.session(user, id=hashlib.sha256(id.encode()).hexdigest(), index=False)
    assert house.door.get("/page", session=value(id)).status == 200


def test_commands_are_as_many(house, user):
    value = log_in(house, user)
    monitor = house.monitor()
    assert house.door.get("/page", session=value).status == 200
    assert commands(monitor, house) == ["HGETALL"]


def test_explain_shows_the_key(house, user):
    value = log_in(house, user)
    session = SIGNED if house.signs else BARE
    result = run("explain", "-c", write_config(house.folder / "explain.yaml", house.config(session=session)), "GET", "/page", "--session", value)
    name = hashlib.sha256(id_in(house, value).encode()).hexdigest()
    assert f"session:{name}  (logged as {name[:8]})" in result.stdout and "forward to app" in result.stdout, result
    assert id_in(house, value) not in result.stdout
