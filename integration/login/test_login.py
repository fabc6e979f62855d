"""C4: from a grant to a session, and its end."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from support.client import build
from support.expect import cookie_expired, cookie_untouched, refused
from support.upstream import answer
from support.wait import eventually

GRANT = {"userId": "42", "role": "admin", "name": "Jürgen"}
FORM = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def play(stage):
    stage.grant(GRANT)
    stage.door = stage.start()
    return stage


def log_in(stage, headers=(), target="/login", session=None):
    return stage.door.ask("POST", target, headers, b"user=x&password=y", session=session)


def new_id(response, name="sid"):
    cookie = response.header("Set-Cookie")
    assert cookie, response
    return re.fullmatch(rf"{name}=([A-Za-z0-9._~-]{{16,256}})(;.*)?", cookie)[1]


def attributes(response):
    return {part.strip().lower() for part in response.header("Set-Cookie").split(";")[1:]}


# ---- the request on its way to the identity service ----


def test_request_reaches_the_identity_service_as_it_came(play):
    log_in(play, {"Content-Type": "text/plain", "X-Custom": "1"}, "/login/deep?next=%2Fx&a=b")
    last = play.identity.last
    assert (last.method, last.target, last.body, last.header("X-Custom")) == ("POST", "/login/deep?next=%2Fx&a=b", b"user=x&password=y", "1")
    assert play.app.requests == []


def test_login_page_asks_nobody(play):
    play.identity.script = lambda request, connection: answer(200, {}, b"form")
    id, monitor = play.session("7"), play.monitor()
    cookie_untouched(play.door.get("/login", session=id))
    assert monitor.commands(play.db) == []


def test_refused_password_passes_as_the_service_said_it(play):
    play.identity.script = lambda request, connection: answer(401, {"WWW-Authenticate": "Form", "X-Why": "wrong"}, b"no")
    response = cookie_untouched(log_in(play))
    assert (response.status, response.header("X-Why"), response.body) == (401, "wrong", b"no")
    assert play.redis("DBSIZE") == 0


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_grant_with_a_refusal_is_no_grant(play, status):
    play.grant(GRANT, status=status)
    response = cookie_untouched(log_in(play))
    assert response.status == status and response.all("Doorward-Grant") == []
    assert play.redis("DBSIZE") == 0


# ---- what a grant makes ----


def test_grant_becomes_a_session(play):
    before = int(time.time() * 1000)
    response = log_in(play)
    id = new_id(response)
    assert response.status == 200 and response.body == b"welcome"
    assert "no-store" in response.header("Cache-Control")
    assert response.all("Doorward-Grant") == response.all("Doorward-Grant-Options") == []

    record = play.redis.hash(f"session:{id}")
    assert {k: record[k] for k in GRANT} == GRANT
    assert before - 1000 <= int(record["createdAt"]) <= int(record["lastSeen"]) <= int(time.time() * 1000) + 1000
    assert 1700 < play.redis("TTL", f"session:{id}") <= 1800
    assert play.redis("SMEMBERS", "user:42:sessions") == [f"session:{id}"]
    assert play.redis("TTL", "user:42:sessions") >= play.redis("TTL", f"session:{id}")

    assert play.door.get("/admin/x", session=id).status == 200
    assert play.app.last.header("X-User-Id") == "42" and play.app.last.header("X-User-Name") == "J%C3%BCrgen"


def test_id_is_32_random_bytes(play):
    ids = {new_id(log_in(play)) for _ in range(20)}
    assert len(ids) == 20 and all(re.fullmatch(r"[A-Za-z0-9_-]{43}", id) for id in ids)


def test_cookie_on_a_loopback_listener(play):
    assert attributes(log_in(play)) >= {"path=/", "httponly", "samesite=lax"}
    assert "secure" not in attributes(log_in(play))


def test_cookie_where_the_origin_is_https(stage):
    stage.grant(GRANT)
    stage.door = stage.start(server={"public_origin": "https://app.test"})
    response = log_in(stage, {"Origin": "https://app.test"})
    id = new_id(response, "__Host-sid")
    assert attributes(response) >= {"path=/", "httponly", "samesite=lax", "secure"}
    assert not any(a.startswith("domain") for a in attributes(response))
    assert stage.door.get("/page", {"Cookie": f"__Host-sid={id}"}).status == 200
    refused(stage.door.get("/page", {"Cookie": f"sid={id}"}), 401)


def test_cookie_by_configuration(stage):
    stage.grant(GRANT)
    stage.door = stage.start(session={"cookie": {"name": "house", "same_site": "strict", "secure": True}})
    response = log_in(stage)
    assert new_id(response, "house") and attributes(response) >= {"samesite=strict", "secure"}


@pytest.mark.parametrize("status", [200, 201, 204, 302, 303])
def test_grant_comes_with_any_success(play, status):
    headers = {"Location": "/there"} if status in (302, 303) else {}
    play.grant(GRANT, status=status, headers=headers)
    response = log_in(play)
    assert response.status == status and play.has_session(new_id(response))
    assert response.header("Location") == headers.get("Location")


def test_values_that_are_not_text(play):
    play.grant({"userId": 7, "role": ["admin", "staff"], "ok": True, "no": False, "ratio": 1.5, "big": 12345678901234567890})
    record = play.redis.hash(f"session:{new_id(log_in(play))}")
    assert record["userId"] == "7" and record["role"] == "admin,staff" and record["ok"] == "true" and record["no"] == "false"
    assert float(record["ratio"]) == 1.5 and record["big"] == "12345678901234567890"


BAD_GRANTS = {
    "no JSON": "userId=42",
    "an array": '["userId","42"]',
    "a text": '"42"',
    "nested": '{"userId":"42","more":{"a":"b"}}',
    "null": '{"userId":"42","role":null}',
    "array of numbers": '{"userId":"42","role":[1,2]}',
    "no user": '{"role":"admin"}',
    "empty user": '{"userId":""}',
    "line end in a field": '{"userId":"42\\r\\nX: y"}',
    "NUL in a field": '{"userId":"4\\u00002"}',
    "a key twice": '{"userId":"42","userId":"43"}',
    "half of it": '{"userId":"42"',
    "more after it": '{"userId":"42"} {}',
    "empty": "",
}


@pytest.mark.parametrize("text", BAD_GRANTS.values(), ids=BAD_GRANTS.keys())
def test_grant_that_cannot_be_read(play, text):
    play.identity.script = lambda request, connection: answer(200, {"Doorward-Grant": text}, b"welcome")
    cookie_untouched(refused(log_in(play), 502, "bad_grant"))
    assert play.redis("DBSIZE") == 0


def test_two_grants(play):
    pairs = [("Doorward-Grant", '{"userId":"1"}'), ("Doorward-Grant", '{"userId":"2"}')]
    play.identity.script = lambda request, connection: answer(200, pairs, b"welcome")
    cookie_untouched(refused(log_in(play), 502, "bad_grant"))
    assert play.redis("DBSIZE") == 0


# ---- options ----


def test_remember(play):
    play.grant(GRANT, options="remember")
    response = log_in(play)
    assert 13 * 86400 < play.redis("TTL", f"session:{new_id(response)}") <= 14 * 86400
    assert any(a.startswith("max-age=") and int(a[8:]) > 80 * 86400 for a in attributes(response)), attributes(response)


def test_cookie_that_is_not_remembered_ends_with_the_browser(play):
    assert not any(a.startswith(("max-age", "expires")) for a in attributes(log_in(play)))


def test_limits_of_its_own(play):
    play.grant(GRANT, options="idle=10m; absolute=5m")
    assert 290 < play.redis("TTL", f"session:{new_id(log_in(play))}") <= 300
    play.grant(GRANT, options="idle=2m;absolute=1h")
    id = new_id(log_in(play))
    assert 110 < play.redis("TTL", f"session:{id}") <= 120
    # A touch later on goes by these limits, not by the configured ones.
    play.redis("HSET", f"session:{id}", "lastSeen", int(time.time() * 1000) - 90_000)
    play.redis("EXPIRE", f"session:{id}", 30)
    assert play.door.get("/page", session=id).status == 200
    eventually(lambda: 110 < play.redis("TTL", f"session:{id}") <= 120)


@pytest.mark.parametrize("options", ["forever", "idle=", "idle=30", "idle=-1m", "absolute=soon", "remember=maybe"])
def test_option_that_cannot_be_read(play, options):
    play.grant(GRANT, options=options)
    cookie_untouched(refused(log_in(play), 502, "bad_grant"))
    assert play.redis("DBSIZE") == 0


# ---- the service's own cookies ----


OF_THE_SERVICE = [("Set-Cookie", "sid=an-id-of-the-service; Path=/"), ("Set-Cookie", "form=1; Path=/login"), ("set-cookie", " sid = another-of-its-ids"), ("Set-Cookie", "sidx=2")]


def test_service_cannot_set_our_cookie(play):
    """The sessions are doorward's here (`mode: grant`): a second author of the cookie could fix its value."""
    play.identity.script = lambda request, connection: answer(200, OF_THE_SERVICE, b"form")
    assert play.door.navigate("/login").all("Set-Cookie") == ["form=1; Path=/login", "sidx=2"]


def test_service_cannot_set_our_cookie_beside_a_grant(play):
    play.identity.script = lambda request, connection: answer(200, [*OF_THE_SERVICE, ("Doorward-Grant", '{"userId":"42"}')], b"welcome")
    for headers, target in [((), "/login"), (FORM, "/login?next=%2Fpage")]:
        *others, ours = log_in(play, headers, target).all("Set-Cookie")
        assert others == ["form=1; Path=/login", "sidx=2"]
        assert play.has_session(re.match(r"sid=([^;]+);", ours)[1])


# ---- fixation ----


def test_session_that_came_with_the_login_is_gone(play):
    old = play.session("7")
    new = new_id(log_in(play, session=old))
    assert new != old and not play.has_session(old) and play.has_session(new)
    assert play.redis("SMEMBERS", "user:7:sessions") == []


def test_id_that_came_with_the_login_is_never_taken_over(play):
    planted = "an-id-that-an-attacker-planted"
    assert new_id(log_in(play, session=planted)) != planted
    assert not play.has_session(planted)


def test_refused_login_ends_no_session(play):
    old = play.session("7")
    play.identity.script = lambda request, connection: answer(401, {}, b"no")
    log_in(play, session=old)
    assert play.has_session(old)


def test_two_logins_at_once_make_two_sessions(play):
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: new_id(log_in(play)), range(16)))
    assert len(ids) == 16
    assert set(play.redis("SMEMBERS", "user:42:sessions")) == {f"session:{id}" for id in ids}


def test_expired_sessions_leave_the_index(play):
    play.redis("SADD", "user:42:sessions", "session:long-gone-and-forgotten")
    id = new_id(log_in(play))
    assert play.redis("SMEMBERS", "user:42:sessions") == [f"session:{id}"]


# ---- the way back ----


def test_form_goes_back_where_the_person_came_from(play):
    response = log_in(play, FORM, "/login?next=" + quote("/page?a=b&c=d", safe=""))
    assert (response.status, response.header("Location")) == (303, "/page?a=b&c=d")
    assert "no-store" in response.header("Cache-Control") and play.has_session(new_id(response))


def test_program_is_not_redirected(play):
    response = log_in(play, {"Accept": "application/json"}, "/login?next=%2Fpage")
    assert (response.status, response.header("Location")) == (200, None)


def test_location_of_the_service_wins(play):
    play.grant(GRANT, status=302, headers={"Location": "/welcome"})
    response = log_in(play, FORM, "/login?next=%2Fpage")
    assert (response.status, response.header("Location")) == (302, "/welcome")


def test_parameter_of_another_name(stage):
    stage.grant(GRANT)
    stage.door = stage.start(identity={"return_to": "zuruck"})
    response = stage.door.navigate("/page")
    assert response.header("Location").startswith("/login?zuruck=")
    assert log_in(stage, FORM, "/login?zuruck=%2Fpage").header("Location") == "/page"


# ---- from another site ----


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}], ids=str)
def test_login_from_another_site(play, headers):
    """Somebody else's page must not log a visitor in as its owner."""
    cookie_untouched(refused(log_in(play, headers), 403, "csrf"))
    assert play.identity.requests == [] and play.redis("DBSIZE") == 0


# ---- logout ----


def log_out(stage, session, headers=(), target="/logout"):
    return stage.door.ask("POST", target, headers, b"", session=session)


def test_logout_of_a_program(play):
    id = play.session("7")
    response = log_out(play, id)
    assert response.status == 204 and response.body == b""
    cookie_expired(response)
    assert not play.has_session(id) and play.redis("SMEMBERS", "user:7:sessions") == []
    refused(play.door.get("/page", session=id), 401)


def test_logout_of_a_person(play):
    id = play.session("7")
    response = cookie_expired(log_out(play, id, FORM))
    assert response.status == 303 and response.header("Location").split("?")[0] == "/login"
    assert not play.has_session(id)


def test_logout_twice(play):
    id = play.session("7")
    assert [log_out(play, id).status for _ in range(3)] == [204] * 3


@pytest.mark.parametrize("session", [None, "dead-but-well-formed", "bad"])
def test_logout_without_a_session(play, session):
    assert log_out(play, session).status == 204


def test_logout_leaves_other_sessions_alone(play):
    one, two = play.session("7"), play.session("7")
    log_out(play, one)
    assert not play.has_session(one) and play.has_session(two)
    assert play.redis("SMEMBERS", "user:7:sessions") == [f"session:{two}"]


def test_logout_everywhere(play):
    mine, other = [play.session("7") for _ in range(3)], play.session("8")
    assert log_out(play, mine[0], target="/logout?everywhere=1").status == 204
    assert not any(play.has_session(id) for id in mine) and play.has_session(other)
    assert play.redis("EXISTS", "user:7:sessions") == 0


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}], ids=str)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_logout_from_another_site(play, method, headers):
    id = play.session("7")
    cookie_untouched(refused(play.door.ask(method, "/logout", headers, b"" if method == "POST" else None, session=id), 403, "csrf"))
    assert play.has_session(id)


def test_logout_by_following_a_link_of_ours(play):
    id = play.session("7")
    response = cookie_expired(play.door.navigate("/logout", session=id))
    assert response.status == 303 and not play.has_session(id)


def test_logout_does_not_bring_a_session_back(play):
    """A touch on its way must not write the session anew."""
    for _ in range(20):
        old = int(time.time() * 1000) - 120_000
        id = play.session("7", createdAt=old, lastSeen=old)
        with play.door.client() as client:
            client.send(build("GET", "/page", {"Cookie": f"sid={id}"}) + build("POST", "/logout", {"Cookie": f"sid={id}"}, b""))
            assert client.response().status == 200 and client.response("POST").status == 204
        assert play.redis("EXISTS", f"session:{id}") == 0
    assert play.redis("KEYS", "session:*") == []


def test_touch_of_a_session_that_another_program_deleted(play):
    monitor = play.monitor()
    old = int(time.time() * 1000) - 120_000
    id = play.session("7", createdAt=old, lastSeen=old)
    assert play.door.get("/page", session=id).status == 200
    eventually(lambda: any(words[0] in ("EVALSHA", "EVAL") for words in monitor.commands(play.db)))
    play.redis("DEL", f"session:{id}")
    refused(play.door.get("/page", session=id), 401)
    assert play.redis("EXISTS", f"session:{id}") == 0


def test_sessions_are_counted(play):
    before = play.door.metrics()
    id = new_id(log_in(play))
    log_out(play, id)
    after = play.door.metrics()
    assert after.value("doorward_sessions_created_total") == before.value("doorward_sessions_created_total") + 1
    assert after.value("doorward_sessions_ended_total", reason="logout") == before.value("doorward_sessions_ended_total", reason="logout") + 1


# ---- who am I ----


def test_whoami(play):
    id = new_id(log_in(play))
    response = play.door.get("/.doorward/whoami", session=id)
    assert response.status == 200 and response.header("Content-Type").split(";")[0] == "application/json"
    assert "no-store" in response.header("Cache-Control")
    text, who = response.body.decode(), response.json()
    assert "42" in json.dumps(who) and id not in text


@pytest.mark.parametrize("session", [None, "dead-but-well-formed"])
def test_whoami_and_nobody(play, session):
    refused(play.door.get("/.doorward/whoami", session=session), 401)


# ---- the identity service writes the session itself ----


def test_external_mode(stage):
    def script(request, connection):
        stage.session("42", id="written-by-the-service-itself")
        return answer(303, {"Location": "/page", "Set-Cookie": "sid=written-by-the-service-itself; Path=/; HttpOnly", "Doorward-Grant": '{"userId":"1"}'})

    stage.identity.script = script
    stage.door = stage.start(identity={"mode": "external"})
    response = log_in(stage, FORM)
    assert response.status == 303 and response.header("Set-Cookie").startswith("sid=written-by-the-service-itself")
    assert response.all("Doorward-Grant") == [] and stage.redis("KEYS", "session:*") == ["session:written-by-the-service-itself"]
    assert stage.door.get("/page", session="written-by-the-service-itself").status == 200
    assert log_out(stage, "written-by-the-service-itself").status == 204
    assert stage.redis("KEYS", "session:*") == []


# ---- names of our own ----


def test_keys_and_fields_of_another_house(request, stage):
    names = {"key": "sess/{id}", "index": "by-user/{user}", "fields": {"user": "uid", "roles": "groups", "created": "born", "last_seen": "seen"}}
    stage.grant({"uid": "42", "groups": ["admin"]})
    request.addfinalizer(stage.server.reset_acl)
    stage.server.admin("ACL", "SETUSER", "doorward", "~sess/*", "~by-user/*")
    stage.door = stage.start(session=names, headers={"X-User-Id": "{uid}", "X-User-Role": "{groups?}", "X-User-Name": None})
    id = new_id(log_in(stage))
    record = stage.redis.hash(f"sess/{id}")
    assert record["uid"] == "42" and record["groups"] == "admin" and int(record["born"]) and int(record["seen"])
    assert stage.redis("SMEMBERS", "by-user/42") == [f"sess/{id}"]
    assert stage.door.get("/admin/x", session=id).status == 200
    assert stage.app.last.header("X-User-Id") == "42"
    assert log_out(stage, id).status == 204 and stage.redis("DBSIZE") == 0
