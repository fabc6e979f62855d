"""The tools of the plays, before anything is judged by them."""

import time

import pytest
from support.client import RawClient, build
from support.resp import Monitor, Resp, count_commands, encode
from support.upstream import answer
from support.wait import eventually


@pytest.fixture
def line(stage):
    """A Redis client behind the gate."""
    client = Resp(stage.gate.address)
    client.sock.settimeout(0.3)
    assert client("PING") == "PONG"
    return client


def ping(gate):
    client = Resp(gate.address)
    client.sock.settimeout(0.3)
    return client("PING")


def test_gate_open(stage, line):
    assert line("ECHO", "x" * 100_000) == "x" * 100_000


def test_gate_hangs_and_delivers_late(stage, line):
    stage.gate.hang()
    with pytest.raises(TimeoutError):
        line("ECHO", "late")
    other = Resp(stage.gate.address)  # taken, not served
    other.sock.sendall(encode(["ECHO", "other"]))
    stage.gate.open()
    assert other.read() == "other"


def test_gate_swallows_for_ever(stage, line):
    stage.gate.swallow()
    with pytest.raises(TimeoutError):
        line("PING")
    stage.gate.open()
    line.file = line.sock.makefile("rb")
    with pytest.raises(TimeoutError):
        line("PING")
    assert ping(stage.gate) == "PONG"


def test_gate_delays(stage, line):
    stage.gate.delay(0.1)
    start = time.monotonic()
    assert line("PING") == "PONG"
    assert time.monotonic() - start >= 0.1


@pytest.mark.parametrize("rst", [True, False])
def test_gate_cuts(stage, line, rst):
    stage.gate.cut(rst)
    with pytest.raises(ConnectionError):
        line("PING")
    assert ping(stage.gate) == "PONG"


def test_gate_cuts_in_mid_reply(stage, line):
    stage.gate.cut_after(3)
    line.sock.sendall(encode(["ECHO", "hello"]))
    assert line.file.read() == b"$5\r"


def test_gate_refuses(stage, line):
    stage.gate.refuse()
    with pytest.raises(ConnectionRefusedError):
        ping(stage.gate)
    with pytest.raises(ConnectionError):
        line("PING")
    stage.gate.open()
    assert ping(stage.gate) == "PONG"


def test_gate_resets(stage, line):
    stage.gate.reset()
    with pytest.raises(ConnectionError):
        ping(stage.gate)
    stage.gate.open()
    assert ping(stage.gate) == "PONG"


def test_gate_speaks_garbage(stage, line):
    stage.gate.garbage(b"?what\r\n")
    line.sock.sendall(encode(["PING"]))
    assert line.file.readline() == b"?what\r\n"


def test_gate_answers_itself(stage, line):
    stage.gate.answer(b"-LOADING Redis is loading the dataset in memory\r\n")
    line.sock.sendall(encode(["PING"]) + encode(["GET", "a\r\nb"]))
    assert line.file.readline() == line.file.readline() == b"-LOADING Redis is loading the dataset in memory\r\n"


def test_gate_injects(stage, line):
    stage.gate.inject(b"+unasked\r\n")
    assert line.file.readline() == b"+unasked\r\n"


@pytest.mark.parametrize("split", range(0, 54, 7))
def test_commands_are_counted_only_when_whole(split):
    data = encode(["PING"]) + encode(["SET", "key\r\n*1", "value"])
    assert count_commands(data) == (2, len(data))
    count, length = count_commands(data[:split])
    assert count == (split >= 14) and length == (14 if split >= 14 else 0)


def test_monitor_counts_what_the_server_did(stage):
    monitor = Monitor(stage.server)
    stage.redis("SET", "a", "b c")
    stage.redis("GET", "a")
    assert monitor.commands(stage.db) == [["SET", "a", "b c"], ["GET", "a"]]
    assert monitor.count("GET", stage.db) == 0
    monitor.close()


def test_upstream_records_bytes_and_answers_by_script(stage):
    stage.app.script = lambda request, connection: answer(201, {"X-Echo": request.target}, request.body[::-1])
    with RawClient(stage.app.address) as client:
        client.send(build("POST", "/a?b", {"x_Y": "1"}, b"body") + build("GET", "/second"))
        first = client.response("POST")
        assert (first.status, first.header("x-echo"), first.body) == (201, "/a?b", b"ydob")
        assert client.response().header("X-Echo") == "/second"
    first, second = stage.app.wait_for(2)
    assert first.raw_head + first.raw_body == build("POST", "/a?b", {"x_Y": "1"}, b"body")
    assert first.folded("X-Y") == ["1"] and first.connection is second.connection


def test_upstream_restarts_on_its_port(stage):
    client = RawClient(stage.app.address)
    assert client.ask("GET", "/").body == b"ok"
    stage.app.stop_listening()
    with pytest.raises(ConnectionRefusedError):
        RawClient(stage.app.address)
    assert client.ask("GET", "/").body == b"ok"
    stage.app.close_connections()
    assert client.is_closed()
    stage.app.listen()
    assert RawClient(stage.app.address).ask("GET", "/").body == b"ok"


def test_upstream_decodes_chunks(stage):
    with RawClient(stage.app.address) as client:
        chunks = b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"
        client.send(build("POST", "/", {"Transfer-Encoding": "chunked"}) + chunks)
        assert client.response("POST").status == 200
    assert stage.app.last.body == b"abcde" and stage.app.last.raw_body == chunks


def test_client_refuses_a_sloppy_answer(stage):
    stage.app.script = lambda request, connection: b"HTTP/1.1 200 OK\nContent-Length: x\n\n"
    with RawClient(stage.app.address) as client, pytest.raises(Exception, match="(?i)content-length|illegal"):
        client.ask("GET", "/")


def test_connections_are_counted(stage):
    clients = [RawClient(stage.app.address) for _ in range(5)]
    eventually(lambda: len(stage.app.open_connections) == 5)
    clients[0].reset()
    eventually(lambda: len(stage.app.open_connections) == 4)
