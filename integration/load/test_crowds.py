"""Many at once: nobody is lost, nobody is taken for another, and nothing grows."""

import threading

import pytest
from support.doorward import SANITIZED
from support.programs import echo_app, listening
from support.stage import Stage
from support.swarm import Swarm
from support.wait import eventually

LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"


@pytest.fixture(scope="module")
def crowd(redis_server, tmp_path_factory):
    """Doorward with a gate in front of Redis, 200 users, and an upstream that tells each who he is."""
    with echo_app() as app, Stage(redis_server, tmp_path_factory.mktemp("crowd")) as stage:
        assert stage.gate
        stage.users = {f"user-{n}": stage.session(f"user-{n}") for n in range(200)}
        # Limits of a user's own would be reached by 256 connections of two workers otherwise.
        stage.door = stage.start(upstreams={"app": {"endpoints": [f"http://{listening(app)}"], "connections": 1024}})
        yield stage


def own_descriptors(door):
    """Without the upstream's connections: how many of them are kept depends on chance."""
    return door.descriptors() - door.metrics().value("doorward_upstream_connections")


def only_right(seen, count):
    assert dict(seen) == {"right": count}


def test_10000_requests_over_256_connections(crowd):
    only_right(Swarm(crowd.door.address, crowd.users, 256, 10_000).run(), 10_000)


def test_200_users_at_once(crowd):
    only_right(Swarm(crowd.door.address, crowd.users, 200, 4_000).run(), 4_000)


def test_200_users_over_one_worker_and_few_connections(crowd):
    """Answers of Redis pass through one pipelined connection; the upstream's through two pooled ones."""
    only_right(Swarm(crowd.door.address, crowd.users, 2, 500).run(), 500)


@pytest.mark.cost
def test_memory_and_descriptors_stay_flat(crowd):
    only_right(Swarm(crowd.door.address, crowd.users, 256, 10_000).run(), 10_000)
    resident, descriptors = crowd.door.resident_kib(), eventually(lambda: own_descriptors(crowd.door))
    only_right(Swarm(crowd.door.address, crowd.users, 256, 50_000).run(), 50_000)
    assert crowd.door.resident_kib() - resident < 1024
    eventually(lambda: own_descriptors(crowd.door) <= descriptors + 8)


FAULTS = {
    "refused": lambda gate: gate.refuse(),
    "reset": lambda gate: gate.reset(),
    "cut once": lambda gate: gate.cut(),
    "hung": lambda gate: gate.hang(),
    "half-open": lambda gate: gate.swallow(),
    "slow": lambda gate: gate.delay(0.4),
    "garbage": lambda gate: gate.garbage(b"\0\xff?what is this\r\n"),
    "LOADING": lambda gate: gate.answer(LOADING),
    "killed in mid-reply": lambda gate: gate.cut_after(200),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_nobody_is_another_during_and_after_a_fault(crowd, fault):
    """The fault begins half-way through; who does not get through is told 503, and keeps his cookie."""
    eventually(lambda: crowd.door.admin("/readyz?strict=1").status == 200, 4, "both workers connected")
    lifted = threading.Timer(0.6, crowd.gate.open)

    def begin():
        fault(crowd.gate)
        lifted.start()

    seen = Swarm(crowd.door.address, crowd.users, 200, 2_000, begin).run()
    lifted.join()
    crowd.gate.open()
    assert set(seen) <= {"right", "503"}, seen
    assert seen["right"] > 500
    eventually(lambda: crowd.door.get("/page", session=crowd.users["user-0"]).status == 200, 4, "recovery")
    eventually(lambda: crowd.door.admin("/readyz?strict=1").status == 200, 4, "both workers back")
    only_right(Swarm(crowd.door.address, crowd.users, 200, 2_000).run(), 2_000)


def test_first_requests_after_a_fault(crowd):
    """No waiting for recovery here: the very first answers that come through must be the right ones."""
    for _ in range(1 if SANITIZED else 3):
        crowd.gate.hang()
        held = Swarm(crowd.door.address, crowd.users, 100, 100, None).run()
        assert set(held) <= {"503"}, held
        crowd.gate.open()  # a hundred late answers arrive now, together with new questions
        seen = Swarm(crowd.door.address, dict(reversed(crowd.users.items())), 200, 1_000).run()
        assert set(seen) <= {"right", "503"}, seen
        eventually(lambda: crowd.door.admin("/readyz?strict=1").status == 200, 4)
