"""More connections than may be: who is in is served, who is not is told so."""

import threading
from collections import Counter

import pytest
from support.client import RawClient
from support.expect import refused
from support.swarm import Swarm
from support.upstream import answer
from support.wait import eventually

MOST = 60


def connections(door):
    return door.metrics().value("doorward_connections")


def turned_away(address):
    with RawClient(address) as client:
        response = refused(client.response(), 503, "overloaded")
        assert response.header("Connection") == "close" and client.is_closed()


def served(client):
    return client.ask("GET", "/public/x").status == 200


def connected(address, count):
    clients = [RawClient(address) for _ in range(count)]
    assert all(map(served, clients))
    return clients


def close(clients):
    for client in clients:
        client.close()


class Knocking:
    """Connects again and again from two threads, until told to stop."""

    def __init__(self, address):
        self.address, self.stop, self.answers = address, threading.Event(), Counter()
        self.threads = [threading.Thread(target=self.knock, daemon=True) for _ in range(2)]

    def knock(self):
        while not self.stop.is_set():
            try:
                turned_away(self.address)
                self.answers["refused"] += 1
            except (AssertionError, OSError) as problem:
                self.answers[repr(problem)[:200]] += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(10)


def test_those_who_are_in_do_not_notice_who_is_turned_away(stage):
    users = {f"user-{n}": stage.session(f"user-{n}") for n in range(MOST)}
    stage.app.script = lambda request, connection: answer(body=(request.header("X-User-Id") or "nobody").encode())
    door = stage.start(server={"limits": {"connections": MOST}})
    guests = connected(door.address, 1)  # holds one place, so that the swarm has all the others
    swarm = Swarm(door.address, users, MOST - 1, 3_000)
    result = []
    running = threading.Thread(target=lambda: result.append(swarm.run()))
    running.start()
    eventually(lambda: connections(door) == MOST, 5, "a full house")
    with Knocking(door.address) as knocking:
        eventually(lambda: knocking.answers["refused"] >= 50 or not running.is_alive(), 20)
        still_full = running.is_alive() and swarm.open == MOST - 1
    assert still_full, "it was too short"
    assert set(knocking.answers) == {"refused"}, knocking.answers
    running.join(60)
    assert dict(result[0]) == {"right": 3_000}
    close(guests)


@pytest.mark.parametrize("workers", [1, 2])
def test_as_many_as_leave_are_let_in(stage, workers):
    door = stage.start(server={"workers": workers, "limits": {"connections": MOST}})
    clients = connected(door.address, MOST)
    for leaving in (1, 20, MOST):
        turned_away(door.address)
        close(clients[:leaving])
        del clients[:leaving]
        eventually(lambda: connections(door) == MOST - leaving, 5, "room")
        clients += connected(door.address, leaving)
    assert all(map(served, clients))
    turned_away(door.address)
    close(clients)


@pytest.mark.parametrize("workers", [1, 2])
def test_full_listener_beside_one_that_is_not(stage, workers):
    """A limit of a listener's own is over all workers, and no other listener's concern."""
    door = stage.start(server={"workers": workers, "listen": [{"address": "127.0.0.1:0", "connections": 5}, "127.0.0.1:0"]})
    small, other = door.addresses
    inside = connected(small, 5)
    for _ in range(3):
        turned_away(small)
    notice = door.log.wait_for_json(lambda e: e.get("event") == "listener_limit")
    assert (notice["address"], notice["connections"]) == ("127.0.0.1:0", 5)
    beside = connected(other, 20)
    assert all(map(served, inside))

    inside.pop().close()
    eventually(lambda: connections(door) == 24, 5, "room")
    inside += connected(small, 1)
    turned_away(small)
    close(inside + beside)


def test_general_limit_goes_before_that_of_a_listener(stage):
    """Also those of other listeners take its places."""
    listen = [{"address": "127.0.0.1:0", "connections": 5}, {"address": "127.0.0.1:0", "connections": 0}]
    door = stage.start(server={"listen": listen, "limits": {"connections": 8}})
    small, other = door.addresses
    inside = connected(other, 6) + connected(small, 2)
    turned_away(small)
    turned_away(other)
    assert all(map(served, inside))
    close(inside)
