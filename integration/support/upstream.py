"""An HTTP/1.1 server that records every byte of a request and answers whatever the play tells it to."""

import os
import select
import socket
import struct
import threading
import time


class Request:
    def __init__(self, connection, raw_head):
        self.connection = connection
        self.raw_head = raw_head  # up to and including the empty line
        self.raw_body = b""  # as framed on the wire
        self.body = b""  # decoded
        self.arrived = time.monotonic()
        lines = raw_head[:-4].split(b"\r\n")
        self.method, self.target, self.version = lines[0].decode("latin-1").split(" ")
        self.headers = []
        for line in lines[1:]:
            name, colon, value = line.decode("latin-1").partition(":")
            assert colon, f"a header line without a colon: {line!r}"
            self.headers.append((name, value.strip(" \t")))

    def all(self, name):
        return [value for n, value in self.headers if n.lower() == name.lower()]

    def header(self, name):
        """The value of a header that may come once at most."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    def folded(self, name):
        """All values under any name that a sloppy server reads as `name` (`_` for `-`, any case)."""
        fold = lambda text: text.lower().replace("_", "-")  # noqa: E731
        return [value for n, value in self.headers if fold(n) == fold(name)]

    def __repr__(self):
        return f"<{self.method} {self.target} {self.headers} {self.body[:100]!r}>"


class Closed(Exception):
    pass


class Connection:
    def __init__(self, upstream, sock, number):
        self.upstream = upstream
        self.sock = sock
        self.number = number
        self.buffer = b""

    def send(self, data):
        self.sock.sendall(data)

    def receive(self):
        if self.buffer:
            data, self.buffer = self.buffer, b""
            return data
        data = self.sock.recv(65536)
        if not data:
            raise Closed
        return data

    def receive_until(self, mark):
        data = b""
        while mark not in data:
            data += self.receive()
        end = data.index(mark) + len(mark)
        self.buffer = data[end:]
        return data[:end]

    def receive_exactly(self, count):
        parts, have = [], 0
        while have < count:
            parts.append(self.receive())
            have += len(parts[-1])
        data = b"".join(parts)
        self.buffer = data[count:]
        return data[:count]

    def read_body(self, request):
        """Reads the rest of the request by its framing, strictly."""
        if request.header("Transfer-Encoding"):
            assert request.header("Transfer-Encoding").lower() == "chunked" and request.header("Content-Length") is None
            while True:
                line = self.receive_until(b"\r\n")
                size = int(line.split(b";")[0], 16)
                if size == 0:
                    tail = line
                    while not tail.endswith(b"\r\n\r\n"):
                        tail += self.receive_until(b"\r\n")
                    request.raw_body += tail
                    return
                data = self.receive_exactly(size + 2)
                assert data.endswith(b"\r\n"), "a chunk without its line end"
                request.raw_body += line + data
                request.body += data[:-2]
        length = int(request.header("Content-Length") or 0)
        request.raw_body = request.body = self.receive_exactly(length) if length else b""

    def is_closed(self, within=5.0):
        """True when the other side closes; for scripts that keep an answer open."""
        self.sock.settimeout(within)
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def close(self):
        """FIN now, although the file object lives on."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        raise Closed

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        raise Closed


def answer(status=200, headers=(), body=b"ok", reason="Fine"):
    """The bytes of an answer framed by Content-Length."""
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    lines = [f"HTTP/1.1 {status} {reason}"] + [f"{n}: {v}" for n, v in pairs]
    if status >= 200 and status not in (204, 304):
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def plainly(request, connection):
    """200 to everybody."""
    whole = answer()
    return whole[: whole.index(b"\r\n\r\n") + 4] if request.method == "HEAD" else whole


class Upstream:
    """`script(request, connection)` returns the bytes to send, or anything else when it has sent what it wanted itself.

    With `reads_bodies = False` the script is called as soon as the head is there and reads the body itself.
    """

    def __init__(self, script=None, unix=None, tls=None):
        """`tls`: an ssl.SSLContext to speak TLS with."""
        self.script = script or plainly
        self.tls = tls
        self.reads_bodies = True
        self.requests = []
        self.connections = 0  # ever accepted
        self.open_connections = set()
        self.failures = []  # what a script or the strict reader stumbled over
        self.unix = str(unix) if unix else None
        self._news = threading.Condition()
        self._wake, self._waker = os.pipe()
        self._listener = None
        self._port = 0
        self.listen()

    # ---- addresses ----

    @property
    def address(self):
        return f"unix:{self.unix}" if self.unix else f"127.0.0.1:{self._port}"

    @property
    def url(self):
        return self.address if self.unix else f"{'https' if self.tls else 'http'}://{self.address}"

    # ---- what came ----

    def wait_for(self, count, within=5.0):
        """The requests, once at least that many have come."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.requests) >= count, within):
                raise AssertionError(f"{len(self.requests)} of {count} requests came: {self.requests}")
            return list(self.requests)

    @property
    def last(self):
        return self.requests[-1]

    # ---- coming and going ----

    def listen(self):
        if self.unix:
            self._listener = socket.socket(socket.AF_UNIX)
            if os.path.exists(self.unix):
                os.unlink(self.unix)
            self._listener.bind(self.unix)
            self._listener.listen(1024)
        else:
            self._listener = socket.create_server(("127.0.0.1", self._port), backlog=1024, reuse_port=False)
            self._port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._accepting.start()

    def stop_listening(self):
        """From now on connections are refused; those that are there live on."""
        os.write(self._waker, b"x")
        self._accepting.join(5)
        self._listener.close()

    def close_connections(self):
        """Ends every connection that is open, as a restart would."""
        with self._news:
            for connection in list(self.open_connections):
                try:
                    connection.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.stop_listening()
        self.close_connections()
        os.close(self._wake)
        os.close(self._waker)

    # ---- the works ----

    def _accept(self, listener):
        while True:
            ready, _, _ = select.select([listener, self._wake], [], [])
            if self._wake in ready:
                os.read(self._wake, 1)
                return
            sock, _ = listener.accept()
            sock.settimeout(30)
            if not self.unix:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._news:
                self.connections += 1
                connection = Connection(self, sock, self.connections)
                self.open_connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.tls:
                connection.sock = self.tls.wrap_socket(connection.sock, server_side=True)
            while True:
                request = Request(connection, connection.receive_until(b"\r\n\r\n"))
                if self.reads_bodies:
                    connection.read_body(request)
                with self._news:
                    self.requests.append(request)
                    self._news.notify_all()
                data = self.script(request, connection)
                if isinstance(data, bytes):
                    connection.send(data)
        except (Closed, OSError):
            pass
        except Exception as problem:  # shown by whoever looks at `failures`: the play's teardown does
            self.failures.append(problem)
        finally:
            connection.sock.close()
            with self._news:
                self.open_connections.discard(connection)
