"""C1: HTTP/1.1 on both sides, message by message."""

import threading

import h11
import pytest
from support.client import RawClient, build
from support.expect import refused
from support.upstream import answer, plainly
from support.wait import eventually


def fixed(data):
    """A script that answers with these bytes."""
    return lambda request, connection: data


# ---- connections ----


def test_keep_alive_on_both_sides(stage):
    door = stage.start(server={"workers": 1})
    with door.client() as client:
        for n in range(50):
            assert client.ask("GET", f"/public/{n}").status == 200
    assert stage.app.connections == 1
    assert [r.target for r in stage.app.requests] == [f"/public/{n}" for n in range(50)]


def test_clients_share_pooled_connections(stage):
    door = stage.start(server={"workers": 1})
    for n in range(20):
        assert door.get(f"/public/{n}").status == 200
    assert stage.app.connections == 1


def test_client_asks_to_close(stage):
    door = stage.start()
    with door.client() as client:
        response = client.ask("GET", "/public/x", {"Connection": "close"})
        assert response.status == 200 and response.header("Connection") == "close"
        assert client.is_closed()
    assert stage.app.last.header("Connection") in (None, "keep-alive")


def test_upstream_asks_to_close(stage):
    stage.app.script = lambda request, connection: connection.send(answer(200, {"Connection": "close"})) or connection.close()
    door = stage.start(server={"workers": 1})
    with door.client() as client:
        for n in range(3):
            response = client.ask("GET", f"/public/{n}")
            assert response.status == 200 and response.header("Connection") != "close"
    assert stage.app.connections == 3


def test_old_client_that_keeps_alive(stage):
    door = stage.start()
    with door.client() as client:
        for _ in range(2):
            client.send(b"GET /public/x HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n")
            response = client.response()
            assert response.status == 200 and response.header("Connection").lower() == "keep-alive"


def test_old_client_gets_no_chunks(stage):
    stage.app.script = fixed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    door = stage.start()
    with door.client() as client:
        client.send(b"GET /public/x HTTP/1.0\r\nHost: app.test\r\n\r\n")
        response = client.response()
        assert response.body == b"hello" and response.header("Transfer-Encoding") is None


@pytest.mark.parametrize("count", [2, 5, 100])
def test_pipelined_requests_are_answered_in_order(stage, count):
    stage.app.script = lambda request, connection: answer(200, {}, request.target.encode())
    door = stage.start()
    with door.client() as client:
        client.send(b"".join(build("GET", f"/public/{n}") for n in range(count)))
        assert [client.response().body for n in range(count)] == [f"/public/{n}".encode() for n in range(count)]


def test_pipelined_behind_a_body(stage):
    stage.app.script = lambda request, connection: answer(200, {}, request.target.encode() + request.body)
    door = stage.start()
    with door.client() as client:
        chunked = build("POST", "/public/b", {"Transfer-Encoding": "chunked"}) + b"3\r\nxyz\r\n0\r\n\r\n"
        client.send(build("POST", "/public/a", {}, b"body") + chunked + build("GET", "/page") + build("GET", "/public/c"))
        assert client.response("POST").body == b"/public/abody"
        assert client.response("POST").body == b"/public/bxyz"
        assert client.response().status == 401
        assert client.response().body == b"/public/c"


def test_request_in_single_bytes(stage):
    door = stage.start()
    with door.client() as client:
        for byte in build("POST", "/public/x", {"Transfer-Encoding": "chunked"}) + b"3;a=b\r\nxyz\r\n0\r\n\r\n":
            client.send(bytes([byte]))
        assert client.response("POST").status == 200
    assert stage.app.last.body == b"xyz"


def test_answer_in_single_bytes(stage):
    def script(request, connection):
        for byte in b"HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n":
            connection.send(bytes([byte]))

    stage.app.script = script
    door = stage.start()
    response = door.get("/public/x")
    assert (response.header("X-A"), response.body) == ("b", b"xyz")


def test_half_closed_client_still_gets_its_answer(stage):
    door = stage.start()
    with door.client() as client:
        client.send(build("GET", "/public/x"))
        client.finish()
        assert client.response().status == 200
        assert client.is_closed()


# ---- answers without a body ----


def test_head(stage):
    stage.app.script = fixed(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nX-A: b\r\n\r\n")
    door = stage.start()
    with door.client() as client:
        for _ in range(3):
            response = client.ask("HEAD", "/public/x")
            assert (response.status, response.header("Content-Length"), response.body) == (200, "1000", b"")


def test_head_of_something_chunked(stage):
    stage.app.script = fixed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    door = stage.start()
    with door.client() as client:
        for _ in range(3):
            assert client.ask("HEAD", "/public/x").body == b""


@pytest.mark.parametrize("status", [204, 304])
def test_status_without_a_body(stage, status):
    stage.app.script = fixed(f"HTTP/1.1 {status} Fine\r\nETag: \"x\"\r\n\r\n".encode())
    door = stage.start()
    with door.client() as client:
        for _ in range(3):
            response = client.ask("GET", "/public/x")
            assert (response.status, response.header("ETag"), response.body) == (status, '"x"', b"")


def test_304_with_a_length(stage):
    stage.app.script = fixed(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")
    door = stage.start()
    with door.client() as client:
        for _ in range(3):
            assert client.ask("GET", "/public/x").status == 304


def test_interim_answers_of_the_upstream(stage):
    stage.app.script = fixed(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer())
    door = stage.start()
    with door.client() as client:
        for _ in range(3):
            assert client.ask("GET", "/public/x").status == 200


# ---- bodies ----


@pytest.mark.parametrize("size", [0, 1, 1000, 16 * 1024, 16 * 1024 + 1, 1_000_000])
def test_body_with_a_length_both_ways(stage, size):
    stage.app.script = lambda request, connection: answer(200, {}, request.body[::-1])
    door = stage.start()
    body = bytes(n % 251 for n in range(size))
    response = door.ask("POST", "/public/x", {}, body)
    assert response.body == body[::-1] and response.header("Content-Length") == str(size)
    assert stage.app.last.header("Content-Length") == str(size)


@pytest.mark.parametrize("size", [0, 1, 1000, 70_000])
def test_chunked_body_both_ways(stage, size):
    def script(request, connection):
        whole = request.body[::-1]
        pieces = [whole[i : i + 4096] for i in range(0, len(whole), 4096)]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces)
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"

    stage.app.script = script
    door = stage.start()
    body = bytes(n % 251 for n in range(size))
    chunks = b"".join(b"%X;e=1\r\n%s\r\n" % (len(p), p) for p in (body[i : i + 999] for i in range(0, size, 999)))
    with door.client() as client:
        client.send(build("POST", "/public/x", {"Transfer-Encoding": "chunked"}) + chunks + b"0\r\n\r\n")
        response = client.response("POST")
        assert response.body == body[::-1]
        assert client.ask("GET", "/public/y").status == 200
    assert stage.app.requests[0].body == body


def test_answer_that_ends_with_the_connection(stage):
    stage.app.script = lambda request, connection: connection.send(b"HTTP/1.1 200 OK\r\n\r\nhello") or connection.close()
    door = stage.start()
    assert door.get("/public/x").body == b"hello"


TRUNCATED = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n",
}


@pytest.mark.parametrize("data", TRUNCATED.values(), ids=TRUNCATED.keys())
@pytest.mark.parametrize("rst", [False, True])
def test_truncated_answer_never_looks_complete(stage, data, rst):
    stage.app.script = lambda request, connection: connection.send(data) or (connection.reset() if rst else connection.close())
    door = stage.start()
    with door.client() as client:
        try:
            response = client.ask("GET", "/public/x")
        except (h11.RemoteProtocolError, ConnectionError):
            return
        # What was wrong showed before anything had been passed on.
        assert response.status == 502, "the answer looked complete"


def test_upstream_answers_before_the_body_has_come(stage):
    stage.app.reads_bodies = False
    stage.app.script = lambda request, connection: connection.send(answer(403, {"Connection": "close"}, b"no")) or connection.close()
    door = stage.start()
    with door.client() as client:
        client.send(build("POST", "/public/x", {"Content-Length": "1000000"}) + b"x" * 1000)
        assert client.response("POST").status == 403


def test_body_streams_while_it_is_being_sent(stage):
    seen = threading.Event()

    def script(request, connection):
        first = connection.receive_exactly(5)
        seen.set()
        rest = connection.receive_exactly(5)
        return answer(200, {}, first + rest)

    stage.app.reads_bodies = False
    stage.app.script = script
    door = stage.start()
    with door.client() as client:
        client.send(build("POST", "/public/x", {"Content-Length": "10"}) + b"first")
        assert seen.wait(5)
        client.send(b"later")
        assert client.response("POST").body == b"firstlater"


def test_client_that_dies_in_mid_body_costs_its_upstream_connection(stage):
    """HAProxy's CVE-2026-33555: a pooled connection that waits for the rest would eat the next request."""
    stage.app.reads_bodies = False
    stage.app.script = lambda request, connection: connection.read_body(request) or answer()
    door = stage.start(server={"workers": 1})
    with door.client() as client:
        client.send(build("POST", "/public/x", {"Content-Length": "100"}) + b"half")
        stage.app.wait_for(1)
        client.reset()
    eventually(lambda: not stage.app.open_connections)
    assert door.get("/public/y").status == 200
    assert stage.app.last.target == "/public/y" and stage.app.connections == 2


@pytest.mark.parametrize("leave", [RawClient.close, RawClient.reset], ids=["closes", "resets"])
def test_client_that_dies_waiting_costs_its_upstream_connection(stage, leave):
    """Nobody is left to answer: 499 in the log and in the metrics, as nginx has it."""
    stage.app.script = lambda request, connection: connection.is_closed(5) and connection.close()
    door = stage.start()
    client = door.client()
    client.send(build("GET", "/public/x"))
    stage.app.wait_for(1)
    leave(client)
    eventually(lambda: not stage.app.open_connections)
    entry = door.logged(path="/public/x")
    assert (entry["status"], entry["decision"], entry["reason"], entry["bytes_out"]) == (499, "client_gone", "client_gone", 0)
    labels = {"route": "/public/**", "method": "GET", "code": "499", "decision": "client_gone"}
    assert door.metrics().value("doorward_http_requests_total", **labels) == 1


# ---- Expect ----


def test_expect_continue_is_answered_once_it_is_decided_to_forward(stage):
    door = stage.start()
    with door.client() as client:
        client.send(build("POST", "/page", {"Expect": "100-continue", "Content-Length": "5", "Cookie": f"sid={stage.session('42')}"}))
        assert client.receive_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        client.send(b"hello")
        response = client.response("POST")
        assert response.status == 200 and response.informational == []
    assert stage.app.last.body == b"hello" and stage.app.last.header("Expect") is None


def test_expect_continue_of_a_refused_request(stage):
    door = stage.start()
    with door.client() as client:
        client.send(build("POST", "/page", {"Expect": "100-continue", "Content-Length": "5"}))
        response = client.response("POST")
        assert response.status == 401 and response.informational == []


def test_expect_continue_and_no_upstream(stage):
    """Whoever is told to go on sends his body for nothing."""
    door = stage.start()
    stage.app.stop_listening()
    with door.client() as client:
        client.send(build("POST", "/public/x", {"Expect": "100-continue", "Content-Length": "5"}))
        response = refused(client.response("POST"), 502, "upstream_unavailable")
        assert response.informational == []
        assert client.is_closed()  # the body may come all the same, and nobody can tell


def test_expect_continue_and_the_body_comes_unasked(stage):
    door = stage.start()
    with door.client() as client:
        client.send(build("POST", "/public/x", {"Expect": "100-continue"}, b"hello"))
        assert client.response("POST").status == 200
        assert client.ask("GET", "/public/y").status == 200


def test_expect_something_else(stage):
    door = stage.start()
    assert door.ask("POST", "/public/x", {"Expect": "a-miracle"}, b"").status == 417
    assert stage.app.requests == []


# ---- retries ----


def test_request_on_a_pooled_connection_that_had_died(stage):
    door = stage.start(server={"workers": 1})
    assert door.get("/public/1").status == 200
    stage.app.close_connections()
    for n in range(2, 5):
        assert door.get(f"/public/{n}").status == 200
        stage.app.close_connections()
    assert [r.target for r in stage.app.requests] == ["/public/1", "/public/2", "/public/3", "/public/4"]


def dying_on_reuse(stage):
    """Each connection answers once, and closes when it is asked again without an answer: the race every pool knows."""
    used = set()

    def script(request, connection):
        if connection.number in used:
            connection.close()
        used.add(connection.number)
        return plainly(request, connection)

    stage.app.script = script


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_request_is_sent_again_once(stage, method):
    dying_on_reuse(stage)
    door = stage.start(server={"workers": 1})
    assert door.ask(method, "/public/1").status == 200
    assert door.ask(method, "/public/2").status == 200
    assert [r.target for r in stage.app.requests] == ["/public/1", "/public/2", "/public/2"]


def test_unsafe_request_is_not_sent_again(stage):
    dying_on_reuse(stage)
    door = stage.start(server={"workers": 1})
    assert door.get("/public/1").status == 200
    assert door.ask("POST", "/public/2", {}, b"pay").status == 502
    assert [r.target for r in stage.app.requests] == ["/public/1", "/public/2"]


def test_request_is_not_sent_a_third_time(stage):
    first = []

    def script(request, connection):
        if request.target == "/public/1":
            first.append(connection.number)
            return answer()
        connection.close()

    stage.app.script = script
    door = stage.start(server={"workers": 1})
    assert door.get("/public/1").status == 200
    assert door.get("/public/2").status == 502
    assert [r.target for r in stage.app.requests].count("/public/2") <= 2


def test_answer_that_has_begun_is_not_asked_for_again(stage):
    def script(request, connection):
        if request.target == "/public/1":
            return answer()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        connection.close()

    stage.app.script = script
    door = stage.start(server={"workers": 1})
    door.get("/public/1")
    with door.client() as client, pytest.raises((h11.RemoteProtocolError, ConnectionError)):
        client.ask("GET", "/public/2")
    assert [r.target for r in stage.app.requests] == ["/public/1", "/public/2"]


def test_bytes_after_an_answer_spoil_the_connection(stage):
    """What an upstream sends too much must not become the next client's answer."""
    stage.app.script = fixed(answer(200, {}, b"ok") + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    door = stage.start(server={"workers": 1})
    for n in range(5):
        assert door.get(f"/public/{n}").body == b"ok"
    assert stage.app.connections == 5


# ---- where the upstream is ----


def test_upstream_on_a_unix_socket(stage, tmp_path):
    app = stage.upstream(unix=tmp_path / "app.sock")
    door = stage.start(upstreams={"app": app.url})
    assert door.ask("POST", "/public/x", {}, b"hello").status == 200
    assert app.last.body == b"hello" and app.last.header("Host") == "app.test"


def test_listener_on_a_unix_socket(stage, tmp_path):
    door = stage.start(server={"listen": f"unix:{tmp_path}/door.sock"})
    assert door.address == f"unix:{tmp_path}/door.sock"
    assert door.get("/page", session=stage.session("42")).status == 200


def test_several_listeners(stage, tmp_path):
    door = stage.start(server={"listen": ["127.0.0.1:0", "[::1]:0", f"unix:{tmp_path}/door.sock"]})
    addresses = {e["address"] for e in door.log.json() if e.get("event") == "listening" and e["role"] == "http"}
    assert len(addresses) == 3
    for address in addresses:
        with RawClient(address) as client:
            assert client.ask("GET", "/public/x").status == 200


def test_several_endpoints_take_turns(stage):
    other = stage.upstream()
    door = stage.start(server={"workers": 1}, upstreams={"app": {"endpoints": [stage.app.url, other.url]}})
    for n in range(10):
        assert door.get(f"/public/{n}").status == 200
    assert len(stage.app.requests) == len(other.requests) == 5


def test_endpoint_that_refuses_is_passed_over(stage):
    other = stage.upstream()
    door = stage.start(server={"workers": 1}, upstreams={"app": {"endpoints": [stage.app.url, other.url]}})
    stage.app.stop_listening()
    assert [door.get(f"/public/{n}").status for n in range(6)] == [200] * 6
    stage.app.listen()
