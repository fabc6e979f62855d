"""The near-cache: what is answered without Redis, what is not, and how soon a change is seen."""

import json
import signal
import time

import pytest
from support.client import build
from support.doorward import with_session
from support.expect import refused
from support.near_cache import Balancer, Counted, wait_ready
from support.places import SESSIONS, a_place, a_user, end, handle, log_in, now_ms
from support.redis_server import RedisServer, near_cache_acl
from support.resp import Resp, encode
from support.wait import eventually


def page(client, session, target="/page", headers=()):
    return client.ask("GET", target, with_session(headers, session))


def role(client, session):
    response = page(client, session)
    assert response.status == 200, response
    return response.body.decode()


def has_a_copy(client, session):
    """From the second look-up on there is one, and the third finds it."""
    assert [role(client, session) for _ in range(3)] == ["user"] * 3


def change(stage, session, **fields):
    """Returns when Redis has said so, and has told."""
    stage.witness.watch(session)
    stage.redis("HSET", f"session:{session}", *[word for pair in fields.items() for word in pair])
    stage.witness.wait(session)


def asked(monitor, stage):
    return monitor.count("HGETALL", stage.db)


# ---- what is answered from where ----


def test_two_look_ups_ask_redis_and_the_others_do_not(stage):
    door, session = stage.open_door(), stage.session()
    counted, monitor = Counted(door), stage.monitor()
    with door.client() as client:
        assert [role(client, session) for _ in range(10)] == ["user"] * 10
    assert [name for name, *_ in monitor.commands(stage.db) if name != "PING"] == ["HGETALL", "CLIENT", "HGETALL"]
    assert counted() == {"hit": 2, "cached": 8}
    metrics = door.metrics()
    assert metrics.value("doorward_session_cache_entries") == 1
    assert metrics.value("doorward_session_lookup_duration_seconds_count") == 2


def test_off_every_look_up_asks_redis(stage):
    door, session = stage.start(), stage.session()
    monitor = stage.monitor()
    for _ in range(5):
        assert door.get("/page", session=session).status == 200
    assert asked(monitor, stage) == 5
    assert door.metrics().value("doorward_session_cache_ready") == 0


def test_each_worker_has_a_copy_of_its_own(stage):
    door, session = stage.open_door(workers=2), stage.session()
    monitor = stage.monitor()
    for _ in range(40):
        assert door.get("/page", session=session).status == 200
    assert 2 <= asked(monitor, stage) <= 4
    change(stage, session, role="editor")
    for _ in range(40):
        assert door.get("/page", session=session).body == b"editor"
    assert 1 <= asked(monitor, stage) - 1 <= 2  # one is the witness's


def test_what_is_not_there_is_asked_for_each_time(stage):
    door = stage.open_door()
    monitor = stage.monitor()
    for _ in range(3):
        refused(door.get("/page", session="nobody-has-this-session"), 401, "no_session")
    assert asked(monitor, stage) == 3
    stage.session(id="nobody-has-this-session")
    assert door.get("/page", session="nobody-has-this-session").status == 200


def test_ids_that_somebody_made_up_take_nothing_in_redis(stage):
    """Redis would remember each of them for good, and half a kilobyte with it."""
    door, session = stage.open_door(), stage.session()
    tracked = lambda: int(stage.redis("INFO", "stats").split("tracking_total_keys:")[1].split()[0])  # noqa: E731
    with door.client() as client:
        has_a_copy(client, session)
        before = tracked()
        for n in range(500):
            assert page(client, f"a-made-up-id-{n}").status == 401
        assert tracked() == before
        # One that has ended is remembered once, whoever comes how often.
        stage.witness.watch(session)
        stage.redis("DEL", f"session:{session}")
        stage.witness.wait(session)
        for _ in range(5):
            assert page(client, session).status == 401
        assert tracked() == before


def test_a_copy_that_is_too_old_is_not_used(stage):
    door, session = stage.open_door(session={"cache": {"enabled": True, "max_age": "300ms"}}), stage.session()
    counted = Counted(door)
    with door.client() as client:
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            role(client, session)
    results = counted()
    assert results["cached"] > results["hit"] >= 2, results


def test_no_more_copies_than_may_be(stage):
    door = stage.open_door(session={"cache": {"enabled": True, "entries": 3, "max_age": "1h"}})
    sessions = [stage.session(str(n)) for n in range(10)]
    for session in sessions * 2:
        assert door.get("/page", session=session).status == 200
    assert door.metrics().value("doorward_session_cache_entries") == 3


# ---- changes ----


def test_a_change_is_seen_by_the_next_request(stage):
    door, session = stage.open_door(), stage.session()
    with door.client() as client:
        for name in ["one", "two", "three"] * 20:
            change(stage, session, role=name)
            assert [role(client, session) for _ in range(3)] == [name] * 3


def test_a_change_between_question_and_answer_spoils_the_copy(stage):
    gate, session = stage.sort(), stage.session()
    redis = {"url": stage.redis_url(), "timeouts": {"command": "5s"}}
    door = stage.open_door(redis=redis)
    assert door.get("/page", session=session).status == 200
    monitor = stage.monitor()
    told = lambda: door.metrics().value("doorward_session_cache_invalidations_total")  # noqa: E731
    with door.client() as client:
        gate.hold("own")
        client.send(build("GET", "/page", with_session((), session)))
        eventually(lambda: asked(monitor, stage), what="a look-up that Redis has answered")
        before = told()
        stage.redis("HSET", f"session:{session}", "role", "editor")
        eventually(lambda: told() > before, what="the news of the change")
        gate.release()
        assert client.response().body == b"user"  # it began before the change
        counted = Counted(door)
        assert role(client, session) == "editor"
        assert counted() == {"hit": 1}
        assert role(client, session) == "editor"
        assert counted() == {"cached": 1}


def test_a_touch_is_done_for_who_comes_from_the_cache(stage):
    door = stage.open_door(session={"lifetime": {"touch_every": "1s"}})
    session = stage.session()
    seen = lambda: stage.redis("HGET", f"session:{session}", "lastSeen")  # noqa: E731
    first, counted = seen(), Counted(door)
    with door.client() as client:
        eventually(lambda: role(client, session) and seen() != first)
        results = counted()
        assert results["cached"] > 0 and results["hit"] <= 3, results
        assert int(stage.redis("PTTL", f"session:{session}")) > 1_700_000


# ---- a copy opens nothing that the session itself would not ----


def test_a_stricter_route_is_as_strict(stage):
    """Oathkeeper CVE-2021-32701."""
    door, session = stage.open_door(), stage.session()
    counted = Counted(door)
    with door.client() as client:
        for _ in range(3):
            assert page(client, session).status == 200
            refused(page(client, session, "/admin/x"), 403, "forbidden")
        assert counted() == {"hit": 2, "cached": 4}
        change(stage, session, role="admin")
        assert page(client, session, "/admin/x").status == 200
        change(stage, session, role="user")
        refused(page(client, session, "/admin/x"), 403, "forbidden")


def test_the_absolute_limit_holds(stage):
    door = stage.open_door()
    session = stage.session(**{"doorward.absoluteUntil": now_ms() + 1000})
    with door.client() as client:
        has_a_copy(client, session)
        response = eventually(lambda: (r := page(client, session)).status != 200 and r)
        refused(response, 401, "session_expired")


def test_where_a_session_is_bound_holds(stage):
    door, user = stage.open_door(session={"bind": ["user_agent"]}), a_user()
    session = a_place(door, user, agent="Mozilla/5.0 (X11; Linux x86_64)")
    for _ in range(3):
        assert door.get("/page", {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}, session).status == 200
    elsewhere = refused(door.get("/page", {"User-Agent": "curl/8"}, session), 401, "no_session")
    assert door.logged(elsewhere.header("X-Request-Id"))["reason"] == "session_elsewhere"


def test_the_idle_end_holds(stage):
    """Redis says nothing when a TTL passes."""
    door = stage.open_door(session={"lifetime": {"idle": "2s", "touch_every": "1s"}})
    session = stage.session(ttl=2)
    with door.client() as client:
        assert page(client, session, "/watch/x").status == 200  # a route that does not touch
        counted, until = Counted(door), time.monotonic() + 10
        while page(client, session, "/watch/x").status == 200:
            assert time.monotonic() < until
        assert set(counted()) <= {"cached", "hit", "miss"}
        assert stage.redis("EXISTS", f"session:{session}") == 0


# ---- whoever ends it ----


@pytest.fixture(params=["by the same doorward", "by another one"])
def doors(request, stage):
    """The one that has copies, and the one at which sessions are ended."""
    door = stage.open_door()
    return door, door if request.param == "by the same doorward" else stage.open_door()


def log_out(stage, door, me, other, user):
    door.ask("POST", "/logout", session=other)


def log_out_everywhere(stage, door, me, other, user):
    door.ask("POST", "/logout?everywhere=1", session=me)


def revoke_others(stage, door, me, other, user):
    assert end(door, me, "?others=1").status < 300


def revoke_one(stage, door, me, other, user):
    assert end(door, me, handle(door, other)).status < 300


def log_in_and_revoke(stage, door, me, other, user):
    stage.grant({"userId": user}, "revoke=others")
    assert log_in(door, user).status == 200


def log_in_with_it(stage, door, me, other, user):
    assert log_in(door, user, session=other).status == 200


@pytest.mark.parametrize("act", [log_out, log_out_everywhere, revoke_others, revoke_one, log_in_and_revoke, log_in_with_it])
def test_a_session_that_is_ended_is_not_let_in(stage, doors, act):
    near, far = doors
    user = a_user()
    me, other = a_place(near, user), a_place(near, user)
    with near.client() as client:
        counted = Counted(near)
        for _ in range(4):
            assert page(client, other).status == 200
        assert counted()["cached"] == 2
        stage.witness.watch(other)
        act(stage, far, me, other, user)
        stage.witness.wait(other)
        assert page(client, other).status == 401


def test_one_that_is_displaced_is_not_let_in(stage):
    door, user = stage.open_door(session={"limit": {"per_user": 1}}), a_user()
    first = a_place(door, user)
    assert [door.get("/page", session=first).status for _ in range(3)] == [200] * 3
    stage.witness.watch(first)
    second = a_place(door, user)
    stage.witness.wait(first)
    refused(door.get("/page", session=first), 401, "session_displaced")
    assert door.get("/page", session=second).status == 200


def test_a_log_out_here_needs_no_news(stage):
    gate = stage.sort()
    door, session = stage.open_door(), stage.session()
    with door.client() as client:
        has_a_copy(client, session)
        gate.hold("feed")
        assert client.ask("POST", "/logout", with_session((), session)).status == 204
        refused(page(client, session), 401, "no_session")


def test_a_stream_ends_by_redis_and_not_by_a_copy(stage):
    """Without a recheck there is one look-up when a session was ended elsewhere in this process, and it has to be true."""
    gate, user = stage.sort(), a_user()
    door = stage.open_door(session={"recheck": "0s"})
    me, other = a_place(door, user), a_place(door, user)

    def stream(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000\r\n\r\ndata: x\n\n")
        connection.receive()

    stage.app.script = stream
    with door.client() as client:
        for _ in range(3):
            assert door.get("/.doorward/whoami", session=other).status == 200
        client.send(build("GET", "/events", with_session((("Accept", "text/event-stream"),), other)))
        client.receive_until(b"data: x")
        gate.hold("feed")
        assert end(door, me, "?others=1").status < 300
        assert client.is_closed()


# ---- look-ups at once ----


def test_look_ups_of_one_session_at_once_share_one_command(stage):
    door, session = stage.open_door(session={"cache": {"enabled": True, "max_age": "1ms"}}), stage.session()
    clients = [door.client() for _ in range(30)]
    for client in clients:
        assert client.ask("GET", "/public/x").status == 200  # it has been accepted, and waits
    counted, monitor = Counted(door), stage.monitor()
    door.signal(signal.SIGSTOP)
    for client in clients:
        client.send(build("GET", "/page", with_session((), session)))
    door.signal(signal.SIGCONT)
    assert [client.response().body for client in clients] == [b"user"] * 30
    results, commands = counted(), asked(monitor, stage)
    assert results["hit"] == commands < 10 and results["coalesced"] > 20, results
    for client in clients:
        client.close()


# ---- when it is not in step with Redis ----


def off(door, reason, within=5.0):
    return door.log.wait_for_json(lambda e: e.get("event") == "near_cache_off" and e["reason"] == reason, within, reason)


@pytest.mark.parametrize("kind, reason", [("feed", "feed_lost"), ("own", "connection_lost")])
def test_a_connection_that_ends_empties_it(stage, kind, reason):
    gate, session = stage.sort(), stage.session()
    door = stage.open_door()
    with door.client() as client:
        has_a_copy(client, session)
        gate.cut_only(kind)
        off(door, reason)
        stage.redis("HSET", f"session:{session}", "role", "editor")
        eventually(lambda: page(client, session).status == 200)  # without a connection it is 503
        assert role(client, session) == "editor"
        wait_ready(door)
        assert role(client, session) == "editor"
        counted = Counted(door)
        assert role(client, session) == "editor"
        assert counted() == {"cached": 1}


@pytest.mark.parametrize("kind", ["feed", "own"])
def test_a_connection_that_has_died_unnoticed_is_noticed(stage, kind):
    """Redis tells nobody then, and the copy would be good for an hour."""
    gate, session = stage.sort(), stage.session()
    door = stage.open_door()
    with door.client() as client:
        has_a_copy(client, session)
        gate.half_open(kind)
        stage.redis("HSET", f"session:{session}", "role", "editor")
        began = time.monotonic()
        eventually(lambda: page(client, session).body == b"editor")
        # A second until it is asked whether it is there, and twice 250 ms until it is given up.
        assert time.monotonic() - began < 1.5 + 1.0


def test_flushed(stage):
    door, session = stage.open_door(), stage.session()
    with door.client() as client:
        has_a_copy(client, session)
        stage.redis("FLUSHDB")
        stage.witness.wait(session)
        refused(page(client, session), 401, "no_session")


def test_redis_ends_and_comes_back(stage):
    door, session, server = stage.open_door(), stage.session(), stage.server
    with door.client() as client:
        has_a_copy(client, session)
        server.stop()
        try:
            eventually(lambda: page(client, session).status == 503)
        finally:
            server.start()
            stage.redis = server.client(stage.db)
        eventually(lambda: page(client, session).status == 401)
        wait_ready(door)
        assert role(client, stage.session()) == "user"


def test_two_servers_behind_one_address(stage, tmp_path):
    """And on each somebody who listens to everything: he would count as a receiver of any message."""
    other = RedisServer(tmp_path, rights=near_cache_acl())
    try:
        for server in (stage.server, other):
            listener = Resp(server.address)
            stage._closing.append(listener.close)
            listener.sock.sendall(encode(["PSUBSCRIBE", "*"]))
            assert listener.read()[0] == "psubscribe"
        stage._gate = Balancer(stage.server.tcp, other.tcp)
        stage._closing.append(stage._gate.close)
        door = stage.open_door(ready=False)
        off(door, "other_server")
        for server, witnesses in ((stage.server, 1), (other, 0)):
            assert f"tracking_clients:{witnesses}\r\n" in server.admin("INFO", "clients")
        told = [json.loads(line) for line in door.log.text().splitlines() if "near_cache_off" in line]
        assert [entry["reason"] for entry in told] == ["other_server"], told
    finally:
        other.stop()


# ---- rights ----


@pytest.mark.parametrize("without", ["-client|tracking", "-client|caching", "-client|id", "-subscribe", "-pubsub|channels", "resetchannels"])
def test_without_a_right_it_is_off_and_says_so(stage, without):
    server, session = stage.server, stage.session()
    server.admin("ACL", "SETUSER", "doorward", without)
    try:
        door, monitor = stage.open_door(ready=False), stage.monitor()
        entry = off(door, "refused")
        assert "docs/redis.md" in entry["hint"] and "NOPERM" in entry["detail"], entry
        for _ in range(3):
            assert door.get("/page", session=session).body == b"user"
        assert asked(monitor, stage) == 3
        metrics = door.metrics()
        assert metrics.value("doorward_session_cache_ready") == 0
        assert metrics.value("doorward_redis_errors_total") == 0
        assert door.admin("/readyz?strict=1").status == 200
    finally:
        server.reset_acl()


def test_off_it_needs_none_of_them(stage):
    server = stage.server
    server.admin("ACL", "SETUSER", "doorward", "-client|tracking", "-client|caching", "-client|id", "-subscribe", "-pubsub|channels", "resetchannels")
    try:
        door = stage.start()
        assert door.get("/page", session=stage.session()).status == 200
        assert json.dumps("near_cache") not in door.log.text()
        assert door.metrics().value("doorward_redis_errors_total") == 0
    finally:
        server.reset_acl()


def test_the_sessions_page_and_the_admin_listener_see_no_copies(stage):
    door, user = stage.open_door(), a_user()
    me, other = a_place(door, user), a_place(door, user)
    for session in (me, other):
        assert [door.get("/page", session=session).status for _ in range(3)] == [200] * 3
    stage.redis("DEL", f"session:{other}")
    assert len(door.get(SESSIONS, session=me).json()["sessions"]) == 1
