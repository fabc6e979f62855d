"""C1: what flows: large bodies in bounded memory, and event streams as they come."""

import socket
import threading

import pytest
from support.client import build
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
