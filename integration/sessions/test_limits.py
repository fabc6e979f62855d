"""`session.limit`, and logins that end others: how many sessions of a user there may be at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.expect import cookie_untouched, refused
from support.logins import grants
from support.places import a_place, a_user, ended, handle, end, id_in, in_redis, keys, log_in, mark, now_ms, told
from support.stage import Stage
from support.upstream import answer


def doors(redis_server, folder, **limits):
    """A stage with a doorward for each of these limits, in front of the same Redis and identity service."""
    stage = Stage(redis_server, folder)
    stage.identity.script = grants
    for name, limit in limits.items():
        setattr(stage, name, stage.start(session={"limit": limit}, identity={"guard": {"failures": 3, "failures_per_address": 3}}))
    return stage


@pytest.fixture(scope="module")
def house(redis_server, tmp_path_factory):
    limits = {"two": {"per_user": 2}, "one": {"per_user": 1, "when_full": "displace_oldest"}, "strict": {"per_user": 2, "when_full": "deny"}, "free": {}}
    with doors(redis_server, tmp_path_factory.mktemp("limits"), **limits) as stage:
        yield stage


# ---- the oldest goes ----


def test_as_many_as_one_likes(house, user):
    ids = [a_place(house.free, user) for _ in range(12)]
    assert in_redis(house, user) == keys(*ids)


def test_the_oldest_makes_room(house, user):
    before = ended(house.two, "displaced")
    old, older = house.session(user, createdAt=now_ms() - 2000), house.session(user, createdAt=now_ms() - 3000)
    new = a_place(house.two, user)
    assert in_redis(house, user) == keys(old, new) and mark(house, older) == "displaced"
    assert ended(house.two, "displaced") == before + 1
    told(house.two, older, "session_displaced")
    assert house.two.get("/page", session=old).status == house.two.get("/page", session=new).status == 200


def test_oldest_is_who_logged_in_first_not_who_was_seen_first(house, user):
    now = now_ms()
    first, second = house.session(user, createdAt=now - 9000, lastSeen=now), house.session(user, createdAt=now - 5000, lastSeen=now - 5000)
    new = a_place(house.two, user)
    assert in_redis(house, user) == keys(second, new) and mark(house, first) == "displaced"


def test_far_more_than_there_may_be(house, user):
    """The limit came later than they did."""
    ids = [house.session(user, createdAt=now_ms() - 1000 * (10 - n)) for n in range(6)]
    before = ended(house.two, "displaced")
    new = a_place(house.two, user)
    assert in_redis(house, user) == keys(ids[-1], new) and ended(house.two, "displaced") == before + 5
    assert [mark(house, id) for id in ids[:-1]] == ["displaced"] * 5


def test_session_that_does_not_say_when_it_began_is_the_oldest(house, user):
    undated, dated = house.session(user, createdAt=None), house.session(user, createdAt=now_ms() - 3600_000)
    new = a_place(house.two, user)
    assert in_redis(house, user) == keys(dated, new) and mark(house, undated) == "displaced"


def test_what_is_no_session_of_the_user_does_not_count(house, user):
    stranger, mine = house.session(a_user()), house.session(user)
    revoked = a_place(house.two, user)
    end(house.two, mine, handle(house.two, revoked))
    house.redis("SADD", f"user:{user}:sessions", f"session:{stranger}", f"session:{revoked}", "session:long-gone-and-forgotten")
    new = a_place(house.two, user)
    assert in_redis(house, user) == keys(mine, new) and house.has_session(stranger)


def test_other_users_are_not_counted(house, user):
    others = [a_place(house.two, a_user()) for _ in range(3)]
    a_place(house.two, user), a_place(house.two, user), a_place(house.two, user)
    assert all(house.two.get("/page", session=id).status == 200 for id in others)


def test_login_again_in_the_same_browser_displaces_nobody(house, user):
    elsewhere, here = house.session(user, createdAt=now_ms() - 9000), house.session(user)
    before = ended(house.two, "displaced"), ended(house.two, "replaced")
    new = id_in(log_in(house.two, user, session=here))
    assert in_redis(house, user) == keys(elsewhere, new) and mark(house, here) is None
    assert (ended(house.two, "displaced"), ended(house.two, "replaced")) == (before[0], before[1] + 1)


def test_twenty_logins_at_once_leave_one_session(house, user):
    before = ended(house.one, "displaced")
    with ThreadPoolExecutor(20) as pool:
        ids = list(pool.map(lambda _: a_place(house.one, user), range(20)))
    (left,) = in_redis(house, user)
    marks = [mark(house, id) for id in ids if f"session:{id}" != left]
    assert marks == ["displaced"] * 19 and left in keys(*ids)
    assert ended(house.one, "displaced") == before + 19
    assert sorted(house.one.get("/page", session=id).status for id in ids) == [200] + [401] * 19


# ---- the newest is refused ----


def test_no_room(house, user):
    ids = [a_place(house.strict, user) for _ in range(2)]
    before, count = [house.redis.hash(f"session:{id}") for id in ids], house.strict.metrics().value("doorward_sessions_created_total")
    cookie_untouched(refused(log_in(house.strict, user), 403, "session_limit"))
    assert [house.redis.hash(f"session:{id}") for id in ids] == before and in_redis(house, user) == keys(*ids)
    assert house.strict.metrics().value("doorward_sessions_created_total") == count
    assert all(house.strict.get("/page", session=id).status == 200 for id in ids)


def test_room_again_after_a_log_out(house, user):
    ids = [a_place(house.strict, user) for _ in range(2)]
    refused(log_in(house.strict, user), 403, "session_limit")
    assert house.strict.ask("POST", "/logout", body=b"", session=ids[0]).status == 204
    new = a_place(house.strict, user)
    assert in_redis(house, user) == keys(ids[1], new)


def test_room_again_when_one_has_expired(house, user):
    ids = [a_place(house.strict, user) for _ in range(2)]
    house.redis("DEL", f"session:{ids[0]}")  # as its TTL would
    new = a_place(house.strict, user)
    assert in_redis(house, user) == keys(ids[1], new)


def test_login_again_in_the_same_browser_always_has_room(house, user):
    elsewhere, here = [a_place(house.strict, user) for _ in range(2)]
    new = id_in(log_in(house.strict, user, session=here))
    assert in_redis(house, user) == keys(elsewhere, new)


def test_refused_login_takes_nothing_from_another_user(house, user):
    """The browser has a session of somebody else, who goes on working when the login in his window is refused."""
    somebody = a_place(house.strict, a_user())
    for _ in range(2):
        a_place(house.strict, user)
    cookie_untouched(refused(log_in(house.strict, user, session=somebody), 403, "session_limit"))
    assert house.strict.get("/page", session=somebody).status == 200


def test_refused_for_want_of_room_is_not_a_failure(house, user):
    """The password was right, so nobody is banned for it."""
    for _ in range(2):
        a_place(house.strict, user)
    for _ in range(6):
        refused(log_in(house.strict, user), 403, "session_limit")
    assert house.strict.metrics().value("doorward_login_failures_total") == 0


def test_twenty_logins_at_once_and_room_for_two(house, user):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: log_in(house.strict, user), range(20)))
    assert sorted(response.status for response in answers) == [200] * 2 + [403] * 18
    assert in_redis(house, user) == keys(*[id_in(response) for response in answers if response.status == 200])


# ---- a login that ends the others ----


@pytest.fixture
def alone(request, house):
    """From now on the identity service asks for an end of the user's other sessions."""

    def script(asked, connection):
        head, _, rest = grants(asked, connection).partition(b"\r\n")
        return head + b"\r\nDoorward-Grant-Options: revoke=others\r\n" + rest

    request.addfinalizer(lambda: setattr(house.identity, "script", grants))
    return lambda: setattr(house.identity, "script", script)


@pytest.mark.parametrize("door", ["free", "two", "strict"])
def test_login_that_ends_the_others(house, user, alone, door):
    door = getattr(house, door)
    old, stranger = [a_place(door, user) for _ in range(2)], a_place(door, a_user())
    before = ended(door, "revoked"), ended(door, "displaced")
    alone()
    response = log_in(door, user)
    assert response.all("Doorward-Grant-Options") == []
    assert in_redis(house, user) == keys(id_in(response)) and [mark(house, id) for id in old] == ["revoked"] * 2
    assert (ended(door, "revoked"), ended(door, "displaced")) == (before[0] + 2, before[1])
    told(door, old[0], "session_revoked")
    assert door.get("/page", session=stranger).status == 200


def test_login_that_ends_the_others_and_the_one_it_came_with(house, user, alone):
    here, elsewhere = [a_place(house.free, user) for _ in range(2)]
    alone()
    new = id_in(log_in(house.free, user, session=here))
    assert in_redis(house, user) == keys(new) and (mark(house, here), mark(house, elsewhere)) == (None, "revoked")


@pytest.mark.parametrize("option", ["revoke", "revoke=", "revoke=all", "revoke=others,all"])
def test_option_that_cannot_be_read(request, house, user, option):
    request.addfinalizer(lambda: setattr(house.identity, "script", grants))
    old = a_place(house.free, user)
    house.identity.script = lambda asked, connection: answer(200, {"Doorward-Grant": f'{{"userId":"{user}"}}', "Doorward-Grant-Options": option})
    cookie_untouched(refused(log_in(house.free, user), 502, "bad_grant"))
    assert in_redis(house, user) == keys(old)
