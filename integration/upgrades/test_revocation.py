"""C4: what is open ends with its session: at once when that is ended here, soon when it is ended anywhere, at its limit."""

import resource
import threading
import time

import pytest
from support.client import build, connect
from support.doorward import with_session
from support.expect import refused
from support.logins import attempt, grants
from support.operators import TOKEN, bearer
from support.places import end, handle, now_ms
from support.tunnels import SWITCHED, handshake, is_silent
from support.upstream import Closed
from support.wait import eventually

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
SOON = 3.0  # what takes a second on an idle machine
NEVER = {"recheck": "5m"}  # within a play, nobody looks again
PATIENT = {"timeouts": {"command": "3s"}}  # a busy machine is no outage


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class Tunnels:
    """Some of one session, on whichever workers."""

    def __init__(self, door, far_ends, session, count=8, target="/page"):
        self.door, self.session, self.clients, self.fars = door, session, [], []
        for _ in range(count):
            client = door.client()
            self.clients.append(client)
            self.fars.append(far_ends.tunnel(client, target=target, session=session))

    def are_open(self):
        for client, far in zip(self.clients, self.fars):
            client.send(b"hello")
            assert far.receive_exactly(5) == b"hello"
            far.send(b"you")
            assert client.receive_exactly(3) == b"you"
        return True

    def are_silent(self, seconds):
        return is_silent(self.clients[0], seconds) and all(is_silent(client, 0) for client in self.clients)

    def are_closed(self):
        """On both sides."""
        return all(client.is_closed() for client in self.clients) and all(far.is_closed() for far in self.fars)

    def close(self):
        for client in self.clients:
            client.close()
        for far in self.fars:
            far.sock.close()


def streams_ended(door, reason):
    return door.metrics().value("doorward_streams_ended_total", reason=reason)


def told(door, reason, count):
    """The log and the metrics say why they ended."""
    eventually(lambda: sum(e["reason"] == reason and e["status"] == 101 for e in door.access.json()) == count)
    assert streams_ended(door, reason) == count
    eventually(lambda: door.metrics().value("doorward_connections", state="tunnel") == door.metrics().value("doorward_streams_watched"))


# ---- ended through this process ----


def logs_out(door, me, it):
    assert door.ask("POST", "/logout", body=b"", session=it).status == 204


def logs_out_everywhere(door, me, it):
    assert door.ask("POST", "/logout?everywhere=1", body=b"", session=me).status == 204


def revokes_one(door, me, it):
    assert end(door, me, handle(door, it)).status == 204


def ends_itself(door, me, it):
    assert end(door, it, handle(door, it)).status == 204


def revokes_others(door, me, it):
    assert end(door, me, "?others=1").status == 204


def revokes_all(door, me, it):
    assert end(door, me, "?all=1").status == 204


def logs_in_again(door, me, it):
    assert attempt(door, "42", "right", {"Cookie": f"sid={it}"}).status == 200


def logs_in_once_more(door, me, it):
    assert attempt(door, "42", "right").status == 200


AT_ONCE = {
    "it logs out": (logs_out, "logout", None, True),
    "another logs out everywhere": (logs_out_everywhere, "session_revoked", "logout", True),
    "another ends it": (revokes_one, "session_revoked", None, True),
    "it ends itself on the page": (ends_itself, "logout", None, True),
    "another ends the others": (revokes_others, "session_revoked", None, True),
    "another ends all": (revokes_all, "session_revoked", "logout", True),
    "a login with it": (logs_in_again, "session_replaced", None, True),
    "a login beyond the limit": (logs_in_once_more, "session_displaced", None, False),
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_ended_here(stage, far_ends, name):
    how, why, own, any_number = AT_ONCE[name]
    stage.identity.script = grants
    door = stage.start(session={**NEVER, "limit": {"per_user": 0 if any_number else 2}}, redis=PATIENT)
    it = stage.session("42", createdAt=now_ms() - 60_000)
    me, stranger = stage.session("42"), stage.session("43")
    its, mine, strange = (Tunnels(door, far_ends, session) for session in (it, me, stranger))
    assert door.metrics().value("doorward_streams_watched") == 24
    start = time.monotonic()
    how(door, me, it)
    assert its.are_closed()
    took = time.monotonic() - start
    assert took < SOON, took
    told(door, why, 8)
    if own:
        assert mine.are_closed()
        told(door, own, 8)
    else:
        assert mine.are_open()
    assert strange.are_open()
    refused(door.get("/page", session=it), 401)


def test_login_that_ends_the_others(stage, far_ends):
    door, it = stage.start(session=NEVER), stage.session("42")
    its = Tunnels(door, far_ends, it, 4)
    stage.grant({"userId": "42"}, "revoke=others")
    assert attempt(door, "42", "right").status == 200
    assert its.are_closed()
    told(door, "session_revoked", 4)


def test_ended_on_the_admin_listener(stage, far_ends):
    door, it = stage.start(session=NEVER, admin={"token": TOKEN}), stage.session("42")
    its = Tunnels(door, far_ends, it, 4)
    assert door.admin("/sessions?user=42", "DELETE", [bearer()]).status == 200
    assert its.are_closed()
    told(door, "session_revoked", 4)


def test_log_out_of_somebody_else_is_none_of_its_business(stage, far_ends):
    door, it = stage.start(session=NEVER), stage.session("42")
    its = Tunnels(door, far_ends, it, 4)
    other = stage.session("43")
    for target in ("/logout", "/logout?everywhere=1"):
        assert door.ask("POST", target, body=b"", session=other).status == 204
    assert its.are_silent(0.3) and its.are_open()


# ---- ended anywhere ----


def test_deleted_in_redis(stage, far_ends):
    door = stage.start()
    it, other = stage.session("42"), stage.session("42")
    its, others = Tunnels(door, far_ends, it), Tunnels(door, far_ends, other)
    assert its.are_silent(1.5), "it is still there"
    stage.redis("DEL", f"session:{it}")
    start = time.monotonic()
    assert its.are_closed()
    took = time.monotonic() - start
    print(f"closed {took * 1000:.0f} ms after DEL")
    assert took < SOON
    told(door, "session_unknown", 8)
    assert others.are_open()


@pytest.mark.parametrize("how", [revokes_one, logs_out_everywhere])
def test_ended_at_another_doorward(stage, far_ends, how):
    door, there = stage.start(), stage.start()
    me, it = stage.session("42"), stage.session("42")
    its = Tunnels(door, far_ends, it)
    how(there, me, it)
    assert its.are_closed()
    told(door, "session_revoked", 8)


def test_id_that_becomes_somebody_else_s(stage, far_ends):
    door, it = stage.start(), stage.session("42")
    its = Tunnels(door, far_ends, it, 2)
    stage.redis("HSET", f"session:{it}", "userId", "43")
    assert its.are_closed()
    told(door, "session_changed", 2)


def test_role_that_is_lost(stage, far_ends):
    door, it = stage.start(), stage.session("42", role="admin")
    admins, others = Tunnels(door, far_ends, it, 2, "/admin/x"), Tunnels(door, far_ends, it, 2)
    stage.redis("HSET", f"session:{it}", "role", "user")
    assert admins.are_closed() and others.are_open()
    told(door, "forbidden", 2)


def test_nobody_looks_again_where_nobody_is_to(stage, far_ends):
    door, it = stage.start(server={"workers": 1}, session={"recheck": "0s"}), stage.session("42")
    its = Tunnels(door, far_ends, it, 4)
    for _ in range(2):  # what is asked once more because of the opening goes before these, on the one connection to Redis
        assert door.ask("GET", "/.doorward/whoami", session=it).status == 200
    stage.redis("DEL", f"session:{it}")
    assert its.are_silent(1.5) and its.are_open()
    logs_out(door, None, it)
    assert its.are_closed()


def test_what_nobody_opened_is_not_watched(stage, far_ends):
    door, it = stage.start(), stage.session("42")
    nobodys = [Tunnels(door, far_ends, it, 2, "/public/x"), Tunnels(door, far_ends, None, 2, "/maybe/x")]
    somebodys = Tunnels(door, far_ends, it, 2, "/maybe/x")
    assert door.metrics().value("doorward_streams_watched") == 2
    stage.redis("DEL", f"session:{it}")
    assert somebodys.are_closed()
    assert all(tunnels.are_open() for tunnels in nobodys)


# ---- the absolute limit ----


@pytest.mark.parametrize("redis", ["there", "away"])
def test_absolute_limit(stage, far_ends, redis):
    assert stage.gate
    door = stage.start(session=NEVER)
    limit = now_ms() + 2_000
    it, other = stage.session("42", **{"doorward.absoluteUntil": limit}), stage.session("43")
    its, others = Tunnels(door, far_ends, it, 4), Tunnels(door, far_ends, other, 4)
    if redis == "away":
        stage.gate.refuse()
    its.clients[0].sock.settimeout(10)
    assert its.are_closed()
    late = now_ms() - limit
    assert -5 <= late < SOON * 1000, late
    assert others.are_open()
    told(door, "session_expired", 4)
    stage.gate.open()


# ---- an outage ends nothing ----


@pytest.mark.parametrize("fault", ["refuse", "hang", "garbage"])
def test_outage(stage, far_ends, fault):
    assert stage.gate
    door, it = stage.start(), stage.session("42")
    its = Tunnels(door, far_ends, it, 4)
    if fault == "garbage":
        stage.gate.garbage(b"this is not Redis\r\n")
    else:
        getattr(stage.gate, fault)()
    assert its.are_silent(2.5) and its.are_open()
    stage.redis("DEL", f"session:{it}")
    assert its.are_silent(1.0), "who could know"
    stage.gate.open()
    assert its.are_closed()
    told(door, "session_unknown", 4)


# ---- event streams ----


def subscribe(door, far_ends, session, data):
    client = door.client()
    client.send(build("GET", "/page/events", with_session({"Accept": "text/event-stream"}, session)))
    far = far_ends.next()
    far.send(SSE + chunk(data))
    client.receive_until(chunk(data))
    return client, far


def test_event_stream_ends_after_a_whole_event(stage, far_ends):
    """As a browser sees it: it comes again, by itself, and hears that it is nobody."""
    door, it = stage.start(), stage.session("42")
    client, far = subscribe(door, far_ends, it, b"data: 1\n\n")
    logs_out(door, None, it)
    assert client.receive_until(b"0\r\n\r\n") == b"0\r\n\r\n"
    assert far.is_closed()
    refused(client.ask("GET", "/page/events", with_session({"Accept": "text/event-stream"}, it)), 401, "no_session")
    entry = door.logged(path="/page/events", status=200)
    assert (entry["reason"], entry["decision"]) == ("logout", "forward")
    assert streams_ended(door, "logout") == 1


def test_event_stream_breaks_off_in_the_middle_of_an_event(stage, far_ends):
    door, it = stage.start(), stage.session("42")
    client, far = subscribe(door, far_ends, it, b"data: 1\n\ndata: half")
    stage.redis("DEL", f"session:{it}")
    assert client.is_closed() and far.is_closed()
    assert door.logged(path="/page/events")["reason"] == "session_unknown"


def test_event_stream_whose_client_takes_nothing(stage, far_ends):
    door, it = stage.start(session=NEVER), stage.session("42")
    client, far = subscribe(door, far_ends, it, b"data: 1\n\n")
    far.sock.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            far.send(chunk(b"data: " + b"x" * 10_000 + b"\n\n"))
    logs_out(door, None, it)
    assert door.logged(path="/page/events")["reason"] == "logout"
    data = b""
    while more := client.sock.recv(1 << 20):
        data = more
    assert not data.endswith(b"0\r\n\r\n")


# ---- activity ----


@pytest.mark.parametrize("counts", [True, False], ids=["counts", "does not count"])
def test_open_tunnel_as_activity(stage, far_ends, counts):
    life = {"idle": "2s", "touch_every": "1s", "streams": counts}
    door = stage.start(session={"lifetime": life, "recheck": "200ms"})
    it = stage.session("42", ttl=2)
    its = Tunnels(door, far_ends, it, 2)
    if counts:
        assert its.are_silent(4.5) and its.are_open()
        assert stage.has_session(it)
        assert door.metrics().value("doorward_touch_total", result="extended") >= 3
    else:
        assert its.are_closed()
        told(door, "session_expired", 2)


@pytest.mark.parametrize("target, headers", [("/watch/x", {}), ("/page", {"Doorward-Passive": "1"})])
def test_passive_tunnel_is_no_activity(stage, far_ends, target, headers):
    life = {"idle": "2s", "touch_every": "1s", "streams": True}
    door = stage.start(session={"lifetime": life, "recheck": "200ms"})
    it = stage.session("42", ttl=2)
    with door.client() as client:
        far_ends.tunnel(client, target=target, headers=headers, session=it)
        assert client.is_closed()
    assert not stage.has_session(it)


# ---- what it costs ----


def test_thousand_tunnels_of_a_hundred_sessions(stage):
    """Each session is looked up once an interval and worker, however many tunnels it has; and all end together."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 8192), hard), hard))
    over = threading.Event()

    def script(request, connection):
        connection.send(SWITCHED)
        over.wait(120)
        raise Closed

    stage.app.script = script
    app = {"endpoints": [stage.app.url], "connections": 2000}
    door = stage.start(upstreams={"app": app})
    sessions, clients = [stage.session(str(n)) for n in range(100)], []
    try:
        for n in range(1000):
            sock = connect(door.address, 20)
            clients.append(sock)
            sock.sendall(handshake("/page", session=sessions[n % 100]))
            assert sock.recv(4096).startswith(b"HTTP/1.1 101 ")
        metrics = door.metrics()
        watched = metrics.value("doorward_streams_sessions")
        assert metrics.value("doorward_streams_watched") == 1000 and 100 <= watched <= 200

        def calls():
            line = next(l for l in stage.server.admin("INFO", "commandstats").splitlines() if l.startswith("cmdstat_hgetall:"))
            return int(line.split("calls=")[1].split(",")[0]), time.monotonic()

        (before, start), _ = calls(), time.sleep(5)
        after, now = calls()
        rate = (after - before) / (now - start)
        print(f"1,000 tunnels, {watched:.0f} sessions on 2 workers: {rate:.0f} HGETALL a second")
        assert watched * 0.5 < rate < watched * 1.2

        start = time.monotonic()
        for session in sessions:
            stage.redis("DEL", f"session:{session}")
        for sock in clients:
            assert sock.recv(1) == b""
        took = time.monotonic() - start
        print(f"all closed {took * 1000:.0f} ms after the first DEL")
        assert took < SOON + 2
        eventually(lambda: streams_ended(door, "session_unknown") == 1000)
        assert door.metrics().value("doorward_streams_sessions") == 0
    finally:
        over.set()
        for sock in clients:
            sock.close()


def test_nothing_is_asked_while_nothing_is_open(stage, far_ends):
    door, it = stage.start(session={"recheck": "100ms"}), stage.session("42")
    Tunnels(door, far_ends, it, 2).close()
    eventually(lambda: door.metrics().value("doorward_streams_watched") == 0)
    monitor = stage.monitor()
    time.sleep(0.5)
    assert monitor.count("HGETALL", stage.db) == 0
