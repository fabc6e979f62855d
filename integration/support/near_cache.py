"""What plays about the near-cache need: a witness who hears from Redis what doorward hears, and a gate that tells a
worker's two connections apart."""

import itertools
import time

from .gate import Gate
from .resp import Resp, encode
from .wait import eventually

INVALIDATIONS = "__redis__:invalidate"
LOOKUPS = "doorward_session_lookups_total"


class Witness:
    """Another client that tracks keys. One that connects before doorward has a lower number, and Redis 7 writes to it
    later: what it has heard has been sent to doorward."""

    def __init__(self, server, db):
        self.hears = Resp(server.address)
        number = self.hears("CLIENT", "ID")
        self.hears.sock.sendall(encode(["SUBSCRIBE", INVALIDATIONS]))
        assert self.hears.read()[0] == "subscribe"
        self.reads = Resp(server.address, db)
        assert self.reads("CLIENT", "TRACKING", "ON", "REDIRECT", number) == "OK"

    def watch(self, *ids):
        for id in ids:
            self.reads("HGETALL", f"session:{id}")

    def wait(self, *ids):
        """Until a change of each has been heard of, or of all keys; when that was."""
        missing = {f"session:{id}" for id in ids}
        while missing:
            payload = self.hears.read()[2]
            if payload is None:
                break
            missing -= set(payload)
        return time.monotonic()

    def close(self):
        self.hears.close()
        self.reads.close()


class Balancer(Gate):
    """Leads each new connection to the next of several servers."""

    def __init__(self, *targets):
        self._targets = itertools.cycle(targets)
        super().__init__(targets[0])

    async def _serve(self, reader, writer):
        self.target = next(self._targets)
        await super()._serve(reader, writer)


class SortingGate(Gate):
    """A gate before Redis that tells the `feed` of a worker from its `own` connection, by the first thing it says."""

    def __init__(self, target):
        self._held, self._half_open = set(), set()
        super().__init__(target)

    def hold(self, kind):
        """Answers on those connections wait until release()."""
        self._change(lambda: self._held.add(kind))

    def release(self):
        self._change(self._held.clear)

    def cut_only(self, kind):
        """Ends those connections once; new ones pass."""

        async def end():
            for link in [link for link in self._links if kind_of(link) == kind]:
                link.end(True)
                self._links.discard(link)

        self._do(end())

    def half_open(self, kind):
        """Redis sees the end of those connections, and doorward nothing at all."""

        async def end():
            for link in [link for link in self._links if kind_of(link) == kind]:
                link.dead = True
                link.far.transport.abort()

        self._do(end())

    def _change(self, what):
        async def change():
            what()
            self._changed.set()
            self._changed = type(self._changed)()

        self._do(change())

    async def _treat(self, link, data, is_answer):
        if not is_answer and b"SUBSCRIBE" in data:
            link.is_feed = True
        while is_answer and kind_of(link) in self._held:
            await self._changed.wait()
        return await super()._treat(link, data, is_answer)


def kind_of(link):
    return "feed" if getattr(link, "is_feed", False) else "own"


def is_ready(door, workers=1):
    return door.metrics().value("doorward_session_cache_ready") == workers


def wait_ready(door, workers=1, within=5.0):
    eventually(lambda: is_ready(door, workers), within, "a near-cache that is in use")
    return door


class Counted:
    """How often look-ups ended in which way since this was made or asked last."""

    def __init__(self, door):
        self.door = door
        self.before = self._now()

    def _now(self):
        metrics = self.door.metrics()
        return {labels["result"]: value for name, labels, value in metrics.samples if name == LOOKUPS}

    def __call__(self):
        now, before = self._now(), self.before
        self.before = now
        return {result: int(value - before[result]) for result, value in now.items() if value != before[result]}
