"""The configurations that the documents show, run as they stand there with the applications that they are for."""

import json
import re

import pytest
from support.doorward import ROOT
from support.foreign import SECRETS, Visitor, at, express, php, recipe
from support.places import a_user
from support.spring import RECORDS, cookie, session

GUIDE = "docs/foreign-sessions.md"
IN_README = "Sessions that Express, PHP or Spring wrote"


def shown(page, heading):
    """The configuration under that heading."""
    section = re.split(r"^#+ ", (ROOT / page).read_text().split(f"\n### {heading}\n")[1], flags=re.M)[0]
    (found,) = re.findall(r"```yaml\n(.*?)```", section, re.S)
    return found


@pytest.mark.npm
@pytest.mark.parametrize(("page", "heading"), [(GUIDE, "Express, express-session and connect-redis"), ("README.md", IN_README)])
def test_express(stage, page, heading):
    app, user = express(at(stage), SECRETS), a_user()
    with app.program:
        # The recipe names one secret: the newest, by which the application signs.
        door = recipe(stage, shown(page, heading), app.url, SECRETS[0])
        visitor = Visitor(door.address).log_in(user, "staff")
        assert visitor.me()["told"] == user
        if page == "README.md":
            assert visitor.get("/reports/x").status == 200
            assert [stage.app.last.header(name) for name in ("X-User-Id", "X-User-Role")] == [user, "staff"]


def test_php(stage):
    app, user = php(at(stage), "php"), a_user()
    with app.program:
        door = recipe(stage, shown(GUIDE, "PHP and phpredis"), app.url)
        assert Visitor(door.address).log_in(user).me()["told"] == user


@pytest.mark.parametrize("record", RECORDS)
def test_spring(stage, record):
    door = recipe(stage, shown(GUIDE, "Spring Session"))
    assert door.get("/page", cookie(session(stage.redis, record))).status == 200
    assert [stage.identity.last.header(name) for name in ("X-User-Id", "X-User-Role")] == ["42", "editor"]


def test_plain_json(stage):
    door, id = recipe(stage, shown(GUIDE, "Plain JSON, and RedisJSON")), "an-id-that-somebody-made"
    stage.redis("SET", f"session:{id}", json.dumps({"userId": "42", "role": "admin", "createdAt": 1_700_000_000_000}))
    assert door.get("/page", session=id).status == 401, "it is older than session.lifetime.absolute"
    stage.redis("SET", f"session:{id}", json.dumps({"userId": "42", "role": "admin"}))
    assert door.get("/page", session=id).status == 200
    assert stage.identity.last.header("X-User-Id") == "42"
