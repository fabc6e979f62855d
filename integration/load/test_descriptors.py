"""No descriptor is left: whoever is there is served, the others wait or are told, and nothing spins."""

import os
import resource
import socket

import pytest
import support.doorward
from support.client import build
from support.expect import refused
from support.wait import eventually

# Where none is left, the sanitizer cannot open the pipe by which it looks whether an object is one, and says it is not.
pytestmark = pytest.mark.plain

LIMIT = 64
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(door):
    with open(f"/proc/{door.process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_over_a_second(door):
    """Of one second in which nobody asks for anything; a connection that says nothing ends it."""
    before = cpu_seconds(door)
    near, far = socket.socketpair()
    with near, far:
        near.settimeout(1)
        with pytest.raises(TimeoutError):
            near.recv(1)
    return cpu_seconds(door) - before


def leave(door, count):
    """From now on it can open so many descriptors more."""
    used = {int(name) for name in os.listdir(f"/proc/{door.process.pid}/fd")}
    free = (number for number in range(1 << 16) if number not in used)
    highest = [next(free) for _ in range(count + 1)][-1]
    resource.prlimit(door.process.pid, resource.RLIMIT_NOFILE, (highest, resource.prlimit(door.process.pid, resource.RLIMIT_NOFILE)[1]))


def lift(door):
    most = resource.prlimit(door.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(door.process.pid, resource.RLIMIT_NOFILE, (most, most))


def alone(stage):
    """With one worker, and nobody's connection that could end and leave its descriptor."""
    door = stage.start(ready=False, server={"workers": 1})
    door.log.wait_for_json(lambda e: e.get("event") == "redis_connected")
    return door


def told(door, event):
    return [entry for entry in door.log.json() if entry.get("event") == event]


@pytest.fixture
def poor(stage, tmp_path, monkeypatch):
    """Started where no more may be open."""
    script = tmp_path / "doorward"
    script.write_text(f'#!/bin/sh\nulimit -n {LIMIT}\nexec {support.doorward.BINARY.absolute()} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr(support.doorward, "BINARY", script)
    return stage.start()


def test_it_says_at_the_start_that_they_are_few(poor):
    warning = poor.log.wait_for_json(lambda e: e.get("event") == "few_descriptors")
    assert (warning["limit"], warning["connections"]) == (LIMIT, 10_000)


@pytest.mark.parametrize("round", [1, 2])
def test_a_crowd_takes_them_all(stage, poor, round):
    """Those who were there first have their connection to the upstream, and go on; the rest are served when there is room."""
    id = stage.session("42")
    ask = lambda client, path="/page": client.ask("GET", path, {"Cookie": f"sid={id}"}).status  # noqa: E731
    mine = [poor.client() for _ in range(4)]
    assert [ask(client) for client in mine] == [200] * 4
    for _ in range(round):
        crowd = [poor.client() for _ in range(2 * LIMIT)]
        eventually(lambda: poor.descriptors() == LIMIT, 5, "the last descriptor")
        poor.log.wait_for_json(lambda e: e.get("event") == "accept_failed" and "open files" in e["error"])
        for _ in range(10):
            assert [ask(client) for client in mine] == [200] * 4
        for client in crowd:
            client.close()
        eventually(lambda: poor.descriptors() < LIMIT / 2, 10, "room")
        with poor.client() as late:
            assert ask(late) == 200
    # Two workers, ten seconds: one line each.
    assert len(told(poor, "accept_failed")) <= 4
    for client in mine:
        client.close()


@pytest.mark.cost
def test_it_does_not_spin(stage, poor):
    crowd = [poor.client() for _ in range(2 * LIMIT)]
    poor.log.wait_for_json(lambda e: e.get("event") == "accept_failed")
    assert min(cpu_over_a_second(poor) for _ in range(2)) < 0.15
    for client in crowd:
        client.close()


def test_whoever_waited_outside_is_served(stage, poor):
    """A request of one who could not be taken yet is answered once others have left."""
    crowd = [poor.client() for _ in range(LIMIT)]
    poor.log.wait_for_json(lambda e: e.get("event") == "accept_failed")
    waiting = [poor.client() for _ in range(10)]
    for client in waiting:
        client.send(build("GET", "/public/x"))
    for client in crowd:
        client.close()
    assert [client.response().status for client in waiting] == [200] * 10
    for client in waiting:
        client.close()


def test_none_left_for_the_upstream(stage):
    """The client has the last one: 502, at once, and all is well when there is one."""
    door = alone(stage)
    leave(door, 1)
    with door.client() as client:
        refused(client.ask("GET", "/public/x"), 502, "upstream_unavailable")
        assert door.logged(path="/public/x", status=502)["reason"] == "upstream_connect"
        lift(door)
        assert client.ask("GET", "/public/x").status == 200
    assert stage.app.connections == 1


def test_none_left_for_redis(stage):
    """Its connection ends, and no new one can be made: 503, the cookie left alone, until there is one."""
    assert stage.gate
    id = stage.session("42")
    door = alone(stage)
    with door.client() as client:
        ask = lambda: client.ask("GET", "/page", {"Cookie": f"sid={id}"})  # noqa: E731
        assert ask().status == 200
        before = door.descriptors()
        stage.gate.refuse()
        eventually(lambda: door.descriptors() == before - 1, 5, "the end of the connection to Redis")
        leave(door, 0)
        stage.gate.open()
        response = refused(ask(), 503, "store_unavailable")
        assert response.all("Set-Cookie") == []
        assert cpu_over_a_second(door) < 0.3
        refused(ask(), 503, "store_unavailable")
        assert client.ask("GET", "/public/x").status == 200
        lift(door)
        eventually(lambda: ask().status == 200, 8, "Redis again")
