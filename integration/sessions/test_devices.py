"""`session.limit.per_device`: so many sessions of a user on one class of device."""

import pytest
from support.expect import cookie_untouched, refused
from support.logins import grants
from support.places import a_place, ended, id_in, in_redis, keys, log_in, mark, told
from support.stage import Stage

COMPUTER = "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0"
PHONE = "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
TABLET = "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
PROGRAM = "curl/7.88.1"


@pytest.fixture(scope="module")
def house(redis_server, tmp_path_factory):
    with Stage(redis_server, tmp_path_factory.mktemp("devices")) as stage:
        stage.identity.script = grants
        start = lambda **limit: stage.start(session={"limit": limit})  # noqa: E731
        stage.one, stage.strict, stage.both = start(per_device=1), start(per_device=1, when_full="deny"), start(per_device=2, per_user=3)
        yield stage


def test_one_of_each(house, user):
    ids = [a_place(house.one, user, agent=agent) for agent in (COMPUTER, PHONE, TABLET, PROGRAM)]
    assert in_redis(house, user) == keys(*ids)
    assert [house.redis("HGET", f"session:{id}", "doorward.deviceClass") for id in ids] == ["computer", "phone", "tablet", "other"]


def test_second_of_a_class_ends_the_first(house, user):
    before = ended(house.one, "displaced")
    computer, first = a_place(house.one, user, agent=COMPUTER), a_place(house.one, user, agent=PHONE)
    second = a_place(house.one, user, agent=PHONE)
    assert in_redis(house, user) == keys(computer, second) and mark(house, first) == "displaced"
    assert ended(house.one, "displaced") == before + 1
    told(house.one, first, "session_displaced")


def test_no_room_on_this_class(house, user):
    first = a_place(house.strict, user, agent=PHONE)
    cookie_untouched(refused(log_in(house.strict, user, agent=PHONE), 403, "session_limit"))
    computer = a_place(house.strict, user, agent=COMPUTER)
    again = id_in(log_in(house.strict, user, agent=PHONE, session=first))
    assert in_redis(house, user) == keys(computer, again)


def test_both_limits(house, user):
    computer = a_place(house.both, user, agent=COMPUTER)
    phones = [a_place(house.both, user, agent=PHONE) for _ in range(3)]
    assert in_redis(house, user) == keys(computer, *phones[1:]), "on this class first, and that is enough"
    tablet = a_place(house.both, user, agent=TABLET)
    assert in_redis(house, user) == keys(*phones[1:], tablet), "then the oldest of all"


def test_session_of_another_program_is_of_the_class_other(house, user):
    """Unless it says its class, which is a field like any."""
    silent, phone = house.session(user), house.session(user, **{"doorward.deviceClass": "phone"})
    new = a_place(house.one, user, agent=PHONE)
    assert in_redis(house, user) == keys(silent, new) and mark(house, phone) == "displaced"
    other = a_place(house.one, user, agent=PROGRAM)
    assert in_redis(house, user) == keys(new, other) and mark(house, silent) == "displaced"
