"""What one client does must not reach another: neither its bytes, nor its patience, nor its speed."""

import threading
import time

from support.client import build
from support.upstream import answer
from support.wait import eventually

FORGED = b"GET /admin/x HTTP/1.1\r\nHost: app.test\r\nX-User-Id: 1\r\nX-User-Role: admin\r\n\r\n"


def test_body_of_a_get_does_not_become_a_request(stage):
    """An application that does not read it must not go on reading requests from that connection."""
    stage.app.reads_bodies = False
    door = stage.start(server={"workers": 1})
    with door.client() as client:
        client.send(build("GET", "/public/x", {"Content-Length": str(len(FORGED))}) + FORGED)
        assert client.response().status == 200
    assert stage.app.requests[0].header("Connection") == "close"
    before = stage.app.connections
    assert door.get("/public/next").status == 200
    assert stage.app.connections == before + 1  # not the one that may hold a forged request


def test_stray_bytes_of_an_upstream_reach_nobody(stage):
    stage.app.script = lambda request, connection: answer(200, {}, request.target.encode())
    door = stage.start(server={"workers": 1})
    for n in range(8):
        assert door.get(f"/public/{n}").body == f"/public/{n}".encode()
        eventually(lambda: door.metrics().value("doorward_upstream_connections", state="idle") == 1)
        # Over the loopback they are there when this returns.
        stage.app.last.connection.send(answer(200, {}, b"POISON"))
    assert stage.app.connections == 8


def test_pipelining_client_does_not_keep_a_worker_to_itself(stage):
    door = stage.start(server={"workers": 1})
    stop = threading.Event()
    burst = build("GET", "/nothing/../x") * 200

    def flood():
        with door.client() as client:
            client.sock.settimeout(0.2)
            while not stop.is_set():
                try:
                    client.send(burst)
                    client.sock.recv(1 << 20)
                except OSError:
                    pass

    noise = threading.Thread(target=flood)
    noise.start()
    try:
        slowest = 0
        for _ in range(20):
            began = time.monotonic()
            assert door.get("/public/x").status == 200
            slowest = max(slowest, time.monotonic() - began)
    finally:
        stop.set()
        noise.join()
    assert slowest < 1


def test_client_of_an_event_stream_leaves_after_sending_more(stage):
    """Unread bytes must not hide that it has gone: its place at the upstream is wanted back."""

    def script(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        gone.append(connection.is_closed(10))

    gone = []
    stage.app.script = script
    door = stage.start(server={"workers": 1})
    with door.client() as client:
        client.send(build("GET", "/public/events"))
        client.receive_until(b"data: 1\n\n")
        client.send(b"x")
    eventually(lambda: gone == [True], 8)


def test_slow_login_forms_take_no_places(stage):
    stage.identity.script = lambda request, connection: answer(200, {}, b"form")
    door = stage.start(server={"workers": 1}, upstreams={"identity": {"endpoints": [stage.identity.url], "connections": 4}})
    slow = [door.client() for _ in range(12)]
    try:
        for client in slow:
            client.send(build("POST", "/login", {"Content-Length": "100"}) + b"user")
        eventually(lambda: door.get("/login").status == 200, 2)
        assert len(stage.identity.requests) == 1
    finally:
        for client in slow:
            client.close()


def test_fifth_cookie_is_not_overlooked(stage):
    mallory, alice = stage.session("mallory"), stage.session("alice")
    door = stage.start()
    planted = f"sid={mallory}; sid=planted-number-00001; sid=planted-number-00002; sid=planted-number-00003; sid={alice}"
    assert door.get("/page", {"Cookie": planted}).status == 401
    assert stage.has_session(alice) and stage.has_session(mallory)
