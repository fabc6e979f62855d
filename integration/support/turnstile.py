"""A line to Redis on which a play lets commands through one by one, each together with its reply; and every order in
which several of them can take turns."""

import math
import os
import select
import socket
import threading

from .client import RawClient, connect


class Turnstile:
    """Between one worker of doorward and Redis. All passes until `hold()`, and again after `free()`; in between a command
    goes through by `let_through()` only. That is called in the play's own thread: there is no other, and no luck. What
    is held for long without that is given up by doorward, as any Redis that does not answer."""

    def __init__(self, target, path):
        self.address = f"unix:{path}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._target = target
        self._near = self._far = None
        self._commands = b""  # come, and not yet let through
        self._replies = b""
        self._stop, self._stopping = os.pipe()
        self._start()

    def _start(self):
        self._thread = threading.Thread(target=self._pass, daemon=True)
        self._thread.start()

    def _pass(self):
        while True:
            watched = [self._stop, self._listener] + ([self._near, self._far] if self._near else [])
            ready, _, _ = select.select(watched, [], [])
            if self._stop in ready:
                os.read(self._stop, 1)
                return
            if self._listener in ready:
                self._disconnect()
                self._near, self._far = self._listener.accept()[0], connect(self._target)
                self._near.settimeout(5.0)
                continue
            for source, sink in ((self._near, self._far), (self._far, self._near)):
                if source in ready:
                    data = source.recv(65536)
                    if not data:
                        self._disconnect()
                        break
                    sink.sendall(data)

    def _disconnect(self):
        for end in (self._near, self._far):
            if end:
                end.close()
        self._near = self._far = None

    def hold(self):
        if self._thread.is_alive():
            os.write(self._stopping, b"x")
            self._thread.join(5)
        assert self._near, "nobody has connected"

    def free(self):
        if not self._thread.is_alive():
            self._far.sendall(self._commands)
            self._commands = b""
            self._start()

    def let_through(self):
        """The next command, as words, and the bytes of the reply to it; waits until it comes."""
        while True:
            while not (found := first_command(self._commands)):
                data = self._near.recv(65536)
                assert data, "doorward has hung up"
                self._commands += data
            words, length = found
            self._far.sendall(self._commands[:length])
            self._commands = self._commands[length:]
            reply = self._reply()
            self._near.sendall(reply)
            if words != [b"PING"]:  # the line has been idle
                return words, reply

    def _reply(self):
        while (length := reply_length(self._replies)) is None:
            data = self._far.recv(65536)
            assert data, "Redis has hung up"
            self._replies += data
        reply, self._replies = self._replies[:length], self._replies[length:]
        return reply

    def close(self):
        if self._thread.is_alive():
            os.write(self._stopping, b"x")
            self._thread.join(5)
        self._disconnect()
        self._listener.close()
        os.close(self._stop)
        os.close(self._stopping)


def first_command(buffer):
    """The words of the array of bulk strings in front of `buffer` and its length; None when it is not there yet."""
    end = buffer.find(b"\r\n")
    if end < 0:
        return None
    words, position = [], end + 2
    for _ in range(int(buffer[1:end])):
        end = buffer.find(b"\r\n", position)
        if end < 0:
            return None
        size = int(buffer[position + 1 : end])
        words.append(buffer[end + 2 : end + 2 + size])
        position = end + 2 + size + 2
    return (words, position) if position <= len(buffer) else None


def reply_length(buffer, position=0):
    """Where the reply that begins at `position` ends; None when it has not come whole."""
    end = buffer.find(b"\r\n", position)
    if end < 0:
        return None
    kind, rest, position = buffer[position : position + 1], buffer[position + 1 : end], end + 2
    if kind == b"$" and rest != b"-1":
        position += int(rest) + 2
    elif kind == b"*" and rest != b"-1":
        for _ in range(int(rest)):
            position = reply_length(buffer, position)
            if position is None:
                return None
    return position if position <= len(buffer) else None


class Asker:
    """A request at one doorward, and the commands that come of it, in steps. `goes_on(words, reply)` says whether
    another command comes of it after that one."""

    def __init__(self, door, line, goes_on=lambda words, reply: False):
        self.client = RawClient(door.address, 10.0)
        self.line, self.goes_on = line, goes_on
        self.more = False

    def begin(self, request):
        self.method = request.split(b" ", 1)[0].decode()
        self.client.send(request)
        self.more = True

    def step(self):
        words, reply = self.line.let_through()
        # A script that Redis does not know (any more) is sent again, whole.
        self.more = reply.startswith(b"-NOSCRIPT") or self.goes_on(words, reply)
        return words, reply

    def answer(self):
        return self.client.response(self.method)

    def close(self):
        self.client.close()


class Deeds:
    """Somebody who does one thing after the other, by other ways than doorward."""

    def __init__(self):
        self.left = []

    @property
    def more(self):
        return bool(self.left)

    def begin(self, deeds):
        self.left = list(deeds)

    def step(self):
        self.left.pop(0)()


def orders(steps, count):
    """`count` different orders in which players with so many steps each can take turns, spread evenly over all there
    are; all of them where there are fewer."""
    ways = lambda left: math.factorial(sum(left)) // math.prod(map(math.factorial, left))  # noqa: E731
    total = ways(steps)
    count = min(count, total)
    for number in range(count):
        rank, left, order = number * total // count, list(steps), []
        while any(left):
            for player in range(len(left)):
                if not left[player]:
                    continue
                left[player] -= 1
                if rank < ways(left):
                    order.append(player)
                    break
                rank -= ways(left)
                left[player] += 1
        yield order


def take_turns(players, order):
    """Each step of `order`, as far as its player has one left."""
    for player in order:
        if players[player].more:
            players[player].step()
    assert not any(player.more for player in players)
