"""A gate on a line between two programs, which passes, delays, cuts, corrupts or swallows what goes through it.

Every method returns when the fault is in force. Faults hold until the next call; `open()` ends them all.
"""

import asyncio
import os
import socket
import struct
import threading
import time

from .resp import count_commands


class Link:
    """One connection through the gate."""

    def __init__(self, near, far):
        self.near = near  # writer to the side that connected
        self.far = far  # writer to the target
        self.dead = False  # swallowed once, swallows for ever
        self.pending = b""  # commands not yet whole, while the gate answers itself
        self.left = None  # bytes of answers until it is cut
        self.ended = set()  # writers that have been told the end

    def end(self, rst):
        for writer in (self.near, self.far):
            if writer is None:
                continue
            sock = writer.get_extra_info("socket")
            if rst and sock is not None and sock.fileno() >= 0 and sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if rst:
                writer.transport.abort()
            else:
                writer.close()


class Gate:
    def __init__(self, target, unix=None):
        self.target = target  # "host:port" or "unix:/path"
        self.unix = str(unix) if unix else None
        self.accepted = []  # monotonic times at which connections came
        self.passed = 0  # bytes that went through, both ways
        self._links = set()
        self._mode = "open"
        self._value = None
        self._port = 0
        self._server = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._listen())

    # ---- faults ----

    def open(self):
        """Everything passes, new connections are taken. What was held is delivered now, late."""
        self._set("open")

    def refuse(self):
        """Nobody listens; present connections are reset."""
        self._set("refuse")

    def reset(self):
        """Present connections are reset, new ones are accepted and reset."""
        self._set("reset")

    def hang(self):
        """Connections are taken and kept, nothing goes through until `open()` delivers it."""
        self._set("hang")

    def swallow(self):
        """Like hang, but the bytes are lost: such a connection never speaks again, also after `open()` (half-open)."""
        self._set("swallow")

    def delay(self, seconds):
        """Answers come that much later."""
        self._set("delay", seconds)

    def cut(self, rst=True):
        """Ends present connections once; new ones pass."""
        self._do(self._end_all(rst))

    def cut_after(self, count, rst=False):
        """Each connection ends after that many further bytes of answers."""
        self._set("cut", (count, rst))

    def garbage(self, data):
        """Answers are replaced by `data`."""
        self._set("garbage", data)

    def answer(self, data):
        """Each Redis command is answered with `data` by the gate itself; the target does not hear of it."""
        self._set("answer", data)

    def inject(self, data):
        """Sends `data` to everybody connected, once, although nobody asked."""

        async def write():
            for link in self._links:
                if link.near not in link.ended:
                    link.near.write(data)

        self._do(write())

    # ---- looking ----

    @property
    def links(self):
        return len(self._links)

    @property
    def address(self):
        return f"unix:{self.unix}" if self.unix else f"127.0.0.1:{self._port}"

    def accepted_since(self, moment):
        return sum(t >= moment for t in self.accepted)

    def close(self):
        self._set("refuse")
        self._do(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    # ---- the works ----

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    def _set(self, mode, value=None):
        async def change():
            self._mode, self._value = mode, value
            for link in self._links:
                link.left = None
            self._changed.set()
            self._changed = asyncio.Event()
            if mode in ("refuse", "reset"):
                await self._end_all(True)
            if mode == "refuse" and self._server:
                self._server.close()
                self._server = None
                if self.unix and os.path.exists(self.unix):
                    os.unlink(self.unix)
            elif mode != "refuse" and not self._server:
                await self._listen()

        self._do(change())

    async def _listen(self):
        if not hasattr(self, "_changed"):
            self._changed = asyncio.Event()
        if self.unix:
            self._server = await asyncio.start_unix_server(self._serve, self.unix)
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, backlog=1024)
            self._port = self._server.sockets[0].getsockname()[1]

    async def _end_all(self, rst):
        for link in list(self._links):
            link.end(rst)
        self._links.clear()

    async def _end_tasks(self):
        """What still waits for somebody must not be found in the middle of it when the loop has gone."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, near_reader, near_writer):
        self.accepted.append(time.monotonic())
        link = Link(near_writer, None)
        if self._mode == "reset":
            return link.end(True)
        self._links.add(link)
        try:
            if self.target.startswith("unix:"):
                far_reader, link.far = await asyncio.open_unix_connection(self.target[len("unix:") :])
            else:
                host, _, port = self.target.rpartition(":")
                far_reader, link.far = await asyncio.open_connection(host, int(port))
        except OSError:
            link.end(True)
            return self._links.discard(link)
        if link not in self._links:  # cut while connecting
            return link.end(True)
        await asyncio.gather(self._pump(link, near_reader, link.far, False), self._pump(link, far_reader, link.near, True))
        self._links.discard(link)

    async def _pump(self, link, reader, writer, is_answer):
        try:
            while True:
                data = await reader.read(65536)
                if not data:
                    break
                data = await self._treat(link, data, is_answer)
                if data:
                    self.passed += len(data)
                    writer.write(data)
                    await writer.drain()
                if is_answer and self._mode == "cut" and link.left == 0:
                    link.end(self._value[1])
            if not link.dead and writer.can_write_eof():
                writer.write_eof()
                link.ended.add(writer)
        except (OSError, RuntimeError):
            link.end(True)

    async def _treat(self, link, data, is_answer):
        while self._mode == "hang":
            await self._changed.wait()
        if self._mode == "delay" and is_answer:
            try:
                await asyncio.wait_for(self._changed.wait(), self._value)
            except asyncio.TimeoutError:
                pass
            while self._mode == "hang":
                await self._changed.wait()
        if self._mode == "swallow":
            link.dead = True
        if link.dead:
            return b""
        if self._mode == "garbage" and is_answer:
            return self._value
        if self._mode == "cut" and is_answer:
            link.left = self._value[0] if link.left is None else link.left
            data = data[: link.left]
            link.left -= len(data)
            return data
        if self._mode == "answer":
            if not is_answer:
                link.pending += data
                count, length = count_commands(link.pending)
                link.pending = link.pending[length:]
                link.near.write(self._value * count)
            return b""
        return data
