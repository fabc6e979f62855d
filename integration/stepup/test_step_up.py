"""Routes that want a login of some level, or a fresh one (RFC 9470)."""

import re
import time
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from support.doorward import run
from support.expect import cookie_untouched, refused, refused_page, sent_to_login
from support.logins import FETCH, NAVIGATION
from support.tunnels import UPGRADE, FarEnds, is_silent
from support.upstream import answer, plainly
from support.wait import eventually

CODE = "insufficient_user_authentication"
WEAK = f'Session error="{CODE}", error_description="This needs a stronger login than yours. Please log in again."'
OLD = f'Session error="{CODE}", error_description="It has been a while since you logged in, and this needs a fresh login. Please log in again."'
FORM = {**NAVIGATION, "Content-Type": "application/x-www-form-urlencoded"}


def now_ms(ahead=0):
    return int((time.time() + ahead) * 1000)


def id_in(response):
    return re.match(r"sid=([^;]+);", response.header("Set-Cookie"))[1]


def log_in(house, target="/login", session=None, options=None, headers=FORM, location=None, status=200):
    """What doorward makes of a login that the identity service grants so."""
    house.grant({"userId": "42", "role": "user"}, options, status, {"Location": location} if location else {})
    return house.door.ask("POST", target, headers, b"user=x&password=y", session=session)


# ---- the whole way ----


def test_from_a_plain_login_to_the_page_that_wants_a_second_factor(house):
    first = id_in(log_in(house))
    assert house.door.get("/page", session=first).status == 200
    there = sent_to_login(house.door.ask("GET", "/pay/1?a=b", NAVIGATION, session=first), "/pay/1?a=b", acr="2", max_age="600")
    cookie_untouched(there)
    assert house.door.get("/page", session=first).status == 200 and house.has_session(first), "it lives on until the new grant"

    back = log_in(house, there.header("Location"), first, "acr=2")
    assert house.identity.last.target == "/login?next=/pay/1%3Fa%3Db&acr=2&max_age=600", "the identity service is told"
    assert (back.status, back.header("Location")) == (303, "/pay/1?a=b")
    second = id_in(back)
    assert second != first and not house.has_session(first)
    assert house.door.ask("GET", "/pay/1?a=b", NAVIGATION, session=second).status == 200
    assert house.app.last.header("X-Level") == "2"


def test_a_login_from_nowhere_is_asked_for_the_level_at_once(house):
    there = sent_to_login(house.door.ask("GET", "/pay/1", NAVIGATION), "/pay/1", acr="2", max_age="600")
    back = log_in(house, there.header("Location"), options="acr=2")
    assert house.door.ask("GET", back.header("Location"), NAVIGATION, session=id_in(back)).status == 200


def test_age_passes(house):
    session = house.session(**{"doorward.authTime": now_ms(1)})  # by a clock that is a little ahead
    assert house.door.get("/brief/1", session=session).status == 200
    eventually(lambda: house.door.get("/brief/1", session=session).status == 401, within=4)
    assert house.door.get("/page", session=session).status == 200


# ---- what is answered ----


def test_a_program_is_told_what_is_missing(house):
    session = house.session()
    response = refused(house.door.get("/pay/1", session=session), 401, CODE, WEAK + ', acr_values="2", max_age=600')
    assert response.json()["type"] == f"urn:doorward:{CODE}"
    cookie_untouched(response)
    refused(house.door.ask("GET", "/second/1", FETCH, session=session), 401, CODE, WEAK + ', acr_values="2"')
    refused(house.door.ask("POST", "/second/1", FETCH, b"x", session=session), 401, CODE, WEAK + ', acr_values="2"')
    old = house.session(createdAt=now_ms(-61))
    refused(house.door.get("/fresh/1", session=old), 401, CODE, OLD + ", max_age=60")
    before = len(house.app.requests)
    refused(house.door.ask("GET", "/second/1", UPGRADE, session=session), 401, CODE, WEAK + ', acr_values="2"')
    assert len(house.app.requests) == before


def test_a_person_where_nobody_is_redirected(house):
    response = house.door.ask("GET", "/told/1", NAVIGATION, session=house.session())
    page = refused_page(response, 401, CODE, WEAK + ', acr_values="2"').body.decode()
    assert '<a href="/login?next=/told/1&amp;acr=2">' in page and "Please log in again" in page


def test_no_session_is_no_session(house):
    refused(house.door.get("/pay/1"), 401, "no_session")
    refused(house.door.get("/maybe/1"), 401, "no_session")
    sent_to_login(house.door.ask("GET", "/maybe/1", NAVIGATION), "/maybe/1", acr="1")
    refused(house.door.get("/maybe/1", session="a-session-that-is-not-there"), 401, "no_session")
    assert house.door.get("/maybe/1", session=house.session(**{"doorward.acr": 1})).status == 200


def test_who_is_not_allowed_is_not_sent_round(house):
    refused(house.door.get("/staff/1", session=house.session()), 403, "forbidden")
    refused_page(house.door.ask("GET", "/staff/1", NAVIGATION, session=house.session(**{"doorward.acr": 2})), 403, "forbidden")
    admin = house.session(role="admin")
    sent_to_login(house.door.ask("GET", "/staff/1", NAVIGATION, session=admin), "/staff/1", acr="2")


def test_it_is_counted_and_logged(house):
    count = lambda: house.door.metrics().value("doorward_http_requests_total", route="second", decision=CODE, code="401")  # noqa: E731
    before = count()
    response = house.door.get("/second/counted", session=house.session("seventy"))
    eventually(lambda: count() == before + 1)
    line = house.door.logged(response.header("X-Request-Id"))
    assert (line["decision"], line["reason"], line["user"], line["status"]) == (CODE, "session_too_weak", "seventy", 401)


# ---- sessions, whoever wrote them ----

SESSIONS = {
    "nothing is said of the level": ("/second/1", {}, 401),
    "too low": ("/second/1", {"doorward.acr": 1}, 401),
    "as high": ("/second/1", {"doorward.acr": 2}, 200),
    "higher": ("/second/1", {"doorward.acr": 3}, 200),
    "no number": ("/second/1", {"doorward.acr": "high"}, 401),
    "two numbers": ("/second/1", {"doorward.acr": "2 3"}, 401),
    "out of range": ("/second/1", {"doorward.acr": 18446744073709551618}, 401),
    "negative": ("/second/1", {"doorward.acr": -2}, 401),
    "a field of another name": ("/second/1", {"acr": 2}, 401),
    "passive": ("/watch/1", {"doorward.acr": 1}, 401),
    "new": ("/fresh/1", {}, 200),
    "old": ("/fresh/1", {"createdAt": lambda: now_ms(-70)}, 401),
    "old, logged in again": ("/fresh/1", {"createdAt": lambda: now_ms(-70), "doorward.authTime": now_ms}, 200),
    "new, by an old login": ("/fresh/1", {"doorward.authTime": lambda: now_ms(-70)}, 401),
    "in seconds": ("/fresh/1", {"doorward.authTime": lambda: int(time.time()) - 5}, 200),
    "a time that is none": ("/fresh/1", {"doorward.authTime": "now"}, 401),
    "no time at all": ("/fresh/1", {"createdAt": None}, 401),
    "a clock a little ahead": ("/fresh/1", {"doorward.authTime": lambda: now_ms(30)}, 200),
    "the future": ("/fresh/1", {"doorward.authTime": lambda: now_ms(90)}, 401),
    "both, of which one": ("/pay/1", {"doorward.acr": 2, "createdAt": lambda: now_ms(-601)}, 401),
    "both": ("/pay/1", {"doorward.acr": 2, "createdAt": lambda: now_ms(-590)}, 200),
}


@pytest.mark.parametrize("path, fields, status", SESSIONS.values(), ids=SESSIONS.keys())
def test_session(house, path, fields, status):
    session = house.session(**{name: value() if callable(value) else value for name, value in fields.items()})
    assert house.door.get(path, session=session).status == status


def test_several_cookies_of_one_user_do_not_add_up(house):
    ids = [house.session("eve"), house.session("eve", **{"doorward.acr": 2})]
    response = house.door.get("/second/1", {"Cookie": "; ".join(f"sid={id}" for id in ids)})
    refused(response, 401, CODE, WEAK + ', acr_values="2"')


# ---- grants ----


def record_after(house, options):
    return house.redis.hash("session:" + id_in(log_in(house, options=options)))


def test_fields_are_written_where_they_say_something(house):
    plain = record_after(house, None)
    assert "doorward.acr" not in plain and "doorward.authTime" not in plain
    assert "doorward.acr" not in record_after(house, "acr=0")
    level = record_after(house, "remember; acr=2")
    assert level["doorward.acr"] == "2" and "doorward.authTime" not in level and abs(int(level["createdAt"]) - now_ms()) < 10_000
    assert record_after(house, "auth_time=1700000000; acr=1")["doorward.authTime"] == "1700000000000"
    assert record_after(house, "auth_time=1700000000123")["doorward.authTime"] == "1700000000123"


@pytest.mark.parametrize("options", ["acr=", "acr=two", "acr=-1", "acr=100", "acr=1;acr=2", "auth_time=", "auth_time=x", "auth_time=99999999999", "auth_time=1;auth_time=1", "ACR=2"])
def test_options_that_are_not_understood(house, options):
    refused(log_in(house, options=options, headers={}), 502, "bad_grant")


def test_fields_cannot_be_granted_past_the_options(house):
    house.grant({"userId": "42", "doorward.acr": "9"})
    refused(house.door.ask("POST", "/login", {}, b"x"), 502, "bad_grant")


def test_nobody_but_the_identity_service_grants(house):
    session = house.session()
    house.app.script = lambda request, connection: answer(200, {"Doorward-Grant": '{"userId":"42"}', "Doorward-Grant-Options": "acr=9"})
    try:
        response = house.door.get("/page", {"Doorward-Grant-Options": "acr=9", "X-Level": "9", "X_Level": "9"}, session=session)
        assert response.status == 200 and response.all("Set-Cookie") == [] and house.app.last.folded("X-Level") == []
        assert house.door.get("/second/1", session=session).status == 401
    finally:
        house.app.script = plainly


# ---- a service that does not give what is asked for ----


def falls_short(response, back, challenge):
    """One is logged in, told so, and not sent round."""
    page = refused_page(response, 401, CODE, challenge).body.decode()
    link = re.search(r'<a href="([^"]*)">Log in</a>', page)[1].replace("&amp;", "&")
    assert parse_qs(urlsplit(link).query)["next"] == [back]
    return link


def test_too_low_a_login_is_told_and_not_sent_round(house):
    response = log_in(house, "/login?next=/pay/1", options="acr=1")
    link = falls_short(response, "/pay/1", WEAK + ', acr_values="2", max_age=600')
    assert link == "/login?next=/pay/1&acr=2&max_age=600"
    session = id_in(response)
    assert house.door.get("/page", session=session).status == 200, "it is a good login all the same"
    better = log_in(house, link, session, "acr=2")
    assert (better.status, better.header("Location")) == (303, "/pay/1") and not house.has_session(session)


def test_too_old_a_login(house):
    long_ago = int(time.time()) - 700
    falls_short(log_in(house, "/login?next=/pay/1", options=f"acr=2; auth_time={long_ago}"), "/pay/1", OLD + ', acr_values="2", max_age=600')
    assert log_in(house, "/login?next=/second/1", options=f"acr=2; auth_time={long_ago}").status == 303


@pytest.mark.parametrize("location", ["/second/1?a=b", "http://app.test/second/1?a=b"])
def test_a_service_that_redirects_by_itself(house, location):
    falls_short(log_in(house, "/login", location=location, status=303), "/second/1?a=b", WEAK + ', acr_values="2"')
    response = log_in(house, "/login", options="acr=2", location=location, status=303)
    assert (response.status, response.header("Location")) == (303, location)


@pytest.mark.parametrize("location", ["http://elsewhere.test/second/1", "//app.test/second/1", "second/1", "/page"])
def test_a_service_that_redirects_elsewhere(house, location):
    response = log_in(house, "/login?next=/second/1", location=location, status=302)
    assert (response.status, response.header("Location")) == (302, location)


def test_a_location_that_nobody_follows(house):
    assert log_in(house, "/login?next=/second/1", location="/second/1", status=201).status == 201


def test_a_login_by_get_goes_no_rounds_either(house):
    """A service that remembers people by a cookie of its own lets them in without a form."""
    house.grant({"userId": "42"}, "acr=1")
    there = house.door.ask("GET", "/second/1", NAVIGATION, session=house.session()).header("Location")
    falls_short(house.door.ask("GET", there, NAVIGATION), "/second/1", WEAK + ', acr_values="2"')


def test_a_program_gets_the_service_s_own_answer(house):
    response = log_in(house, "/login?next=/second/1", headers={"Accept": "application/json"})
    assert (response.status, response.body) == (200, b"welcome") and id_in(response)


def test_a_short_login_is_no_failed_one(house):
    failures = lambda: house.door.metrics().value("doorward_login_failures_total")  # noqa: E731
    before = failures()
    log_in(house, "/login?next=/second/1")
    assert failures() == before


@pytest.mark.parametrize("next", ["//evil.test/second", "/second/%2e%2e/x", "/second\\1", "/\tsecond"])
def test_a_way_back_that_leads_away(house, next):
    response = log_in(house, "/login?next=" + quote(next))
    assert (response.status, response.body) == (200, b"welcome")


# ---- the command line ----


def test_explain_says_what_does_not_hold(house):
    told = lambda session, path: run("explain", "-c", house.door.file, "GET", path, "--session", session).stdout  # noqa: E731
    weak = told(house.session(), "/second/1")
    assert "acr must be at least 2: the session does not say, which counts as 0, which does not hold" in weak
    assert f"401 {CODE} (session_too_weak)" in weak
    old = told(house.session(createdAt=now_ms(-1000), **{"doorward.acr": 2}), "/pay/1")
    assert "acr must be at least 2: it is 2, which holds" in old and re.search(r"createdAt is 100\d s ago, which is 40\d s too long", old)
    good = told(house.session(**{"doorward.acr": 2}), "/pay/1")
    assert re.search(r"the login must not be older than 600 s: createdAt is \d s ago, which holds", good) and "forward to app" in good


def test_routes_shows_it(house):
    table = run("routes", "-c", house.door.file).stdout
    assert "acr 2, login 600s ago at most" in table and "role admin, acr 2" in table


# ---- what stays open, and proxies that ask ----


def test_a_login_that_grows_old_ends_no_tunnel_and_a_level_taken_back_does(house):
    house.app.script = far_ends = FarEnds()
    try:
        session = house.session(**{"doorward.acr": 2})
        key = f"session:{session}"
        with house.door.client() as client:
            far_ends.tunnel(client, target="/pay/tunnel", session=session)
            house.redis("HSET", key, "doorward.authTime", now_ms(-1000))
            assert is_silent(client, 2), "it is looked up every second, and may go on"
            house.redis("HSET", key, "doorward.acr", "1")
            assert client.is_closed()
    finally:
        far_ends.close()
        house.app.script = plainly


def test_a_proxy_that_asks_is_told_the_same(house):
    session = house.session()
    said = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/pay/1", "X-Forwarded-Host": "app.test"}
    ask = lambda more=(): house.door.get("/.doorward/auth", {**said, **dict(more)}, session=session)  # noqa: E731
    refused(ask(), 401, CODE, WEAK + ', acr_values="2", max_age=600')
    page = refused_page(ask(NAVIGATION), 401, CODE, WEAK + ', acr_values="2", max_age=600')
    assert page.header("Doorward-Login") == "/login?next=/pay/1&acr=2&max_age=600"


# ---- what it costs ----


def test_redis_is_asked_no_more_than_before(house):
    session, monitor = house.session(), house.monitor()
    monitor.commands()
    house.door.get("/pay/1", session=session)
    assert [words for words in monitor.commands(house.db) if words[0].upper() != "PING"] == [["HGETALL", f"session:{session}"]]
