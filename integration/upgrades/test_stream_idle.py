"""C1: `server.timeouts.stream_idle`: how long what may be silent may be silent."""

import time

import pytest
from support.client import build
from support.tunnels import is_silent
from support.wait import eventually

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def idle(time, **others):
    return {"timeouts": {"stream_idle": time, **others}}


def event(text):
    data = b"data: %s\n\n" % text
    return b"%x\r\n%s\r\n" % (len(data), data)


def over(door):
    eventually(lambda: door.metrics().value("doorward_connections", state="tunnel") == 0)
    eventually(lambda: door.metrics().value("doorward_upstream_connections", upstream="app", state="active") == 0)


def test_an_hour_unless_said_otherwise(stage):
    assert stage.start().admin("/config").json()["server"]["timeouts"]["stream_idle"] == "1h"
    assert stage.start(server=idle("1500ms")).admin("/config").json()["server"]["timeouts"]["stream_idle"] == "1500ms"


# ---- tunnels ----


@pytest.mark.parametrize("spoken", [False, True], ids=["from the start", "after a word each way"])
def test_silent_tunnel_ends(stage, far_ends, spoken):
    door = stage.start(server=idle("600ms"))
    with door.client() as client:
        far = far_ends.tunnel(client)
        if spoken:
            client.send(b"hello")
            assert far.receive_exactly(5) == b"hello"
            far.send(b"hello")
            assert client.receive_exactly(5) == b"hello"
        assert is_silent(client, 0.3) and is_silent(far, 0.05), "ended before its time"
        assert client.is_closed() and far.is_closed()
        over(door)
    entry = door.logged(path="/public/x")
    assert entry["status"] == 101 and 500_000 <= entry["total_us"] < 4_000_000


@pytest.mark.parametrize("who", ["client", "upstream"])
def test_one_that_speaks_keeps_it_open(stage, far_ends, who):
    """Somebody who only listens is not silent: pings of one side may be all there is, and need no answer here."""
    door = stage.start(server=idle("800ms"))
    with door.client() as client:
        far = far_ends.tunnel(client)
        talker, listener = (client, far) if who == "client" else (far, client)
        start = time.monotonic()
        while time.monotonic() - start < 2.4:
            talker.send(b".")
            assert listener.receive_exactly(1) == b"."
            assert is_silent(listener, 0.1) and is_silent(talker, 0)
        listener.send(b"that was long")
        assert talker.receive_exactly(13) == b"that was long"
        assert client.is_closed() and far.is_closed(), "and then it is silent"
        over(door)


def test_times_of_requests_are_not_its_times(stage, far_ends):
    short = {"header": "200ms", "idle": "200ms", "body_idle": "200ms"}
    app = {"endpoints": [stage.app.url], "timeouts": {"idle": "200ms", "first_byte": "200ms"}}
    routes = [{"path": "/**", "auth": "none", "upstream": "app", "timeouts": {"total": "200ms"}}]
    door = stage.start(server={"timeouts": short}, upstreams={"app": app}, routes=routes)
    with door.client() as client:
        far = far_ends.tunnel(client)
        assert is_silent(client, 0.6) and is_silent(far, 0)
        client.send(b"still here")
        assert far.receive_exactly(10) == b"still here"
        far.send(b"so am I")
        assert client.receive_exactly(7) == b"so am I"


# ---- event streams ----


def test_silent_event_stream_ends(stage, far_ends):
    """And not as if it were whole."""
    door = stage.start(server=idle("600ms"))
    with door.client() as client:
        client.send(build("GET", "/public/x"))
        far = far_ends.next()
        far.send(SSE + event(b"hello"))
        client.receive_until(b"data: hello\n\n\r\n")
        assert is_silent(client, 0.3), "ended before its time"
        assert client.is_closed() and far.is_closed()
        over(door)
    assert 500_000 <= door.logged(path="/public/x")["total_us"] < 4_000_000


def test_event_stream_that_speaks_now_and_then(stage, far_ends):
    """Longer than `stream_idle` in all, and more rarely than other answers have to."""
    app = {"endpoints": [stage.app.url], "timeouts": {"idle": "150ms"}}
    door = stage.start(server=idle("1200ms"), upstreams={"app": app})
    with door.client() as client:
        client.send(build("GET", "/public/x"))
        far = far_ends.next()
        far.send(SSE)
        client.receive_until(b"\r\n\r\n")
        for _ in range(5):
            assert is_silent(client, 0.4)
            far.send(event(b"tick"))
            client.receive_until(b"tick\n\n\r\n")
        far.send(b"0\r\n\r\n")
        assert client.receive_until(b"\r\n\r\n") == b"0\r\n\r\n"


def test_other_answers_have_the_upstream_s_time(stage, far_ends):
    app = {"endpoints": [stage.app.url], "timeouts": {"idle": "300ms"}}
    door = stage.start(server=idle("60s"), upstreams={"app": app})
    with door.client() as client:
        client.send(build("GET", "/public/x"))
        far = far_ends.next()
        far.send(SSE.replace(b"event-stream", b"plain") + event(b"hello"))
        client.receive_until(b"data: hello\n\n\r\n")
        assert client.is_closed() and far.is_closed()
