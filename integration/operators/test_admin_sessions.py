"""`/sessions` on the admin listener: identity services and operators see and end people's sessions."""

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from support.operators import TOKEN, api, bearer, problem
from support.client import RawClient, build
from support.expect import cookie_untouched, refused
from support.logins import Desk, grants
from support.places import a_place, a_user, ended, handle, in_redis, keys, listed, log_in, mark, told
from support.tunnels import FarEnds, is_silent
from support.wait import eventually

NO_HANDLE = "abcdefghijklmnopqrstuv"


@pytest.fixture
def places(office, user):
    """Three of one user."""
    return [a_place(office.door, user) for _ in range(3)]


def revocations(door, user):
    return [e for e in door.log.json() if e.get("event") == "sessions_revoked" and e["user"] == user]


# ---- who may ----


@pytest.mark.parametrize("method, path", [("GET", "/sessions?user=42"), ("DELETE", "/sessions?user=42"), ("DELETE", f"/sessions/{NO_HANDLE}?user=42"), ("POST", "/sessions/x")])
@pytest.mark.parametrize("headers", [[], [("Authorization", "Bearer not-the-token-at-all")], [("Authorization", "Basic YTpi")],
                                     [bearer(), bearer()], [("X-Authorization", bearer()[1])]], ids=str)  # fmt: skip
def test_only_who_has_the_token(office, method, path, headers):
    response = problem(office.door.admin(path, method, headers), 401, "unauthorized")
    assert response.header("WWW-Authenticate").startswith('Bearer realm="doorward admin"')


def test_token_in_the_query_is_no_token(office):
    problem(office.door.admin(f"/sessions?user=42&access_token={office.token}"), 401, "unauthorized")


def test_without_a_token_in_the_configuration_nobody_may(stage):
    door = stage.start()
    for headers in ([], [bearer()], [("Authorization", "Bearer ")]):
        assert "admin.token" in problem(door.admin("/sessions?user=42", "GET", headers), 403, "forbidden").json()["detail"]
    assert stage.redis("CLIENT", "LIST").count(f"db={stage.db} ") == 2 + 1, "two workers, and this play"


def test_guessing_is_logged_and_the_token_is_nowhere(office, user, places):
    office.door.admin("/sessions?user=42", "GET", [("Authorization", "Bearer GUESSED-TOKEN-1234")])
    told_of = office.door.log.wait_for_json(lambda e: e.get("event") == "admin_token_refused")
    assert told_of["level"] == "warn" and told_of["client"].startswith("127.0.0.1:")
    api(office, "DELETE", f"/sessions?user={user}")
    text = office.door.log.text() + office.door.access.text() + office.door.admin("/config").body.decode()
    assert office.token not in text and "GUESSED" not in text and '"token": "<redacted>"' in text
    assert not [id for id in places if id in text]


# ---- what they see ----


def test_list(office, user, places):
    response = api(office, "GET", f"/sessions?user={user}")
    assert response.status == 200 and response.header("Content-Type") == "application/json"
    assert response.header("Cache-Control") == "no-store"
    strip = lambda s: {k: v for k, v in s.items() if k not in ("current", "ends_in")}  # noqa: E731
    found = response.json()
    assert found["user"] == user
    assert [strip(s) for s in found["sessions"]] == [strip(s) for s in listed(office.door, places[0])]
    assert not [id for id in places if id in response.body.decode()]
    head = api(office, "HEAD", f"/sessions?user={user}")
    assert head.status == 200 and head.body == b""


def test_list_of_nobody(office, user):
    assert api(office, "GET", f"/sessions?user={user}").json() == {"user": user, "sessions": []}


def test_one(office, user, places):
    its = handle(office.door, places[1])
    found = api(office, "GET", f"/sessions/{its}?user={user}").json()
    assert (found["user"], found["handle"], found["address"]) == (user, its, "127.0.0.1")
    problem(api(office, "GET", f"/sessions/{NO_HANDLE}?user={user}"), 404, "not_found")
    problem(api(office, "GET", f"/sessions/{its}?user={a_user()}"), 404, "not_found")


def test_user_of_any_name(office):
    for name in ("anna+test@example.org", "Jörg Müller & Söhne", "a/b?c=d#e", "../x", "*", "a%2Bb"):
        id = office.session(name)
        encoded = quote(name, safe="")
        assert [s["handle"] for s in api(office, "GET", f"/sessions?user={encoded}").json()["sessions"]] == [handle(office.door, id)]
        assert api(office, "DELETE", f"/sessions?user={encoded}").json() == {"user": name, "ended": 1}
        told(office.door, id, "session_revoked")


@pytest.mark.parametrize("query", ["", "?user=", "?user=a&user=b", "?user=a&handle=b", "?handle=b&user=a", "?user=a+b", "?user=%f", "?User=a"])
def test_question_that_can_be_read_in_two_ways(office, query):
    for method in ("GET", "DELETE"):
        problem(api(office, method, f"/sessions{query}"), 400, "bad_request")


def test_what_is_not_there(office):
    problem(api(office, "GET", "/sessions/?user=42"), 404, "not_found")
    problem(api(office, "GET", "/sessions/too-short?user=42"), 404, "not_found")
    assert problem(api(office, "POST", "/sessions?user=42"), 405, "method_not_allowed").header("Allow") == "GET, HEAD, DELETE"


# ---- what they end ----


def test_all_of_a_user(office, user, places):
    stranger, before = a_place(office.door, a_user()), ended(office.door, "revoked")
    response = api(office, "DELETE", f"/sessions?user={user}")
    assert response.status == 200 and response.json() == {"user": user, "ended": 3}
    assert ended(office.door, "revoked") == before + 3
    assert in_redis(office, user) == set() and [mark(office, id) for id in places] == ["revoked"] * 3
    for id in places:
        told(office.door, id, "session_revoked")
    assert office.door.get("/page", session=stranger).status == 200
    (line,) = eventually(lambda: revocations(office.door, user))
    assert (line["level"], line["by"], line["sessions"]) == ("info", "admin", 3) and line["client"].startswith("127.0.0.1:")


def test_twice_is_fine(office, user, places):
    api(office, "DELETE", f"/sessions?user={user}")
    response = api(office, "DELETE", f"/sessions?user={user}")
    assert response.status == 200 and response.json() == {"user": user, "ended": 0}
    eventually(lambda: [e["sessions"] for e in revocations(office.door, user)] == [3, 0])


def test_one_of_a_user(office, user, places):
    me, it, other = places
    its, before = handle(office.door, it), ended(office.door, "revoked")
    assert api(office, "DELETE", f"/sessions/{its}?user={user}").json() == {"user": user, "ended": 1}
    told(office.door, it, "session_revoked")
    assert in_redis(office, user) == keys(me, other) and ended(office.door, "revoked") == before + 1
    problem(api(office, "DELETE", f"/sessions/{its}?user={user}"), 404, "not_found")
    assert ended(office.door, "revoked") == before + 1
    eventually(lambda: len(revocations(office.door, user)) == 1)


def test_one_of_another_user_stays(office, user, places):
    stranger = a_place(office.door, a_user())
    problem(api(office, "DELETE", f"/sessions/{handle(office.door, stranger)}?user={user}"), 404, "not_found")
    assert office.door.get("/page", session=stranger).status == 200


def test_login_under_way_is_refused(office, user):
    """Somebody who is logging in while the identity service says that they are out, and has no session yet."""
    office.identity.script = desk = Desk()
    try:
        with ThreadPoolExecutor(1) as pool:
            login = pool.submit(log_in, office.door, user)
            eventually(lambda: desk.inside == 1)
            assert api(office, "DELETE", f"/sessions?user={user}").json()["ended"] == 0
            desk.let_go()
            cookie_untouched(refused(login.result(), 401, "session_revoked"))
    finally:
        office.identity.script = grants


def test_what_is_open_ends_at_once(stage):
    """Nobody would look again for five minutes."""
    far_ends = stage.app.script = FarEnds()
    stage.door = stage.start(admin={"token": TOKEN}, session={"recheck": "5m"})
    ids = [stage.session("42"), stage.session("42"), stage.session("43")]
    clients = [stage.door.client() for _ in ids]
    fars = [far_ends.tunnel(client, target="/page", session=id) for client, id in zip(clients, ids)]
    its = handle(stage.door, ids[0])
    assert api(stage, "DELETE", f"/sessions/{its}?user=42").json()["ended"] == 1
    assert clients[0].is_closed() and fars[0].is_closed() and is_silent(clients[1], 0.2)
    assert api(stage, "DELETE", "/sessions?user=42").json()["ended"] == 1
    assert clients[1].is_closed() and fars[1].is_closed() and is_silent(clients[2], 0.2)
    for client in clients:
        client.close()
    far_ends.close()


def test_many_at_once(office):
    users = [a_user() for _ in range(200)]
    ids = [office.session(user) for user in users]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda user: api(office, "DELETE", f"/sessions?user={user}").json()["ended"], users))
    assert found == [1] * len(users) and not [id for id in ids if office.has_session(id)]


def test_several_on_one_connection(office, user, places):
    with RawClient(office.door.address_of("admin")) as client:
        assert len(client.ask("GET", f"/sessions?user={user}", [bearer()]).json()["sessions"]) == 3
        assert client.ask("GET", "/livez").status == 200
        assert client.ask("DELETE", f"/sessions?user={user}", [bearer()]).json()["ended"] == 3
        problem(client.ask("GET", f"/sessions?user={user}"), 401, "unauthorized")


# ---- when Redis does not answer ----


@pytest.fixture
def gated(stage):
    """Doorward whose Redis is behind a gate, with the token."""
    assert stage.gate
    stage.door = stage.start(admin={"token": TOKEN})
    return stage


def cannot_tell(response):
    assert int(problem(response, 503, "store_unavailable").header("Retry-After")) >= 1


@pytest.mark.parametrize("fault", ["hang", "refuse", "swallow"])
def test_redis_does_not_answer(gated, fault):
    user = a_user()
    id = gated.session(user)
    its = handle(gated.door, id)
    getattr(gated.gate, fault)()
    for method in ("GET", "DELETE"):
        for path in (f"/sessions?user={user}", f"/sessions/{its}?user={user}"):
            cannot_tell(api(gated, method, path))
    assert revocations(gated.door, user) == [] and gated.has_session(id)
    gated.gate.open()
    eventually(lambda: api(gated, "GET", f"/sessions?user={user}").status == 200)


def test_nobody_else_waits_for_redis(gated):
    """Health and metrics are answered while sixty requests wait for Redis to answer."""
    gated.gate.hang()
    clients = [RawClient(gated.door.address_of("admin")) for _ in range(60)]
    for client in clients:
        client.send(build("DELETE", "/sessions?user=42", [bearer()]))
    start = time.monotonic()
    assert gated.door.admin("/livez").status == 200
    assert time.monotonic() - start < 0.2
    for client in clients:
        cannot_tell(client.response("DELETE"))
        client.close()


def test_program_ends_while_requests_wait_for_redis(gated):
    gated.gate.hang()
    clients = [RawClient(gated.door.address_of("admin")) for _ in range(8)]
    for client in clients:
        client.send(build("DELETE", "/sessions?user=42", [bearer()]))
    gated.door.stop()  # looks at the exit code
    for client in clients:
        client.close()


def test_rights_that_redis_does_not_give(stage):
    door = stage.door = stage.start(admin={"token": TOKEN})
    stage.server.admin("ACL", "SETUSER", "doorward", "-evalsha")
    try:
        cannot_tell(api(stage, "DELETE", "/sessions?user=42"))
    finally:
        stage.server.reset_acl()
    eventually(lambda: api(stage, "DELETE", "/sessions?user=42").status == 200)
    assert door.admin("/livez").status == 200
