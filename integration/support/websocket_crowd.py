"""Many WebSockets at once: each checks every echo, and is replaced by another when it has been closed."""

import asyncio
import random
import time
from collections import Counter

import websockets

from .websocket_echo import pieces

NOISE = random.Random(7).randbytes(2 * 1024 * 1024)
CHUNK = "Żółć, ümlaut, 日本, plain. "
TEXT = CHUNK * (1024 * 1024 // len(CHUNK))
LARGE = 1024 * 1024


class Crowd:
    """`connections` are kept open at once for `seconds`; `when_all_are_there` is called once, while nobody speaks."""

    def __init__(self, url, connections, seconds, when_all_are_there, headers=()):
        self.url, self.connections, self.seconds, self.headers = url, connections, seconds, headers
        self.when_all_are_there = when_all_are_there
        self.seen = Counter()  # what went well, and in capitals what did not
        self.bytes = 0

    def connect(self, number):
        # A tenth speak compressed, as browsers do.
        return websockets.connect(self.url, extra_headers=self.headers, max_size=None, open_timeout=60, close_timeout=60, ping_interval=None,
                                  compression="deflate" if number % 10 == 0 else None)  # fmt: skip

    async def say(self, socket, dice):
        """One message of some kind, and its echo."""
        kind = dice.choices(["text", "bytes", "pieces", "large", "ping", "be pinged"], [40, 30, 12, 3, 10, 5])[0]
        if kind == "ping":
            await (await socket.ping())
        elif kind == "be pinged":
            await socket.send("please ping")
            if await socket.recv() != "pinged":
                self.seen["WRONG ANSWER"] += 1
        else:
            # Few large ones at a time, so that the crowd's own memory stays bounded.
            async with self.large if kind == "large" else self.small:
                await self.echo(socket, dice, kind)
        self.seen[kind] += 1

    async def echo(self, socket, dice, kind):
        count = {"text": dice.randrange(300), "bytes": dice.choice([0, 125, 126, 4000, 65_535, 65_536]), "pieces": dice.randrange(200_000),
                 "large": dice.choice([LARGE, LARGE - 1, 300_000])}[kind]  # fmt: skip
        start, textual = dice.randrange(200), kind == "text" or (kind != "bytes" and dice.random() < 0.5)
        message = (TEXT if textual else NOISE)[start : start + count]
        await socket.send(pieces(message) if kind == "pieces" and message else message)
        if await socket.recv() != message:
            self.seen["WRONG ECHO"] += 1
        self.bytes += len(message)

    async def close(self, socket, dice):
        """From either side; the close that was said is the close that is heard."""
        if dice.random() < 0.5:
            self.seen["closed here"] += 1
            await socket.close(1000, "thank you")
            expected = 1000
        else:
            self.seen["closed there"] += 1
            expected = dice.choice([1000, 1001, 4000, 4999])
            await socket.send(f"please close with {expected}")
            await socket.wait_closed()
        if socket.close_code != expected:
            self.seen[f"CLOSED WITH {socket.close_code} FOR {expected}"] += 1

    async def visit(self, number):
        dice, first = random.Random(number), True
        while first or time.monotonic() < self.until:
            try:
                async with self.opening:
                    socket = await self.connect(number)
                self.seen["opened"] += 1
                if first:
                    self.there += 1
                    if self.there == self.connections:
                        await asyncio.to_thread(self.when_all_are_there)
                        self.until = time.monotonic() + self.seconds
                        self.all_there.set()
                    await self.all_there.wait()
                    first = False
                for _ in range(dice.randrange(1, 12)):
                    await self.say(socket, dice)
                    if time.monotonic() > self.until:
                        break
                await self.close(socket, dice)
            except Exception as problem:  # one is enough for the play to fail; it shows which
                self.seen[f"LOST: {type(problem).__name__}: {problem}"] += 1
                if first:
                    raise

    async def play(self):
        self.opening, self.large, self.small = asyncio.Semaphore(50), asyncio.Semaphore(8), asyncio.Semaphore(self.connections)
        self.all_there, self.there, self.until = asyncio.Event(), 0, float("inf")
        await asyncio.wait_for(asyncio.gather(*map(self.visit, range(self.connections))), 180 + self.seconds)
        return self.seen

    def run(self):
        return asyncio.run(self.play())


def problems(seen):
    """What should not have happened, and how often."""
    return {what: count for what, count in seen.items() if what.isupper() or what.startswith(("LOST", "CLOSED", "WRONG"))}
