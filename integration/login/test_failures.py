"""Which answers of the identity service are failed logins."""

import pytest
from support.logins import FETCH, FORM, NAVIGATION, Guard, attempt, form, opened
from support.upstream import answer

MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
PARTS = b'--b\r\nContent-Disposition: form-data; name="username"\r\n\r\nanna\r\n--b--\r\n'
GRANT = {"Doorward-Grant": '{"userId":"42"}'}
FAILED, PASSED = {"Doorward-Attempt": "failed"}, {"Doorward-Attempt": "passed"}
BELOW = {"target": "/login/step"}
NO_USER = {"body": b"code=123456"}
GET = {"method": "GET"}

COUNTED = {
    "400": (400, {}, {}),
    "below, multipart": (200, {}, {**BELOW, "headers": MULTIPART, "body": PARTS}),
    "a look of which the service says so": (200, FAILED, GET),
    "401": (401, {}, {}),
    "403": (403, {}, {}),
    "422": (422, {}, {}),
    "the form again": (200, {}, {}),
    "back to the form": (303, {"Location": "/login?failed=1"}, {}),
    "the form again, for a browser": (200, {}, {"headers": {**FORM, **NAVIGATION}}),
    "the form again, for a script": (200, {}, {"headers": {**FORM, **FETCH}}),
    "a slash at the end": (200, {}, {"target": "/login/"}),
    "a query": (200, {}, {"target": "/login?next=%2Fx"}),
    "below, refused": (401, {}, {**BELOW, **NO_USER}),
    "below, with a user": (200, {}, BELOW),
    "without a user": (200, {}, NO_USER),
    "multipart": (200, {}, {"headers": MULTIPART, "body": PARTS}),
    "no body": (401, {}, {"body": b""}),
    "PUT": (401, {}, {"method": "PUT"}),
    "the service says so": (200, FAILED, {**BELOW, **NO_USER}),
    "it says so with 404": (404, FAILED, {}),
    "it says so loudly": (500, {"doorward-attempt": "FAILED"}, {}),
}
NOT_COUNTED = {
    "404": (404, {}, {}),
    "429": (429, {}, {}),
    "500": (500, {}, {}),
    "502": (502, {}, {}),
    "503": (503, {}, {}),
    "a grant": (200, GRANT, {}),
    "a redirect with a grant": (303, {**GRANT, "Location": "/x"}, {}),
    "below, without a user": (200, {}, {**BELOW, **NO_USER}),
    "a look": (401, {}, GET),
    "a look at the form": (200, {}, GET),
    "the service says otherwise": (401, PASSED, {}),
    "it says otherwise of the form": (200, PASSED, {}),
    "it says otherwise with nothing": (403, {"Doorward-Attempt": ""}, {}),
}


@pytest.fixture(scope="module")
def door(shared):
    """One that counts and never bans."""
    return opened(shared, failures=1_000_000).door


def told(shared, door, status, headers, asked):
    """By how much the count has grown."""
    shared.identity.script = lambda request, connection: answer(status, headers, b"" if status == 204 else b"said")
    before = Guard(door).failures
    asked = dict(asked)
    if method := asked.pop("method", None):
        response = door.ask(method, asked.pop("target", "/login"), FORM, None if method == "GET" else form(), **asked)
    else:
        response = attempt(door, **asked)
    assert response.all("Doorward-Attempt") == [], "that is between the service and us"
    assert response.status == status
    return Guard(door).failures - before


@pytest.mark.parametrize(("status", "headers", "asked"), COUNTED.values(), ids=COUNTED.keys())
def test_counted(shared, door, status, headers, asked):
    assert told(shared, door, status, headers, asked) == 1


@pytest.mark.parametrize(("status", "headers", "asked"), NOT_COUNTED.values(), ids=NOT_COUNTED.keys())
def test_not_counted(shared, door, status, headers, asked):
    assert told(shared, door, status, headers, asked) == 0


def test_bad_answer_counts_for_nobody(shared, door):
    before = Guard(door).failures
    shared.identity.script = lambda request, connection: b"HELLO\r\n\r\n"
    assert attempt(door).status == 502
    shared.identity.script = lambda request, connection: answer(200, {"Doorward-Grant": "nonsense"})
    assert attempt(door).status == 502
    assert Guard(door).failures == before


def test_multipart_counts_for_its_user(stage):
    play = opened(stage, lambda request, connection: answer(200, {}, b"the form again"), failures=3, server={"trusted_proxies": ["127.0.0.1"]})
    statuses = [attempt(play.door, headers=MULTIPART, body=PARTS, via=f"198.51.100.{n}").status for n in range(4)]
    assert statuses == [200] * 3 + [429]


def test_body_that_cannot_be_looked_into_counts_for_its_address_alone(stage):
    play = opened(stage, lambda request, connection: answer(200, {}, b"no"), failures=3, server={"trusted_proxies": ["127.0.0.1"]})
    asked = {**BELOW, "headers": {"Content-Type": "application/octet-stream"}, "body": b"\x00\x01"}
    for n in range(5):
        assert attempt(play.door, **asked, via=f"198.51.100.{n}").status == 200
    assert [attempt(play.door, **asked, via="203.0.113.1").status for _ in range(4)] == [200] * 3 + [429]


# ---- the identity service writes the session itself ----


def external(stage, *cookies):
    """It knows a right password; with each answer to a wrong one come these cookies."""

    def script(request, connection):
        right = b"password=right" in request.body
        cookies_now = ["sid=written-by-the-service-itself; Path=/; HttpOnly"] if right else cookies
        return answer(303, [("Location", "/page" if right else "/login")] + [("Set-Cookie", cookie) for cookie in cookies_now])

    stage.identity.script = script
    stage.door = stage.start(server={"trusted_proxies": ["127.0.0.1"]}, identity={"mode": "external", "guard": {"failures": 3, "failures_per_address": 3}})
    stage.guard = Guard(stage.door)
    return stage


@pytest.mark.parametrize("cookies", [[], ["theme=dark", "sid2=x"], ["sid=; Path=/; Max-Age=0"], ["sid=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]],
                         ids=["no cookie", "another cookie", "an end", "an end by date"])
def test_cookie_of_a_session_is_a_success(stage, cookies):
    play = external(stage, *cookies)
    for n in range(4):
        assert attempt(play.door, password="right", via=f"198.51.100.{n}").status == 303
    assert play.guard.failures == 0
    for n in range(2):
        assert attempt(play.door, via=f"198.51.100.{n}").status == 303
    assert play.guard.failures == 2
    assert attempt(play.door, password="right", via="203.0.113.1").status == 303
    assert [attempt(play.door, via=f"203.0.113.{n}").status for n in range(4)] == [303] * 3 + [429]
