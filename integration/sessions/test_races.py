"""Ends that meet something else: a login that is under way, and a Redis that does not answer."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.expect import cookie_untouched, refused
from support.logins import Desk, grants
from support.places import A_MOMENT, SESSIONS, a_place, a_user, end, handle, id_in, in_redis, keys, listed, log_in, now_ms
from support.wait import eventually

EVERYWHERE = {
    "log-out everywhere": lambda door, id: door.ask("POST", "/logout?everywhere=1", body=b"", session=id),
    "all": lambda door, id: end(door, id, "?all=1"),
    "all others": lambda door, id: end(door, id, "?others=1"),
}


@pytest.fixture
def desk(house):
    """An identity service that keeps who asks waiting."""
    house.identity.script = desk = Desk()
    yield desk
    house.identity.script = grants


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


def under_way(house, desk, pool, user, count=1, **more):
    """Logins that the identity service has and has not answered."""
    answers = [pool.submit(log_in, house.door, user, **more) for _ in range(count)]
    eventually(lambda: desk.inside == count)
    return answers


# ---- a login that is under way ----


@pytest.mark.parametrize("way", EVERYWHERE)
def test_log_out_everywhere_outranks_a_login_that_is_under_way(house, user, desk, pool, way):
    id = house.session(user)
    (login,) = under_way(house, desk, pool, user)
    assert EVERYWHERE[way](house.door, id).status == 204
    time.sleep(A_MOMENT)  # so that it is not the reserve for slow commands that refuses it
    desk.let_go()
    cookie_untouched(refused(login.result(), 401, "session_revoked"))
    left = keys(id) if way == "all others" else set()
    assert in_redis(house, user) == left
    assert {key for key in house.redis("KEYS", "session:*") if house.redis("HGET", key, "userId") == user} == left


def test_the_next_login_is_let_in(house, user, desk, pool):
    id = house.session(user)
    (login,) = under_way(house, desk, pool, user)
    end(house.door, id, "?all=1")
    desk.let_go(2)
    refused(login.result(), 401, "session_revoked")
    time.sleep(A_MOMENT)
    new = a_place(house.door, user)
    assert in_redis(house, user) == keys(new) and house.door.get("/page", session=new).status == 200


def test_login_of_somebody_else_goes_on(house, user, desk, pool):
    id, other = house.session(user), a_user()
    (login,) = under_way(house, desk, pool, other)
    end(house.door, id, "?all=1")
    desk.let_go()
    new = id_in(login.result())
    assert in_redis(house, other) == keys(new)


def test_end_of_one_session_outranks_no_login(house, user, desk, pool):
    me, it = house.session(user), house.session(user)
    (login,) = under_way(house, desk, pool, user)
    assert end(house.door, me, handle(house.door, it)).status == 204
    desk.let_go()
    new = id_in(login.result())
    assert in_redis(house, user) == keys(me, new)


def test_login_that_is_refused_leaves_the_session_it_came_with(house, user, desk, pool):
    """That one is somebody else's; the refused login has not replaced it."""
    id, somebody = house.session(user), house.session(a_user())
    (login,) = under_way(house, desk, pool, user, session=somebody)
    end(house.door, id, "?all=1")
    desk.let_go()
    cookie_untouched(refused(login.result(), 401, "session_revoked"))
    assert house.door.get("/page", session=somebody).status == 200


def test_many_logins_and_a_log_out_everywhere_at_once(house, user, pool):
    """Whatever the order: what is written is in the index, and what is not in the index is no session."""
    for _ in range(5):
        id = house.session(user)
        logins = [pool.submit(log_in, house.door, user) for _ in range(4)]
        assert end(house.door, id, "?all=1").status == 204
        answers = [login.result() for login in logins]
        assert {response.status for response in answers} <= {200, 401}
        alive = [id_in(response) for response in answers if response.status == 200]
        alive = keys(*[id for id in alive if house.door.get("/page", session=id).status == 200])
        assert in_redis(house, user) == alive
        assert {key for key in house.redis("KEYS", "session:*") if house.redis("HGET", key, "userId") == user} == alive
        for key in alive:
            house.redis("DEL", key)
        time.sleep(A_MOMENT)


def test_one_session_ends_another_that_ends_it(house, user, pool):
    """At least one of them goes, and neither answer is anything but done, gone, or not logged in any more."""
    for _ in range(10):
        ids = [house.session(user) for _ in range(2)]
        one, two = [handle(house.door, id) for id in ids]
        answers = [pool.submit(end, house.door, ids[0], two), pool.submit(end, house.door, ids[1], one)]
        assert {answer.result().status for answer in answers} <= {204, 401, 404}
        assert len(in_redis(house, user)) < 2
        for id in ids:
            house.redis("DEL", f"session:{id}")
        house.redis("DEL", f"user:{user}:sessions")


# ---- Redis away ----


@pytest.fixture
def fragile(stage):
    stage.identity.script = grants
    assert stage.gate
    stage.door = stage.start()
    return stage


def test_redis_is_away(fragile, user):
    me, other = [a_place(fragile.door, user) for _ in range(2)]
    its_handle = handle(fragile.door, other)
    fragile.gate.refuse()
    for what in (its_handle, "?others=1", "?all=1"):
        cookie_untouched(refused(end(fragile.door, me, what), 503, "store_unavailable"))
    cookie_untouched(refused(fragile.door.get(SESSIONS, session=me), 503, "store_unavailable"))
    person = cookie_untouched(fragile.door.navigate(SESSIONS, session=me))
    assert person.status == 503 and person.header("Location") is None
    fragile.gate.open()
    fragile.door.wait_ready()
    eventually(lambda: len(listed(fragile.door, me)) == 2)
    assert in_redis(fragile, user) == keys(me, other)


def test_redis_answers_the_lookup_and_then_no_more(house, user):
    """Scripts wait in it, reads do not."""
    me, other = [a_place(house.door, user) for _ in range(2)]
    its_handle = handle(house.door, other)
    for what in (its_handle, "?others=1", "?all=1"):
        house.server.admin("CLIENT", "PAUSE", 320, "WRITE")
        cookie_untouched(refused(end(house.door, me, what), 503, "store_unavailable"))
        time.sleep(0.2)


@pytest.mark.parametrize("what", ["one", "others", "all"])
def test_redis_does_not_let_it_be_done(house, user, acl, what):
    me, other = [a_place(house.door, user) for _ in range(2)]
    what = handle(house.door, other) if what == "one" else f"?{what}=1"
    acl("-del")
    cookie_untouched(refused(end(house.door, me, what), 503, "store_unavailable"))
    assert in_redis(house, user) == keys(me, other)
    assert house.door.get("/page", session=me).status == house.door.get("/page", session=other).status == 200


def test_sessions_of_another_house(stage, user):
    """Keys and fields by configuration, all the way: list, limit, end."""
    stage.identity.script = lambda request, connection: grants(request, connection).replace(b'"userId"', b'"uid"')
    names = {"key": "session:their/{id}", "index": "user:their-{user}:sessions", "fields": {"user": "uid", "created": "born", "last_seen": "seen"}}
    stage.door = stage.start(session={**names, "limit": {"per_user": 2}}, headers={"X-User-Id": "{uid}", "X-User-Role": None, "X-User-Name": None})
    first, me, other = [a_place(stage.door, user) for _ in range(3)]
    refused(stage.door.get("/page", session=first), 401, "session_displaced")
    places = listed(stage.door, me)
    assert len(places) == 2 and all(abs(place["created_at"] - now_ms()) < 10_000 for place in places)
    assert end(stage.door, me, handle(stage.door, other)).status == 204
    refused(stage.door.get("/page", session=other), 401, "session_revoked")
    assert stage.redis("SMEMBERS", f"user:their-{user}:sessions") == [f"session:their/{me}"]
    assert end(stage.door, me, "?all=1").status == 204
