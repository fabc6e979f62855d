"""For as long as one likes: all kinds of traffic, while the lines to Redis and to the application fail in turn."""

import asyncio
import itertools
import random
import socket
import struct
import time
from collections import Counter

import pytest
from support.programs import listening, sized_app
from support.sized_app import bytes_of, receipt
from support.stage import Stage
from support.wait import eventually

UPLOAD = 150_000
DOWNLOAD = 1_000_000
REFUSALS = {"502", "503", "504"}
REFUSED, CUT, RIGHT = "refused", "cut", "right"


class Lost(Exception):
    """The end came where an answer should have begun."""


class Cut(Exception):
    """The end came within an answer."""


class Connection:
    """Reads answers strictly; what it returns is status and body."""

    @classmethod
    async def open(cls, door):
        host, _, port = door.address.rpartition(":")
        self = cls()
        self.reader, self.writer = await asyncio.open_connection(host, int(port))
        self.closing = False
        return self

    async def ask(self, request):
        try:
            self.writer.write(request)
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError) as problem:
            raise Lost(repr(problem)) from None
        fields = dict(line.lower().split(b": ", 1) for line in head[:-4].split(b"\r\n")[1:])
        self.closing = fields.get(b"connection") == b"close"
        try:
            body = await self.reader.readexactly(int(fields[b"content-length"]))
        except (OSError, asyncio.IncompleteReadError) as problem:
            raise Cut(repr(problem)) from None
        return head[9:12].decode(), body

    def close(self):
        self.writer.close()

    def reset(self):
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Traffic:
    """`users` maps users to sessions. What became of each request is in `told`: (began, ended, kind, outcome)."""

    def __init__(self, door, users):
        self.door, self.users = door, list(users.items())
        self.told, self.ends, self.died = [], False, 0

    def head(self, method, path, session, more=b""):
        return f"{method} {path} HTTP/1.1\r\nHost: app.test\r\nCookie: sid={session}\r\n".encode() + more + b"\r\n"

    async def one(self, kind, connection, request, expected):
        began = time.monotonic()
        try:
            status, body = await asyncio.wait_for(connection.ask(request), 15)
            if status == "200":
                outcome = RIGHT if body == expected else f"WRONG: {expected[:60]!r} was {body[:60]!r}"
            else:
                outcome = REFUSED if status in REFUSALS else status
        except Cut:
            outcome = CUT
        except (Lost, asyncio.TimeoutError) as problem:
            outcome = f"LOST: {problem!r}"
        self.told.append((began, time.monotonic(), kind, outcome))
        return outcome in (RIGHT, REFUSED) and not connection.closing

    async def again_and_again(self, kind, n, make, pause, keep):
        """`make(user, session)` gives a request and what is to come of it. `keep`: on one connection while it lasts."""
        connection = None
        for step in itertools.count(n):
            if self.ends:
                break
            user, session = self.users[(n if keep else step) % len(self.users)]
            connection = connection or await Connection.open(self.door)
            goes_on = await self.one(kind, connection, *make(user.encode(), session))
            if not (goes_on and keep):
                connection.close()
                connection = None
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        if connection:
            connection.close()

    def page(self, user, session):
        return self.head("GET", "/page", session), user

    def upload(self, user, session):
        body = random.randbytes(UPLOAD)
        return self.head("POST", "/upload", session, b"Content-Length: %d\r\n" % UPLOAD) + body, receipt(user, body)

    def download(self, user, session):
        return self.head("GET", f"/bytes/{DOWNLOAD}", session), bytes_of(user, DOWNLOAD)

    async def dies(self, n):
        """In the head, in a body, before the answer, or within it."""
        for step in itertools.count(n):
            if self.ends:
                return
            _, session = self.users[step % len(self.users)]
            connection = await Connection.open(self.door)
            whole = self.head("GET", f"/bytes/{DOWNLOAD}", session)
            half_a_body = self.head("POST", "/upload", session, b"Content-Length: 1000\r\n") + b"x" * 500
            connection.writer.write([whole[:30], half_a_body, whole, whole][step % 4])
            await asyncio.sleep(random.uniform(0, 0.05))
            if step % 4 == 3:
                try:
                    await asyncio.wait_for(connection.reader.read(1000), 2)
                except (OSError, asyncio.TimeoutError):
                    pass
            connection.reset() if step % 8 < 4 else connection.close()
            self.died += 1
            await asyncio.sleep(random.uniform(0.02, 0.1))

    def parts(self):
        yield from (self.again_and_again("kept", n, self.page, 0.2, True) for n in range(20))
        yield from (self.again_and_again("new", n, self.page, 0.1, False) for n in range(4))
        yield from (self.again_and_again("upload", n, self.upload, 0.2, True) for n in range(4))
        yield from (self.again_and_again("download", n, self.download, 0.3, True) for n in range(4))
        yield from (self.dies(n) for n in range(3))

    async def play(self, faults):
        tasks = [asyncio.create_task(part) for part in self.parts()]
        try:
            await faults
        finally:
            self.ends = True
            await asyncio.gather(*tasks)


# Each holds for a moment, and is over when it is opened again. Redis and the application may take a second: more than a
# busy machine takes by itself.
FAULTS = {
    "redis stalls": ("redis", lambda gate: gate.hang(), 1.5),
    "app cut": ("app", lambda gate: gate.cut(), 0),
    "redis reset": ("redis", lambda gate: gate.reset(), 0.3),
    "app stalls": ("app", lambda gate: gate.hang(), 1.5),
    "redis restarts": ("redis", lambda gate: gate.refuse(), 0.5),
    "app restarts": ("app", lambda gate: gate.refuse(), 0.5),
    "redis slow": ("redis", lambda gate: gate.delay(0.1), 0.5),
    "app cut within answers": ("app", lambda gate: gate.cut_after(100_000, rst=True), 0.5),
    "redis cut": ("redis", lambda gate: gate.cut(), 0),
    "app reset": ("app", lambda gate: gate.reset(), 0.3),
}


class Soak:
    def __init__(self, stage, app):
        self.stage = stage
        self.gates = {"redis": stage.gate, "app": stage.gate_before(listening(app))}
        users = {f"user-{n}": stage.session(f"user-{n}") for n in range(20)}
        upstream = {"endpoints": [f"http://{self.gates['app'].address}"], "timeouts": {"first_byte": "1s", "idle": "2s"}}
        self.door = stage.start(upstreams={"app": upstream}, redis={"timeouts": {"command": "1s"}}, log={"access": False})
        self.traffic = Traffic(self.door, users)
        self.windows = []  # (name, begin, end)
        self.memory = []

    async def elsewhere(self, call, *args):
        """What blocks does not hold up the traffic."""
        return await asyncio.get_running_loop().run_in_executor(None, call, *args)

    def well(self):
        """Both workers have their connection to Redis."""
        return self.door.admin("/readyz?strict=1").status == 200

    async def fault(self, name):
        line, begin, seconds = FAULTS[name]
        start = time.monotonic()
        await self.elsewhere(begin, self.gates[line])
        await asyncio.sleep(seconds)
        await self.elsewhere(self.gates[line].open)
        await self.elsewhere(eventually, self.well, 8, f"all well after {name}")
        self.windows.append((name, start, time.monotonic() + 0.3))

    async def faults(self, seconds):
        end = time.monotonic() + seconds
        names = itertools.cycle(FAULTS)
        pause = min(3.0, seconds / 40)
        while time.monotonic() < end:
            await asyncio.sleep(pause)
            self.memory.append((time.monotonic(), self.door.resident_kib()))
            await self.fault(next(names))
        await asyncio.sleep(pause)
        self.memory.append((time.monotonic(), self.door.resident_kib()))

    def judge(self, began, ended, kind, outcome):
        """What is wrong with that; None if nothing is."""
        if outcome == RIGHT:
            return None
        during = [name for name, begin, end in self.windows if began <= end and ended >= begin]
        if outcome == REFUSED and during:
            return None
        if outcome == CUT and any(name.startswith("app") for name in during):
            return None
        after = began - max((end for _, _, end in self.windows if end < began), default=began)
        return f"{kind}: {outcome}, {during or f'{after:.1f} s after a fault'}, took {ended - began:.2f} s"

    def grown(self):
        """KiB, of the most in the second half over the end of the first."""
        first, last = self.memory[0][0], self.memory[-1][0]
        half = (first + last) / 2
        before = [kib for at, kib in self.memory if at <= half][-1]
        return max(kib for at, kib in self.memory if at > half) - before


def own_descriptors(door):
    """Without the upstream's connections: how many of them are kept depends on chance."""
    return door.descriptors() - door.metrics().value("doorward_upstream_connections")


@pytest.mark.cost
@pytest.mark.parametrize("seconds", [8, pytest.param(600, marks=pytest.mark.long)])
def test_faults_on_both_sides(redis_server, tmp_path, seconds):
    """Nobody gets another's answer; where nothing fails all are served, and else each is told so; nothing grows."""
    with sized_app() as app, Stage(redis_server, tmp_path) as stage:
        assert stage.gate
        soak = Soak(stage, app)
        door, traffic = soak.door, soak.traffic
        assert door.get("/page", session=traffic.users[0][1]).status == 200
        descriptors = own_descriptors(door)
        asyncio.run(traffic.play(soak.faults(seconds)))

        outcomes = Counter((kind, outcome) for _, _, kind, outcome in traffic.told)
        memory = [kib for _, kib in soak.memory]
        print(f"{len(traffic.told)} requests and {traffic.died} that died, {len(soak.windows)} faults: {dict(outcomes)}; memory "
              f"{memory[0]} to {memory[-1]} KiB, most {max(memory)}, second half +{soak.grown()}")  # fmt: skip
        wrong = Counter(filter(None, (soak.judge(*entry) for entry in traffic.told)))
        assert not wrong, wrong
        assert all(outcomes[kind, RIGHT] > 0 for kind in ("kept", "new", "upload", "download"))
        assert sum(outcomes[kind, REFUSED] for kind in ("kept", "new", "upload", "download")) > 0, "no fault was felt"
        assert {name for name, _, _ in soak.windows} <= set(FAULTS) and len(soak.windows) >= 3
        assert soak.grown() < 2048
        eventually(lambda: door.metrics().value("doorward_connections") == 0, 10, "the end of all connections")
        eventually(lambda: own_descriptors(door) <= descriptors + 2, 10, "descriptors back where they were")
        door.stop()
