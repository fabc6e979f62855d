"""Many at once: nobody is lost, nobody is taken for another, and nothing grows."""

import threading
import time

import pytest
from support.doorward import SANITIZED
from support.programs import echo_app, listening
from support.redis_server import USER
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


def all_is_well(crowd):
    """Both workers have their connection, and get good answers. It takes requests to show the second."""

    def well():
        served = crowd.door.get("/page", session=crowd.users["user-0"]).status
        return served == 200 and crowd.door.admin("/readyz?strict=1").status == 200

    eventually(well, 6, "both workers well")


def one_connection_a_worker(crowd, since):
    """However many ask: all of a worker's requests share one pipelined connection to Redis."""
    assert crowd.gate.links == crowd.door.config["server"]["workers"]
    assert crowd.gate.accepted_since(since) == 0, "another connection was opened for the crowd"


def test_10000_requests_over_256_connections(crowd):
    start = time.monotonic()
    only_right(Swarm(crowd.door.address, crowd.users, 256, 10_000).run(), 10_000)
    one_connection_a_worker(crowd, start)


def test_200_users_at_once(crowd):
    start = time.monotonic()
    only_right(Swarm(crowd.door.address, crowd.users, 200, 4_000).run(), 4_000)
    one_connection_a_worker(crowd, start)


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


def lock_out(crowd):
    """The password of the ACL user is changed, and he has to say it again."""
    crowd.server.admin("ACL", "SETUSER", USER, "resetpass", ">another")
    crowd.gate.cut()


def lift(crowd):
    crowd.server.reset_acl()
    crowd.gate.open()


FAULTS = {
    "refused": lambda crowd: crowd.gate.refuse(),
    "reset": lambda crowd: crowd.gate.reset(),
    "cut once": lambda crowd: crowd.gate.cut(),
    "hung": lambda crowd: crowd.gate.hang(),
    "half-open": lambda crowd: crowd.gate.swallow(),
    "slow": lambda crowd: crowd.gate.delay(0.4),
    "garbage": lambda crowd: crowd.gate.garbage(b"\0\xff?what is this\r\n"),
    "wrong password": lock_out,
    "LOADING": lambda crowd: crowd.gate.answer(LOADING),
    "killed in mid-reply": lambda crowd: crowd.gate.cut_after(200),
}


@pytest.mark.parametrize("name", FAULTS)
def test_nobody_is_another_during_and_after_a_fault(crowd, name):
    """The fault begins half-way through; who does not get through is told 503, and keeps his cookie."""
    all_is_well(crowd)
    lifted = threading.Timer(0.6, lift, [crowd])

    def begin():
        FAULTS[name](crowd)
        lifted.start()

    seen = Swarm(crowd.door.address, crowd.users, 200, 2_000, begin).run()
    lifted.join()
    lift(crowd)
    assert set(seen) <= {"right", "503"}, seen
    assert seen["right"] > 500
    assert seen["503"] > 0 or name == "cut once", "the fault was not felt"
    all_is_well(crowd)
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
        all_is_well(crowd)
