"""Whoever fails too often has to wait: by the address he comes from, and by the user he names."""

import math
import re
import time

import pytest
from support.client import RawClient
from support.expect import refused, refused_page
from support.logins import FETCH, FORM, NAVIGATION, Desk, attempt, closed, judges, opened, request, take_all_places, wait_in_line
from support.upstream import answer
from support.wait import eventually

BEHIND_A_PROXY = {"trusted_proxies": ["127.0.0.1"]}


def guarded(stage, server=None, script=judges, **guard):
    return opened(stage, script, server=server, **{"failures": 3, "window": "1m", "ban": "5m", **guard})


def fail(play, times=3, **more):
    """So many attempts, all of which are looked at and refused."""
    before = len(play.identity.requests)
    for n in range(times):
        assert attempt(play.door, **{"user": f"somebody-{n}", **more}).status == 401
    assert len(play.identity.requests) == before + times


def banned(response, play=None, reason=None):
    refused(response, 429, "rate_limited")
    if reason:
        assert play.door.logged(response.header("X-Request-Id"), decision="rate_limited")["reason"] == reason
    return response


# ---- an address ----


def test_address_over_connections_and_users(stage):
    """Every attempt comes over a connection of its own, so to either worker, and names another user."""
    play = guarded(stage, failures=5)
    fail(play, 5)
    for password in ("wrong", "right"):
        banned(attempt(play.door, "another", password), play, "login_address_banned")
    assert len(play.identity.requests) == 5
    assert (play.guard.failures, play.guard.bans("address"), play.guard.bans("user")) == (5, 1, 0)
    assert attempt(play.door, "another", "right", source="127.0.0.2").status == 200


def test_retry_after_is_what_is_left(stage):
    play = guarded(stage, ban="100s")
    fail(play)
    # Clocks of workers are up to 50 ms apart, and what is left is rounded up.
    assert int(banned(attempt(play.door)).header("Retry-After")) in (99, 100, 101)


def test_each_ban_is_twice_as_long(stage):
    play = guarded(stage, workers=1, failures=2, ban="400ms", user_field="")
    for seconds in (0.4, 0.8, 1.6):
        fail(play, 2)
        began = time.monotonic()
        assert int(banned(attempt(play.door)).header("Retry-After")) in (math.ceil(seconds), math.ceil(seconds) + 1)
        eventually(lambda: attempt(play.door, password="right").status == 200, seconds + 2)
        assert seconds - 0.1 < time.monotonic() - began < seconds + 0.5
    assert play.guard.bans("address") == 3


def test_failures_of_long_ago_do_not_count(stage):
    play = guarded(stage, failures=2, window="300ms")
    for _ in range(3):
        fail(play, 1)
        time.sleep(0.4)
    fail(play, 2)
    banned(attempt(play.door))


@pytest.mark.parametrize(("same", "other"), [
    ([f"2001:db8:1:2::{n:x}" for n in range(1, 4)] + ["2001:db8:1:2:ffff:ffff:ffff:ffff"], "2001:db8:1:3::1"),
    (["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201", "192.0.2.1"], "192.0.2.2"),
], ids=["a block of IPv6", "IPv4 in IPv6"])  # fmt: skip
def test_addresses_of_one_client(stage, same, other):
    """As a trusted proxy names them. Who has an IPv6 address has the rest of its /64 too."""
    play = guarded(stage, BEHIND_A_PROXY)
    for n, address in enumerate(same[:3]):
        fail(play, 1, user=f"user-{n}", via=address)
    banned(attempt(play.door, "another", via=same[3]), play, "login_address_banned")
    fail(play, 1, user="another", via=other)


def test_proxy_that_is_not_trusted_names_nobody(stage):
    play = guarded(stage)
    for n in range(3):
        fail(play, 1, user=f"user-{n}", via=f"192.0.2.{n}")
    banned(attempt(play.door, "another", via="192.0.2.9"), play, "login_address_banned")


def test_unix_socket_is_nobodys_address(stage, tmp_path):
    play = guarded(stage, {"listen": f"unix:{tmp_path}/door.sock"})

    def ask(user):
        with RawClient(play.door.address) as client:
            client.send(request(user))
            return client.response("POST").status

    assert [ask(f"user-{n}") for n in range(5)] == [401] * 5
    assert [ask("anna") for _ in range(4)] == [401] * 3 + [429]


def test_page_and_sessions_stay(stage):
    play = guarded(stage)
    id = play.session("7")
    fail(play)
    banned(attempt(play.door))
    play.identity.script = lambda request, connection: answer(200, {}, b"the form")
    assert play.door.navigate("/login").body == b"the form"
    assert play.door.get("/page", session=id).status == 200
    assert play.door.ask("POST", "/page", {}, b"x", session=id).status == 200


def test_person_is_told_by_a_page(stage):
    """It does not try again by itself: there is nothing to wait for in front of a screen."""
    play = guarded(stage)
    fail(play)
    page = refused_page(attempt(play.door, headers={**FORM, **NAVIGATION}), 429, "rate_limited")
    assert b"http-equiv" not in page.body
    banned(attempt(play.door, headers={**FORM, **FETCH}))


def test_banned_attempts_cost_no_place(stage):
    """Nor are those let in who waited when the ban began."""
    play = guarded(stage, script=Desk(then=judges), in_flight=1, queue=2, failures=1)
    [inside] = take_all_places(play)
    first = wait_in_line(play, "first")
    second = wait_in_line(play, "second")
    other = play.door.client(source="127.0.0.2")
    play.desk.then = lambda request, connection: answer(401, {}, b"no")
    play.desk.let_go()
    assert inside.response("POST").status == 401
    banned(first.response("POST"), play, "login_address_banned")
    banned(second.response("POST"))
    other.send(request("other"))
    play.identity.wait_for(2)
    banned(attempt(play.door))  # and not 503, although the only place is taken
    assert (play.guard.in_flight, play.guard.queued) == (1, 0)
    play.desk.let_go()
    assert other.response("POST").status == 401 and len(play.identity.requests) == 2
    closed([inside, first, second, other])


# ---- a user ----


def from_everywhere(play, user="anna", times=3, **more):
    """Failures of one user, each from an address of its own."""
    first = len(play.identity.requests)
    for n in range(times):
        fail(play, 1, user=user, via=f"198.51.100.{first + n}", **more)


def test_user_over_addresses(stage):
    play = guarded(stage, BEHIND_A_PROXY)
    from_everywhere(play)
    banned(attempt(play.door, "anna", "right", via="203.0.113.1"), play, "login_user_banned")
    assert (play.guard.failures, play.guard.bans("user"), play.guard.bans("address")) == (3, 1, 0)
    assert attempt(play.door, "berta", "right", via="203.0.113.1").status == 200


def test_success_clears_the_user(stage):
    play = guarded(stage, BEHIND_A_PROXY)
    for _ in range(3):
        from_everywhere(play, times=2)
        assert attempt(play.door, "anna", "right", via="203.0.113.1").status == 200
    from_everywhere(play, times=3)
    banned(attempt(play.door, "anna", "right", via="203.0.113.1"), play, "login_user_banned")


def test_success_does_not_clear_the_address(stage):
    """Whoever guesses at others' passwords may have an account of his own."""
    play = guarded(stage)
    for n in range(3):
        fail(play, 1, user=f"user-{n}")
        if n < 2:
            assert attempt(play.door, "mallory", "right").status == 200
    banned(attempt(play.door, "mallory", "right"), play, "login_address_banned")


CHUNKED = {"Transfer-Encoding": "chunked"}
JSON = {"Content-Type": "application/json"}
SPELLINGS = {
    "as it is": ({}, b"username=anna%40a.test&password=x"),
    "another place": ({}, b"a=b&&c&password=x&username=anna@a.test"),
    "case": ({}, b"username=Anna@A.Test&password=x"),
    "blanks": ({}, b"username=+anna@a.test%20%09&password=x"),
    "percent-encoding": ({}, b"user%6Eame=%61nna%40a%2Etest&password=x"),
    "twice the same": ({}, b"username=anna@a.test&username=anna@a.test"),
    "type with a parameter": ({"Content-Type": "Application/X-WWW-Form-URLencoded; charset=UTF-8"}, b"username=anna@a.test"),
    "JSON": (JSON, b'{"password": "x", "more": {"username": "other"}, "username": "anna@a.test"}'),
    "JSON with escapes": (JSON, b'{"\\u0075sername": "\\u0061nna@a.test"}'),
    "chunks": (CHUNKED, b"4\r\nuser\r\n14\r\nname=anna@a.test&p=x\r\n0\r\n\r\n"),
    "chunk by chunk": (CHUNKED, [b"4\r\nuser\r\n", b"14\r\nname=anna@a.test&p=x\r\n", b"0\r\n\r\n"]),
    "byte by byte": ({"Content-Length": "20"}, [bytes([b]) for b in b"username=anna@a.test"]),
}


@pytest.mark.parametrize(("headers", "body"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_spelling_of_a_user(stage, headers, body):
    """However it is written, and however it comes: who is banned stays banned."""
    play = guarded(stage, BEHIND_A_PROXY)
    from_everywhere(play, "anna@a.test")
    with play.door.client() as client:
        pieces = [b"", *body] if isinstance(body, list) else [body]
        client.send(request(headers=headers, body=pieces[0], via="203.0.113.1"))
        for piece in pieces[1:]:
            time.sleep(0.01)
            client.send(piece)
        banned(client.response("POST"), play, "login_user_banned")
    fail(play, 1, user="anna", via="203.0.113.1")


@pytest.mark.parametrize(("headers", "body"), [({}, b"username=anna&username=berta"), ({}, b"username=anna&password=x&user%6eame=Annie"),
                                               (JSON, b'{"username": "anna", "username": "berta"}')])  # fmt: skip
def test_two_users_in_one_form(stage, headers, body):
    """The identity service may take one of them, and we would count the other."""
    play = guarded(stage)
    refused(attempt(play.door, headers=headers, body=body), 400, "bad_request")
    assert play.identity.requests == [] and play.guard.failures == 0


def test_field_of_another_name(stage):
    play = guarded(stage, BEHIND_A_PROXY, user_field="e-mail")
    from_everywhere(play, body=b"e-mail=anna&username=berta")
    banned(attempt(play.door, body=b"username=clara&e-mail=anna", via="203.0.113.1"), play, "login_user_banned")
    assert play.door.ask("POST", "/login", {**FORM, "X-Forwarded-For": "203.0.113.1"}, b"username=anna").status == 401


def test_users_are_not_counted(stage):
    play = guarded(stage, BEHIND_A_PROXY, user_field="")
    from_everywhere(play, times=6)
    fail(play, 2, user="anna", via="198.51.100.0")
    banned(attempt(play.door, "anna", via="198.51.100.0"), play, "login_address_banned")


def test_nothing_is_counted(stage):
    play = guarded(stage, failures=0)
    fail(play, 12, user="anna")
    assert play.guard.bans("user") == play.guard.bans("address") == 0


def test_ban_is_told_without_a_secret(stage):
    """People type their passwords into the field for the name."""
    play = guarded(stage, BEHIND_A_PROXY)
    from_everywhere(play, "s3cret-name", password="s3cret-word")
    response = banned(attempt(play.door, "s3cret-name", "s3cret-word", via="203.0.113.1"), play, "login_user_banned")
    told = play.door.log.wait_for_json(lambda e: e.get("event") == "login_banned")
    assert set(told) == {"time", "level", "event", "by", "client", "request_id", "seconds"}
    assert (told["level"], told["by"], told["client"], told["seconds"]) == ("warn", "user", "198.51.100.2", 300)
    assert play.door.logged(told["request_id"], status=401)["client"] == "198.51.100.2"
    everything = play.door.log.text() + play.door.access.text() + play.door.metrics().text + repr(response)
    assert not re.search("s3cret|password", everything)
