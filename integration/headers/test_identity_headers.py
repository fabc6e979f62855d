"""C6: what a client says about itself is removed, what the session says is told, and nobody can mix the two up."""

import pytest
from support.client import build
from support.expect import cookie_untouched, refused, refused_page

FORGED = "FORGED"
SPELLINGS = [
    "X-User-Id", "x-user-id", "X-USER-ID", "X_User_Id", "X-User_Id", "X_User-Id", "x_user_id",
    "X-User-Role", "X_USER_ROLE", "X-User-Name", "x-user_name",
    "Doorward-Grant", "Doorward-Grant-Options", "doorward-anything", "Doorward_Grant", "DOORWARD-X",
]  # fmt: skip
RESERVED = ["X-User-Id", "X-User-Role", "X-User-Name", "Doorward-Grant", "Doorward-Grant-Options", "Doorward-Anything", "Doorward-X"]

PLACES = ["/public/x", "/maybe/x", "/watch/x", "/admin/x", "/page", "/login", "/login/reset"]


def assert_nothing_forged(request):
    assert FORGED not in request.raw_head.decode("latin-1"), request
    for name in RESERVED:
        assert all(value != FORGED for value in request.folded(name)), request


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("name", SPELLINGS)
def test_forged_header_is_removed_on_every_route(shared, path, name):
    upstream = shared.identity if path.startswith("/login") else shared.app
    count = len(upstream.requests)
    assert shared.door.get(path, {name: FORGED}, session=shared.session("42", role="admin")).status == 200
    assert len(upstream.requests) == count + 1
    assert_nothing_forged(upstream.last)
    if path in ("/maybe/x", "/watch/x", "/admin/x", "/page"):
        assert upstream.last.folded("X-User-Id") == ["42"] and upstream.last.folded("X-User-Role") == ["admin"]
    else:
        assert upstream.last.folded("X-User-Id") == upstream.last.folded("X-User-Role") == []


@pytest.mark.parametrize("name", ["X-User-Id", "X_User_Id", "Doorward-Grant"])
def test_forged_header_is_removed_from_an_upgrade(shared, name):
    pairs = [("Connection", "Upgrade"), ("Upgrade", "websocket"), (name, FORGED)]
    shared.door.get("/page", pairs, session=shared.session("42"))
    assert_nothing_forged(shared.app.last)
    assert shared.app.last.folded("X-User-Id") == ["42"]


def test_forged_header_many_times(shared):
    pairs = [("X-User-Id", FORGED), ("x-user-id", FORGED)] * 10
    assert shared.door.get("/page", pairs, session=shared.session("42")).status == 200
    assert_nothing_forged(shared.app.last)


def test_stripped_headers_are_counted(shared):
    name = "doorward_reserved_headers_stripped_total"
    before = shared.door.metrics().value(name)
    shared.door.get("/public/x", {"X-User-Id": FORGED, "Doorward-Grant": FORGED, "X-Other": "1"})
    assert shared.door.metrics().value(name) == before + 2


def test_field_that_the_session_lacks_is_not_filled_by_the_client(shared):
    """Caddy's CVE-2026-30851: a header is copied only when there is a value, and the client's survives otherwise."""
    id = shared.session("42", role=None)
    pairs = [("X-User-Role", FORGED), ("X-User-Name", FORGED)]
    assert shared.door.get("/page", pairs, session=id).status == 200
    assert shared.app.last.folded("X-User-Role") == shared.app.last.folded("X-User-Name") == []


def test_required_field_that_the_session_lacks(stage):
    """Half an identity is none: the application would fill the rest with what it likes."""
    door = stage.start(headers={"X-User-Id": "{userId}", "X-User-Mail": "{mail}", "X-User-Role": None, "X-User-Name": None})
    id = stage.session("42")
    cookie_untouched(refused(door.get("/page", {"X-User-Mail": FORGED}, session=id), 502, "bad_identity"))
    refused_page(door.navigate("/page", session=id), 502, "bad_identity")
    assert stage.app.requests == []
    assert door.get("/page", {"X-User-Mail": FORGED}, session=stage.session("42", mail="a@b.example")).status == 200
    assert stage.app.last.folded("X-User-Mail") == ["a@b.example"]


@pytest.mark.parametrize("value", ["X-User-Id", "x-user-id, close", "X-User-Role, X-User-Id", "keep-alive, X-User-Id"])
def test_connection_header_cannot_remove_ours(shared, value):
    """Traefik's CVE-2024-45410: injected after hop-by-hop headers are gone, not before."""
    assert shared.door.get("/page", {"Connection": value}, session=shared.session("42")).status == 200
    assert shared.app.last.header("X-User-Id") == "42"


@pytest.mark.parametrize("name", ["X_Custom", "x_custom", "_x", "X_", "Content_Length", "Transfer_Encoding", "X_Forwarded_For"])
def test_other_names_with_an_underscore_are_dropped(shared, name):
    assert shared.door.get("/public/x", {name: "5"}).status == 200
    assert name.lower() not in [n.lower() for n, _ in shared.app.last.headers]


def test_ordinary_headers_pass_byte_for_byte(shared):
    pairs = [("X-Custom", "a  b\tc"), ("x-CASE", "kept"), ("X-Twice", "1"), ("X-Twice", "2"), ("X-Empty", ""),
             ("X-Latin", "caf\xe9"), ("Accept-Language", "de, en;q=0.5"), ("If-None-Match", 'W/"x"')]  # fmt: skip
    assert shared.door.get("/public/x", pairs).status == 200
    assert [pair for pair in shared.app.last.headers if pair in pairs] == pairs


# ---- values ----


@pytest.mark.parametrize(
    "stored, sent",
    [
        ("plain", "plain"),
        ("with blank", "with blank"),
        ("a,b;c=d", "a,b;c=d"),
        ("Jürgen", "J%C3%BCrgen"),
        ("日本", "%E6%97%A5%E6%9C%AC"),
        ("a\tb", "a%09b"),
        # A value of printable ASCII goes as it is, whatever it looks like; in one that is encoded, `%` is too.
        ("100%", "100%"),
        ("J%C3%BCrgen", "J%C3%BCrgen"),
        ("100% für", "100%25 f%C3%BCr"),
    ],
    ids=["plain", "blank", "punctuation", "umlaut", "kanji", "tab", "percent", "looks encoded", "percent and umlaut"],
)
def test_value_is_percent_encoded_where_it_is_not_printable_ascii(shared, stored, sent):
    assert shared.door.get("/page", session=shared.session("42", name=stored)).status == 200
    assert shared.app.last.header("X-User-Name") == sent


@pytest.mark.parametrize("evil", ["42\r\nX-User-Role: admin", "42\nX-User-Role: admin", "42\rx", "4\x002"], ids=repr)
@pytest.mark.parametrize("field", ["userId", "role", "name"])
def test_value_with_a_line_end_is_refused_and_never_sent(shared, field, evil):
    before = len(shared.app.requests)
    id = shared.session("42", index=False)
    shared.redis("HSET", f"session:{id}", field, evil)
    cookie_untouched(refused(shared.door.get("/page", session=id), 502, "bad_identity"))
    assert len(shared.app.requests) == before


def test_other_field_with_a_line_end_harms_nobody(shared):
    assert shared.door.get("/page", session=shared.session("42", note="a\r\nb")).status == 200


def test_template_with_text_around_the_field(stage):
    door = stage.start(headers={"X-User-Id": "user-{userId}@{realm?}", "X-User-Role": "{role?}/fixed", "X-User-Name": "constant"})
    door.get("/page", session=stage.session("42", realm="house"))
    last = stage.app.last
    assert (last.header("X-User-Id"), last.header("X-User-Role"), last.header("X-User-Name")) == ("user-42@house", "user/fixed", "constant")
    door.get("/page", session=stage.session("42"))
    assert stage.app.last.folded("X-User-Id") == []  # an optional field is absent, so is the whole header


# ---- cookies ----


@pytest.mark.parametrize(
    "sent, passed",
    [
        ("sid={id}", None),
        ("a=1; sid={id}", "a=1"),
        ("sid={id}; a=1", "a=1"),
        ("a=1; sid={id}; b=2", "a=1; b=2"),
        ('a="x y"; sid={id}; b=\xe4; c', 'a="x y"; b=\xe4; c'),
        ("xsid=1; sidx=2; SID=3; sid={id}", "xsid=1; sidx=2; SID=3"),
        ("sid={id}; sid={id}; a=1", "a=1"),
    ],
)
def test_own_cookie_is_removed_and_others_stay(shared, sent, passed):
    assert shared.door.get("/page", {"Cookie": sent.format(id=shared.session("42"))}).status == 200
    assert shared.app.last.header("Cookie") == passed
    assert shared.app.last.header("X-User-Id") == "42"


@pytest.mark.parametrize("path", ["/public/x", "/maybe/x", "/login"])
def test_own_cookie_is_removed_where_nobody_looks_at_it(shared, path):
    upstream = shared.identity if path == "/login" else shared.app
    assert shared.door.get(path, {"Cookie": "a=1; sid=whatever-this-may-be"}).status == 200
    assert upstream.last.header("Cookie") == "a=1"


def scripted(upstream, *headers):
    lines = b"".join(h + b"\r\n" for h in headers)
    upstream.script = lambda request, connection: b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\nok"


def test_upstream_cannot_set_our_cookie(stage):
    door = stage.start()
    scripted(stage.app, b"Set-Cookie: sid=stolen; Path=/", b"Set-Cookie: theme=dark", b"set-cookie:  sid = x", b"Set-Cookie: sidx=1")
    assert door.get("/page", session=stage.session()).all("Set-Cookie") == ["theme=dark", "sidx=1"]
    assert door.get("/public/x").all("Set-Cookie") == ["theme=dark", "sidx=1"]


def test_upstream_cannot_grant(stage):
    door = stage.start()
    scripted(stage.app, b'Doorward-Grant: {"userId":"1"}', b"Doorward-Grant-Options: remember", b"X-Other: 1")
    before = door.metrics().value("doorward_reserved_headers_stripped_total")
    response = door.get("/public/x")
    assert response.all("Doorward-Grant") == response.all("Doorward-Grant-Options") == response.all("Set-Cookie") == []
    assert response.header("X-Other") == "1"
    assert stage.redis("DBSIZE") == 0
    assert door.metrics().value("doorward_reserved_headers_stripped_total") == before + 2


# ---- hop by hop ----

HOP = ["Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate", "TE", "Trailer", "Upgrade"]


@pytest.mark.parametrize("name", [name for name in HOP if name != "Proxy-Authenticate"])
def test_hop_by_hop_header_of_a_request(shared, name):
    assert shared.door.get("/public/x", {name: "x"}).status == 200
    assert shared.app.last.all(name) == []


@pytest.mark.parametrize("name", ["Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Trailer", "Upgrade"])
def test_hop_by_hop_header_of_an_answer(stage, name):
    door = stage.start()
    scripted(stage.app, name.encode() + b": x", b"X-Other: 1")
    response = door.get("/public/x")
    assert response.all(name) == [] and response.header("X-Other") == "1"


def test_headers_that_connection_names_are_removed_both_ways(stage):
    door = stage.start()
    scripted(stage.app, b"Connection: X-Inner, keep-alive", b"X-Inner: 1", b"X-Other: 1")
    response = door.get("/public/x", {"Connection": "X-Outer, keep-alive", "X-Outer": "1", "X-Other": "1"})
    assert stage.app.last.all("X-Outer") == [] and stage.app.last.all("X-Other") == ["1"]
    assert response.all("X-Inner") == [] and response.all("X-Other") == ["1"]


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-Id", "traceparent", "X-User-Id"])
def test_connection_cannot_name_what_must_arrive(shared, name):
    headers = {"Connection": f"keep-alive, {name}", name: "app.test" if name == "Host" else FORGED, "X-Other": "1"}
    assert shared.door.get("/page", headers, session=shared.session("42")).status == 200
    last = shared.app.last
    assert len(last.all(name)) == 1
    assert last.header("Host") == "app.test" and last.header("X-User-Id") == "42" and last.header("X-Other") == "1"
    assert_nothing_forged(last)


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding"])
def test_connection_cannot_name_the_framing(shared, name):
    """Whoever took away the length would leave the body behind as a request."""
    body = {"Content-Length": b"hello", "Transfer-Encoding": b"5\r\nhello\r\n0\r\n\r\n"}[name]
    value = {"Content-Length": "5", "Transfer-Encoding": "chunked"}[name]
    with shared.door.client() as client:
        client.send(build("POST", "/public/x", {name: value, "Connection": name}) + body)
        assert client.response("POST").status == 200
        assert shared.app.last.body == b"hello"
        assert client.ask("GET", "/public/y").status == 200


def test_connection_that_names_the_cookies(shared):
    """RFC 9110 section 7.6.1: what is named is for this hop only. Doorward is at its end, so the session counts here; the rest goes no further."""
    headers = {"Connection": "Cookie", "Cookie": f"a=1; sid={shared.session('42')}; b=2"}
    assert shared.door.get("/page", headers).status == 200
    assert shared.app.last.all("Cookie") == [] and shared.app.last.header("X-User-Id") == "42"


def test_trailers_of_a_request_are_dropped(shared):
    body = b"5\r\nhello\r\n0\r\nX-User-Id: FORGED\r\nX-Trailer: 1\r\n\r\n"
    with shared.door.client() as client:
        pairs = [("Transfer-Encoding", "chunked"), ("Trailer", "X-Trailer"), ("Cookie", f"sid={shared.session('42')}")]
        client.send(build("POST", "/page", pairs) + body)
        assert client.response("POST").status == 200
        last = shared.app.last
        assert last.body == b"hello" and b"FORGED" not in last.raw_body and b"X-Trailer" not in last.raw_body
        assert client.ask("GET", "/public/x").status == 200


def test_trailers_are_read_within_the_header_limits(shared):
    with shared.door.client() as client:
        client.send(build("POST", "/public/x", {"Transfer-Encoding": "chunked"}) + b"0\r\n" + b"X-A: " + b"a" * 40_000 + b"\r\n\r\n")
        refused(client.response("POST"), 400, "bad_request")
        assert client.is_closed()


# ---- forwarding ----

FORWARDING = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Uri",
              "X-Forwarded-Server", "X-Forwarded-Anything", "Forwarded", "X-Real-IP", "X-Original-URL", "X-Rewrite-URL"]  # fmt: skip


@pytest.mark.parametrize("path", ["/public/x", "/login"])
@pytest.mark.parametrize("name", FORWARDING)
def test_forwarding_header_of_a_stranger_does_not_pass(shared, path, name):
    upstream = shared.identity if path == "/login" else shared.app
    assert shared.door.get(path, {name: FORGED}).status == 200
    assert_nothing_forged(upstream.last)


def test_upstream_learns_who_asked_and_how(shared):
    shared.door.get("/public/x", host="App.Test:8080")
    last = shared.app.last
    assert last.header("X-Forwarded-For") == "127.0.0.1"
    assert last.header("X-Forwarded-Proto") == "http"
    assert last.header("X-Forwarded-Host").lower() == "app.test:8080"
    assert last.header("Host").lower() == "app.test:8080"


def test_trace_and_request_id_of_a_stranger_are_replaced(shared):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    response = shared.door.get("/public/x", {"X-Request-Id": "made-up", "traceparent": trace, "tracestate": "a=b"})
    last = shared.app.last
    assert last.header("X-Request-Id") == response.header("X-Request-Id") != "made-up"
    assert last.all("tracestate") == []
    version, trace_id, span, flags = last.header("traceparent").split("-")
    assert (version, len(trace_id), len(span), len(flags)) == ("00", 32, 16, 2) and int(trace_id, 16) and int(span, 16)
    assert trace_id not in trace


@pytest.fixture
def trusting(stage):
    return stage.start(server={"trusted_proxies": ["127.0.0.0/8"]})


def test_trusted_proxy_is_believed(stage, trusting):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    trusting.get("/public/x", {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "www.example",
                               "X-Request-Id": "from-the-edge-1", "traceparent": trace, "tracestate": "a=b"})  # fmt: skip
    last = stage.app.last
    assert last.header("X-Forwarded-For") == "203.0.113.9, 127.0.0.1"
    assert last.header("X-Forwarded-Proto") == "https"
    assert last.header("X-Forwarded-Host") == "www.example"
    assert last.header("X-Request-Id") == "from-the-edge-1"
    assert last.header("traceparent").split("-")[1] == "0af7651916cd43dd8448eb211c80319c"
    assert last.header("tracestate") == "a=b"
    assert trusting.logged("from-the-edge-1")["client"] == "203.0.113.9"


def test_trusted_proxy_cannot_name_a_user(stage, trusting):
    trusting.get("/public/x", {"X-User-Id": FORGED, "X_User_Id": FORGED})
    assert_nothing_forged(stage.app.last)


@pytest.mark.parametrize("value", ["made up", "x" * 500, "a\tb", '"'])
def test_request_id_of_a_trusted_proxy_that_is_no_id(stage, trusting, value):
    response = trusting.get("/public/x", {"X-Request-Id": value})
    assert response.header("X-Request-Id") == stage.app.last.header("X-Request-Id") != value


def test_route_is_chosen_by_host_not_by_forwarded_host(stage):
    routes = [{"host": "secret.test", "path": "/**", "upstream": "app"}, {"path": "/**", "auth": "none", "upstream": "app"}]
    door = stage.start(routes=routes)
    refused(door.get("/x", {"X-Forwarded-Host": "app.test"}, host="secret.test"), 401)
    assert door.get("/x", {"X-Forwarded-Host": "secret.test"}, host="app.test").status == 200


# ---- injected exactly once ----


def test_each_injected_header_comes_once(shared):
    shared.door.get("/page", session=shared.session("42", name="N"))
    for name in ("Host", "X-User-Id", "X-User-Role", "X-User-Name", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-Id", "traceparent"):
        assert len(shared.app.last.folded(name)) == 1, name


def test_admin_answers_only_on_its_own_listener(shared):
    """APISIX's CVE-2022-24112: no header opens it."""
    for path in ("/metrics", "/config", "/readyz"):
        refused(shared.door.get(path, {"X-Real-IP": "127.0.0.1", "X-Forwarded-For": "127.0.0.1"}), 401)
