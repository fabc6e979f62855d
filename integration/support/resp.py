"""Just enough of the Redis protocol to prepare a play and to look at what it left behind."""

import threading

from .client import connect


class RedisError(Exception):
    pass


class Resp:
    """One connection; calls from several threads take turns."""

    def __init__(self, address, db=0):
        self.sock = connect(address)
        self.file = self.sock.makefile("rb")
        self.lock = threading.Lock()
        if db:
            self("SELECT", db)

    def __call__(self, *args):
        with self.lock:
            self.sock.sendall(encode(args))
            return self.read()

    def read(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("Redis closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode("utf-8", "surrogateescape")
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        raise RedisError(f"not RESP: {line!r}")

    def hash(self, key):
        flat = self("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2]))

    def close(self):
        self.file.close()
        self.sock.close()


def encode(args):
    out = [b"*%d\r\n" % len(args)]
    for arg in args:
        data = arg if isinstance(arg, bytes) else str(arg).encode("utf-8", "surrogateescape")
        out.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(out)


def count_commands(buffer):
    """How many whole commands (arrays of bulk strings) stand in front of `buffer`, and how long they are together."""
    count = position = 0
    while True:
        end = buffer.find(b"\r\n", position)
        if end < 0 or buffer[position : position + 1] != b"*":
            return count, position
        elements, cursor = int(buffer[position + 1 : end]), end + 2
        for _ in range(elements):
            end = buffer.find(b"\r\n", cursor)
            if end < 0:
                return count, position
            cursor = end + 2 + int(buffer[cursor + 1 : end]) + 2
        if cursor > len(buffer):
            return count, position
        count, position = count + 1, cursor


class Monitor:
    """Every command the server carries out, seen through MONITOR."""

    def __init__(self, server):
        self.server = server
        self.watcher = Resp(server.address)
        assert self.watcher("MONITOR") == "OK"
        self.marks = 0
        self.inside = []  # names of what scripts called, up to the last commands()

    def commands(self, db=None):
        """What came since the last call, as lists of words; our own mark is not among them."""
        self.marks += 1
        mark = f"mark-{id(self)}-{self.marks}"
        self.server.admin("ECHO", mark)
        seen, self.inside = [], []
        while True:
            line = self.watcher.read()  # 1700000000.123456 [0 127.0.0.1:1] "HGETALL" "session:x"
            if mark in line:
                return [words for where, words in seen if db is None or where == str(db)]
            origin, _, rest = line.partition("[")[2].partition("] ")
            words = [word for word in rest[1:-1].split('" "')]
            if "lua" not in origin:
                seen.append((origin.split()[0], words))
            elif db is None or origin.split()[0] == str(db):
                self.inside.append(words[0].upper())

    def count(self, name, db=None):
        return sum(words[0].upper() == name for words in self.commands(db))

    def close(self):
        self.watcher.close()
