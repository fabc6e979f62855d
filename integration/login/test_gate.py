"""The way into the identity service: so many at once, so many in line, and the rest are told to come back."""

import random
import re
import time

import pytest
from support.client import build
from support.expect import refused, refused_page, sent_to_login
from support.logins import FETCH, FORM, NAVIGATION, Desk, attempt, closed, form, opened, request, take_all_places, wait_in_line
from support.upstream import answer
from support.wait import eventually


# ---- so many at once ----


@pytest.mark.parametrize("workers", [1, 2])
def test_never_more_at_once(stage, workers):
    """A flood of logins: each is answered, and the identity service never has more than it can take, nor less."""
    play = opened(stage, Desk(takes=0.01), workers, in_flight=8, queue=200)
    clients = [play.door.client(20) for _ in range(200)]
    for n, client in enumerate(clients):
        client.send(request(f"user-{n}", "right"))
    assert [client.response("POST").status for client in clients] == [200] * 200
    assert play.desk.most == 8 and len(play.identity.requests) == 200
    assert play.guard.is_empty() and play.guard.shed("queue_full") == play.guard.shed("queue_timeout") == 0
    closed(clients)


def test_all_that_goes_to_the_service_counts(stage):
    """A page that is looked at costs it a place as well, and so does what lies below the login path."""
    play = opened(stage, Desk(takes=0.01), in_flight=3, queue=60)
    clients = [play.door.client(20) for _ in range(60)]
    for n, client in enumerate(clients):
        client.send([build("GET", "/login"), build("GET", f"/login/pictures/{n}"), request()][n % 3])
    assert [client.response("GET").status for client in clients] == [200] * 60
    assert play.desk.most == 3 and play.guard.is_empty()
    closed(clients)


@pytest.mark.parametrize("workers", [1, 2])
def test_first_come_first_served(stage, workers):
    play = opened(stage, workers=workers, in_flight=1, queue=20)
    names = [f"user-{n}" for n in range(12)]
    clients = take_all_places(play) + [wait_in_line(play, name) for name in names]
    play.desk.let_go(len(clients))
    assert [client.response("POST").status for client in clients] == [200] * 13
    assert [r.body for r in play.identity.requests[1:]] == [form(name, "right") for name in names]
    closed(clients)


def test_crowd_that_comes_and_goes(stage):
    """Some leave when they have seen the line, some when their time is up, some in the middle: no place is lost, none is given twice."""
    play = opened(stage, Desk(takes=0.02), in_flight=4, queue=60, queue_timeout="300ms")
    chance, clients = random.Random(7), []
    for n in range(300):
        clients.append(play.door.client(20))
        clients[-1].send(request(f"user-{n}", "right"))
        if n % 3 == 0:
            clients.pop(chance.randrange(len(clients))).reset()
        if n % 50 == 0:
            time.sleep(0.1)
    assert {client.response("POST").status for client in clients} == {200, 503}
    eventually(play.guard.is_empty)
    assert play.desk.most == 4
    assert attempt(play.door, password="right").status == 200
    closed(clients)


# ---- the rest ----


def test_line_is_full(stage):
    """They are told so at once, each with a time of its own to come back."""
    play = opened(stage, in_flight=1, queue=2)
    clients = take_all_places(play) + [wait_in_line(play, name) for name in ("second", "third")]
    began = time.monotonic()
    refusals = [refused(attempt(play.door), 503, "login_busy") for _ in range(40)]
    assert time.monotonic() - began < 2
    times = [int(response.header("Retry-After")) for response in refusals]
    assert set(times) <= set(range(1, 12)) and len(set(times)) > 3, times
    assert play.door.logged(refusals[0].header("X-Request-Id"), decision="login_busy")["reason"] == "login_queue_full"
    assert (play.guard.in_flight, play.guard.queued, play.guard.shed("queue_full")) == (1, 2, 40)
    play.desk.let_go(3)
    assert [client.response("POST").status for client in clients] == [200] * 3
    assert len(play.identity.requests) == 3
    closed(clients)


def test_time_in_line_is_up(stage):
    play = opened(stage, in_flight=1, queue=5, queue_timeout="300ms")
    clients = take_all_places(play)
    began = time.monotonic()
    response = refused(attempt(play.door), 503, "login_busy")
    assert 0.25 < time.monotonic() - began < 1.5
    assert 1 <= int(response.header("Retry-After")) <= 3
    assert play.door.logged(response.header("X-Request-Id"))["reason"] == "login_queue_timeout"
    assert (play.guard.queued, play.guard.shed("queue_timeout")) == (0, 1)
    play.desk.let_go()
    assert clients[0].response("POST").status == 200 and len(play.identity.requests) == 1
    closed(clients)


@pytest.mark.parametrize("queue_timeout", ["200ms", "5s"])
def test_wait_is_no_overhead(stage, queue_timeout):
    """Whatever becomes of it: doorward itself did nothing meanwhile."""
    play = opened(stage, in_flight=1, queue=5, queue_timeout=queue_timeout)
    clients = take_all_places(play) + [wait_in_line(play, "waits")]
    time.sleep(0.3)
    play.desk.let_go(2)
    assert [client.response("POST").status for client in clients] == [200, 503 if queue_timeout == "200ms" else 200]
    assert play.door.metrics().value("doorward_overhead_seconds_sum") < 0.1
    closed(clients)


def test_no_line(stage):
    play = opened(stage, in_flight=1, queue=0)
    clients = take_all_places(play)
    refused(attempt(play.door), 503, "login_busy")
    play.desk.let_go()
    assert clients[0].response("POST").status == 200
    play.desk.let_go()
    assert attempt(play.door, password="right").status == 200
    closed(clients)


PERSONS = [("GET", NAVIGATION), ("POST", {**FORM, **NAVIGATION}), ("POST", {**FORM, "Accept": "text/html"})]
PROGRAMS = [("GET", FETCH), ("POST", {**FORM, **FETCH}), ("POST", FORM)]


def test_person_sees_a_page_that_tries_again(stage):
    """And a program gets a document."""
    play = opened(stage, in_flight=1, queue=0)
    clients = take_all_places(play)
    for method, headers in PERSONS:
        response = refused_page(play.door.ask(method, "/login", headers, form() if method == "POST" else None), 503, "login_busy")
        refresh = re.findall(rb'<meta http-equiv="refresh" content="(\d+)">', response.body)
        assert refresh == [response.header("Retry-After").encode()], response.body
    for method, headers in PROGRAMS:
        refused(play.door.ask(method, "/login", headers, form() if method == "POST" else None), 503, "login_busy")
    play.desk.let_go()
    closed(clients)


def test_others_do_not_notice(stage):
    play = opened(stage, in_flight=1, queue=1)
    id = play.session("7")
    clients = take_all_places(play) + [wait_in_line(play, "second")]
    assert play.door.get("/public/x").status == play.door.get("/page", session=id).status == 200
    assert play.door.get("/.doorward/whoami", session=id).status == 200
    sent_to_login(play.door.navigate("/page"), "/page")
    assert play.door.ask("POST", "/logout", {}, b"", session=id).status == 204
    play.desk.let_go(2)
    assert [client.response("POST").status for client in clients] == [200] * 2
    closed(clients)


# ---- those who do not wait ----


@pytest.mark.parametrize("leave", ["close", "reset", "finish"])
def test_client_leaves_the_line(stage, leave):
    play = opened(stage, in_flight=1, queue=2)
    first, gone, third = [*take_all_places(play), wait_in_line(play, "gone"), wait_in_line(play, "third")]
    getattr(gone, leave)()
    eventually(lambda: play.guard.queued == 1, 3, "one place in the line less")
    play.door.logged(reason="client_gone", status=499)
    fourth = wait_in_line(play, "fourth")
    play.desk.let_go(3)
    assert [client.response("POST").status for client in (first, third, fourth)] == [200] * 3
    assert [r.body for r in play.identity.requests[1:]] == [form("third", "right"), form("fourth", "right")]
    assert play.guard.is_empty()
    closed([first, gone, third, fourth])


def test_place_is_not_for_who_has_gone(stage):
    """It goes to the next who is there, however short a while ago the other left: its password would be looked at for nobody."""
    play = opened(stage, in_flight=1, queue=9)
    [inside], gone = take_all_places(play), [wait_in_line(play, f"gone-{n}") for n in range(3)]
    here = wait_in_line(play, "here")
    for client in gone:
        client.reset()
    time.sleep(0.1)
    play.desk.let_go(5)
    assert [client.response("POST").status for client in (inside, here)] == [200] * 2
    assert [r.body for r in play.identity.requests[1:]] == [form("here", "right")]
    closed([inside, here])


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_client_leaves_in_mid_login(stage, leave):
    """The service goes on with its password, so its place is not free before the answer; and the attempt counts."""
    play = opened(stage, Desk(then=lambda request, connection: answer(401)), in_flight=1, queue=2, failures=9)
    [gone], next = take_all_places(play), wait_in_line(play, "next")
    getattr(gone, leave)()
    time.sleep(1.3)
    assert len(play.identity.requests) == 1
    play.desk.let_go(1)
    play.identity.wait_for(2)
    play.desk.let_go(1)
    assert next.response("POST").status == 401 and eventually(play.guard.is_empty)
    assert play.guard.failures == 2
    next.close()
