"""C2 and C7: which route a request meets, and with which path it goes upstream."""

from posixpath import normpath
from urllib.parse import unquote

import pytest
from support.doorward import run, write_config
from support.expect import refused
from support.stage import Stage


def starting(stage, *routes, **more):
    return stage.start(routes=[{"auth": "none", "upstream": "app", **route} for route in routes], **more)


@pytest.fixture(scope="module")
def answering(redis_server, tmp_path_factory):
    """Routes that only say which of them was met: by their status."""
    def route(status, **more):
        return {"auth": "none", "respond": status, **more}

    with Stage(redis_server, tmp_path_factory.mktemp("routes")) as stage:
        stage.door = stage.start(
            routes=[
                route(210, host="api.test", path="/**"),
                route(211, host="*.shop.test", path="/**"),
                route(220, path="/exact"),
                route(221, path="/one/*/end"),
                route(222, path="/tree/**"),
                route(223, path="/verbs", methods=["GET"]),
                route(224, path="/verbs", methods=["POST", "PUT"]),
                route(225, path="/first/special"),
                route(226, path="/first/*"),
                route(227, path="/first/**"),
                route(228, path="/sch%C3%B6n"),
            ]
        )
        yield stage.door


@pytest.mark.parametrize(
    "host, status",
    [
        ("api.test", 210), ("API.Test", 210), ("api.test:8080", 210), ("api.test.", 210), ("API.TEST.:443", 210),
        ("a.shop.test", 211), ("A.b.SHOP.test", 211), ("shop.test", 404), ("evilshop.test", 404), ("api.test.evil", 404),
        ("xapi.test", 404), ("[::1]:80", 404), ("127.0.0.1", 404),
    ],
)  # fmt: skip
def test_host(answering, host, status):
    assert answering.get("/x", host=host).status == status


@pytest.mark.parametrize(
    "target, status",
    [
        ("/exact", 220), ("/exact?x=/tree/", 220), ("/exact/", 404), ("/exactly", 404), ("/Exact", 404), ("/%65xact", 220),
        ("/x/../exact", 220), ("/./exact", 220), ("/x/%2e%2e/exact", 220),
        ("/one/a/end", 221), ("/one/a/b/end", 404), ("/one/a%2Fb/end", 400), ("/one/end", 404), ("/one/a/end/", 404),
        ("/tree", 222), ("/tree/", 222), ("/tree/a/b", 222), ("/trees", 404), ("/tree/../exact", 220), ("/tree//a", 222), ("/tree/a;b=c", 222),
        ("/tree/a%2fb", 222), ("/tree/a%5cb", 222), ("/tree;x", 400), ("/tree/..%2fexact", 400), ("/tree/..;/exact", 400),
        ("/first/special", 225), ("/first/other", 226), ("/first/a/b", 227), ("/first", 227), ("/first/special/", 227), ("/first/special;x", 400),
        ("/sch%C3%B6n", 228), ("/sch%c3%b6n", 228), ("/", 404),
    ],
)  # fmt: skip
def test_path(answering, target, status):
    assert answering.get(target).status == status


@pytest.mark.parametrize("method, status", [("GET", 223), ("POST", 224), ("PUT", 224), ("DELETE", 405), ("OPTIONS", 405)])
def test_method(answering, method, status):
    assert answering.ask(method, "/verbs").status == status


# ---- what goes upstream ----


@pytest.mark.parametrize(
    "sent, forwarded",
    [
        ("/a/b", "/a/b"), ("/a%2fb", "/a%2Fb"), ("/a%2Fb", "/a%2Fb"), ("/%61", "/a"), ("/a/./b/../c", "/a/c"), ("/a//b", "/a//b"),
        ("/shop;jsessionid=1", "/shop;jsessionid=1"), ("/projects/a%2fb", "/projects/a%2Fb"), ("/%7euser", "/~user"), ("/a%20b", "/a%20b"),
        ("/a?", "/a?"), ("/a?b=%2f%zz;&c", "/a?b=%2f%zz;&c"), ("/sch%c3%b6n", "/sch%C3%B6n"), ("/a/..", "/"), ("/a/.", "/a/"), ("/", "/"),
        ("/a?x=#".replace("#", "%23"), "/a?x=%23"), ("/!$&'()*+,=:@-._~", "/!$&'()*+,=:@-._~"),
    ],
)  # fmt: skip
def test_one_canonical_path_is_forwarded(stage, sent, forwarded):
    door = starting(stage, {"path": "/**"})
    assert door.get(sent).status == 200
    assert stage.app.last.target == forwarded


def test_strip_prefix(stage):
    door = starting(stage, {"path": "/app/v1/**", "strip_prefix": "/app"}, {"path": "/all/**", "strip_prefix": "/all"})
    for sent, forwarded in [("/app/v1/x?q=/app", "/v1/x?q=/app"), ("/app/v1", "/v1"), ("/all", "/"), ("/all/", "/"), ("/all/all/x", "/all/x"), ("/all/a%2fb", "/a%2Fb")]:
        assert door.get(sent).status == 200
        assert stage.app.last.target == forwarded
    assert door.get("/app/v1/../../secret").status == 404


def test_rewrite(stage):
    door = starting(stage, {"path": "/old/**", "rewrite": "/new/place"}, {"path": "/single", "rewrite": "/other"})
    for sent, forwarded in [("/old/x/y?z", "/new/place/x/y?z"), ("/old", "/new/place"), ("/single?a=b", "/other?a=b")]:
        assert door.get(sent).status == 200
        assert stage.app.last.target == forwarded


# ---- one protected path, many spellings ----

SPELLINGS = [
    "/public/../admin/x", "/public/%2e%2e/admin/x", "/public/.%2e/admin/x", "/public/%2e./admin/x", "/public/..%2fadmin/x", "/public/..%5cadmin/x",
    "/public/..;/admin/x", "/public/..;a=b/admin/x", "/public/;/../admin/x", "/public/x/..//../admin/x", "/public//..//admin/x", "/public/.;/../admin/x",
    "//admin/x", "///admin/x", "/./admin/x", "/%61dmin/x", "/adm%69n/x", "/admin;/x", "/admin;a=b/x", "/;/admin/x", "/admin//x", "/admin/./x", "/admin/y/../x",
    "/admin%2fx", "/admin%5cx", "/public%2f..%2fadmin%2fx", "/public/%252e%252e/admin/x", "/public/..%252fadmin/x", "/public/%c0%ae%c0%ae/admin/x",
    "/public/..%00/admin/x", "/public/%2e%2e%3b/admin/x", "/ADMIN/x", "/public/..%c0%afadmin/x", "/public/x%2f..%2f..%2fadmin/x", "/public/x;/..;/../admin/x",
    "/public/%5c..%5cadmin/x", "/public/..%2f%2fadmin/x", "/public/..//admin/x", "/public/../../admin/x", "/public/%2e%2e%2fadmin/x", "/public/...//admin/x",
]  # fmt: skip


def sloppy_readings(target):
    """Paths that servers of various habits would see in what was forwarded."""
    seen = {target}
    for _ in range(3):
        more = set()
        for path in seen:
            more |= {unquote(path), path.replace("\\", "/"), path.replace("//", "/"), "/".join(s.split(";")[0] for s in path.split("/")),
                     normpath(path) if path.startswith("/") else path}  # fmt: skip
        if more <= seen:
            break
        seen |= more
    return {p.replace("//", "/") for p in seen}


@pytest.fixture(scope="module")
def guarded(redis_server, tmp_path_factory):
    with Stage(redis_server, tmp_path_factory.mktemp("guarded")) as stage:
        stage.door = stage.start(
            routes=[
                {"path": "/public/**", "auth": "none", "upstream": "app"},
                {"path": "/admin/**", "allow": {"roles": ["admin"]}, "upstream": "app"},
                {"path": "/**", "upstream": "app"},
            ]
        )
        yield stage


@pytest.mark.parametrize("target", SPELLINGS)
def test_a_stranger_reaches_nothing_but_the_public_part(guarded, target):
    before = len(guarded.app.requests)
    response = guarded.door.get(target)
    if response.status == 200:
        forwarded = guarded.app.last.target
        assert forwarded.startswith("/public/")
        once = {p for p in sloppy_readings(forwarded) if "%25" not in forwarded.lower()}
        assert not any(p.startswith("/admin") for p in once), forwarded
    else:
        assert response.status in (400, 401), response
        assert len(guarded.app.requests) == before


@pytest.mark.parametrize("target", SPELLINGS)
def test_a_user_does_not_reach_the_administrators_part(guarded, target):
    before = len(guarded.app.requests)
    response = guarded.door.get(target, session=guarded.session("42", role="user"))
    if response.status == 200:
        forwarded = guarded.app.last.target
        once = {p for p in sloppy_readings(forwarded) if "%25" not in forwarded.lower()}
        assert not any(p == "/admin" or p.startswith("/admin/") for p in once), forwarded
    else:
        assert response.status in (400, 403), response
        assert len(guarded.app.requests) == before


def test_own_endpoints_stand_above_every_route(stage):
    door = starting(stage, {"path": "/**"})
    response = door.get("/.doorward/whoami")
    assert response.status in (200, 401) and stage.app.requests == []
    assert door.get("/.doorward/nothing").status == 404 and stage.app.requests == []
    door.get("/login")
    assert stage.app.requests == [] and len(stage.identity.requests) == 1


def test_login_prefix_ends_at_a_segment(stage):
    door = starting(stage, {"path": "/**"})
    assert door.get("/loginx").status == 200 and len(stage.app.requests) == 1
    assert door.get("/login/a/b").status == 200 and stage.identity.last.target == "/login/a/b"


def test_route_of_the_configuration_is_named_in_the_log(stage):
    door = starting(stage, {"path": "/named/**", "id": "a-name"}, {"path": "/plain"})
    id = door.get("/named/x").header("X-Request-Id")
    assert door.logged(id)["route"] == "a-name"
    assert door.logged(door.get("/plain").header("X-Request-Id"))["route"] == "/plain"


def test_rate_limit_is_not_available_yet(stage):
    config = stage.config(routes=[{"path": "/**", "upstream": "app", "rate_limit": {"rate": "50/s", "burst": 100, "by": "user"}}])
    result = run("check", "-c", write_config(stage.folder / "c.yaml", config))
    assert result.returncode == 78 and "not available yet" in result.stdout + result.stderr


def test_unambiguous_refusals_name_their_code(answering):
    refused(answering.get("/tree/..%2fexact"), 400, "ambiguous_path")
    refused(answering.get("/nowhere"), 404, "not_found")
