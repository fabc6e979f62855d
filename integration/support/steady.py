"""A polite client that asks at a steady rate, whatever becomes of its answers, and says how long each took.

The rate is that of an open loop: a request is due at its time, and what it waits for the one before it counts. It is a
process of its own, so that what a play does meanwhile costs it nothing.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter

from .doorward import ROOT
from .programs import Program
from .wait import eventually


class Asking:
    """One keep-alive connection that is never given up."""

    def __init__(self, options, user, session):
        self.options, self.user = options, user.encode()
        cookie = f"Cookie: sid={session}\r\n" if session else ""
        self.request = f"GET {options.path} HTTP/1.1\r\nHost: app.test\r\n{cookie}\r\n".encode()

    async def answer(self):
        self.writer.write(self.request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await self.reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200 "):
            return head[9:12].decode()
        return "right" if body == self.user else f"WRONG: {self.user!r} was {body[:100]!r}"

    async def play(self, first, every, told):
        host, _, port = self.options.address.rpartition(":")
        local = (self.options.source, 0) if self.options.source else None
        self.reader, self.writer = await asyncio.open_connection(host, int(port), local_addr=local)
        due = first
        while True:
            await asyncio.sleep(max(0, due - time.monotonic()))
            try:
                outcome = await asyncio.wait_for(self.answer(), 20)
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as problem:
                told.append((due, 0, f"lost: {problem!r}"))
                return
            told.append((due, time.monotonic() - due, outcome))
            due += every


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("users")
    parser.add_argument("--path", default="/page")
    parser.add_argument("--source")
    parser.add_argument("--rate", type=float)
    options = parser.parse_args()
    users = json.loads(options.users)
    every, start, told = len(users) / options.rate, time.monotonic() + 0.2, []
    tasks = [asyncio.create_task(Asking(options, user, session).play(start + n / options.rate, every, told))
             for n, (user, session) in enumerate(users.items())]  # fmt: skip
    while True:
        await asyncio.sleep(0.1)
        for task in tasks:
            if task.done() and task.exception():
                raise task.exception()
        print(json.dumps({"now": time.monotonic(), "told": told}), flush=True)
        told.clear()


class Steady:
    """`users` maps a user to his session, or to None; each has a connection, and they share `rate` requests a second."""

    def __init__(self, address, users, rate=200, path="/page", source=None):
        command = [sys.executable, "-m", "support.steady", address, json.dumps(users), "--path", path, "--rate", rate]
        command += ["--source", source] if source else []
        self.program = Program(*command, cwd=ROOT / "integration")
        self.rate = rate
        self.wait_until(time.monotonic() + 1.0)  # connected, and warm

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.stop()

    def told(self):
        return [tuple(entry) for line in self.program.output.json() for entry in line["told"]]

    def wait_until(self, moment):
        """Until everything has been heard of that was due before; an answer may take its time."""
        said = self.program.output.wait_for_json
        said(lambda line: line["now"] > moment, max(0, moment - time.monotonic()) + 10, "the steady client")

    def over(self, seconds):
        """Waits so long, and returns what became of the requests that were due in that time."""
        begin = time.monotonic()
        return self.between(begin, begin + seconds)

    def between(self, begin, end):
        expected = int((end - begin) * self.rate * 0.98) - 2

        def all_of_them():
            told = self.told()
            found = [entry for entry in told if begin <= entry[0] < end]
            lost = [entry for entry in told if entry[2].startswith("lost")]  # such a connection asks no more
            return found + lost if lost or len(found) >= expected else None

        self.wait_until(end)
        return Figures(eventually(all_of_them, 25, "the answers that were due"))


class Figures:
    def __init__(self, entries):
        self.outcomes = Counter(outcome for _, _, outcome in entries)
        self.latencies = sorted(latency for _, latency, _ in entries)

    @property
    def p99(self):
        """In seconds."""
        return self.latencies[int(len(self.latencies) * 0.99)]

    @property
    def p50(self):
        return self.latencies[len(self.latencies) // 2]

    def all_right(self):
        assert set(self.outcomes) == {"right"}, self.outcomes
        return self

    def __repr__(self):
        most = self.latencies[-1]
        return f"<p50 {self.p50 * 1000:.1f} ms, p99 {self.p99 * 1000:.1f} ms, most {most * 1000:.1f} ms, {dict(self.outcomes)}>"


if __name__ == "__main__":
    asyncio.run(main())
