"""Many clients at once, each of whom knows who he is and looks whether the answer does."""

import asyncio
from collections import Counter


class Visitor(asyncio.Protocol):
    """Asks again and again over one connection; comes back when it is closed between two requests."""

    def __init__(self, swarm, user, session):
        self.swarm, self.user = swarm, user.encode()
        cookie = f"Cookie: theme=dark; sid={session}\r\n".encode() if session else b""
        self.request = b"GET /page HTTP/1.1\r\nHost: app.test\r\nUser-Agent: swarm\r\nAccept: */*\r\n" + cookie + b"\r\n"
        self.waiting = False

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""
        self.next()

    def next(self):
        if self.swarm.take():
            self.waiting = True
            self.transport.write(self.request)
        else:
            self.transport.close()

    def data_received(self, data):
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        start = head.index(b"content-length:") + 15
        stop = head.find(b"\r\n", start)
        length = int(head[start : stop if stop >= 0 else len(head)])
        if len(self.buffer) < end + 4 + length:
            return
        body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
        status = head[9:12].decode()
        self.waiting = False
        if status == "200":
            self.swarm.seen["right" if body == self.user else f"WRONG: {self.user!r} was {body!r}"] += 1
        else:
            self.swarm.seen[status] += 1
        if b"set-cookie" in head:
            self.swarm.seen["SET-COOKIE"] += 1
        self.next()

    def connection_lost(self, problem):
        if self.waiting:
            self.swarm.seen["lost"] += 1
        self.swarm.gone(self)


class Swarm:
    """`users` maps a user to his session; connections are spread over them. `between` is called once, half-way."""

    def __init__(self, address, users, connections, requests, between=None):
        self.host, _, self.port = address.rpartition(":")
        self.users = list(users.items())
        self.connections = connections
        self.left = requests
        self.half = requests // 2 if between else None
        self.between = between
        self.seen = Counter()
        self.open = 0

    def take(self):
        if self.left == self.half:
            self.between()
        self.left -= 1
        return self.left >= 0

    def gone(self, visitor):
        self.open -= 1
        if self.open == 0:
            self.done.set()

    async def play(self):
        loop, self.done = asyncio.get_running_loop(), asyncio.Event()
        self.open = self.connections
        for n in range(self.connections):
            user, session = self.users[n % len(self.users)]
            await loop.create_connection(lambda u=user, s=session: Visitor(self, u, s), self.host, int(self.port))
        await asyncio.wait_for(self.done.wait(), 120)
        return self.seen

    def run(self):
        return asyncio.run(self.play())
