"""C1: who gets a tunnel: whoever may send that request, for WebSocket, where the upstream agrees, and nobody else."""

import pytest
from support.client import build
from support.expect import refused, sent_to_login
from support.stage import ROUTES
from support.tunnels import SWITCHED, UPGRADE, finish, handshake, is_silent, lines
from support.upstream import Closed, answer
from support.wait import eventually

FRAME = b"\x81\x85\x01\x02\x03\x04" + bytes(a ^ b for a, b in zip(b"hello", b"\x01\x02\x03\x04\x01"))  # masked text
SOON = {"timeouts": {"header": "500ms"}}  # half a head, which a frame may look like, is not waited for longer
EVIL = {"Origin": "https://evil.example"}


def as_ordinary(request):
    """It went on, and asks for no upgrade."""
    asked = [token.strip().lower() for value in request.all("Connection") for token in value.split(",")]
    return request.all("Upgrade") == [] and "upgrade" not in asked


# ---- who may ----


@pytest.mark.parametrize("target", ["/page", "/watch/x", "/admin/x"])
def test_no_session(stage, far_ends, target):
    door = stage.start()
    refused(door.get(target, UPGRADE), 401, "no_session")
    refused(door.get(target, UPGRADE, session="session-that-never-was"), 401)
    assert stage.app.connections == 0


def test_no_session_and_a_route_that_leads_to_the_login(stage, far_ends):
    door = stage.start(routes=[{"path": "/**", "upstream": "app", "unauthenticated": "redirect"}])
    sent_to_login(door.get("/page/socket", UPGRADE), "/page/socket")
    assert stage.app.connections == 0


def test_session_without_the_role(stage, far_ends):
    door = stage.start()
    refused(door.get("/admin/x", UPGRADE, session=stage.session("42")), 403, "forbidden")
    assert stage.app.connections == 0


def test_sessions_cannot_be_looked_up(stage, far_ends):
    assert stage.gate
    door, session = stage.start(), stage.session("42")
    stage.gate.refuse()
    stage.gate.cut()
    refused(door.get("/page", UPGRADE, session=session), 503)
    assert stage.app.connections == 0
    stage.gate.open()


def test_session_that_ends_is_no_longer_good_for_another_tunnel(stage, far_ends):
    """What is open stays open until somebody looks again; test_revocation.py has the usual."""
    door, session = stage.start(session={"recheck": "5m"}), stage.session("42")
    with door.client() as client, door.client() as later:
        far = far_ends.tunnel(client, target="/page", session=session)
        stage.redis("DEL", f"session:{session}")
        later.send(handshake("/page", session=session))
        refused(later.response(), 401)
        client.send(b"still here")
        assert far.receive_exactly(10) == b"still here"


FOREIGN = {
    "another origin": EVIL,
    "no origin at all": {"Origin": "null"},
    "our name on another port": {"Origin": "https://app.test:444"},
    "cross-site by Sec-Fetch-Site": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "websocket"},
    "same-site by Sec-Fetch-Site": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "websocket"},
}


@pytest.mark.parametrize("target", ["/page", "/maybe/x", "/watch/x", "/public/x"])
@pytest.mark.parametrize("name", FOREIGN)
def test_page_of_another_site_with_our_cookie(shared, name, target):
    """A WebSocket is asked for by GET and may change anything: another site's page must not open it with our cookie."""
    before = shared.app.connections
    refused(shared.door.get(target, {**UPGRADE, **FOREIGN[name]}, session=shared.session("42")), 403, "csrf")
    assert shared.app.connections == before


OWN = {
    "no word about it": {},
    "our origin": {"Origin": "http://app.test"},
    "same-origin by Sec-Fetch-Site": {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "websocket", "Origin": "http://app.test"},
}


@pytest.mark.parametrize("name", OWN)
def test_page_of_our_own(stage, far_ends, name):
    with stage.start().client() as client:
        far_ends.tunnel(client, target="/page", headers=OWN[name], session=stage.session("42"))


def test_page_of_another_site_where_that_is_allowed(stage, far_ends):
    """Without our cookie it is nobody's; and `csrf: false` says that the application looks for itself."""
    door = stage.start(routes=[{"path": "/open/**", "upstream": "app", "csrf": False}, *ROUTES])
    with door.client() as nobody, door.client() as somebody:
        far_ends.tunnel(nobody, target="/public/x", headers=EVIL)
        far_ends.tunnel(somebody, target="/open/x", headers=EVIL, session=stage.session("42"))
    assert stage.app.last.header("Origin") == EVIL["Origin"]


def test_bytes_behind_a_refused_handshake(stage, far_ends):
    door = stage.start(server=SOON)
    with door.client() as client:
        client.send(handshake("/page") + FRAME)
        refused(client.response(), 401)
        refused(client.response(), 408)
        assert client.is_closed()
    assert stage.app.connections == 0


# ---- as whom ----


@pytest.mark.parametrize("name", ["X-User-Id", "x-user-id", "X_User_Id", "X-User_Name", "X-User-Role", "Doorward-Grant"])
def test_identity_is_ours_and_never_the_client_s(stage, far_ends, name):
    door = stage.start()
    with door.client() as client, door.client() as nobody:
        far_ends.tunnel(client, target="/page", headers={name: "FORGED"}, session=stage.session("42", role="admin", name="Ada"))
        one = stage.app.last
        far_ends.tunnel(nobody, target="/maybe/x", headers={name: "FORGED"})
        other = stage.app.last
    assert b"FORGED" not in one.raw_head and b"FORGED" not in other.raw_head
    assert [one.folded(h) for h in ("X-User-Id", "X-User-Role", "X-User-Name")] == [["42"], ["admin"], ["Ada"]]
    assert [other.folded(h) for h in ("X-User-Id", "X-User-Role", "X-User-Name")] == [[], [], []]


def test_what_the_handshake_says_goes_on(stage, far_ends):
    """And the session's cookie does not, nor what `Connection` names."""
    spoken = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "chat, v2",
              "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}  # fmt: skip
    door, session = stage.start(), stage.session("42")
    with door.client() as client:
        pairs = {**spoken, "Connection": "keep-alive, Upgrade, X-Hop", "X-Hop": "1", "Upgrade": "WebSocket", "Cookie": f"theme=dark; sid={session}"}
        client.send(build("GET", "/page/socket?room=7", pairs))
        far = far_ends.next()
        far.send(SWITCHED[:-2] + b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n")
        response = client.response(upgrade=True)
    request = stage.app.last
    assert (request.method, request.target) == ("GET", "/page/socket?room=7")
    assert request.header("Upgrade").lower() == "websocket" and request.header("Connection").lower() == "upgrade"
    assert {name: request.header(name) for name in spoken} == spoken
    assert request.header("Cookie") == "theme=dark" and request.header("X-Hop") is None and session not in request.raw_head.decode()
    assert response.status == 101
    assert response.header("Upgrade") == "websocket" and response.header("Connection").lower() == "upgrade"
    assert response.header("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" and response.header("Sec-WebSocket-Protocol") == "chat"
    assert response.header("X-Request-Id") == request.header("X-Request-Id")


def test_101_speaks_in_no_name_of_ours(stage, far_ends):
    door, session = stage.start(), stage.session("42")
    with door.client() as client:
        client.send(handshake("/page", session=session))
        far_ends.next().send(SWITCHED[:-2] + b"Doorward-Grant: {}\r\nX-Request-Id: forged\r\nSet-Cookie: sid=forged\r\nSet-Cookie: a=b\r\n\r\n")
        response = client.response(upgrade=True)
    assert response.all("Doorward-Grant") == [] and response.header("X-Request-Id") != "forged" and response.all("Set-Cookie") == ["a=b"]


# ---- for what ----


ORDINARY = {
    "h2c": {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"},
    "TLS": {"Connection": "Upgrade", "Upgrade": "TLS/1.0"},
    "a protocol nobody knows": {"Connection": "Upgrade", "Upgrade": "echo"},
    "WebSocket or else h2c": {"Connection": "Upgrade", "Upgrade": "websocket, h2c"},
    "WebSocket with a version": {"Connection": "Upgrade", "Upgrade": "websocket/13"},
    "no word in Connection": {"Upgrade": "websocket"},
    "no protocol": {"Connection": "Upgrade"},
}


@pytest.mark.parametrize("name", ORDINARY)
def test_anything_but_websocket_goes_on_as_an_ordinary_request(shared, name):
    """A tunnel to h2c would carry requests past every rule here."""
    with shared.door.client() as client:
        assert client.ask("GET", "/public/x", ORDINARY[name]).status == 200
        assert as_ordinary(shared.app.last) and shared.app.last.all("HTTP2-Settings") == []
        refused(client.ask("GET", "/page"), 401)


UNFIT = {
    "POST": build("POST", "/public/x", UPGRADE, b"x"),
    "PUT without a body": build("PUT", "/public/x", UPGRADE, b""),
    "GET with a body": build("GET", "/public/x", UPGRADE, b"hello"),
    "GET with a chunked body": build("GET", "/public/x", {**UPGRADE, "Transfer-Encoding": "chunked"}, b"0\r\n\r\n"),
    "HTTP/1.0": handshake().replace(b"HTTP/1.1", b"HTTP/1.0"),
    "HEAD": handshake().replace(b"GET", b"HEAD"),
    "OPTIONS": handshake().replace(b"GET", b"OPTIONS"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_is_no_handshake_goes_on_as_an_ordinary_request(shared, name):
    with shared.door.client() as client:
        client.send(UNFIT[name])
        assert client.response("HEAD" if name == "HEAD" else "GET").status == 200
    assert as_ordinary(shared.app.last)


def test_two_protocols_on_two_lines(shared):
    before = len(shared.app.requests)
    pairs = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Upgrade", "h2c")]
    refused(shared.door.get("/public/x", pairs), 400)
    assert len(shared.app.requests) == before


# ---- where ----


CLOSED = [{"path": "/plain/**", "auth": "none", "upstream": "app", "upgrade": False}, {"path": "/mine/**", "upstream": "app", "upgrade": False}, *ROUTES]


def test_route_without_upgrades(stage):
    """The request goes on as an ordinary one, and the connection lives on as such; the next route has its own rule."""
    door = stage.start(routes=CLOSED)
    with door.client() as client:
        client.send(handshake("/plain/x", {"Sec-WebSocket-Version": "13"}) + handshake("/public/x"))
        assert client.response().body == b"ok"
        assert client.response().body == b"ok"
    plain, public = stage.app.requests
    assert plain.target == "/plain/x" and as_ordinary(plain)
    assert public.header("Upgrade") == "websocket" and public.header("Connection").lower() == "upgrade"


def test_101_on_a_route_without_upgrades(stage, far_ends):
    door = stage.start(routes=CLOSED)
    with door.client() as client:
        client.send(handshake("/plain/x"))
        far = far_ends.next()
        far.send(SWITCHED + b"secret")
        refused(client.response(upgrade=True), 502, "upstream_unavailable")
        assert far.is_closed() and is_silent(client, 0.1)
        far_ends.tunnel(client)


def test_route_without_upgrades_is_guarded_like_any_other(stage):
    door = stage.start(routes=CLOSED)
    refused(door.get("/mine/x", UPGRADE), 401)
    refused(door.get("/mine/x", {**UPGRADE, **EVIL}, session=stage.session("42")), 403, "csrf")
    assert stage.app.requests == []
    assert door.get("/mine/x", UPGRADE, session=stage.session("42")).status == 200
    assert as_ordinary(stage.app.last) and stage.app.last.header("X-User-Id") == "42"


def test_no_tunnel_to_the_identity_service(stage):
    stage.identity.script = lambda request, connection: SWITCHED
    door = stage.start()
    refused(door.get("/login", UPGRADE), 502)
    assert as_ordinary(stage.identity.last)


# ---- an upstream that does not agree ----


class Declines:
    """Gives that answer, and notes every byte that comes after the request; the connection stays open."""

    def __init__(self, data):
        self.data, self.more = data, b""

    def __call__(self, request, connection):
        connection.send(self.data)
        while True:
            self.more += connection.receive()


DECLINED = {
    200: ({"Content-Type": "text/plain"}, b"just a page"),
    302: ({"Location": "/elsewhere"}, b""),
    403: ({}, b"not you"),
    426: ({"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}, b"another version"),
    500: ({}, b"sorry"),
}
declined = pytest.mark.parametrize("status", DECLINED)


def declining(stage, status):
    headers, body = DECLINED[status]
    script = stage.app.script = Declines(answer(status, headers, body))
    return script


def as_declined(response, status):
    headers, body = DECLINED[status]
    assert (response.status, response.body) == (status, body), response
    for name in set(headers) - {"Upgrade", "Connection"}:
        assert response.header(name) == headers[name]
    assert response.all("Upgrade") == []


@declined
def test_declined_handshake_is_an_ordinary_answer(stage, status):
    """And no tunnel opens: what the client says next is a request, and is judged as one."""
    script = declining(stage, status)
    door = stage.start()
    with door.client() as client:
        client.send(handshake("/page", session=stage.session("42")))
        as_declined(client.response(upgrade=True), status)
        assert door.metrics().value("doorward_connections", state="tunnel") == 0
        refused(client.ask("GET", "/admin/x", {"X-User-Id": "FORGED"}), 401)
    entry = door.logged(path="/page")
    assert (entry["status"], entry["bytes_in"]) == (status, 0)
    door.stop()
    eventually(lambda: not stage.app.open_connections)
    assert script.more == b""


AFTER = {"a frame": FRAME, "100 KiB": lines(100 * 1024), "100 KiB of frames": FRAME * (100 * 1024 // len(FRAME))}


@declined
@pytest.mark.parametrize("when", ["at once", "after the answer"])
@pytest.mark.parametrize("name", AFTER)
def test_bytes_after_a_declined_handshake_go_nowhere(stage, status, when, name):
    script = declining(stage, status)
    door = stage.start(server=SOON)
    with door.client() as client:
        client.send(handshake() + (AFTER[name] if when == "at once" else b""))
        as_declined(client.response(upgrade=True), status)
        if when == "after the answer":
            client.send(AFTER[name])
        response = client.response()
        assert 400 <= response.status < 500 and response.header("Connection") == "close", response
        assert client.is_closed()
    door.stop()
    eventually(lambda: not stage.app.open_connections)
    assert script.more == b"" and len(stage.app.requests) == 1


@pytest.mark.parametrize("status", [200, 400, 426])
def test_request_after_a_declined_handshake_is_judged(stage, status):
    """Kubernetes' CVE-2018-1002105: sent in one piece with the handshake, for an application that may take it for a tunnel."""
    stage.app.script = lambda request, connection: answer(status)
    door = stage.start()
    with door.client() as client:
        client.send(handshake("/page", session=stage.session("42")) + build("GET", "/admin/x", {"X-User-Id": "FORGED"}))
        assert client.response(upgrade=True).status == status
        refused(client.response(), 401)
    assert len(stage.app.requests) == 1


@declined
@pytest.mark.parametrize("when", ["with the answer", "after it"])
def test_upstream_that_declines_and_speaks_on(stage, far_ends, status, when):
    """What it says beyond its answer reaches nobody: neither this client nor the next whose request would go there."""
    headers, body = DECLINED[status]
    forged = answer(200, {"X-Forged": "1"}, b"FORGED")
    door = stage.start(server={"workers": 1})
    with door.client() as client, door.client() as other:
        client.send(handshake())
        far = far_ends.next()
        far.send(answer(status, headers, body) + (forged if when == "with the answer" else b""))
        as_declined(client.response(upgrade=True), status)
        if when == "after it":
            far.send(forged)
        for someone in (other, client):
            someone.send(build("GET", "/public/next"))
            new = far_ends.next()
            assert new is not far and new.buffer == b""
            new.send(answer(body=b"right"))
            assert someone.response().body == b"right"
            finish(new)
        assert far.is_closed()
        assert is_silent(client, 0.1) and is_silent(other, 0.1)


def test_upstream_that_declines_by_closing(stage):
    def script(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end")
        connection.close()

    stage.app.script = script
    door = stage.start()
    with door.client() as client:
        client.send(handshake() + build("GET", "/public/next"))
        assert client.response(upgrade=True).body == client.response().body == b"until the end"
    assert stage.app.connections == 2


def test_upstream_that_says_nothing_and_closes(stage):
    def script(request, connection):
        raise Closed

    stage.app.script = script
    with stage.start().client() as client:
        client.send(handshake() + FRAME)
        refused(client.response(upgrade=True), 502)


# ---- an upstream that agrees to what nobody asked ----


WRONG = {
    "another protocol": SWITCHED.replace(b"websocket", b"h2c"),
    "two protocols": SWITCHED.replace(b"websocket", b"websocket, h2c"),
    "two protocols on two lines": SWITCHED.replace(b"Upgrade: websocket\r\n", b"Upgrade: websocket\r\nUpgrade: h2c\r\n"),
    "a protocol that begins like ours": SWITCHED.replace(b"websocket", b"websocket2"),
    "an empty protocol": SWITCHED.replace(b"websocket", b""),
    "no protocol": SWITCHED.replace(b"Upgrade: websocket\r\n", b""),
    "no headers": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "a coding": SWITCHED.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
}


def is_502_and_no_tunnel(stage, far_ends, request, data, method="GET"):
    door = stage.start()
    with door.client() as client:
        client.send(request)
        far = far_ends.next()
        far.send(data + b"FORGED")
        response = client.response(method, upgrade=True)
        if method == "HEAD":
            assert response.status == 502
        else:
            refused(response, 502, "upstream_unavailable")
            assert "FORGED" not in response.body.decode()
        assert far.is_closed(), "the upstream's connection was kept"
        if response.header("Connection") != "close":
            assert is_silent(client, 0.1)
            client.send(build("GET", "/public/next"))
            new = far_ends.next()
            new.send(answer(body=b"right"))
            assert client.response().body == b"right"
        else:
            assert client.is_closed()
        assert door.metrics().value("doorward_connections", state="tunnel") == 0
    assert door.logged(path="/public/x")["status"] == 502


@pytest.mark.parametrize("name", WRONG)
def test_101_to_something_else(stage, far_ends, name):
    is_502_and_no_tunnel(stage, far_ends, handshake(), WRONG[name])


@pytest.mark.parametrize("name", ["an ordinary request", *ORDINARY])
def test_101_that_nobody_asked_for(stage, far_ends, name):
    is_502_and_no_tunnel(stage, far_ends, build("GET", "/public/x", ORDINARY.get(name, {})), SWITCHED)


@pytest.mark.parametrize("name", UNFIT)
def test_101_to_what_is_no_handshake(stage, far_ends, name):
    is_502_and_no_tunnel(stage, far_ends, UNFIT[name], SWITCHED, "HEAD" if name == "HEAD" else "GET")


def test_101_to_the_protocol_that_was_asked_for_and_not_passed_on(stage, far_ends):
    is_502_and_no_tunnel(stage, far_ends, build("GET", "/public/x", ORDINARY["h2c"]), WRONG["another protocol"])
