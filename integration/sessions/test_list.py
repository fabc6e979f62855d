"""/.doorward/sessions for programs: where a user is logged in, and nothing that opens a door."""

import re

import pytest
from support.expect import cookie_expired, cookie_untouched, refused, sent_to_login
from support.places import SESSIONS, a_place, a_user, commands, in_redis, keys, listed, log_in, now_ms

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
DEVICES = {
    FIREFOX: "Firefox on Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0": "Edge on Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36": "Chrome on Android",
    "curl/7.88.1": "curl",
    "<script>alert(1)</script>": "",
    "x" * 500: "x" * 32,
    None: "",
}


def only(door, session):
    (one,) = listed(door, session)
    return one


# ---- what is told ----


def test_a_login_is_listed(house, user):
    before = now_ms()
    one = only(house.door, a_place(house.door, user, agent=FIREFOX))
    assert list(one) == ["handle", "current", "created_at", "last_seen", "ends_in", "address", "device"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", one["handle"]) and one["current"] is True
    assert before - 1000 <= one["created_at"] == one["last_seen"] <= now_ms() + 1000
    assert 1790 <= one["ends_in"] <= 1800
    assert (one["address"], one["device"]) == ("127.0.0.1", "Firefox on Linux")


@pytest.mark.parametrize("agent", DEVICES, ids=lambda agent: DEVICES[agent][:16] or "unknown")
def test_device(house, user, agent):
    assert only(house.door, a_place(house.door, user, agent=agent))["device"] == DEVICES[agent]


@pytest.mark.parametrize("source, via, address", [
    (None, "198.51.100.7", "198.51.100.7"),
    (None, "2001:db8::7", "2001:db8::7"),
    (None, "203.0.113.9, 198.51.100.7", "198.51.100.7"),
    ("127.0.0.2", "198.51.100.7", "127.0.0.2"),
    ("127.0.0.2", None, "127.0.0.2"),
], ids=["trusted proxy", "trusted proxy, IPv6", "trusted proxy that heard of another", "a stranger's word", "nobody's word"])  # fmt: skip
def test_address(house, user, source, via, address):
    assert only(house.door, a_place(house.door, user, source=source, via=via))["address"] == address


def test_one_session_is_the_current_one(house, user):
    ids = [a_place(house.door, user) for _ in range(3)]
    currents = []
    for id in ids:
        places = listed(house.door, id)
        assert len(places) == 3
        currents += [place["handle"] for place in places if place["current"]]
    assert len(set(currents)) == 3


def test_handles_stay_the_same(house, user):
    id = a_place(house.door, user)
    a_place(house.door, user)
    first, second = [{place["handle"] for place in listed(house.door, id)} for _ in range(2)]
    assert first == second and len(first) == 2


def test_the_one_seen_last_comes_first(house, user):
    now = now_ms()
    seen = {age: house.session(user, lastSeen=now - age * 1000) for age in (300, 5, 100, 40)}
    places = listed(house.door, seen[100])
    assert [round((now - place["last_seen"]) / 1000) for place in places] == [5, 40, 100, 300]
    assert [place["current"] for place in places] == [False, False, True, False]


def test_nothing_that_opens_a_door_is_told(house, user):
    ids = [a_place(house.door, user), house.session(user)]
    for answer in (house.door.get(SESSIONS, session=ids[0]), house.door.navigate(SESSIONS, session=ids[0])):
        everything = repr(answer.headers).encode() + answer.body
        assert answer.status == 200 and b"session:" not in everything
        assert not any(id.encode() in everything for id in ids)
    handles = [place["handle"] for place in listed(house.door, ids[0])]
    refused(house.door.get("/page", session=handles[0]), 401, "no_session")


def test_the_application_hears_nothing_of_it(house, user):
    id, count = a_place(house.door, user), len(house.app.requests)
    listed(house.door, id)
    assert len(house.app.requests) == count


# ---- sessions of other programs, and what is none ----


def test_session_that_another_program_wrote(house, user):
    one = only(house.door, house.session(user))
    assert (one["address"], one["device"], one["current"]) == ("", "", True)


@pytest.mark.parametrize("written, shown", [(1_700_000_000, 1_700_000_000_000), (1_700_000_000_123, 1_700_000_000_123), ("2024-05-01", None), ("-5", None), ("", None), (None, None)])
def test_times_of_another_program(house, user, written, shown):
    me = house.session(user)
    house.session(user, createdAt=written, lastSeen=written, **{"doorward.absoluteUntil": now_ms() + 3_600_000})
    (other,) = [place for place in listed(house.door, me) if not place["current"]]
    assert (other.get("created_at"), other.get("last_seen")) == (shown, shown)
    assert house.door.navigate(SESSIONS, session=me).status == 200


def test_session_without_an_end(house, user):
    assert "ends_in" not in only(house.door, house.session(user, ttl=None))


def test_bytes_that_are_no_text(house, user):
    id = house.session(user, **{"doorward.address": b"\xff\xfe\x00", "doorward.device": b'"\r\n\\\xc3'})
    response = house.door.get(SESSIONS, session=id)
    assert response.status == 200 and response.json()["sessions"][0]["device"].startswith('"\r\n\\')


def test_what_is_no_session_of_the_user_leaves_the_index(house, user):
    me, stranger = house.session(user), house.session(a_user())
    text, fleeting = "session:a-text-and-no-hash", house.session(user, ttl=0.05)
    house.redis("SET", text, "x")
    house.redis("SADD", f"user:{user}:sessions", "session:long-gone-and-forgotten", text, f"session:{stranger}", "unrelated")
    house.redis("DEL", f"session:{fleeting}")
    assert only(house.door, me)["current"]
    assert in_redis(house, user) == keys(me)
    assert house.has_session(stranger) and house.redis("GET", text) == "x"


@pytest.mark.parametrize("fields", [{"createdAt": 1_700_000_000_000}, {"doorward.absoluteUntil": 1_700_000_000_000}, {"doorward.absoluteUntil": "soon"}], ids=str)
def test_session_past_its_absolute_limit_is_none(house, user, fields):
    me, over = house.session(user), house.session(user, **fields)
    refused(house.door.get("/page", session=over), 401, "session_expired")
    assert only(house.door, me)["current"] and in_redis(house, user) == keys(me)


def test_session_that_is_not_in_the_index(house, user):
    """Another program may not know of the index. The page has no place for such a session, and still works."""
    me = house.session(user, index=False)
    assert listed(house.door, me) == [] and house.door.navigate(SESSIONS, session=me).status == 200


def test_index_that_is_no_set(house, user):
    me = house.session(user, index=False)
    house.redis("SET", f"user:{user}:sessions", "x")
    assert listed(house.door, me) == []


def test_very_many_sessions(house, user):
    now = now_ms()
    ids = [house.session(user, lastSeen=now - n * 1000, **{"doorward.device": "d" * 40, "doorward.address": "2001:db8::1"}) for n in range(400)]
    places = listed(house.door, ids[0])
    assert len(places) == 150 and places[0]["current"]
    assert places[149]["last_seen"] == now - 149_000
    assert house.door.navigate(SESSIONS, session=ids[0]).status == 200


# ---- how it is answered ----


def test_answer_for_a_program(house, user):
    response = cookie_untouched(house.door.get(SESSIONS, session=a_place(house.door, user)))
    assert response.header("Content-Type") == "application/json" and "no-store" in response.header("Cache-Control")
    assert response.header("X-Request-Id")


@pytest.mark.parametrize("method, target, allow", [("GET", "/some-handle", "POST, DELETE"), ("PUT", "", "GET, HEAD, POST, DELETE"), ("PATCH", "/some-handle", "POST, DELETE")])
def test_methods(house, user, method, target, allow):
    response = refused(house.door.ask(method, SESSIONS + target, session=a_place(house.door, user)), 405)
    assert response.header("Allow") == allow


def test_head(house, user):
    id = a_place(house.door, user)
    asked, told = house.door.ask("HEAD", SESSIONS, session=id), house.door.get(SESSIONS, session=id)
    assert asked.status == 200 and asked.body == b"" and asked.header("Content-Length") == told.header("Content-Length")


@pytest.mark.parametrize("session", [None, "dead-but-well-formed", "bad"])
def test_nobody(house, session):
    program = refused(house.door.get(SESSIONS, session=session), 401, "no_session")
    person = sent_to_login(house.door.navigate(SESSIONS, session=session), SESSIONS)
    for response in (program, person):
        cookie_expired(response) if session == "dead-but-well-formed" else cookie_untouched(response)


def test_looking_does_not_keep_one_logged_in(house, user):
    """Nor does it cost more than is documented."""
    long_ago = now_ms() - 600_000
    id = house.session(user, ttl=100, createdAt=long_ago, lastSeen=long_ago)
    listed(house.door, id)  # by now Redis has the script
    before, monitor = house.redis.hash(f"session:{id}"), house.monitor()
    assert only(house.door, id)["last_seen"] == long_ago
    assert house.door.navigate(SESSIONS, session=id).status == 200
    assert commands(monitor, house) == ["HGETALL", "EVALSHA"] * 2
    assert house.redis.hash(f"session:{id}") == before and house.redis("TTL", f"session:{id}") <= 100


def test_login_is_one_command(house, user):
    first, second = a_place(house.door, user), a_place(house.door, user)
    monitor = house.monitor()
    a_place(house.door, user)
    assert commands(monitor, house) == ["EVALSHA"]
    log_in(house.door, user, session=f"{first}; sid={second}")
    assert commands(monitor, house) == ["EVALSHA"], "also when it takes the place of others"
    assert not house.has_session(first) and not house.has_session(second)
