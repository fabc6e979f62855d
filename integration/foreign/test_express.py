"""A real Express application (express-session, connect-redis, Passport) shares its sessions with doorward."""

import hashlib
import random
import re
import string
from urllib.parse import quote, unquote

import pytest
from support.by_hand import express_cookie
from support.client import build
from support.expect import cookie_untouched, refused, sent_to_login
from support.foreign import SECRETS, Visitor, at, express
from support.places import a_user, commands
from support.wait import eventually

pytestmark = pytest.mark.npm


@pytest.fixture(scope="module")
def house(express_house):
    return express_house


@pytest.fixture
def user():
    return a_user()


def sign(id, secret=SECRETS[0]):
    return express_cookie(secret, id)


def lookups(door, result):
    return door.metrics().value("doorward_session_lookups_total", result=result)


# ---- coming ----


def test_who_logs_in_at_the_application_is_known_to_the_service_beside_it(house, user):
    visitor = house.visitor()
    login = sent_to_login(house.door.navigate("/reports/x"), "/reports/x").header("Location")
    assert visitor.get(login).status == 200 and visitor.cookies == {}
    response = visitor.post(login, username=user, password="right", role="editor")
    assert (response.status, response.header("Location")) == (303, "/reports/x")
    assert re.fullmatch(r"s%3A[\w-]{32}\.[\w%]+", visitor.cookies["connect.sid"])
    assert house.told(visitor) == (user, "editor")
    assert house.told(visitor, "/desk/x") == (user, "editor")


def test_application_goes_on_to_have_its_session(house, user):
    visitor = house.visitor().log_in(user)
    first, second = visitor.me(), visitor.me()
    assert (first["user"], first["views"], second["views"]) == (user, 1, 2)
    assert first["told"] == user, "what doorward found in the session comes with the request too"
    assert sign(first["id"]) == visitor.cookies["connect.sid"]
    assert house.redis("TYPE", house.app.key(first["id"])) == "string"


def test_cookie_goes_on_to_the_application_and_is_set_by_it_alone(house, user):
    visitor = house.visitor()
    response = visitor.post("/login", username=user, password="right")
    (cookie,) = response.all("Set-Cookie")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Expires=" in cookie, "as the application said it"
    visitor.cookies["theme"] = "dark"
    cookie_untouched(visitor.get("/reports/x"))
    assert house.reports.last.header("Cookie") == "theme=dark", "the service beside it sees no session"
    assert visitor.me()["user"] == user


def test_wrong_password(house, user):
    visitor = house.visitor()
    assert cookie_untouched(visitor.post("/login", username=user, password="wrong")).status == 401
    assert house.told(visitor) is None


def test_doorward_only_reads(house, user):
    visitor = house.visitor().log_in(user)
    key = house.key_of(visitor)
    house.redis("PEXPIRE", key, 60_000)
    before, monitor = house.redis("GET", key), house.stage.monitor()
    for _ in range(3):
        assert house.told(visitor) == (user, "editor")
    assert commands(monitor, house.stage) == ["GET"] * 3
    assert house.redis("GET", key) == before and 0 < house.redis("PTTL", key) <= 60_000


def test_user_of_passport(house, user):
    """It lies deeper, and the login there renews the session."""
    door = house.start(session={"fields": {"user": "/passport/user/id", "roles": "/passport/user/roles/0"}},
                       headers={"X-User-Id": "{/passport/user/id}", "X-User-Role": "{/passport/user/roles/0}", "X-User-Name": "{/passport/user/name}"})  # fmt: skip
    visitor = house.visitor(door).log_in(user, target="/login/passport")
    assert house.told(visitor, "/desk/x") == (user, "editor")
    assert unquote(house.reports.last.header("X-User-Name")) == "Jürgen Groß"
    assert visitor.post("/leave/passport").status == 303
    assert house.told(visitor) is None


# ---- changing ----


def test_role_that_the_application_changes_counts_from_the_next_request(house, user):
    visitor = house.visitor().log_in(user, "reader")
    assert house.told(visitor) == (user, "reader") and house.told(visitor, "/desk/x") is None
    assert visitor.post("/role", role="editor").status == 204
    assert house.told(visitor, "/desk/x") == (user, "editor")


def test_new_id_of_the_same_session(house, user):
    visitor = house.visitor().log_in(user)
    old = visitor.cookies["connect.sid"]
    assert visitor.post("/renew").status == 204 and visitor.cookies["connect.sid"] != old
    assert house.told(visitor) == (user, "editor")
    visitor.cookies["connect.sid"] = old
    assert house.told(visitor) is None


def test_another_user_in_the_same_browser(house, user):
    visitor, other = house.visitor().log_in(user), a_user()
    visitor.log_in(other, "reader")
    assert house.told(visitor) == (other, "reader")


# ---- going ----


def test_logout_in_the_application_ends_it_here(house, user):
    visitor = house.visitor().log_in(user)
    kept = visitor.cookies["connect.sid"]
    assert visitor.post("/leave").status == 303 and visitor.cookies == {}
    visitor.cookies["connect.sid"] = kept
    assert house.told(visitor) is None
    sent_to_login(house.door.navigate("/reports/x", {"Cookie": f"connect.sid={kept}"}), "/reports/x")


def test_logout_here_ends_it_in_the_application(house, user):
    visitor = house.visitor().log_in(user)
    kept, key = visitor.cookies["connect.sid"], house.key_of(visitor)
    assert visitor.post("/logout").status == 204 and visitor.cookies == {}
    assert house.redis("EXISTS", key) == 0
    visitor.cookies["connect.sid"] = kept
    assert visitor.me()["user"] is None and house.told(visitor) is None


def test_session_that_has_run_out(house, user):
    visitor = house.visitor().log_in(user)
    key = house.key_of(visitor)
    assert visitor.post("/short").status == 204
    assert house.redis("PTTL", key) <= 1000
    eventually(lambda: house.redis("EXISTS", key) == 0, what="the end of the session")
    assert house.told(visitor) is None


# ---- forging ----


def forgeries(cookie):
    """Values that name this session, and are not signed by the application."""
    good = unquote(cookie)
    id, mac = good[2:].split(".")
    yield from (id, f"s:{id}", f"s:{id}.", f"s:.{mac}", f"{id}.{mac}", f"s:{id}{mac}", good[:-1], good + "A", good + ".", good + "=", f"S:{good[2:]}")
    yield from (f"s:{id[:-1]}.{mac}", f"s:{id}x.{mac}", f"j:{id}.{mac}", good.swapcase(), good.replace(".", ".."), f"s:{good}", f"s:{id}.{id}.{mac}")
    yield from (f"s:{id}.{mac.replace('+', '-').replace('/', '_')[:-1]}~", f"s:{id}\0.{mac}", f"s:{id} .{mac}", f"s:{id}/../{id}.{mac}")
    yield unquote(sign(id, SECRETS[1]))
    yield unquote(sign(id, ""))
    yield f"s:{id}.{hashlib.sha256((SECRETS[0] + id).encode()).hexdigest()}"


def test_forged_cookies_cost_redis_nothing(house, user):
    visitor = house.visitor().log_in(user)
    cookie, monitor = visitor.cookies["connect.sid"], house.stage.monitor()
    before = lookups(house.door, "malformed")
    values = [quote(value, safe="") for value in forgeries(cookie)]
    for value in values:
        assert value != cookie
        response = cookie_untouched(refused(house.door.get("/reports/x", {"Cookie": f"connect.sid={value}"}), 401, "no_session"))
        assert house.door.logged(response.header("X-Request-Id"))["reason"] in ("session_forged", "session_malformed"), value
        cookie_untouched(sent_to_login(house.door.navigate("/reports/x", {"Cookie": f"connect.sid={value}"}), "/reports/x"))
    refused(house.door.get("/.doorward/whoami", {"Cookie": f"connect.sid={values[0]}"}), 401, "no_session")
    assert commands(monitor, house.stage) == []
    assert lookups(house.door, "malformed") >= before + 2 * len(values)
    assert house.told(visitor) == (user, "editor")


def test_signature_of_another_secret_is_said_to_be_forged(house, user):
    visitor = house.visitor().log_in(user)
    id, monitor = visitor.me()["id"], house.stage.monitor()
    response = cookie_untouched(refused(house.door.get("/reports/x", {"Cookie": f"connect.sid={sign(id, SECRETS[1])}"}), 401, "no_session"))
    assert house.door.logged(response.header("X-Request-Id"))["reason"] == "session_forged"
    assert commands(monitor, house.stage) == []


def test_every_letter_counts(house, user):
    """One letter of a good value changed, each in turn: into another that may stand in a cookie."""
    cookie, dice = house.visitor().log_in(user).cookies["connect.sid"], random.Random(1)
    alphabet, monitor = string.ascii_letters + string.digits + "._~-", house.stage.monitor()
    with house.door.client() as client:
        for place, was in enumerate(cookie):
            changed = cookie[:place] + dice.choice(alphabet.replace(was, "")) + cookie[place + 1 :]
            if unquote(changed) == unquote(cookie):
                continue
            refused(client.ask("GET", "/reports/x", {"Cookie": f"connect.sid={changed}"}), 401, "no_session")
        assert commands(monitor, house.stage) == []
        assert client.ask("GET", "/reports/x", {"Cookie": f"connect.sid={cookie}"}).status == 200


def test_a_thousand_forged_cookies(house):
    dice, monitor = random.Random(2), house.stage.monitor()
    text = lambda length: "".join(dice.choices(string.ascii_letters + string.digits, k=length))  # noqa: E731
    with house.door.client(timeout=20) as client:
        for _ in range(10):
            client.send(b"".join(build("GET", "/reports/x", {"Cookie": f"connect.sid=s%3A{text(32)}.{text(43)}"}) for _ in range(100)))
            for _ in range(100):
                assert client.response().status == 401
    assert commands(monitor, house.stage) == []


# ---- the secret ----


def test_secret_is_replaced_and_nobody_is_logged_out(house, user):
    """The application is started anew with a second secret in front, and so is doorward."""
    old, new = SECRETS[0], "the secret that comes next"
    before = house.visitor().log_in(user)
    assert before.cookies["connect.sid"] == sign(before.me()["id"], old)
    keys = lambda *secrets: house.start(session={"cookie": {"keys": list(secrets)}})  # noqa: E731
    by_old = before.cookies["connect.sid"]
    renewed = express(at(house.stage), [new, old])
    with renewed.program:
        after = Visitor(renewed.address).log_in(a_user())
        before.address = renewed.address
        me = before.me()
    assert me["user"] == user and before.cookies["connect.sid"] == sign(me["id"], new), "signed anew at the first visit"
    by_new = after.cookies["connect.sid"]
    asked = lambda door, value: door.get("/reports/x", {"Cookie": f"connect.sid={value}"}).status  # noqa: E731
    both, only_new = keys(new, old), keys(new)
    assert [asked(both, by_old), asked(both, by_new)] == [200, 200]
    assert [asked(only_new, by_old), asked(only_new, by_new)] == [401, 200]
    assert [asked(house.door, by_old), asked(house.door, by_new)] == [200, 401]
    assert old not in both.log.text() + both.admin("/config").body.decode()
