"""TLS with upstreams: whom doorward believes, whom it shows itself as, what is never sent."""

import socket
import ssl
import threading
import time

import pytest
from support.certificates import Authority
from support.upstream import answer


def serving(files, ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    if ca:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture
def start(stage, authority):
    """Runs doorward before an application that speaks TLS; `tls` is what doorward is told of it."""

    def start(files, tls, ca=None, **more):
        stage.app = stage.upstream(tls=serving(files, ca))
        config = {"endpoints": [stage.app.url], **({"tls": tls} if tls else {}), **more}
        return stage.start(upstreams={"app": config})

    return start


@pytest.fixture(scope="session")
def local(authority):
    """A certificate for the address that the application has."""
    return authority.issue("local", "127.0.0.1", "app.internal")


def refused(door):
    reply = door.get("/public/")
    assert (reply.status, reply.code) == (502, "upstream_unavailable")
    assert door.logged(reason="upstream_tls")
    return door.log.wait_for_json(lambda e: e.get("event") == "upstream_tls_failed", 5, "the reason")["reason"]


def test_a_request_and_an_answer(stage, start, authority, local):
    door = start(local, {"ca": str(authority.cert)})
    stage.app.script = lambda request, _: answer(body=request.body * 2)
    with door.client() as c:
        for size in (0, 10, 300_000):
            assert c.ask("POST", "/public/", {}, b"x" * size).body == b"x" * size * 2
    assert stage.app.connections == 1, "the connection is kept, and its tickets are not taken for an answer"
    assert stage.app.last.header("X-Forwarded-Proto") == "http"


def test_the_name_that_is_asked_for(stage, start, authority, local):
    door = start(local, {"ca": str(authority.cert), "server_name": "app.internal"})
    names = []
    stage.app.tls.sni_callback = lambda sock, name, context: names.append(name)
    assert door.get("/public/").status == 200
    assert names == ["app.internal"]


def test_a_certificate_for_somebody_else(stage, start, authority):
    door = start(authority.issue("else", "else.internal"), {"ca": str(authority.cert)})
    assert "mismatch" in refused(door)
    assert stage.app.requests == []


def test_an_authority_nobody_spoke_of(stage, start, local, tmp_path):
    door = start(local, {"ca": str(Authority(tmp_path / "another").cert)})
    assert "certificate verify failed" in refused(door)
    assert stage.app.requests == []


def test_without_a_word_the_operating_system_is_believed(stage, start, local):
    door = start(local, None)
    assert "certificate verify failed" in refused(door)
    assert stage.app.requests == []


def test_no_tls_at_the_other_end(stage, authority):
    door = stage.start(upstreams={"app": {"endpoints": [stage.app.url.replace("http:", "https:")], "tls": {"ca": str(authority.cert)}}})
    stage.app.script = lambda *_: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    reply = door.get("/public/")
    assert reply.status in (502, 504)
    stage.app.failures.clear()  # it was sent no HTTP


def test_a_silent_one_is_given_up(stage, authority):
    gate = stage.gate_before(stage.app.address)
    gate.hang()
    door = stage.start(upstreams={"app": {"endpoints": [f"https://{gate.address}"], "timeouts": {"connect": "300ms"},
                                          "tls": {"ca": str(authority.cert)}}})  # fmt: skip
    reply = door.get("/public/")
    assert (reply.status, reply.code) == (504, "upstream_timeout")
    told = door.log.wait_for_json(lambda e: e.get("event") == "upstream_tls_failed", 5, "the reason")
    assert told["reason"] == "the handshake was not done in time"
    stage.app.failures.clear()


def test_sessions_are_resumed(stage, start, authority, local):
    door = start(local, {"ca": str(authority.cert)})
    reused = []

    def script(request, connection):
        reused.append(connection.sock.session_reused)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    stage.app.script = script
    for _ in range(4):
        assert door.get("/public/").status == 200
    assert reused[0] is False and reused.count(True) >= 2  # each worker has its own


def test_part_of_a_record_now_and_then_buys_no_time(stage, start, authority, local):
    """What TLS reads without a byte of an answer: the upstream has not been heard."""
    over = threading.Event()

    def script(request, connection):
        raw = socket.socket(fileno=connection.sock.detach())
        try:
            raw.sendall(b"\x17\x03\x03\x40\x00")
            while not over.wait(0.1):
                raw.sendall(b"x")
        except OSError:
            pass
        raw.close()

    door = start(local, {"ca": str(authority.cert)}, timeouts={"first_byte": "500ms"})
    stage.app.script = script
    begun = time.monotonic()
    reply = door.get("/public/")
    over.set()
    assert (reply.status, reply.code) == (504, "upstream_timeout") and time.monotonic() - begun < 3


def test_our_own_certificate(stage, start, authority, local):
    cert, key = authority.issue("gateway")
    door = start(local, {"ca": str(authority.cert), "cert": cert, "key": key}, ca=str(authority.cert))
    assert door.get("/public/").status == 200


def test_one_who_asks_for_a_certificate_we_have_not(stage, start, authority, local):
    door = start(local, {"ca": str(authority.cert)}, ca=str(authority.cert))
    # With TLS 1.3 the refusal comes after the handshake.
    stage.app.tls.maximum_version = ssl.TLSVersion.TLSv1_2
    assert "handshake failure" in refused(door)


def test_an_answer_that_was_cut_is_not_taken_for_whole(stage, start, authority, local):
    """An answer that ends with its connection, without TLS's own end: somebody on the way may have cut it."""
    door = start(local, {"ca": str(authority.cert)})

    def script(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        socket.socket(fileno=connection.sock.detach()).close()  # no close_notify

    stage.app.script = script
    with door.client() as c:
        c.send(b"GET /public/ HTTP/1.1\r\nHost: h\r\n\r\n")
        with pytest.raises(Exception, match="closed|peer|incomplete|reset"):
            c.response()


def test_a_login_service_over_tls(stage, authority, local):
    stage.identity = stage.upstream(tls=serving(local))
    door = stage.start(upstreams={"identity": {"endpoints": [stage.identity.url], "tls": {"ca": str(authority.cert)}}})
    stage.grant({"userId": "42"})
    assert "sid=" in door.ask("POST", "/login", {"Sec-Fetch-Site": "same-origin"}, b"x").header("Set-Cookie")
