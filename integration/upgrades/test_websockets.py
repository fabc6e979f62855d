"""WebSocket as others speak it: a client and an application of python3-websockets, with doorward between them."""

import asyncio
import json
import resource

import pytest
import websockets
from support.doorward import ROOT, SANITIZED
from support.programs import PYTHON, Program, listening
from support.wait import eventually
from support.websocket_crowd import Crowd, problems


@pytest.fixture
def echo(stage):
    """Doorward in front of the application, with a user's session."""
    with Program(PYTHON, "-m", "support.websocket_echo", cwd=ROOT / "integration") as program:
        # A crowd keeps the machine busy, and that alone is no reason to refuse anybody.
        app = {"endpoints": [f"http://{listening(program)}"], "connections": 8192, "timeouts": {"connect": "30s"}}
        stage.door = stage.start(upstreams={"app": app}, redis={"timeouts": {"command": "30s"}}, server={"timeouts": {"header": "60s"}})
        stage.url = f"ws://{stage.door.address}/page/socket"
        stage.cookie = {"Cookie": f"sid={stage.session('42')}"}
        yield stage
        stage.door.stop()


@pytest.fixture
def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def play(scene):
    asyncio.run(asyncio.wait_for(scene, 30))


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_messages(echo, compression):
    async def scene():
        async with websockets.connect(echo.url, extra_headers=echo.cookie, max_size=None, compression=compression) as socket:
            for message in ("hello", "", b"", "ümlaut", b"\x00\x01\x02", "x" * 1_000_000, [b"in ", b"three ", b"pieces"]):
                await socket.send(message)
                assert await socket.recv() == (b"".join(message) if isinstance(message, list) else message)
            await (await socket.ping(b"are you there?"))
            await socket.send("please ping")
            assert await socket.recv() == "pinged"

    play(scene())


def test_application_knows_who_it_is(echo):
    async def scene():
        headers = {**echo.cookie, "X-User-Id": "FORGED"}
        async with websockets.connect(echo.url, extra_headers=headers) as socket:
            await socket.send("please tell the headers")
            told = json.loads(await socket.recv())
        assert [value for name, value in told if name.lower() == "x-user-id"] == ["42"]
        assert not any("sid=" in value for name, value in told)

    play(scene())


def test_nobody(echo):
    async def scene():
        with pytest.raises(websockets.InvalidStatusCode) as refusal:
            await websockets.connect(echo.url)
        assert refusal.value.status_code == 401

    play(scene())


@pytest.mark.parametrize("who", ["client", "application"])
def test_closing_says_why(echo, who):
    async def scene():
        async with websockets.connect(echo.url, extra_headers=echo.cookie) as socket:
            if who == "client":
                await socket.close(4321, "enough")
                assert socket.close_code == 4321
            else:
                await socket.send("please close with 4321")
                with pytest.raises(websockets.ConnectionClosed):
                    await socket.recv()
                assert (socket.close_code, socket.close_reason) == (4321, "as you wish")

    play(scene())
    eventually(lambda: tunnels(echo.door) == 0)


# ---- a crowd ----


def tunnels(door):
    return door.metrics().value("doorward_connections", state="tunnel")


def own_descriptors(door):
    """Without kept connections to the upstream: how many there are depends on chance."""
    return door.descriptors() - door.metrics().value("doorward_upstream_connections")


def soak(echo, connections, seconds):
    door, there = echo.door, {}

    def all_are_there():
        assert tunnels(door) == connections
        there["kib"] = door.resident_kib()

    def done():
        eventually(lambda: tunnels(door) == 0, 15, "the end of all tunnels")
        eventually(lambda: door.metrics().value("doorward_connections") <= 1, 15, "the end of all connections")
        return own_descriptors(door)

    # What the first crowd needs is kept for the next: the pools are as large as they will be.
    warm = Crowd(echo.url, connections, 0.5, lambda: None, echo.cookie).run()
    assert not problems(warm), problems(warm)
    descriptors, kib = done(), door.resident_kib()

    crowd = Crowd(echo.url, connections, seconds, all_are_there, echo.cookie)
    seen = crowd.run()
    assert not problems(seen), problems(seen)
    assert seen["opened"] == seen["closed here"] + seen["closed there"] > connections
    assert all(seen[kind] > 0 for kind in ("text", "bytes", "pieces", "large", "ping", "be pinged", "closed here", "closed there")), seen
    eventually(lambda: done() <= descriptors + 8, 10, "descriptors back where they were")
    after = door.resident_kib()
    print(f"{dict(seen)}, {crowd.bytes >> 20} MiB each way; KiB: {kib} before, {there['kib']} with {connections} silent, {after} after")
    if not SANITIZED:
        # What was needed at once is kept, and a longer crowd may need more at once; what a tunnel leaves behind adds up.
        assert after - kib < 2 * 1024 + 16 * connections
    opened = warm["opened"] + seen["opened"]
    eventually(lambda: [e["status"] for e in door.access.json() if e["path"] == "/page/socket"] == [101] * opened, 10, "a line for each")


def test_a_hundred_at_once(echo):
    soak(echo, 40 if SANITIZED else 100, 3)


@pytest.mark.long
def test_a_thousand_at_once_for_a_minute(echo, enough_descriptors):
    soak(echo, 1000, 60)


@pytest.mark.cost
def test_silent_tunnels(echo, enough_descriptors):
    """No block is held for what may come, whatever has come before."""
    count, door = 500, echo.door

    async def talk():
        socket = await websockets.connect(echo.url, extra_headers=echo.cookie, max_size=None, compression=None, ping_interval=None, open_timeout=60)
        await socket.send("x" * 50_000)
        assert await socket.recv() == "x" * 50_000
        return socket

    async def scene():
        warm = [await talk() for _ in range(20)]
        before = door.resident_kib()
        open = warm + [await talk() for _ in range(count)]
        each = (door.resident_kib() - before) / count
        await asyncio.gather(*(socket.close() for socket in open))
        return each

    each = asyncio.run(asyncio.wait_for(scene(), 60))
    print(f"{each:.1f} KiB a tunnel")
    assert each < 36
