"""C5: who is let in, who is sent where, and who is told no."""

import threading

import pytest
from support.client import RawClient, build
from support.expect import cookie_expired, cookie_untouched, refused, refused_page, sent_to_login
from support.stage import Stage
from support.wait import eventually

HTML = {"Accept": "text/html,*/*;q=0.8"}

# ---- no route ----


@pytest.fixture(scope="module")
def few(redis_server, tmp_path_factory):

    with Stage(redis_server, tmp_path_factory.mktemp("few")) as stage:
        routes = [
            {"path": "/read", "methods": ["GET", "HEAD"], "auth": "none", "upstream": "app"},
            {"path": "/read", "methods": ["POST"], "auth": "none", "upstream": "app"},
            {"path": "/gone", "auth": "none", "respond": 410},
            {"path": "/reject", "unauthenticated": "reject", "upstream": "app"},
            {"path": "/redirect", "unauthenticated": "redirect", "upstream": "app"},
            {"path": "/plan", "allow": {"fields": {"plan": ["pro", "team"]}}, "upstream": "app"},
            {"path": "/both", "allow": {"roles": ["admin", "staff"], "fields": {"plan": ["pro"]}}, "upstream": "app"},
            {"path": "/open-post", "csrf": False, "upstream": "app"},
            {"path": "/maybe", "auth": "optional", "upstream": "app"},
            {"path": "/page", "upstream": "app"},
        ]
        stage.door = stage.start(routes=routes)
        yield stage


def test_nothing_matches(few):
    refused(few.door.get("/nowhere"), 404, "not_found")


def test_nothing_matches_for_a_person(few):
    refused_page(few.door.navigate("/nowhere"), 404, "not_found")


def test_path_matches_and_method_does_not(few):
    response = refused(few.door.ask("DELETE", "/read"), 405, "method_not_allowed")
    assert sorted(m.strip() for m in response.header("Allow").split(",")) == ["GET", "HEAD", "POST"]


def test_method_is_case_sensitive(few):
    refused(few.door.ask("get", "/read"), 405)


def test_fixed_answer(few):
    assert few.door.get("/gone").status == 410


# ---- no session ----


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "*/*"},
        {"Accept": "application/json"},
        {**HTML, "X-Requested-With": "XMLHttpRequest"},
        {"Sec-Fetch-Mode": "navigate", "X-Requested-With": "XMLHttpRequest"},
        {**HTML, "Sec-Fetch-Mode": "navigate", "X-Requested-With": "xmlhttprequest"},
        {**HTML, "Sec-Fetch-Mode": "cors"},
        {**HTML, "Sec-Fetch-Mode": "no-cors"},
        {"User-Agent": "ELB-HealthChecker/2.0"},
        {"X-Forwarded-Uri": "/public/x", "X-Original-URL": "/public/x", "X-Rewrite-URL": "/public/x"},
        {"Authorization": "Bearer x"},
    ],
    ids=str,
)
def test_no_session_and_a_program(shared, headers):
    before = len(shared.app.requests)
    cookie_untouched(refused(shared.door.get("/page?x=/public/", headers), 401, "no_session"))
    assert len(shared.app.requests) == before


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [HTML, {"Sec-Fetch-Mode": "navigate"}], ids=str)
def test_no_session_and_a_navigation(shared, method, headers):
    response = shared.door.ask(method, "/page/a%20b?x=1&y=%2F2", headers)
    cookie_untouched(sent_to_login(response, "/page/a%20b?x=1&y=%2F2"))


LONG = "/page?q=".ljust(2048, "x")


@pytest.mark.parametrize(
    "target, known",
    [(LONG, True), (LONG + "x", False), ("//page", False), ("//other.test/page", False), ("/page%5Cx", False), ("/page?q=%5c", False), ("/page?q=//other.test", True)],
    ids=["2048 bytes", "2049 bytes", "two slashes", "two slashes and a host", "backslash", "backslash in the query", "slashes in the query"],
)
def test_way_back_is_told_only_where_it_is_one(shared, target, known):
    """What `next` would not be believed for is not offered; the person comes to the login page all the same."""
    response = shared.door.navigate(target)
    if known:
        sent_to_login(response, target)
    else:
        assert (response.status, response.header("Location")) == (302, "/login")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_no_session_and_a_form(shared, method):
    """Coming back by GET would lose what was sent, so nobody is redirected."""
    response = shared.door.ask(method, "/page", {**HTML, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"})
    assert response.status == 401 and response.header("Location") is None


def test_no_session_and_only_programs_expected(few):
    response = few.door.navigate("/reject")
    assert response.status == 401 and response.header("Location") is None
    assert response.header("WWW-Authenticate") == "Session"


def test_no_session_and_only_people_expected(few):
    sent_to_login(few.door.get("/redirect"), "/redirect")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_body_of_a_refused_request_does_not_go_upstream(shared, method):
    before, connections = len(shared.app.requests), shared.app.connections
    refused(shared.door.ask(method, "/page", {}, b"secret"), 401)
    assert (len(shared.app.requests), shared.app.connections) == (before, connections)


# ---- a session that is none ----


def test_redis_does_not_know_the_session(shared):
    cookie_expired(refused(shared.door.get("/page", session="a-well-formed-id-that-is-gone"), 401, "no_session"))


def test_redis_does_not_know_the_session_and_a_navigation(shared):
    cookie_expired(sent_to_login(shared.door.navigate("/page", session="a-well-formed-id-that-is-gone"), "/page"))


@pytest.mark.parametrize("value", ["short", "x" * 257, "has blank in the middle", "semi%3Bcolon-and-more", "sch\xf6n-und-lang-genug", ""])
def test_value_that_cannot_be_an_id_never_reaches_redis(shared, value):
    monitor = shared.monitor()
    refused(shared.door.get("/page", session=value), 401, "no_session")
    assert monitor.count("HGETALL", shared.db) == 0
    assert shared.door.metrics().value("doorward_session_lookups_total", result="malformed") >= 1


def test_id_in_double_quotes(shared):
    id = shared.session("42")
    assert shared.door.get("/page", {"Cookie": f'sid="{id}"'}).status == 200


def test_record_without_a_user(shared):
    for user in (None, ""):
        refused(shared.door.get("/page", session=shared.session(user, index=False)), 401)


def test_key_of_another_type(shared):
    shared.redis("SET", "session:this-is-only-a-string", "userId")
    refused(shared.door.get("/page", session="this-is-only-a-string"), 401)
    shared.redis("RPUSH", "session:this-is-only-a-list.", "userId", "42")
    refused(shared.door.get("/page", session="this-is-only-a-list."), 401)


def test_absolute_limit_has_passed(shared):
    now = int(shared.redis("TIME")[0]) * 1000
    id = shared.session("42", createdAt=now - 13 * 3600 * 1000, lastSeen=now)
    refused(shared.door.get("/page", session=id), 401, "session_expired")
    fresh = shared.session("42", createdAt=now - 11 * 3600 * 1000, lastSeen=now)
    assert shared.door.get("/page", session=fresh).status == 200


def test_times_in_seconds(shared):
    now = int(shared.redis("TIME")[0])
    assert shared.door.get("/page", session=shared.session("42", createdAt=now, lastSeen=now)).status == 200
    refused(shared.door.get("/page", session=shared.session("42", createdAt=now - 13 * 3600, lastSeen=now)), 401)


def test_cookie_of_another_name(shared):
    refused(shared.door.get("/page", {"Cookie": f"SID={shared.session()}; xsid={shared.session()}"}), 401)


def with_ghost(stage):
    return stage.session(None, index=False)


def with_wrong_type(stage):
    stage.redis("SET", "session:this-is-only-a-text.", "userId")
    return "this-is-only-a-text."


def with_expired(stage):
    now = int(stage.redis("TIME")[0]) * 1000
    return stage.session("42", createdAt=now - 13 * 3600 * 1000, lastSeen=now)


def with_dead(stage):
    return "dead-but-well-formed"


def with_malformed(stage):
    return "bad"


@pytest.mark.parametrize(
    "session, path, status, expired",
    [
        (with_malformed, "/page", 401, False),  # Redis was not asked
        (with_dead, "/page", 401, True),
        (with_ghost, "/page", 401, True),
        (with_wrong_type, "/page", 401, True),
        (with_expired, "/page", 401, True),
        (with_dead, "/maybe/x", 200, False),  # the answer is the application's
        (with_dead, "/public/x", 200, False),
    ],
)
def test_cookie_is_expired_only_where_redis_said_so(shared, session, path, status, expired):
    """An outage is the other half of it: redis_faults."""
    response = shared.door.get(path, session=session(shared))
    assert response.status == status
    cookie_expired(response) if expired else cookie_untouched(response)


# ---- several cookies ----


def cookies(*ids):
    return {"Cookie": "; ".join(f"sid={id}" for id in ids)}


def test_dead_cookie_beside_a_live_one(shared):
    live = shared.session("7")
    for order in (("dead-but-well-formed", live), (live, "dead-but-well-formed")):
        assert shared.door.get("/page", cookies(*order)).status == 200
        assert shared.app.last.header("X-User-Id") == "7"


def test_two_sessions_of_one_user(shared):
    assert shared.door.get("/page", cookies(shared.session("7"), shared.session("7"))).status == 200


def test_sessions_of_two_users(shared):
    response = shared.door.get("/page", cookies(shared.session("7"), shared.session("8")))
    cookie_expired(refused(response, 401))


def test_sessions_of_two_users_in_two_cookie_fields(shared):
    pairs = [("Cookie", f"sid={shared.session('7')}"), ("Cookie", f"sid={shared.session('8')}")]
    refused(shared.door.get("/page", pairs), 401)


def test_only_four_values_are_looked_at(shared):
    monitor = shared.monitor()
    shared.door.get("/page", cookies(*(f"dead-but-well-formed-{i}" for i in range(20))))
    assert monitor.count("HGETALL", shared.db) <= 4


# ---- not allowed ----


@pytest.mark.parametrize("role", ["user", "administrator", "Admin", "", "super,user", None])
def test_role_does_not_suffice(shared, role):
    before = len(shared.app.requests)
    refused(shared.door.get("/admin/x", session=shared.session(role=role)), 403, "forbidden")
    assert len(shared.app.requests) == before


@pytest.mark.parametrize("role", ["admin", "user,admin", "admin,user"])
def test_role_suffices(shared, role):
    assert shared.door.get("/admin/x", session=shared.session(role=role)).status == 200


def test_forbidden_for_a_person_is_a_page_and_no_redirect(shared):
    cookie_untouched(refused_page(shared.door.navigate("/admin/x", session=shared.session()), 403, "forbidden"))


@pytest.mark.parametrize("fields, status", [({"plan": "pro"}, 200), ({"plan": "team"}, 200), ({"plan": "free"}, 403), ({}, 403)], ids=str)
def test_field_decides(few, fields, status):
    assert few.door.get("/plan", session=few.session(**fields)).status == status


@pytest.mark.parametrize(
    "fields, status",
    [
        ({"role": "admin", "plan": "pro"}, 200),
        ({"role": "staff", "plan": "pro"}, 200),
        ({"role": "admin", "plan": "free"}, 403),
        ({"role": "user", "plan": "pro"}, 403),
    ],
    ids=str,
)
def test_all_conditions_must_hold(few, fields, status):
    assert few.door.get("/both", session=few.session(**fields)).status == status


def test_role_changes_with_the_next_request(shared):
    id = shared.session(role="user")
    refused(shared.door.get("/admin/x", session=id), 403)
    shared.redis("HSET", f"session:{id}", "role", "admin")
    assert shared.door.get("/admin/x", session=id).status == 200
    shared.redis("DEL", f"session:{id}")
    refused(shared.door.get("/admin/x", session=id), 401)


# ---- from another site ----

OWN = {"Origin": "http://app.test", "Host": "app.test"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://app.test.evil.example"},
        {"Origin": "http://app.test:81"},
        {**OWN, "Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_unsafe_request_from_another_site(shared, method, headers):
    before = len(shared.app.requests)
    refused(shared.door.ask(method, "/page", headers, b"", session=shared.session()), 403, "csrf")
    assert len(shared.app.requests) == before


@pytest.mark.parametrize(
    "method, headers",
    [
        ("POST", {}),
        ("POST", OWN),
        ("POST", {"Sec-Fetch-Site": "same-origin"}),
        ("POST", {"Sec-Fetch-Site": "none"}),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}),
        ("HEAD", {"Sec-Fetch-Site": "cross-site"}),
        ("OPTIONS", {"Sec-Fetch-Site": "cross-site"}),
    ],
    ids=str,
)
def test_request_that_another_site_cannot_have_made_or_that_is_safe(shared, method, headers):
    assert shared.door.ask(method, "/page", headers, session=shared.session()).status == 200


def test_unsafe_request_from_another_site_where_the_route_allows_it(few):
    assert few.door.ask("POST", "/open-post", {"Origin": "https://other.example"}, b"", session=few.session()).status == 200


def test_unsafe_request_from_another_site_without_a_session(few):
    assert few.door.ask("POST", "/maybe", {"Origin": "https://other.example"}, b"").status == 200


# ---- modes of a route ----


def test_route_without_authentication_does_not_ask_redis(shared):
    id, monitor = shared.session(), shared.monitor()
    assert shared.door.get("/public/x", session=id).status == 200
    assert monitor.count("HGETALL", shared.db) == 0
    assert shared.app.last.folded("X-User-Id") == []


@pytest.mark.parametrize("path", ["/page", "/maybe/x", "/watch/x", "/admin/x"])
def test_exactly_one_lookup(shared, path):
    id, monitor = shared.session(role="admin"), shared.monitor()
    assert shared.door.get(path, session=id).status == 200
    assert monitor.commands(shared.db) == [["HGETALL", f"session:{id}"]]


def test_no_cookie_no_lookup(shared):
    monitor = shared.monitor()
    shared.door.get("/page")
    assert monitor.commands(shared.db) == []


@pytest.mark.parametrize("session", [None, "dead-but-well-formed", "bad"])
def test_optional_and_nobody(shared, session):
    assert shared.door.get("/maybe/x", session=session).status == 200
    assert shared.app.last.folded("X-User-Id") == []


def test_optional_and_somebody(shared):
    assert shared.door.get("/maybe/x", session=shared.session("9")).status == 200
    assert shared.app.last.header("X-User-Id") == "9"


# ---- touch ----


def old_session(stage, ttl=600, **fields):
    now = int(stage.redis("TIME")[0]) * 1000
    return stage.session(ttl=ttl, createdAt=now - 1_200_000, lastSeen=now - 1_200_000, **fields)


def test_request_extends_the_idle_time(shared):
    id = old_session(shared)
    assert shared.door.get("/page", session=id).status == 200
    eventually(lambda: shared.redis("TTL", f"session:{id}") > 1700, what="the extended TTL")
    now = int(shared.redis("TIME")[0]) * 1000
    assert abs(int(shared.redis("HGET", f"session:{id}", "lastSeen")) - now) < 10_000


def test_passive_request_does_not(shared):
    id, other = old_session(shared), old_session(shared)
    assert shared.door.get("/watch/x", session=id).status == 200
    assert shared.door.get("/page", session=other).status == 200
    eventually(lambda: shared.redis("TTL", f"session:{other}") > 1700)
    assert shared.redis("TTL", f"session:{id}") <= 600


@pytest.mark.parametrize("value, passive", [("1", True), ("0", False)])
def test_request_that_says_it_is_passive(shared, value, passive):
    """A page that asks by itself, now and then, does not keep anybody logged in. It is for us, and goes no further."""
    id, other = old_session(shared), old_session(shared)
    assert shared.door.get("/page", {"Doorward-Passive": value}, session=id).status == 200
    assert shared.app.last.folded("Doorward-Passive") == []
    assert shared.door.get("/page", session=other).status == 200
    eventually(lambda: shared.redis("TTL", f"session:{other}") > 1700)
    if passive:
        assert shared.redis("TTL", f"session:{id}") <= 600
    else:
        eventually(lambda: shared.redis("TTL", f"session:{id}") > 1700)


def test_activity_does_not_move_the_absolute_limit(shared):
    now = int(shared.redis("TIME")[0]) * 1000
    id = shared.session(ttl=60, createdAt=now - 12 * 3600 * 1000 + 300_000, lastSeen=now - 120_000)
    assert shared.door.get("/page", session=id).status == 200
    eventually(lambda: int(shared.redis("HGET", f"session:{id}", "lastSeen")) > now - 60_000)
    assert 200 < shared.redis("TTL", f"session:{id}") <= 301


def test_recent_session_is_not_touched_again(shared):
    id, monitor = shared.session(), shared.monitor()
    for _ in range(5):
        assert shared.door.get("/page", session=id).status == 200
    assert {words[0] for words in monitor.commands(shared.db)} == {"HGETALL"}


# ---- upstream ----


def failing(stage, script, **config):
    stage.app.script = script
    return stage.start(**config)


def test_upstream_refuses(stage):
    door = stage.start()
    stage.app.stop_listening()
    refused(door.get("/public/x"), 502, "upstream_unavailable")
    refused_page(door.navigate("/public/x"), 502, "upstream_unavailable")
    stage.app.listen()
    assert door.get("/public/x").status == 200


def test_login_service_refuses(stage):
    """Nobody can log in then, and the person is told so by doorward's own page; the application goes on."""
    id, door = stage.session(), stage.start()
    stage.identity.stop_listening()
    cookie_untouched(refused_page(door.navigate("/login?next=%2Fpage", session=id), 502, "upstream_unavailable"))
    refused(door.ask("POST", "/login", {}, b"user=x&password=y"), 502, "upstream_unavailable")
    assert door.get("/page", session=id).status == 200
    stage.identity.listen()
    assert door.navigate("/login").status == 200


@pytest.mark.parametrize(
    "script",
    [
        lambda request, connection: connection.reset(),
        lambda request, connection: connection.close(),
        lambda request, connection: connection.send(b"HTTP/1.1 200 OK\r\nContent-Le") or connection.close(),
    ],
    ids=["resets", "closes", "closes in mid-head"],
)
def test_upstream_gives_no_answer(stage, script):
    door = failing(stage, script)
    refused(door.get("/public/x"), 502, "upstream_unavailable")


def test_upstream_takes_too_long(stage):
    door = failing(
        stage,
        lambda request, connection: connection.is_closed(),
        upstreams={"app": {"endpoints": [stage.app.url], "timeouts": {"first_byte": "200ms"}}},
    )
    refused(door.get("/public/x"), 504, "upstream_timeout")
    refused_page(door.navigate("/public/x"), 504, "upstream_timeout")


def test_route_takes_too_long(stage):
    routes = [{"path": "/**", "auth": "none", "upstream": "app", "timeouts": {"total": "200ms"}}]
    door = failing(stage, lambda request, connection: connection.is_closed(), routes=routes)
    refused(door.get("/public/x"), 504, "upstream_timeout")


BAD_ANSWERS = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "bad status": b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
    "version 3": b"HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length is no number": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nok",
    "blank before the colon": b"HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 2\r\n\r\nok",
    "NUL in a value": b"HTTP/1.1 200 OK\r\nX-A: \x00\r\nContent-Length: 2\r\n\r\nok",
    "bare CR in a value": b"HTTP/1.1 200 OK\r\nX-A: a\rb\r\nContent-Length: 2\r\n\r\nok",
    "unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
    "endless head": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 300_000 + b"\r\nContent-Length: 2\r\n\r\nok",
}


@pytest.mark.parametrize("data", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_upstream_answers_nonsense(shared, data):
    usual, shared.app.script = shared.app.script, lambda request, connection: connection.send(data) or connection.close()
    try:
        refused(shared.door.get("/public/x"), 502, "upstream_unavailable")
    finally:
        shared.app.script = usual
    assert shared.door.get("/public/x").status == 200


def test_every_connection_to_the_upstream_is_taken(stage):
    go = threading.Event()
    stage.app.script = lambda request, connection: go.wait(5) and b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    one = {"endpoints": [stage.app.url], "connections": 1, "timeouts": {"connect": "300ms"}}  # how long a place is waited for
    door = stage.start(server={"workers": 1}, upstreams={"app": one})
    with door.client() as first:
        first.send(build("GET", "/public/first"))
        stage.app.wait_for(1)
        refused(door.get("/public/second"), 503, "upstream_saturated")
        refused_page(door.navigate("/public/second"), 503, "upstream_saturated")
        assert len(stage.app.requests) == 1
        go.set()
        assert first.response().status == 200
    assert door.get("/public/third").status == 200


# ---- every answer ----


def test_head_has_the_headers_and_no_body(shared):
    get, head = shared.door.get("/page"), shared.door.ask("HEAD", "/page")
    assert head.status == 401 and head.body == b"" and head.header("Content-Length") == get.header("Content-Length")


def test_request_ids_differ(shared):
    ids = {shared.door.get("/page").header("X-Request-Id") for _ in range(5)}
    assert len(ids) == 5


def test_answer_of_the_upstream_carries_the_request_id(shared):
    response = shared.door.get("/public/x")
    assert response.header("X-Request-Id") == shared.app.last.header("X-Request-Id")


def test_connection_goes_on_after_a_refusal(shared):
    with shared.door.client() as client:
        for target, status in [("/page", 401), ("/public/x", 200), ("/page", 401), ("/public/y", 200)]:
            assert client.ask("GET", target).status == status


def test_old_client_is_answered_and_closed(shared):
    with RawClient(shared.door.address) as client:
        client.send(b"GET /public/x HTTP/1.0\r\nHost: app.test\r\n\r\n")
        assert client.response().status == 200
        assert client.is_closed()


