"""Requests by the thousand in one piece: an answer is begun when the one before has been taken, and others have their turn."""

import socket
import sys
import threading

import pytest
from support.client import build
from support.doorward import ROOT
from support.programs import Program, echo_app, listening, sized_app, stands_back
from support.steady import Steady
from support.upstream import answer
from support.wait import eventually

COUNT = 10_000
SIZE = 4096
FLOOR = 0.005


def page(number):
    return b"%05d" % number + b"." * (SIZE - 5)


@pytest.fixture
def numbered(stage):
    """The answer to /public/N says N."""
    stage.app.script = lambda request, connection: answer(body=page(int(request.target.rpartition("/")[2])))
    # A client that does not read is not sent away.
    return stage.start(server={"timeouts": {"write_idle": "60s"}}, log={"access": False})


class Pipelining:
    """Sends it all from a thread of its own, since nobody may be reading."""

    def __init__(self, door, count=COUNT):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.sock.settimeout(20)
        host, _, port = door.address.rpartition(":")
        self.sock.connect((host, int(port)))
        self.whole = b"".join(build("GET", f"/public/{n}") for n in range(count))
        self.thread = threading.Thread(target=self.send, daemon=True)
        self.thread.start()
        self.buffer = bytearray()

    def send(self):
        try:
            self.sock.sendall(self.whole)
        except OSError:  # closed while sending
            pass

    def next(self):
        """The body of the next answer."""
        while (end := self.buffer.find(b"\r\n\r\n")) < 0 or len(self.buffer) < end + 4 + SIZE:
            more = self.sock.recv(1 << 20)
            assert more, "closed"
            self.buffer += more
        assert self.buffer.startswith(b"HTTP/1.1 200 "), self.buffer[:200]
        body = bytes(self.buffer[end + 4 : end + 4 + SIZE])
        del self.buffer[: end + 4 + SIZE]
        return body

    def close(self):
        self.sock.close()
        self.thread.join(10)


def came_to_rest(stage):
    """The number of requests that the upstream has seen, once half a second has brought no more."""
    while True:
        before = len(stage.app.requests)
        try:
            stage.app.wait_for(before + 1, 0.5)
        except AssertionError:
            return before


@pytest.mark.cost
def test_10000_requests_and_nobody_reads(stage, numbered):
    """What the upstream has been asked for is what fits in between. When the client reads, all comes, and in order."""
    assert numbered.get("/public/0").status == 200
    resident, before = numbered.resident_kib(), len(stage.app.requests)
    client = Pipelining(numbered)
    stage.app.wait_for(before + 1)
    asked = came_to_rest(stage) - before
    print(f"{asked} of {COUNT} answers of {SIZE} bytes were begun; memory +{numbered.resident_kib() - resident} KiB")
    assert asked < COUNT / 2
    assert numbered.resident_kib() - resident < 1024
    for n in range(COUNT):
        assert client.next() == page(n)
    assert numbered.resident_kib() - resident < 1024
    client.close()
    assert [request.target for request in stage.app.requests[before:]] == [f"/public/{n}" for n in range(COUNT)]


def test_one_at_a_time(stage, numbered):
    """The next request goes out when its answer can begin, not before: the upstream never has two of one client's."""
    go, now, most = threading.Semaphore(0), [0], [0]

    def script(request, connection):
        now[0] += 1
        most[0] = max(most[0], now[0])
        assert go.acquire(timeout=10)
        now[0] -= 1
        return answer(body=page(int(request.target.rpartition("/")[2])))

    stage.app.script = script
    client = Pipelining(numbered, 20)
    for n in range(20):
        stage.app.wait_for(n + 1)
        go.release()
        assert client.next() == page(n)
    assert most == [1]
    client.close()


@pytest.mark.cost
@pytest.mark.parametrize("reads", [[], ["read"]], ids=["they do not read", "they read"])
def test_50_of_them_and_a_polite_one(stage, reads):
    """Where nobody reads, the polite ones' p99 is under three times what it was (5 ms at least); the best of five counts.

    Where they read, every core is busy; a request waits for its turn, and not for somebody's ten thousand.
    """
    users = {f"user-{n}": stage.session(f"user-{n}") for n in range(10)}
    with echo_app() as app, sized_app() as other:
        stands_back(other.process)
        upstreams = {"app": f"http://{listening(app)}", "other": f"http://{listening(other)}"}
        routes = [{"path": "/public/**", "auth": "none", "upstream": "other"}, {"path": "/**", "upstream": "app"}]
        server = {"timeouts": {"write_idle": "60s"}}
        door = stage.start(server=server, upstreams=upstreams, routes=routes, log={"access": False})
        quiet, crowded = [], []
        with Steady(door.address, users) as steady:
            bound = lambda: 0.2 if reads else 3 * max(min(quiet), FLOOR)  # noqa: E731
            while len(quiet) < 5 and not (quiet and min(crowded) < bound()):
                quiet.append(steady.over(1).all_right().p99)
                with Program(sys.executable, "-m", "support.greedy", door.address, 50, COUNT, *reads, cwd=ROOT / "integration") as greedy:
                    stands_back(greedy.process)
                    greedy.wait_for(" answers")
                    figures = steady.over(2).all_right()
                    said = [line for line in greedy.output if line.endswith("answers")]
                    assert len(said) == len(list(greedy.output)), greedy.output.text()
                    print(f"{figures}, quiet {quiet[-1] * 1000:.1f} ms; greedy: {said[0]}, {said[-1]}")
                    assert door.metrics().value("doorward_connections") == 60
                crowded.append(figures.p99)
                eventually(lambda: door.metrics().value("doorward_connections") == 10, 20, "the end of the greedy")
        door.stop()
    assert min(crowded) < bound(), (quiet, crowded)
