"""A real PHP application (phpredis) shares its sessions with doorward, by both of the handlers that it can read."""

from urllib.parse import unquote

import pytest
from support.expect import cookie_untouched, refused, sent_to_login
from support.places import a_user, commands
from support.wait import eventually


@pytest.fixture(scope="module")
def house(php_house):
    return php_house


@pytest.fixture
def user():
    return a_user()


# ---- coming ----


def test_who_logs_in_at_the_application_is_known_to_the_service_beside_it(house, user):
    visitor = house.visitor()
    login = sent_to_login(house.door.navigate("/reports/x"), "/reports/x").header("Location")
    assert visitor.get(login).status == 200
    response = visitor.post(login, username=user, password="right", role="editor")
    assert (response.status, response.header("Location")) == (303, "/reports/x")
    assert house.told(visitor) == (user, "editor,member")
    assert unquote(house.reports.last.header("X-User-Name")) == "Jürgen Groß ✓"
    assert house.told(visitor, "/desk/x") == (user, "editor,member")


def test_application_goes_on_to_have_its_session(house, user):
    visitor = house.visitor().log_in(user)
    first, second = visitor.me(), visitor.me()
    assert (first["user"], first["views"], second["views"]) == (user, 1, 2)
    assert first["told"] == user and first["id"] == visitor.cookies["PHPSESSID"]
    assert first["basket"] == {"Äpfel": 3, "pears": 0, "voucher": None, "discount": 0.1}, "an object, which doorward passed over"


def test_cookie_goes_on_to_the_application_and_is_set_by_it_alone(house, user):
    visitor = house.visitor().log_in(user)
    cookie_untouched(visitor.get("/reports/x"))
    assert house.reports.last.header("Cookie") is None, "the service beside it sees no session"
    assert visitor.me()["user"] == user


def test_session_of_nobody_is_left_to_the_application(house):
    """PHP makes one for everybody who comes. Whoever took its cookie away would take the visitor's basket away."""
    visitor = house.visitor()
    assert visitor.me()["user"] is None
    id = visitor.cookies["PHPSESSID"]
    response = cookie_untouched(refused(visitor.get("/reports/x"), 401, "no_session"))
    assert house.door.logged(response.header("X-Request-Id"))["reason"] == "session_ghost"
    assert visitor.me()["id"] == id


def test_wrong_password(house, user):
    visitor = house.visitor()
    assert visitor.post("/login", username=user, password="wrong").status == 401
    assert house.told(visitor) is None


def test_doorward_only_reads(house, user):
    visitor = house.visitor().log_in(user)
    key = house.app.key(visitor.cookies["PHPSESSID"])
    house.redis("PEXPIRE", key, 60_000)
    before, monitor = house.redis("GET", key), house.stage.monitor()
    for _ in range(3):
        assert house.told(visitor) == (user, "editor,member")
    assert commands(monitor, house.stage) == ["GET"] * 3
    assert house.redis("GET", key) == before and 0 < house.redis("PTTL", key) <= 60_000


# What a field of the session is told as; None: it is not there.
VALUES = {"/account/id": "4711", "/account/limits/day": "5", "/account/limits/month/1/1/0": "3", "/account/name": "Jürgen Groß ✓", "level": "3",
          "active": "true", "locked": "false", "ratio": "0.25", "note": 'a;b|c"{}:s:3:"x";', "nothing": None, "/account/none": None,
          "/roles/1": "member", "/roles/2": None, "/note/0": None, "/uid/0": None}  # fmt: skip


def test_values_of_every_kind(house, user):
    names = {name: f"X-Value-{n}" for n, name in enumerate(VALUES)}
    door = house.start(headers={header: f"{{{name}?}}" for name, header in names.items()})
    assert house.told(house.visitor(door).log_in(user)) == (user, "editor,member")
    told = {name: house.reports.last.header(header) for name, header in names.items()}
    assert {name: value and unquote(value) for name, value in told.items()} == VALUES


@pytest.mark.parametrize("name", ["account", "/account/limits/month", "basket", "again"])
def test_what_is_wanted_and_no_single_value(house, user, name):
    """It cannot be read, and half an identity is none."""
    door = house.start(headers={"X-Value": f"{{{name}?}}"})
    assert house.told(house.visitor(door).log_in(user)) is None
    assert door.log.wait_for_json(lambda e: e.get("event") == "session_undecodable", 5, "the event")["hint"]


# ---- changing ----


def test_role_that_the_application_changes_counts_from_the_next_request(house, user):
    visitor = house.visitor().log_in(user, "reader")
    assert house.told(visitor) == (user, "reader,member") and house.told(visitor, "/desk/x") is None
    assert visitor.post("/role", role="editor").status == 204
    assert house.told(visitor, "/desk/x") == (user, "editor,member")


def test_new_id_of_the_same_session(house, user):
    visitor = house.visitor().log_in(user)
    old = visitor.cookies["PHPSESSID"]
    assert visitor.post("/renew").status == 204 and visitor.cookies["PHPSESSID"] != old
    assert house.told(visitor) == (user, "editor,member")
    visitor.cookies["PHPSESSID"] = old
    assert house.told(visitor) is None


# ---- going ----


def test_logout_in_the_application_ends_it_here(house, user):
    visitor = house.visitor().log_in(user)
    kept = visitor.cookies["PHPSESSID"]
    assert visitor.post("/leave").status == 303 and visitor.cookies == {}
    visitor.cookies["PHPSESSID"] = kept
    assert house.told(visitor) is None


def test_logout_here_ends_it_in_the_application(house, user):
    visitor = house.visitor().log_in(user)
    kept = visitor.cookies["PHPSESSID"]
    assert visitor.post("/logout").status == 204 and visitor.cookies == {}
    assert house.redis("EXISTS", house.app.key(kept)) == 0
    visitor.cookies["PHPSESSID"] = kept
    assert visitor.me()["user"] is None and house.told(visitor) is None


def test_session_that_has_run_out(house, user):
    visitor = house.visitor().log_in(user)
    assert house.redis("PEXPIRE", house.app.key(visitor.cookies["PHPSESSID"]), 1) == 1
    eventually(lambda: house.redis("EXISTS", house.app.key(visitor.cookies["PHPSESSID"])) == 0, what="the end of the session")
    assert house.told(visitor) is None


@pytest.mark.parametrize("id", ["short", "a b", "x" * 257, "../../../../session", "PHPREDIS%5FSESSION", "with,a-comma-in-the-id"])
def test_what_could_be_no_id(house, id):
    monitor = house.stage.monitor()
    cookie_untouched(refused(house.door.get("/reports/x", {"Cookie": f"PHPSESSID={id}"}), 401, "no_session"))
    assert commands(monitor, house.stage) == []
