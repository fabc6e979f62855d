"""The login service that people will copy, by itself."""

import importlib.util
import json
import sqlite3
from urllib.parse import quote

import pytest
from support.client import RawClient, build
from support.doorward import ROOT
from support.programs import code_of, identity_service, legacy_app, listening

USERS = [("alice", "admin", "Alice Schäfer", "wonderland"), ("bob", "user", "Jürgen", "pass word+&=ü")]
HTML = {"Accept": "text/html"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("identity")


@pytest.fixture(scope="module")
def secrets():
    return {"bob": None}


@pytest.fixture(scope="module")
def address(folder, secrets):
    with identity_service(folder, USERS, secrets) as program:
        yield listening(program)


def ask(address, method, target, headers=(), body=None):
    with RawClient(address) as client:
        return client.ask(method, target, headers, body)


def form(login, password, **more):
    return "&".join(f"{k}={quote(v)}" for k, v in {"username": login, "password": password, **more}.items()).encode()


def test_form_is_labelled_and_keeps_the_way_back(address):
    page = ask(address, "GET", "/login?next=%2Fa%22%3E%3Cb%26c&x=y", HTML).body.decode()
    assert 'action="/login?next=%2Fa%22%3E%3Cb%26c"' in page
    for field in ("username", "password"):
        assert f'<label for="{field}">' in page and f'id="{field}"' in page
    assert "autofocus" in page and 'autocomplete="current-password"' in page


@pytest.mark.parametrize("login, password, user", [("alice", "wonderland", "1"), ("bob", "pass word+&=ü", "2")])
def test_good_login_is_granted(address, login, password, user):
    response = ask(address, "POST", "/login", {**HTML, **FORM}, form(login, password))
    assert (response.status, response.header("Location")) == (303, "/")
    grant = json.loads(response.header("Doorward-Grant"))
    assert grant["userId"] == user and response.header("Doorward-Grant").isascii() and grant["name"] in ("Alice Schäfer", "Jürgen")
    assert response.all("Doorward-Grant-Options") == []


def test_with_a_way_back_doorward_redirects(address):
    response = ask(address, "POST", "/login?next=%2Fx", {**HTML, **FORM}, form("alice", "wonderland", remember="yes"))
    assert (response.status, response.header("Location")) == (200, None)
    assert response.header("Doorward-Grant-Options") == "remember"


def test_program_sends_json(address):
    body = json.dumps({"username": "alice", "password": "wonderland"}).encode()
    response = ask(address, "POST", "/login", {"Content-Type": "application/json"}, body)
    assert response.status == 200 and response.json()["user"]["login"] == "alice" and response.header("Doorward-Grant")


@pytest.mark.parametrize("login, password", [("alice", "wrong"), ("nobody", "wonderland"), ("", ""), ("alice", ""), ("' OR 1=1 --", "x"), ("ALICE", "wonderland")])
def test_bad_login_says_the_same_to_all(address, login, password):
    response = ask(address, "POST", "/login?next=%2Fx", {**HTML, **FORM}, form(login, password))
    page = response.body.decode()
    assert response.status == 401 and response.all("Doorward-Grant") == []
    assert 'role="alert" id="error"' in page and 'aria-describedby="error"' in page and 'action="/login?next=%2Fx"' in page


def test_code_is_asked_for_where_a_route_wants_level_2(address, secrets):
    """One play, for a code counts once and the next one is half a minute away."""
    target, bob = "/login?next=%2Fx&acr=2&max_age=600", ("bob", "pass word+&=ü")
    page = ask(address, "GET", target, HTML).body.decode()
    assert 'action="/login?next=%2Fx&amp;acr=2&amp;max_age=600"' in page and '<label for="code">' in page and "one-time-code" in page
    assert "code" not in ask(address, "GET", "/login?next=%2Fx&acr=1", HTML).body.decode()

    code = code_of(secrets["bob"])
    refused = lambda target, *who, **more: ask(address, "POST", target, {**HTML, **FORM}, form(*who, **more)).status == 401  # noqa: E731
    assert refused(target, *bob) and refused(target, *bob, code="") and refused(target, *bob, code="12345x")
    assert refused(target, *bob, code=code_of(secrets["bob"], -20)) and refused(target, *bob, code=code_of(secrets["bob"], 20))
    assert refused(target, "bob", "wrong", code=code), "and the code is not used up by it"
    assert refused(target, "alice", "wonderland", code=code), "she has no second factor"

    response = ask(address, "POST", target, {**HTML, **FORM}, form(*bob, code=code, remember="yes"))
    assert (response.status, response.header("Doorward-Grant-Options")) == (200, "remember; acr=2")
    assert refused(target, *bob, code=code), "a code counts once"
    assert refused("/login", *bob, code=code), "asked for or not"
    assert ask(address, "POST", "/login", {**HTML, **FORM}, form(*bob)).all("Doorward-Grant-Options") == []


def test_name_is_shown_again_as_text(address):
    page = ask(address, "POST", "/login", {**HTML, **FORM}, form('"><script>', "x")).body.decode()
    assert "<script>" not in page and "&quot;&gt;&lt;script&gt;" in page


@pytest.mark.parametrize(
    "headers, body, status",
    [
        ({**FORM, "Content-Length": "9000"}, b"x" * 9000, 413),
        ({**FORM, "Transfer-Encoding": "chunked"}, b"0\r\n\r\n", 411),
        ({"Content-Type": "application/json"}, b"[1, 2]", 400),
        ({"Content-Type": "application/json"}, b'{"username": 1, "password": "x"}', 400),
        ({"Content-Type": "application/json"}, b'{"username": "\\ud800", "password": "x"}', 400),
        ({"Content-Type": "application/json"}, b"\xff", 400),
        (FORM, b"username=%ff&password=\xff", 400),
        ({"Content-Type": "text/plain"}, b"username=alice", 415),
    ],
    ids=["too long", "chunked", "a list", "a number", "half a character", "no text", "no UTF-8", "neither"],
)
def test_request_that_makes_no_sense(address, headers, body, status):
    assert ask(address, "POST", "/login", headers, body).status == status
    assert ask(address, "GET", "/login", HTML).status == 200


def test_connection_is_kept(address):
    with RawClient(address) as client:
        for _ in range(3):
            assert client.ask("GET", "/login", HTML).status == 200
            assert client.ask("HEAD", "/login", HTML).body == b""
            assert client.ask("POST", "/login", {**HTML, **FORM}, form("alice", "no")).status == 401


def test_unknown_name_costs_as_much_as_a_wrong_password(folder, address, monkeypatch):
    spec = importlib.util.spec_from_file_location("identity_service", ROOT / "examples/identity-service/identity_service.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    work = []
    monkeypatch.setattr(module.hashlib, "scrypt", lambda *a, real=module.hashlib.scrypt, **k: work.append((k["n"], k["r"], k["p"])) or real(*a, **k))
    users = module.Users(str(folder / "users.db"))
    for login in ("alice", "nobody"):
        assert users.check(login, "wrong") is None
    assert len(work) == 2 and work[0] == work[1]


def test_no_password_is_kept(folder, address):
    with sqlite3.connect(folder / "users.db") as db:
        rows = db.execute("SELECT password FROM users").fetchall()
    assert len(rows) == 2 and all(row[0].startswith("scrypt$") and "wonderland" not in row[0] for row in rows)


def test_application_believes_its_headers_and_tells(tmp_path):
    with legacy_app(f"unix:{tmp_path}/app.sock") as program:
        address = listening(program)
        seen = ask(address, "GET", "/", {"X-User-Id": "7", "X-User-Name": "J%C3%BCrgen", "x_user_id": "8"}).json()
        assert (seen["user"], seen["name"], seen["forged"]) == ("7", "Jürgen", ["X_User_Id"])
        page = ask(address, "GET", "/", {**HTML, "X-User-Name": "<b>", "X-User-Id": "7"}).body.decode()
        assert "Hello &lt;b&gt;" in page and "<b>7</b>" in page
        assert ask(address, "GET", "/nowhere").status == 404
