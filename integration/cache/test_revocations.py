"""A session that Redis has deleted opens nothing any more, once Redis has said so and told. Some hundred sessions under
load, and ten thousand with --long."""

import statistics
import threading
import time

import pytest
from support.client import build
from support.doorward import with_session

LOOKERS = 3  # who ask for the session that is about to go, all the time
OTHERS = 2  # who ask for sessions that stay


@pytest.fixture(scope="module")
def count(request):
    return 10_000 if request.config.getoption("--long") else 300


class Asker(threading.Thread):
    """Asks without a pause. Of each answer it is noted when its request began: what began after a session was gone must
    not find it."""

    def __init__(self, door, next_session):
        super().__init__(daemon=True)
        # Patient: it shares its interpreter with everybody who asks and answers here.
        self.client, self.next_session = door.client(timeout=30), next_session
        self.answers, self.over, self.failed = 0, False, None
        self.let_in = {}  # session: when the last request began that was let in
        self.start()

    def run(self):
        try:
            self.ask()
        except Exception as e:
            self.failed = e

    def ask(self):
        while not self.over:
            session = self.next_session()
            request = build("GET", "/page", with_session((), session))
            began = time.monotonic()
            self.client.send(request)
            response = self.client.response()
            assert response.status in (200, 401), response
            if response.status == 200:
                self.let_in[session] = began
            self.answers += 1

    def stop(self):
        self.over = True
        self.join(40)
        self.client.close()
        return self


def test_nobody_is_let_in_once_redis_has_deleted_and_told(stage, count):
    door = stage.open_door(workers=2)
    staying = [stage.session(str(n)) for n in range(50)]
    current = [staying[0]]
    lookers = [Asker(door, lambda: current[0]) for _ in range(LOOKERS)]
    others = [Asker(door, lambda k=k: staying[int(time.monotonic() * 1e4 + k) % len(staying)]) for k in range(OTHERS)]
    clients = [door.client() for _ in range(4)]
    gone, deliveries, stale, began = {}, [], 0, time.monotonic()
    try:
        for n in range(count):
            session = f"session-to-be-revoked-{n:06d}"
            stage.redis("HSET", f"session:{session}", "userId", "42", "lastSeen", int(time.time() * 1000))
            stage.redis("PEXPIRE", f"session:{session}", 60_000)
            current[0] = session
            for client in clients * 3:  # so that there are copies of it
                assert client.ask("GET", "/page", with_session((), session)).status == 200
            stage.witness.watch(session)
            assert stage.redis("DEL", f"session:{session}") == 1
            acknowledged = time.monotonic()
            delivered = stage.witness.wait(session)
            gone[session] = max(acknowledged, delivered)
            deliveries.append(gone[session] - acknowledged)
            stale += sum(client.ask("GET", "/page", with_session((), session)).status == 200 for client in clients)
    finally:
        took = time.monotonic() - began
        answers = sum(asker.stop().answers for asker in lookers + others)
        for client in clients:
            client.close()
    assert not any(asker.failed for asker in lookers + others), [asker.failed for asker in lookers + others]
    for asker in lookers:
        stale += sum(session in gone and began > gone[session] for session, began in asker.let_in.items())
    metrics = door.metrics()
    lookups = {r: int(metrics.value("doorward_session_lookups_total", result=r)) for r in ("hit", "cached", "coalesced", "miss")}
    ms = sorted(1000 * seconds for seconds in deliveries)
    print(f"\n{count} revocations in {took:.0f} s, {answers + 16 * count} answers meanwhile ({(answers + 16 * count) / took:.0f}/s), "
          f"look-ups {lookups}; from OK to the news: median {statistics.median(ms):.3f} ms, "
          f"99 % {ms[len(ms) * 99 // 100]:.3f} ms, most {ms[-1]:.3f} ms; stale: {stale}")  # fmt: skip
    assert lookups["cached"] > 4 * count
    assert stale == 0
