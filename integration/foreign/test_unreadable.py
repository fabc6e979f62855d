"""Sessions that no reader should touch, or none but the program that wrote them: 401, counted, and the log says what to do."""

import pickle

import pytest
from support.expect import cookie_untouched, refused, sent_to_login
from support.foreign import House, at, php, recorded
from support.places import a_user
from support.stage import Stage


@pytest.fixture(scope="module")
def empty_house(redis_server, tmp_path_factory):
    """The file for PHP, and whatever a play puts into Redis."""
    with Stage(redis_server, tmp_path_factory.mktemp("unreadable")) as stage:
        yield House(stage, "php.yaml")


def undecodable(door):
    return door.metrics().value("doorward_session_lookups_total", result="undecodable")


def is_unreadable(door, cookie):
    """401, the cookie left alone, counted; returns what the log says."""
    before = undecodable(door)
    response = cookie_untouched(refused(door.get("/reports/x", {"Cookie": cookie}), 401, "no_session"))
    assert door.logged(response.header("X-Request-Id"))["reason"] == "session_undecodable"
    cookie_untouched(sent_to_login(door.navigate("/reports/x", {"Cookie": cookie}), "/reports/x"))
    assert undecodable(door) == before + 2
    event = door.log.wait_for_json(lambda e: e.get("event") == "session_undecodable", 5, "the event")
    return f"{event['looks_like']}: {event['hint']}"


# ---- PHP's other handlers ----


def test_igbinary(redis_server, tmp_path):
    """The application and its sessions are well; doorward cannot read them and says which setting is to be changed."""
    with Stage(redis_server, tmp_path) as stage:
        app = php(at(stage), "igbinary")
        with app.program:
            house = House(stage, "php.yaml", app)
            visitor = house.visitor().log_in(a_user())
            assert visitor.me()["views"] == 1
            told = is_unreadable(house.door, f"PHPSESSID={visitor.cookies['PHPSESSID']}")
            assert "igbinary" in told and "session.serialize_handler" in told
            assert visitor.me()["views"] == 2, "the session is as it was"


# ---- Python's pickle ----


class Bomb:
    """Whoever unpickles it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


DJANGO = {"session": {"cookie": {"name": "sessionid"}, "key": ":1:django.contrib.sessions.cache{id}", "encoding": "json",
                      "fields": {"user": "_auth_user_id", "roles": "role"}},
          "headers": {"X-User-Id": "{_auth_user_id}", "X-User-Role": "{role?}", "X-User-Name": "{name?}"}}  # fmt: skip


@pytest.fixture
def django(empty_house):
    """doorward set up for Django, and a way to put a session there."""
    empty_house.django = empty_house.start(**DJANGO)

    def put(value, id="k5x0q2w8e4r6t1y3u7i9o0p2a4s6d8f1"):
        empty_house.redis("SET", f":1:django.contrib.sessions.cache{id}", value, "EX", 60)
        return f"sessionid={id}"

    empty_house.put = put
    return empty_house


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_is_never_read(django, tmp_path, protocol):
    made = tmp_path / "made"
    cookie = django.put(pickle.dumps({"_auth_user_id": "42", "role": "editor", "more": Bomb(made)}, protocol))
    assert "pickle" in is_unreadable(django.django, cookie)
    assert not made.exists()


def test_session_of_django(django):
    """What django-redis writes where nothing else is said."""
    value = recorded("django_pickle.resp")
    assert pickle.loads(value)["_auth_user_id"] == "42"
    told = is_unreadable(django.django, django.put(value))
    assert "pickle" in told and "JSON" in told


def test_session_of_django_in_json(django):
    """What it writes when it is told to."""
    cookie = django.put(recorded("django_json.resp"))
    assert django.django.get("/reports/x", {"Cookie": cookie}).status == 200
    assert [django.reports.last.header(name) for name in ("X-User-Id", "X-User-Role")] == ["42", "editor"]


# ---- a name that is not what was meant ----


NONSENSE = {
    "nothing": b"", "half an object": b"{", "a list": b"[]", "JSON's null": b"null", "text": b"not a session", "zeros": b"\x00" * 100,
    "an array cut off": b'a:1:{s:3:"uid";s:2:"42";', "a length that is wrong": b'uid|s:200:"42";', "a user twice": b'uid|s:2:"42";uid|s:2:"43";',
    "a number cut off": b"uid|i:1", "a count that is wrong": b'a:99999999:{s:3:"uid";s:2:"42";}', "depth": b"a:1:{" * 2000,
}  # fmt: skip


@pytest.mark.parametrize("value", NONSENSE.values(), ids=NONSENSE)
def test_nonsense(empty_house, value):
    id = "no-session-but-well-named"
    empty_house.redis("SET", f"PHPREDIS_SESSION:{id}", value, "EX", 60)
    response = refused(empty_house.door.get("/reports/x", {"Cookie": f"PHPSESSID={id}"}), 401, "no_session")
    assert empty_house.door.logged(response.header("X-Request-Id"))["reason"] in ("session_undecodable", "session_ghost")


def test_key_of_another_type(empty_house):
    id = "a-hash-and-not-a-string"
    empty_house.redis("HSET", f"PHPREDIS_SESSION:{id}", "user_id", "42")
    response = refused(empty_house.door.get("/reports/x", {"Cookie": f"PHPSESSID={id}"}), 401, "no_session")
    assert empty_house.door.logged(response.header("X-Request-Id"))["reason"] == "session_wrong_type"
