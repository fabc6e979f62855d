"""Sessions as Spring Session keeps them. Spring itself is not run: it is in no package of Debian's. What is put into Redis was
recorded from java/SpringSession.java, whose values are made by the JDK and by Jackson; see tests/session/recorded/README.md.
"""

import uuid
from urllib.parse import unquote

import pytest
from support.expect import cookie_expired, cookie_untouched, refused
from support.foreign import House, recorded
from support.places import commands
from support.spring import RECORDS, cookie, key, session
from support.stage import Stage


class Spring:
    def __init__(self, house):
        self.house, self.redis = house, house.redis

    def session(self, *how, **more):
        return session(self.redis, *how, **more)

    def get(self, id, path="/reports/x", door=None):
        return (door or self.house.door).get(path, cookie(id))

    def refused_as(self, id, code):
        """The cookie is the application's, so it stays."""
        response = cookie_untouched(refused(self.get(id), 401, "no_session"))
        assert self.house.door.logged(response.header("X-Request-Id"))["reason"] == code


@pytest.fixture(scope="module")
def spring(redis_server, tmp_path_factory):
    with Stage(redis_server, tmp_path_factory.mktemp("spring")) as stage:
        yield Spring(House(stage, "spring.yaml"))


@pytest.mark.parametrize("record", RECORDS)
def test_session_is_known(spring, record):
    id = spring.session(record)
    monitor = spring.house.stage.monitor()
    assert spring.get(id).status == 200 and spring.get(id, "/desk/x").status == 200
    request = spring.house.reports.last
    assert (request.header("X-User-Id"), request.header("X-User-Role")) == ("42", "editor")
    assert request.header("Cookie") is None, "the service beside it sees no session"
    assert spring.get(id, "/me").status == 200
    assert spring.house.stage.identity.last.header("Cookie") == cookie(id)["Cookie"]
    assert commands(monitor, spring.house.stage) == ["HGETALL"] * 3


# What an attribute is told as; None: it is not there. What is removed from a session of Spring's stays, with nothing in it.
VALUES = {"account": "9007199254740993", "level": "-3", "active": "true", "name": "Jürgen Groß 😀", "removed": None, "none": None}
OBJECTS = ("plan", "basket", "recent", "SPRING_SECURITY_CONTEXT")


@pytest.mark.parametrize("record", RECORDS)
def test_values_of_every_kind(spring, record):
    names = {name: f"X-Value-{n}" for n, name in enumerate(VALUES)}
    door = spring.house.start(headers={header: f"{{{name}?}}" for name, header in names.items()})
    assert spring.get(spring.session(record), door=door).status == 200
    told = {name: spring.house.reports.last.header(header) for name, header in names.items()}
    assert {name: value and unquote(value) for name, value in told.items()} == VALUES


@pytest.mark.parametrize("name", OBJECTS)
def test_object_that_is_wanted(spring, name):
    """It cannot be read, and half an identity is none."""
    door = spring.house.start(headers={"X-Value": f"{{{name}?}}"})
    refused(spring.get(spring.session(), door=door), 401, "no_session")
    assert "object" in door.log.wait_for_json(lambda e: e.get("event") == "session_undecodable", 5, "the event")["hint"]


@pytest.mark.parametrize(("idle", "known"), [(0, True), (1790, True), (1801, False), (2099, False)])
def test_hash_outlives_its_session_by_five_minutes(spring, idle, known):
    """The JDK's record says 1,800 seconds; the key is there all the while."""
    id = spring.session(idle=idle)
    if known:
        assert spring.get(id).status == 200
    else:
        spring.refused_as(id, "session_unknown")
    assert spring.redis("EXISTS", key(id)) == 1


def test_session_that_was_ended_leaves_its_hash_behind(spring):
    id = spring.session("spring_ended.resp")
    assert spring.get(spring.session()).status == 200
    spring.refused_as(id, "session_unknown")
    assert spring.redis("EXISTS", key(id)) == 1


def test_logout_here_ends_it(spring):
    id = spring.session()
    cookie_expired(spring.house.door.ask("POST", "/logout", cookie(id), b""), "SESSION")
    assert spring.redis("EXISTS", key(id)) == 0


@pytest.mark.parametrize("field", ["creationTime", "maxInactiveInterval", "lastAccessedTime"])
def test_hash_of_which_a_part_is_lacking(spring, field):
    """A touch that comes after the end leaves such a hash."""
    id = spring.session()
    spring.redis("HDEL", key(id), field)
    assert spring.get(id).status == 401


@pytest.mark.parametrize("value", [b"\xac\xed\x00\x05t\x00\x05x", b"\xac\xed\x00\x05sr", b"\xac\xed\x00\x06t\x00\x0242", b"\xac\xed", b"\xac\xed\x00\x05q\x00~\x00\x00"])
def test_user_that_cannot_be_read(spring, value):
    spring.refused_as(spring.session(userId=value), "session_undecodable")


def test_user_that_is_an_object(spring):
    basket = recorded("spring.resp")[b"sessionAttr:basket"]
    assert b"mallory" in basket
    spring.refused_as(spring.session(userId=basket), "session_undecodable")


@pytest.mark.parametrize("value", ["c2hvcnQ=", "no base64 at all!", "====", "a" * 400, str(uuid.uuid4())])
def test_cookie_that_could_be_none(spring, value):
    monitor = spring.house.stage.monitor()
    refused(spring.house.door.get("/reports/x", {"Cookie": f"SESSION={value}"}), 401, "no_session")
    assert commands(monitor, spring.house.stage) == []
