"""An HTTP/1.1 server of the kind many applications run in: one thread watches the connections, a fixed number of workers
answers. A request that finds no worker free waits in line, whatever it is for. That is what a surge of logins fills.
"""

import json
import select
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

REASONS = {200: "OK", 302: "Found", 303: "See Other", 401: "Unauthorized", 404: "Not Found"}


class Held:
    """How many logins are here at once, from the last byte of the request to the first of the answer; exact."""

    def __init__(self):
        self.lock = threading.Lock()
        self.now = self.most = self.ever = 0

    def enter(self):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.ever = max(self.ever, self.now)

    def leave(self):
        with self.lock:
            self.now -= 1

    def tell_for_ever(self, every=0.1):
        """A line of JSON on standard output: the most since the line before, and the most ever."""
        while True:
            time.sleep(every)
            with self.lock:
                line = {"at": time.monotonic(), "most": self.most, "ever": self.ever}
                self.most = self.now
            print(json.dumps(line), flush=True)


class Request:
    def __init__(self, head, body):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.path = self.target.split("?")[0]
        pairs = (line.split(":", 1) for line in lines)
        self.headers = {name.lower(): value.strip() for name, value in pairs}
        self.body = body

    @property
    def is_login(self):
        return self.method == "POST" and self.path == "/login"

    def cookie(self, name):
        for pair in self.headers.get("cookie", "").split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value
        return None


def answer(status, body=b"", **headers):
    """The bytes of an answer; `Set_Cookie=` is Set-Cookie."""
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def take_request(self):
        """A whole request from what has arrived, or None."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        request = Request(self.buffer[:end], b"")
        whole = end + 4 + int(request.headers.get("content-length", 0))
        if len(self.buffer) < whole:
            return None
        request.body, self.buffer = self.buffer[end + 4 : whole], self.buffer[whole:]
        return request


class PoolServer:
    """`respond(request)` returns an answer's bytes; it is called by one of `workers` threads."""

    def __init__(self, workers, respond):
        self.respond = respond
        self.held = Held()
        self.pool = ThreadPoolExecutor(workers)
        self.connections = {}
        self.epoll = select.epoll()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.epoll.register(self.listener, select.EPOLLIN)

    def serve(self):
        threading.Thread(target=self.held.tell_for_ever, daemon=True).start()
        print(f"listening on 127.0.0.1:{self.listener.getsockname()[1]}", flush=True)
        while True:
            for fd, _ in self.epoll.poll():
                if fd == self.listener.fileno():
                    self.accept()
                else:
                    self.read(self.connections[fd])

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except BlockingIOError:
                return
            sock.setblocking(True)  # read only when there is something; an answer is small
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections[sock.fileno()] = Connection(sock)
            self.epoll.register(sock, select.EPOLLIN | select.EPOLLONESHOT)

    def read(self, connection):
        try:
            data = connection.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            return self.close(connection)
        connection.buffer += data
        self.next_request(connection)

    def next_request(self, connection):
        """Hands a request to the workers, or waits for the rest of it. While one is being answered nobody looks here, so
        a client who has left is noticed when it is too late, as in most servers."""
        request = connection.take_request()
        if request is None:
            return self.epoll.modify(connection.sock, select.EPOLLIN | select.EPOLLONESHOT)
        if request.is_login:
            self.held.enter()
        self.pool.submit(self.work, connection, request)

    def work(self, connection, request):
        try:
            response = self.respond(request)
        except Exception as e:  # a worker that failed in silence would look like a slow one
            print(f"{request.method} {request.path}: {e!r}", file=sys.stderr, flush=True)
            response = None
        if request.is_login:
            self.held.leave()  # before the answer: with it, whoever waits may send the next
        try:
            if response is None:
                raise OSError("nothing to say")
            connection.sock.sendall(response)
            self.next_request(connection)
        except OSError:
            self.close(connection)

    def close(self, connection):
        self.connections.pop(connection.sock.fileno(), None)
        connection.sock.close()
