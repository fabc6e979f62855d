"""C1: what flows: large bodies in bounded memory, event streams as they come, and upgraded connections."""

import asyncio
import socket
import threading

import pytest
import websockets
from support.client import build
from support.expect import refused
from support.wait import eventually

MIB = 1024 * 1024


def big_answer(total):
    def script(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        block = b"x" * 65536
        for _ in range(total // len(block)):
            connection.send(block)

    return script


@pytest.mark.cost
def test_large_answer_in_bounded_memory(stage):
    door = stage.start()
    assert door.get("/public/warm-up").status == 200
    stage.app.script = big_answer(256 * MIB)
    before = door.resident_kib()
    with door.client(30) as client:
        client.send(build("GET", "/public/x"))
        client.receive_until(b"\r\n\r\n")
        for _ in range(15):
            client.receive_exactly(16 * MIB)
            assert door.resident_kib() < before + 4 * 1024


@pytest.mark.cost
def test_large_request_in_bounded_memory(stage):
    received = []

    def script(request, connection):
        left = int(request.header("Content-Length"))
        while left:
            left -= len(connection.receive())
        received.append(request.header("Content-Length"))
        return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    stage.app.reads_bodies = False
    stage.app.script = script
    door = stage.start(server={"limits": {"body_bytes": "512MiB"}}, routes=[{"path": "/**", "auth": "none", "upstream": "app", "body_bytes": "512MiB"}])
    assert door.ask("POST", "/public/x", {}, b"x" * MIB).status == 200
    before = door.resident_kib()
    with door.client(30) as client:
        client.send(build("POST", "/public/x", {"Content-Length": str(256 * MIB)}))
        for _ in range(256):
            client.send(b"x" * MIB)
        assert client.response("POST").status == 200
    assert received[-1] == str(256 * MIB) and door.resident_kib() < before + 4 * 1024


@pytest.mark.cost
def test_slow_readers_cost_little(stage):
    stage.app.script = big_answer(64 * MIB)
    door = stage.start()
    before, clients = door.resident_kib(), []
    for n in range(40):
        client = door.client()
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send(build("GET", f"/public/{n}"))
        client.receive_until(b"\r\n\r\n")
        clients.append(client)
    assert (door.resident_kib() - before) / 40 < 128
    for client in clients:
        client.close()
    eventually(lambda: not stage.app.open_connections, 10, "the end of the upstream's connections")


def test_client_that_does_not_read_is_cut(stage):
    """Its place, and the one at the upstream, are wanted back after `write_idle`."""
    stage.app.script = big_answer(64 * MIB)
    door = stage.start(server={"timeouts": {"write_idle": "300ms"}})
    with door.client() as client:
        client.send(build("GET", "/public/x"))
        client.receive_until(b"\r\n\r\n")
        entry = door.logged(path="/public/x")
        assert (entry["status"], entry["decision"]) == (200, "client_gone") and entry["bytes_out"] < 64 * MIB
        assert entry["total_us"] >= 250_000
        eventually(lambda: not stage.app.open_connections)
        # Now it reads what had been on its way, and sees that it is not all.
        count = 0
        while data := client.sock.recv(1 << 20):
            count += len(data)
        assert count < 64 * MIB
    eventually(lambda: door.metrics().value("doorward_connections") == 0)


def test_upstream_that_stops_reading_is_given_up(stage):
    """The request's body has a clock of its own while the answer is waited for, and the place comes back."""
    ended = threading.Event()
    stage.app.reads_bodies = False
    stage.app.script = lambda request, connection: ended.wait(20)
    door = stage.start(server={"limits": {"body_bytes": "1GiB"}}, upstreams={"app": {"endpoints": [stage.app.url], "timeouts": {"idle": "1500ms", "first_byte": "1500ms"}}})
    with door.client(15) as client:
        client.send(build("POST", "/public/x", {"Content-Length": str(64 * MIB)}))
        sent = threading.Thread(target=send_until_it_breaks, args=(client, 64 * MIB), daemon=True)
        sent.start()
        with pytest.raises(ConnectionError):  # or an answer: both say that it is over
            answer = client.response("POST")
            assert answer.status in (502, 504)
            raise ConnectionError
    ended.set()
    eventually(lambda: door.metrics().value("doorward_upstream_connections", upstream="app", state="active") == 0, 5, "the place")


def send_until_it_breaks(client, count):
    try:
        for _ in range(count // 65536):
            client.sock.sendall(b"x" * 65536)
    except OSError:
        pass


def test_event_stream_is_not_buffered(stage):
    go = threading.Semaphore(0)

    def script(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for n in range(3):
            assert go.acquire(timeout=5)
            event = b"data: %d\n\n" % n
            connection.send(b"%x\r\n%s\r\n" % (len(event), event))
        connection.send(b"0\r\n\r\n")

    stage.app.script = script
    door = stage.start()
    with door.client() as client:
        client.send(build("GET", "/public/events", {"Accept": "text/event-stream"}))
        assert b"text/event-stream" in client.receive_until(b"\r\n\r\n")
        for n in range(3):
            go.release()  # the next event is sent only when this one has come through
            assert b"data: %d\n\n" % n in client.receive_until(b"\n\n")


def test_event_stream_outlives_the_total_time_of_its_route(stage):
    def script(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for n in range(6):
            connection.send(b"data: %d\n\n" % n)
            assert not connection.is_closed(0.1)
        connection.close()

    stage.app.script = script
    door = stage.start(routes=[{"path": "/**", "auth": "none", "upstream": "app", "timeouts": {"total": "250ms"}}])
    assert door.get("/public/events").body.count(b"data:") == 6


def test_headers_come_before_the_body(stage):
    go = threading.Event()

    def script(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        assert go.wait(5)
        connection.send(b"ok")

    stage.app.script = script
    door = stage.start()
    with door.client() as client:
        client.send(build("GET", "/public/x"))
        assert client.receive_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        go.set()
        assert client.receive_exactly(2) == b"ok"


# ---- upgrades ----

UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}


def echo(request, connection):
    connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    while True:
        connection.send(connection.receive().upper())


def upgrade(stage, client, headers=UPGRADE, target="/page"):
    client.send(build("GET", target, {**headers, "Cookie": f"sid={stage.session('42')}"}))
    return client.response("GET", upgrade=True)


def test_upgraded_connection_carries_bytes_both_ways(stage):
    stage.app.script = echo
    door = stage.start()
    with door.client() as client:
        response = upgrade(stage, client)
        assert response.status == 101 and response.header("Upgrade") == "websocket"
        for text in (b"hello", b"\x00\xff\r\n\r\n", b"GET /admin HTTP/1.1\r\n\r\n", b"x" * 100_000):
            client.send(text)
            assert client.receive_exactly(len(text)) == text.upper()
    last = stage.app.last
    assert last.header("Upgrade") == "websocket" and last.header("Connection").lower() == "upgrade" and last.header("X-User-Id") == "42"
    eventually(lambda: not stage.app.open_connections)


def test_bytes_sent_together_with_the_upgrade(stage):
    stage.app.script = echo
    door = stage.start()
    with door.client() as client:
        client.send(build("GET", "/public/x", UPGRADE) + b"early")
        assert client.response("GET", upgrade=True).status == 101
        assert client.receive_exactly(5) == b"EARLY"


def test_upgrade_needs_a_session_as_anything_else(stage):
    door = stage.start()
    refused(door.get("/page", UPGRADE), 401, "no_session")
    refused(door.get("/admin/x", UPGRADE, session=stage.session("42")), 403, "forbidden")
    assert stage.app.requests == []


def test_upgrade_by_a_page_of_another_site(stage):
    """A WebSocket is asked for by GET and may change anything: another site's page must not open it with our cookie."""
    door = stage.start()
    refused(door.get("/page", {**UPGRADE, "Origin": "https://evil.example"}, session=stage.session("42")), 403, "csrf")
    assert stage.app.requests == []


@pytest.mark.parametrize("protocol", ["h2c", "TLS/1.0", "echo", "websocket, h2c"])
def test_upgrade_to_something_else_is_not_passed_on(stage, protocol):
    """A tunnel to h2c would carry requests past every rule here."""
    door = stage.start()
    response = door.get("/public/x", {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": protocol, "HTTP2-Settings": "AAMAAABkAAQAAP__"})
    assert response.status == 200
    assert stage.app.last.all("Upgrade") == stage.app.last.all("HTTP2-Settings") == []


def test_upgrade_that_the_upstream_declines(stage):
    door = stage.start()
    with door.client() as client:
        assert upgrade(stage, client).status == 200
        refused(client.ask("GET", "/admin/x", {"Cookie": f"sid={stage.session('42')}"}), 403)
        assert client.ask("GET", "/public/x").status == 200


def test_no_tunnel_before_101(stage):
    """Kubernetes' CVE-2018-1002105: what follows a declined upgrade is a request, and is judged as one."""
    stage.app.script = lambda request, connection: b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"
    door = stage.start()
    with door.client() as client:
        pairs = {**UPGRADE, "Cookie": f"sid={stage.session('42')}"}
        client.send(build("GET", "/page", pairs) + build("GET", "/admin/x", {"X-User-Id": "FORGED"}))
        assert client.response().status == 400
        assert client.response().status == 401
    assert len(stage.app.requests) == 1


def test_101_that_nobody_asked_for(stage):
    stage.app.script = lambda request, connection: b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    door = stage.start()
    refused(door.get("/public/x"), 502)


def test_upstream_ends_the_tunnel(stage):
    def script(request, connection):
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbye")
        connection.close()

    stage.app.script = script
    door = stage.start()
    with door.client() as client:
        upgrade(stage, client)
        assert client.receive_exactly(3) == b"bye" and client.is_closed()


def test_tunnel_outlives_the_times_of_requests(stage):
    stage.app.script = echo
    short = {"header": "200ms", "idle": "200ms", "body_idle": "200ms"}
    routes = [{"path": "/**", "auth": "none", "upstream": "app", "timeouts": {"total": "200ms"}}]
    door = stage.start(server={"timeouts": short}, routes=routes)
    with door.client() as client:
        client.send(build("GET", "/public/x", UPGRADE))
        assert client.response("GET", upgrade=True).status == 101
        client.sock.settimeout(0.6)
        with pytest.raises(TimeoutError):
            client.receive()  # silence, not an end
        client.sock.settimeout(5)
        client.send(b"still here")
        assert client.receive_exactly(10) == b"STILL HERE"


class WebSocketServer:
    """A WebSocket application (python3-websockets) on a thread of its own."""

    def __enter__(self):
        self.headers, ready = [], threading.Event()

        async def handler(socket):
            self.headers.append(socket.request_headers)
            async for message in socket:
                await socket.send(message[::-1])

        async def main():
            self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
            async with websockets.serve(handler, "127.0.0.1", 0, max_size=None) as server:
                self.port = server.sockets[0].getsockname()[1]
                ready.set()
                await self.stop.wait()

        self.thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
        self.thread.start()
        assert ready.wait(5)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(5)


def test_websocket(stage):
    id = stage.session("42")
    with WebSocketServer() as server:
        door = stage.start(upstreams={"app": f"http://127.0.0.1:{server.port}"})

        async def play():
            url = f"ws://{door.address}/page/socket"
            headers = {"Cookie": f"sid={id}", "X-User-Id": "FORGED"}
            async with websockets.connect(url, extra_headers=headers, max_size=None) as socket:
                for message in ("hello", "ümlaut", b"\x00\x01\x02", "x" * 1_000_000):
                    await socket.send(message)
                    assert await socket.recv() == message[::-1]
                await (await socket.ping())
            with pytest.raises(websockets.InvalidStatusCode) as refusal:
                await websockets.connect(url)
            assert refusal.value.status_code == 401

        asyncio.run(asyncio.wait_for(play(), 20))
        assert [h.get_all("X-User-Id") for h in server.headers] == [["42"]]
        assert not any("sid=" in h.get("Cookie", "") for h in server.headers)
        door.stop()


def test_half_bodies_leak_nothing(stage):
    """lighttpd's CVE-2022-41556: half a chunked body, then the end, a thousand times."""
    door = stage.start()
    door.get("/public/x")
    before = door.descriptors()
    for n in range(1000):
        with door.client() as client:
            client.send(build("POST", "/public/x", {"Transfer-Encoding": "chunked"}) + b"5\r\nhel")
    eventually(lambda: door.descriptors() <= before + 4, 5, "descriptors back where they were")
    # The places are free again: without one this would be 503 after a second.
    assert door.get("/public/x").status == 200
