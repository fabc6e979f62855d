"""Ending sessions from /.doorward/sessions, and what those hear who come with an ended one."""

import pytest
from support.expect import cookie_expired, cookie_untouched, refused
from support.places import (
    SESSIONS, a_place, a_user, commands, end, ended, handle, in_redis, keys, listed, log_in, id_in, mark, now_ms, told,
)  # fmt: skip
from support.wait import eventually


def gone(response, status=204):
    assert response.status == status, response
    return cookie_expired(response)


def done(response, status=204):
    assert response.status == status and response.body == b"", response
    return cookie_untouched(response)


@pytest.fixture
def places(house, user):
    """Three of one user."""
    return [a_place(house.door, user) for _ in range(3)]


# ---- one ----


def test_one_is_ended(house, user, places):
    me, it, other = places
    before = ended(house.door, "revoked")
    done(end(house.door, me, handle(house.door, it)))
    assert ended(house.door, "revoked") == before + 1
    assert in_redis(house, user) == keys(me, other) and mark(house, it) == "revoked"
    assert house.door.get("/page", session=me).status == house.door.get("/page", session=other).status == 200
    cookie_expired(told(house.door, it, "session_revoked")[0])


def test_the_own_one_is_ended(house, user, places):
    me, *others = places
    gone(end(house.door, me, handle(house.door, me)))
    assert in_redis(house, user) == keys(*others) and mark(house, me) is None
    told(house.door, me, "no_session")


def test_handle_that_is_nobodys(house, user, places):
    cookie_untouched(refused(end(house.door, places[0], "abcdefghijklmnopqrstuv"), 404))
    assert in_redis(house, user) == keys(*places)


def test_handle_of_another_user(house, user, places):
    stranger = a_place(house.door, a_user())
    cookie_untouched(refused(end(house.door, places[0], handle(house.door, stranger)), 404))
    assert house.door.get("/page", session=stranger).status == 200


def test_ended_twice(house, places):
    me, it, _ = places
    its_handle = handle(house.door, it)
    done(end(house.door, me, its_handle))
    cookie_untouched(refused(end(house.door, me, its_handle), 404))
    assert mark(house, it) == "revoked"


# ---- others, all ----


def test_all_others_are_ended(house, user, places):
    me, *others = places
    stranger, before = a_place(house.door, a_user()), ended(house.door, "revoked")
    done(end(house.door, me, "?others=1"))
    assert ended(house.door, "revoked") == before + 2
    assert in_redis(house, user) == keys(me) and [mark(house, it) for it in others] == ["revoked"] * 2
    assert house.door.get("/page", session=me).status == house.door.get("/page", session=stranger).status == 200
    for it in others:
        told(house.door, it, "session_revoked")


def test_all_are_ended(house, user, places):
    me, *others = places
    stranger, before = a_place(house.door, a_user()), ended(house.door, "everywhere")
    gone(end(house.door, me, "?all=1"))
    assert ended(house.door, "everywhere") == before + 3
    assert in_redis(house, user) == set() and [mark(house, it) for it in places] == [None, "revoked", "revoked"]
    assert house.door.get("/page", session=stranger).status == 200
    told(house.door, me, "no_session")
    for it in others:
        told(house.door, it, "session_revoked")


def test_log_out_everywhere_is_the_same(house, user, places):
    gone(house.door.ask("POST", "/logout?everywhere=1", body=b"", session=places[0]))
    assert [mark(house, it) for it in places] == [None, "revoked", "revoked"]


def test_index_names_what_is_not_the_users(house, user, places):
    """It is a set that others may write to."""
    stranger = a_place(house.door, a_user())
    house.redis("SADD", f"user:{user}:sessions", f"session:{stranger}", "session:long-gone-and-forgotten")
    done(end(house.door, places[0], "?others=1"))
    assert house.door.get("/page", session=stranger).status == 200
    assert in_redis(house, user) == keys(places[0])


# ---- what is not done ----


@pytest.mark.parametrize("what", ["", "?others=0", "?all=yes", "?everything=1"])
@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_end_of_nothing(house, user, places, method, what):
    cookie_untouched(refused(end(house.door, places[0], what, method=method), 400))
    assert in_redis(house, user) == keys(*places)


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}], ids=str)
@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_from_another_site(house, user, places, method, headers):
    for what in (handle(house.door, places[1]), "?others=1", "?all=1"):
        cookie_untouched(refused(end(house.door, places[0], what, headers, method), 403, "csrf"))
    assert in_redis(house, user) == keys(*places)


@pytest.mark.parametrize("what", ["abcdefghijklmnopqrstuv", "?others=1", "?all=1"])
@pytest.mark.parametrize("session", [None, "dead-but-well-formed"])
def test_nobody_ends_nothing(house, session, what):
    refused(end(house.door, session, what), 401, "no_session")


def test_an_ended_session_ends_nothing(house, user, places):
    me, it, _ = places
    its_handle = handle(house.door, me)
    done(end(house.door, me, handle(house.door, it)))
    for what in (its_handle, "?others=1", "?all=1"):
        cookie_expired(refused(end(house.door, it, what), 401, "session_revoked"))
    assert house.door.get("/page", session=me).status == 200


# ---- the mark ----


def test_mark_goes_by_itself(house, places):
    me, it, _ = places
    done(end(house.door, me, handle(house.door, it)))
    assert 890 < house.redis("TTL", f"session:{it}") <= 900


def test_mark_goes_with_a_log_out(house, places):
    me, it, _ = places
    done(end(house.door, me, handle(house.door, it)))
    gone(house.door.ask("POST", "/logout", body=b"", session=it))
    assert not house.has_session(it)
    told(house.door, it, "no_session")


def test_mark_goes_with_the_next_login(house, user, places):
    me, it, _ = places
    done(end(house.door, me, handle(house.door, it)))
    before = ended(house.door, "replaced")
    new = id_in(log_in(house.door, user, session=it))
    assert not house.has_session(it) and house.door.get("/page", session=new).status == 200
    assert ended(house.door, "replaced") == before


def test_mark_is_nobody(house, places):
    me, it, _ = places
    done(end(house.door, me, handle(house.door, it)))
    count = len(house.app.requests)
    for page in ("/page", "/watch/x", "/admin/x", "/.doorward/whoami", SESSIONS):
        refused(house.door.get(page, session=it), 401, "session_revoked")
    assert len(house.app.requests) == count, "nothing of an ended session reaches the application"
    for page in ("/maybe/x", "/public/x"):
        assert house.door.get(page, session=it).status == 200
        assert not [n for n, _ in house.app.last.headers if n.lower().startswith(("x-user", "doorward"))]


@pytest.mark.parametrize("word, code", [("revoked", "session_revoked"), ("displaced", "session_displaced"), ("expired", "session_expired"), ("eaten", "no_session"), ("", "no_session")])
def test_words_of_a_mark(house, word, code):
    """Operators may leave one too."""
    house.redis("HSET", f"session:ended-by-an-operator-{word}", "doorward.ended", word)
    cookie_expired(told(house.door, f"ended-by-an-operator-{word}", code, "/page?a=b&c=d")[0])


def test_word_in_a_session_means_nothing(house, user):
    assert house.door.get("/page", session=house.session(user, **{"doorward.ended": "revoked"})).status == 200


def test_there_is_no_way_back_to_a_form(house, places):
    """The login page hears the reason alone."""
    me, it, _ = places
    done(end(house.door, me, handle(house.door, it)))
    response = cookie_expired(house.door.ask("POST", "/always/page?a=b", body=b"x", session=it))
    assert (response.status, response.header("Location")) == (302, "/login?reason=session_revoked")
    refused(house.door.ask("POST", "/page", body=b"x", session=it), 401, "session_revoked")


# ---- past the absolute limit ----


def test_past_the_absolute_limit(house, user):
    id = house.session(user, createdAt=now_ms() - 13 * 3600 * 1000)
    cookie_expired(told(house.door, id, "session_expired")[0])


def test_touch_past_the_absolute_limit(house, user):
    """The limit passes while the touch is on its way: Redis carries it out later than it was asked for."""
    me, a_minute_ago = house.session(user, lastSeen=0), now_ms() - 120_000
    assert house.door.get("/page", session=me).status == 200
    eventually(lambda: house.redis("HGET", f"session:{me}", "lastSeen") != "0")  # by now Redis has the script
    id = house.session(user, lastSeen=a_minute_ago, **{"doorward.absoluteUntil": now_ms() + 220})
    house.server.admin("CLIENT", "PAUSE", 300, "WRITE")
    assert house.door.get("/page", session=id).status == 200
    eventually(lambda: mark(house, id) == "expired")
    cookie_expired(told(house.door, id, "session_expired")[0])
    assert len(listed(house.door, me)) == 1 and in_redis(house, user) == keys(me)


# ---- what it costs ----


def test_commands(house, places):
    me, it, other = places
    handles = {id: handle(house.door, id) for id in places}
    end(house.door, a_place(house.door, a_user()), "?all=1")
    end(house.door, me, handles[it])  # by now Redis has all scripts
    monitor = house.monitor()
    for what, expected in [(handles[other], ["HGETALL", "EVALSHA", "EVALSHA"]), ("abcdefghijklmnopqrstuv", ["HGETALL", "EVALSHA"]),
                           ("?others=1", ["HGETALL", "EVALSHA"]), ("", ["HGETALL"]), ("?all=1", ["HGETALL", "EVALSHA"])]:  # fmt: skip
        end(house.door, me, what)
        assert commands(monitor, house) == expected, what
    refused(house.door.get("/page", session=other), 401, "session_revoked")
    assert commands(monitor, house) == ["HGETALL"], "what an ended session hears costs what any lookup does"
