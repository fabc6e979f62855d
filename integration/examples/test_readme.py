"""The login service that stands in the README, run as it stands there."""

import re
from urllib.parse import quote

import pytest
from support.client import RawClient
from support.doorward import ROOT
from support.expect import cookie_expired, cookie_untouched, sent_to_login
from support.programs import PYTHON, Program
from support.redis_server import free_port
from support.stage import Stage
from support.wait import eventually

FORM = [("Content-Type", "application/x-www-form-urlencoded")]


def python_of_the_readme():
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    blocks = [block for block in blocks if "http.server" in block]
    assert len(blocks) == 1, "which of them is the login service?"
    return blocks[0]


@pytest.fixture(scope="module")
def house(redis_server, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("readme"), free_port()
    text = python_of_the_readme()
    assert text.count('("127.0.0.1", 4000)') == 1
    script = folder / "login.py"
    script.write_text(text.replace('("127.0.0.1", 4000)', f'("127.0.0.1", {port})'))
    with Program(PYTHON, script) as service, Stage(redis_server, folder) as stage:
        eventually(lambda: RawClient(f"127.0.0.1:{port}").close() or True, 10, "the login service")
        assert service.process.poll() is None, service.output.text()
        stage.door = stage.start(upstreams={"identity": f"http://127.0.0.1:{port}"})
        yield stage


def log_in(door, code, target):
    return door.navigate(target, FORM, method="POST", body=b"code=" + quote(code).encode())


def test_person_logs_in_and_out(house):
    door = house.door
    login = sent_to_login(door.navigate("/admin/x?tab=2"), "/admin/x?tab=2").header("Location")
    page = cookie_untouched(door.navigate(login))
    # The form goes back to the address it came from, the way back included.
    assert page.status == 200 and page.header("Content-Type") == "text/html"
    assert b'<form method="post">' in page.body and b'name="code"' in page.body

    response = log_in(door, "open sesame", login)
    assert (response.status, response.header("Location")) == (303, "/admin/x?tab=2")
    assert response.all("Doorward-Grant") == []
    id = re.match(r"sid=([^;]+);", response.header("Set-Cookie"))[1]

    assert door.navigate("/admin/x?tab=2", session=id).status == 200
    assert house.app.last.header("X-User-Id") == "42" and house.app.last.header("X-User-Role") == "admin"

    assert cookie_expired(door.navigate("/logout", session=id, method="POST", body=b"")).status == 303
    sent_to_login(door.navigate("/admin/x", session=id), "/admin/x")


@pytest.mark.parametrize("code", ["wrong", "", "open%20sesame"])
def test_wrong_code_opens_nothing(house, code):
    sessions = house.redis("DBSIZE")
    response = cookie_untouched(log_in(house.door, code, "/login?next=%2Fpage"))
    assert (response.status, response.body) == (401, b"No")
    assert house.redis("DBSIZE") == sessions


def test_it_logs_in_at_the_guarded_path_only(house):
    """Below it forms of other sites are let through (call-backs of other providers), so a grant there would be a way in."""
    response = cookie_untouched(log_in(house.door, "open sesame", "/login/deeper"))
    assert (response.status, response.body) == (401, b"No")
