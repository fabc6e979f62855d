"""C5, row 2: what is too large, too long, too many or too slow."""

import time

import pytest
from support.client import build
from support.expect import refused


def assert_refused_and_closed(door, data, status, code, method="GET"):
    with door.client() as client:
        client.send(data)
        refused(client.response(method), status, code)
        assert client.is_closed()


def test_header_over_its_limit(shared):
    assert_refused_and_closed(shared.door, build("GET", "/public/x", {"X-Large": "x" * 33 * 1024}), 431, "header_too_large")


def test_header_under_its_limit(shared):
    assert shared.door.get("/public/x", {"X-Large": "x" * 30 * 1024}).status == 200
    assert len(shared.app.last.header("X-Large")) == 30 * 1024


def test_header_name_of_64_kib(shared):
    assert_refused_and_closed(shared.door, build("GET", "/public/x", {"X" * 65536: "1"}), 431, "header_too_large")


def test_header_fields_at_their_limit(shared):
    assert shared.door.get("/public/x", [(f"X-{i}", "1") for i in range(99)]).status == 200  # and Host


def test_too_many_header_fields(shared):
    assert_refused_and_closed(shared.door, build("GET", "/public/x", [(f"X-{i}", "1") for i in range(100)]), 431, "too_many_headers")


def test_5000_header_lines(shared):
    with shared.door.client() as client:
        client.send(build("GET", "/public/x", [("A", "")] * 5000))
        refused(client.response(), 431, "too_many_headers")


def test_target_too_long(shared):
    assert_refused_and_closed(shared.door, build("GET", "/public/" + "x" * 8192), 414, "target_too_long")


def test_query_too_long(shared):
    assert_refused_and_closed(shared.door, build("GET", "/public/x?" + "x" * 8192), 414, "target_too_long")


def test_target_at_its_limit(shared):
    target = "/public/".ljust(8192, "x")
    assert shared.door.get(target).status == 200
    assert shared.app.last.target == target


@pytest.fixture
def small(stage):
    return stage.start(routes=[{"path": "/public/**", "auth": "none", "upstream": "app", "body_bytes": "1KiB"}])


def test_announced_body_over_the_limit_of_its_route(stage, small):
    assert_refused_and_closed(small, build("POST", "/public/x", {"Content-Length": "1025"}), 413, "body_too_large", "POST")
    assert stage.app.requests == []


def test_body_at_the_limit(stage, small):
    assert small.ask("POST", "/public/x", {}, b"x" * 1024).status == 200
    assert stage.app.last.body == b"x" * 1024


def test_chunked_body_over_the_limit(stage, small):
    chunks = b"100\r\n" + b"x" * 256 + b"\r\n"
    data = build("POST", "/public/x", {"Transfer-Encoding": "chunked"}) + chunks * 5 + b"0\r\n\r\n"
    assert_refused_and_closed(small, data, 413, "body_too_large", "POST")


def test_body_over_the_general_limit(shared):
    assert_refused_and_closed(shared.door, build("POST", "/public/x", {"Content-Length": str(10 * 1024 * 1024 + 1)}), 413, "body_too_large", "POST")


@pytest.fixture
def impatient(stage):
    return stage.start(server={"timeouts": {"header": "300ms", "body_idle": "300ms", "idle": "300ms"}})


def test_header_too_slow(impatient):
    with impatient.client() as client:
        start = time.monotonic()
        client.send(b"GET /public/x HTTP/1.1\r\nHost: app.test\r\nX-Slow: ")
        refused(client.response(), 408, "request_timeout")
        assert client.is_closed() and 0.2 < time.monotonic() - start < 3


def test_header_that_trickles(impatient):
    """Slowloris: a byte now and then does not move the deadline."""
    with impatient.client(timeout=0.1) as client:
        start, answer = time.monotonic(), b""
        client.send(b"GET /public/x HTTP/1.1\r\nHost: app.test\r\nX-Slow: ")
        while not answer and time.monotonic() - start < 3:
            try:
                client.send(b"x")
                answer = client.sock.recv(65536)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_body_that_does_not_come(impatient):
    with impatient.client() as client:
        client.send(build("POST", "/public/x", {"Content-Length": "10"}) + b"12345")
        refused(client.response("POST"), 408, "request_timeout")
        assert client.is_closed()


def test_idle_connection_is_closed_without_a_word(impatient):
    with impatient.client() as client:
        assert client.ask("GET", "/public/x").status == 200
        assert client.is_closed()


def test_connection_that_never_says_anything(impatient):
    """There is no request to answer: it is closed without a word."""
    with impatient.client() as client:
        assert client.is_closed()
