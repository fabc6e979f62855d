"""nginx, Caddy and HAProxy ask doorward, and do what it says; the files are those of examples/forward-auth."""

import shutil
import subprocess
from urllib.parse import urlsplit

import pytest
from support.client import RawClient
from support.expect import cookie_expired, cookie_untouched
from support.logins import FORM, NAVIGATION, form, grants
from support.upstream import plainly
from support.wait import eventually

WHO = ("X-User-Id", "X-User-Role", "X-User-Name")
# `..` in a spelling that some server resolves and another does not.
CLIMBS = ["/public/..;/admin/x", "/public/..%2fadmin/x", "/public/%2e%2e%2Fadmin/x", "/public/..%5cadmin/x", "/public/x;/../../admin/x"]
EVIL = "mallory"


def who(request):
    """What the application believes; a header without a value says nothing."""
    return [request.header(name) or None for name in WHO]


def sent_to_login(response, back_to):
    where = urlsplit(response.header("Location"))
    assert response.status == 302 and where.path == "/login" and where.query == f"next={back_to}", response


def test_logged_in_the_application_is_told_who_it_is(front):
    session = front.stage.session("jürgen", role="admin", name="Jürgen")
    response = front.get("/admin/x%20y?q=%2f", session=session)
    assert (response.status, response.body) == (200, b"ok")
    request = front.stage.app.last
    assert who(request) == ["j%C3%BCrgen", "admin", "J%C3%BCrgen"]
    assert (request.method, request.target, request.header("Host")) == ("GET", "/admin/x%20y?q=%2f", "app.test")


def test_log_and_metrics_tell_of_the_request_that_was_asked_about(front):
    session = front.stage.session("logged", role="admin")
    path = f"/admin/logged/{front.name}"
    allowed = lambda: front.door.metrics().value("doorward_http_requests_total", route="/admin/**", method="PUT", code="200", decision="allow")  # noqa: E731
    before = allowed()
    assert front.ask("PUT", path + "?secret", {"Sec-Fetch-Site": "same-origin"}, b"body", session).status == 200
    entry = front.door.logged(path=path)
    told = {name: entry[name] for name in ("method", "host", "route", "user", "decision", "status")}
    assert told == {"method": "PUT", "host": "app.test", "route": "/admin/**", "user": "logged", "decision": "allow", "status": 200}
    assert allowed() == before + 1


@pytest.mark.parametrize("fields", [{}, {"name": "Ann"}], ids=["a field is lacking", "all fields"])
def test_a_client_cannot_say_who_it_is(front, fields):
    session = front.stage.session("ann", **fields)
    assert front.get("/x", dict.fromkeys(WHO, EVIL), session).status == 200
    assert who(front.stage.app.last) == ["ann", "user", fields.get("name")]


@pytest.mark.parametrize("path", ["/public/x", "/maybe/x"])
def test_nor_where_nobody_has_to_be_logged_in(front, path):
    assert front.get(path, dict.fromkeys(WHO, EVIL)).status == 200
    assert who(front.stage.app.last) == [None, None, None]


@pytest.mark.parametrize("name", ["X_User_Id", "x_user_name", "X-User_Role", "X_User-Id", "X.User.Name"])
@pytest.mark.parametrize("path", ["/public/x", "/x"])
def test_nor_in_another_spelling(front, path, name):
    reached = front.reaches_application()
    response = front.get(path, {name: EVIL}, front.stage.session("ann"))
    assert response.status == (200 if reached() else 403)
    if reached():
        assert EVIL not in front.stage.app.last.raw_head.decode()


def test_nor_be_nobody_by_naming_the_header_as_one_of_the_connection(front):
    for named in (["X-User-Id, X-User-Role"], ["keep-alive", "keep-alive, x-user-id"]):
        session = front.stage.session("ann")
        reached = front.reaches_application()
        response = front.get("/x", [*(("Connection", names) for names in named), ("X-User-Id", EVIL)], session)
        assert response.status == (200 if reached() else 400)
        if reached():
            assert who(front.stage.app.last) == ["ann", "user", None]


@pytest.mark.parametrize("headers", [{}, {"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"}, {"Sec-Fetch-Mode": "cors"}])
def test_a_program_without_a_session_is_told_401(front, headers):
    reached = front.reaches_application()
    response = front.get("/x", headers)
    assert response.status == 401 and response.header("WWW-Authenticate") == "Session", response
    assert not reached()
    cookie_untouched(response)


def test_a_person_without_a_session_is_sent_to_the_login(front):
    reached = front.reaches_application()
    response = front.navigate("/x/y?a=b")
    sent_to_login(response, "/x/y%3Fa%3Db")
    assert not reached() and "no-store" in response.header("Cache-Control")
    cookie_untouched(response)


def test_a_dead_session_takes_its_cookie_away(front):
    dead = "0123456789abcdefghijklmn"
    cookie_expired(front.get("/x", session=dead))
    response = front.navigate("/x", session=dead)
    sent_to_login(response, "/x")
    cookie_expired(response)


@pytest.mark.parametrize("headers", [{}, NAVIGATION], ids=["a program", "a person"])
def test_a_role_that_is_lacking_is_403(front, headers):
    reached = front.reaches_application()
    response = front.get("/admin/x", headers, front.stage.session("ann"))
    assert response.status == 403 and response.header("Location") is None and not reached()
    cookie_untouched(response)


@pytest.mark.parametrize("headers", [{}, NAVIGATION], ids=["a program", "a person"])
def test_redis_away_is_503_and_logs_nobody_out(front, headers):
    session = front.stage.session("ann")
    reached = front.reaches_application()
    front.stage.gate.refuse()
    try:
        for path in ("/x", "/maybe/x"):
            response = front.get(path, headers, session)
            assert response.status == 503 and response.header("Location") is None, response
            assert response.header("Retry-After") == "1"
            cookie_untouched(response)
        assert not reached()
        assert front.get("/public/x", headers, session).status == 200
    finally:
        front.stage.gate.open()
    workers = front.door.config["server"]["workers"]
    eventually(lambda: front.door.metrics().value("doorward_redis_connected") == workers, 5.0, "recovery of all workers")
    assert front.get("/x", headers, session).status == 200


@pytest.mark.parametrize("path", CLIMBS)
@pytest.mark.parametrize("logged_in", [True, False], ids=["logged in", "nobody"])
def test_a_path_with_two_meanings_does_not_reach_the_application(front, path, logged_in):
    reached = front.reaches_application()
    response = front.get(path, session=front.stage.session("ann") if logged_in else None)
    assert response.status in (400, 403) and not reached(), response


@pytest.mark.parametrize("path", ["/public/../admin/x", "/public/%2e%2e/admin/x", "//admin/x", "/%61dmin/x", "/admin/./x", "/public/.%2E/admin/x"])
def test_a_path_in_another_spelling_is_judged_as_what_it_is(front, path):
    reached = front.reaches_application()
    assert front.get(path, session=front.stage.session("ann")).status in (400, 403) and not reached()
    assert front.get(path).status in (400, 401, 403) and not reached()


@pytest.mark.parametrize("name", ["X-Forwarded-Uri", "X-Original-URI", "X-Original-URL", "X-Rewrite-URL", "X_Original_URI"])
def test_a_client_cannot_say_what_it_asks_for(front, name):
    reached = front.reaches_application()
    for value in ("/public/x", "http://app.test/public/x"):
        assert front.get("/x", {name: value}).status in (401, 403)
        assert front.get("/admin/x", {name: value}, front.stage.session("ann")).status == 403
    assert not reached()


@pytest.mark.parametrize("name", ["X-Forwarded-Method", "X-Original-Method", "X-HTTP-Method-Override"])
def test_nor_how(front, name):
    session = front.stage.session("ann")
    reached = front.reaches_application()
    assert front.ask("POST", "/x", {name: "GET", "Sec-Fetch-Site": "cross-site"}, b"", session).status == 403
    assert not reached()


@pytest.mark.parametrize("path", ["/.doorward/auth", "/.doorward/auth?x", "/.doorward/%61uth", "/.doorward//auth", "/.doorward/./auth",
                                  "/.doorward/auth/", "/.doorward/auth/../auth", "/.doorward/auth/.", "/.doorward/auth/x/..", "/.doorward/auth;x",
                                  "/login/../.doorward/auth", "/login/..%2f.doorward/auth", "http://app.test/.doorward/auth"])  # fmt: skip
def test_a_client_cannot_ask_itself(front, path):
    """It would be told what the application is told."""
    question = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/x", "X-Forwarded-Host": "app.test"}
    response = front.get(path, question, front.stage.session("ann", name="Ann"))
    assert response.status in (400, 403, 404) or response.body == b"ok", response
    assert [response.all(name) for name in WHO] == [[], [], []]


def test_a_request_of_another_site_is_refused(front):
    session = front.stage.session("ann")
    reached = front.reaches_application()
    assert front.ask("POST", "/x", {"Sec-Fetch-Site": "cross-site"}, b"a=b", session).status == 403
    assert front.ask("POST", "/x", {"Origin": "https://evil.test"}, b"a=b", session).status == 403
    handshake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                 "Origin": "https://evil.test"}  # fmt: skip
    assert front.get("/x", handshake, session).status == 403
    assert not reached()


@pytest.mark.parametrize("method, body", [("POST", b"x" * 70_000), ("PUT", b""), ("DELETE", None), ("HEAD", None), ("OPTIONS", None), ("PROPFIND", None)])
def test_methods_and_bodies_reach_the_application_whole(front, method, body):
    response = front.ask(method, "/x", {"Sec-Fetch-Site": "same-origin"}, body, front.stage.session("ann"))
    request = front.stage.app.last
    assert (response.status, request.method, request.body) == (200, method, body or b"")
    assert front.ask(method, "/x", {"Accept": "*/*"}, body).status == 401


def test_connections_go_on_after_refusals(front):
    session = front.stage.session("ann")
    with RawClient(front.address, 10.0) as client:
        for _ in range(3):
            assert client.ask("GET", "/public/..;/x").status == 403
            assert client.ask("GET", "/x").status == 401
            assert client.ask("GET", "/x", {"Cookie": f"sid={session}"}).status == 200


def test_login_page_of_sessions_and_logout_through_the_proxy(front):
    front.stage.identity.script = grants
    try:
        entered = front.ask("POST", "/login?next=%2Fx", {**FORM, **NAVIGATION}, form("eve"))
        assert (entered.status, entered.header("Location")) == (303, "/x"), entered
        session = entered.header("Set-Cookie").split(";")[0].split("=", 1)[1]
        assert front.get("/x", session=session).status == 200
        assert who(front.stage.app.last)[0] == "eve"
        assert front.get("/.doorward/whoami", session=session).json()["user"] == "eve"
        assert front.navigate("/.doorward/sessions", session=session).status == 200
        out = front.ask("POST", "/logout", NAVIGATION, b"", session)
        assert out.status == 303
        cookie_expired(out)
        assert front.get("/x", session=session).status == 401
    finally:
        front.stage.identity.script = plainly


@pytest.mark.parametrize("path", ["/x", "/public/x", "/login"])
def test_without_doorward_nothing_goes_on(orphan, path):
    reached = orphan.reaches_application()
    assert orphan.get(path, NAVIGATION, orphan.stage.session("ann")).status in (502, 503)
    assert not reached()


def test_nor_with_a_script_that_fails(stumbling):
    reached = stumbling.reaches_application()
    for path in ("/x", "/public/x"):
        assert stumbling.get(path, session=stumbling.stage.session("ann")).status == 503
    assert not reached()


@pytest.mark.parametrize("name, command", [("nginx", "nginx"), ("caddy", "caddy"), ("haproxy", "haproxy")])
def test_the_proxies_are_there(name, command):
    """A proxy that is not installed is no reason to pass."""
    program = shutil.which(command) or shutil.which(command, path="/usr/sbin")
    assert program, f"{name} is not installed"
    assert subprocess.run([program, "-v" if name != "caddy" else "version"], capture_output=True, timeout=20).returncode == 0
