"""What very many cost who are there and do little."""

import re
import resource
import socket
import ssl
import struct
import time

import pytest
from support.certificates import Authority
from support.client import build, connect
from support.programs import echo_app, listening
from support.stage import Stage
from support.upstream import answer
from support.wait import eventually

CROWD = 10_000
MIB = 1024 * 1024
PAGE = 4096
SO_MEMINFO = 55
REQUEST = build("GET", "/public/x")


@pytest.fixture(autouse=True)
def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * CROWD:
        pytest.skip(f"{hard} descriptors are too few for both ends of {CROWD} connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- idle ----


def patient(redis_server, folder, **server):
    """A stage whose doorward sends nobody away."""
    stage = Stage(redis_server, folder)
    app = echo_app()
    stage._closing.append(app.stop)
    limits = {"limits": {"connections": 2 * CROWD}, "timeouts": {"idle": "1h"}}
    stage.door = stage.start(server={**limits, **server}, log={"access": False}, upstreams={"app": f"http://{listening(app)}"})
    return stage


def answered(sock):
    sock.sendall(REQUEST)
    data = b""
    while not data.endswith(b"\r\n\r\nnobody"):
        more = sock.recv(4096)
        assert more, data
        data += more
    assert data.startswith(b"HTTP/1.1 200 "), data
    return sock


def cost_of(door, count, connected):
    """KiB of each connection that has had an answer and is idle now; all of them work still afterwards."""
    warm = [answered(connected()) for _ in range(100)]
    before = door.resident_kib()
    crowd = [answered(connected()) for _ in range(count)]
    assert door.metrics().value("doorward_connections", state="idle") == count + len(warm)
    cost = (door.resident_kib() - before) / count
    print(f"{count} connections: {cost:.2f} KiB each")
    for sock in crowd[:: count // 100]:
        answered(sock)
    for sock in warm + crowd:
        sock.close()
    eventually(lambda: door.metrics().value("doorward_connections") == 0, 20, "the end of all")
    return cost


@pytest.mark.cost
def test_10000_idle_plain_connections(redis_server, tmp_path):
    with patient(redis_server, tmp_path) as stage:
        assert cost_of(stage.door, CROWD, lambda: connect(stage.door.address)) < 2


@pytest.mark.cost
@pytest.mark.long
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_10000_idle_tls_connections(redis_server, tmp_path, version):
    authority = Authority(tmp_path / "authority")
    cert, key = authority.issue("app", "app.test")
    context = authority.trusted(minimum_version=version, maximum_version=version)
    with patient(redis_server, tmp_path, tls=[{"cert": cert, "key": key}]) as stage:
        connected = lambda: context.wrap_socket(connect(stage.door.address), server_hostname="app.test")  # noqa: E731
        assert cost_of(stage.door, CROWD, connected) < 40


# ---- readers that do not read ----

READERS = 100
MANY = 20 * MIB


def held_by_tcp():
    """Bytes, of all TCP connections of the machine."""
    with open("/proc/net/sockstat") as file:
        return int(re.search(r"^TCP:.* mem (\d+)", file.read(), re.M)[1]) * PAGE


def held_by(sock):
    """Bytes that the kernel has set aside for this end: received, to be sent, and reserved."""
    received, _, _, _, reserved, queued, _, _, _ = struct.unpack("9I", sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))
    return received + queued + reserved


def a_lot(request, connection):
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MANY)
    block = b"x" * 65536
    for _ in range(MANY // len(block)):
        connection.send(block)


def reader(address):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(10)
    host, _, port = address.rpartition(":")
    sock.connect((host, int(port)))
    sock.sendall(REQUEST)
    return sock


@pytest.mark.cost
def test_readers_that_never_read(stage):
    """Neither doorward nor the kernel on its behalf holds their answers: 8 MiB and 1 MiB a reader at most, of 20."""
    door = stage.start(server={"timeouts": {"write_idle": "60s"}}, log={"access": False})
    assert door.get("/public/warm-up").status == 200
    stage.app.script = a_lot
    resident, kernel = door.resident_kib(), held_by_tcp()
    readers = [reader(door.address) for _ in range(READERS)]
    stage.app.wait_for(READERS + 1, 20)
    came_to_rest(door)

    grown = (door.resident_kib() - resident) / 1024
    of_others = sum(map(held_by, readers)) + sum(held_by(c.sock) for c in list(stage.app.open_connections))
    of_doorward = (held_by_tcp() - kernel - of_others) / MIB
    print(f"doorward's memory +{grown:.1f} MiB; the kernel's for it +{of_doorward:.1f} MiB, for the others +{of_others / MIB:.1f} MiB")
    assert door.metrics().value("doorward_connections") == READERS
    assert grown <= 8
    assert of_doorward < READERS

    # Those who read after all get the whole of it.
    sock = readers.pop()
    data = bytearray()
    while len(data) < MANY:
        more = sock.recv(MIB)
        assert more
        data += more
    for sock in [sock, *readers]:
        sock.close()
    stage.app.script = lambda request, connection: answer()
    eventually(lambda: door.get("/public/x").status == 200)


def came_to_rest(door):
    """Nothing moves any more: doorward has written nothing for half a second."""

    def written():
        with open(f"/proc/{door.process.pid}/io") as file:
            return re.search(r"wchar: (\d+)", file.read())[1]

    seen = []  # (what, since when)

    def still():
        if not seen or seen[-1][0] != written():
            seen.append((written(), time.monotonic()))
        return time.monotonic() - seen[-1][1] > 0.5

    eventually(still, 20, "rest")
