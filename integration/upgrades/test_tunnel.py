"""C1: a tunnel: every byte both ways and no other, each end told of the other's, and counted."""

import signal
import socket

import pytest
from support.doorward import SANITIZED
from support.expect import refused
from support.tunnels import SWITCHED, finish, handshake, is_silent, lines
from support.wait import eventually


def tunnels(door):
    return door.metrics().value("doorward_connections", state="tunnel")


def over(door):
    """No tunnel is left, and no place at the upstream is taken."""
    eventually(lambda: tunnels(door) == 0, 5, "the end of the tunnel")
    eventually(lambda: door.metrics().value("doorward_upstream_connections", upstream="app", state="active") == 0)


# ---- bytes ----


def test_every_byte_both_ways(stage, far_ends):
    door = stage.start()
    with door.client() as client:
        far = far_ends.tunnel(client)
        assert tunnels(door) == 1
        for data in (b"hello", bytes(range(256)), b"\r\n\r\n", b"GET /admin HTTP/1.1\r\n\r\n", b"\x88\x00", lines(100_000)):
            client.send(data)
            assert far.receive_exactly(len(data)) == data
            far.send(data[::-1])
            assert client.receive_exactly(len(data)) == data[::-1]
        client.close()
        assert far.is_closed()
        far.sock.close()
        over(door)


@pytest.mark.parametrize("count", [1, 5, 100 * 1024])
def test_bytes_sent_together_with_the_handshake(stage, far_ends, count):
    """They belong to the tunnel, so they wait for the 101."""
    door, early = stage.start(), lines(count)
    with door.client() as client:
        client.send(handshake() + early)
        far = far_ends.next()
        assert is_silent(far, 0.3), "bytes of a tunnel that is not open"
        far.send(SWITCHED)
        assert client.response(upgrade=True).status == 101
        client.send(b"and more")
        assert far.receive_exactly(count + 8) == early + b"and more"


@pytest.mark.parametrize("count", [1, 5, 100 * 1024])
def test_bytes_sent_together_with_the_101(stage, far_ends, count):
    door, early = stage.start(), lines(count)
    with door.client() as client:
        client.send(handshake())
        far = far_ends.next()
        far.send(SWITCHED + early)
        assert client.response(upgrade=True).status == 101
        assert client.receive_exactly(count) == early
        client.send(b"thanks")
        assert far.receive_exactly(6) == b"thanks"


def test_bytes_on_both_sides_before_either_reads(stage, far_ends):
    door, data = stage.start(), lines(200_000)
    with door.client() as client:
        far = far_ends.tunnel(client)
        client.send(data)
        far.send(data[::-1])
        assert client.receive_exactly(len(data)) == data[::-1]
        assert far.receive_exactly(len(data)) == data


def test_101_after_interim_answers(stage, far_ends):
    door = stage.start()
    with door.client() as client:
        client.send(handshake())
        far = far_ends.next()
        far.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + SWITCHED + b"hello")
        assert client.response(upgrade=True).informational == [101]
        assert client.receive_exactly(5) == b"hello"


# ---- the access log ----


@pytest.mark.parametrize("early", [0, 100 * 1024], ids=["nothing early", "100 KiB early"])
def test_bytes_are_counted_both_ways(stage, far_ends, early):
    door, session = stage.start(), stage.session("42")
    with door.client() as client:
        client.send(handshake("/page/socket", session=session) + lines(early))
        far = far_ends.next()
        far.send(SWITCHED + lines(early))
        assert client.response(upgrade=True).status == 101
        client.receive_exactly(early), far.receive_exactly(early)
        client.send(b"x" * 1234)
        far.receive_exactly(1234)
        far.send(b"y" * 56_789)
        client.receive_exactly(56_789)
        far.sock.close()
    entry = door.logged(path="/page/socket")
    assert (entry["status"], entry["decision"], entry["user"]) == (101, "forward", "42")
    assert (entry["bytes_in"], entry["bytes_out"]) == (early + 1234, early + 56_789)


def test_next_request_is_not_charged_for_an_earlier_tunnel(stage, far_ends):
    """What is counted for one is kept in an object that others use later."""
    door = stage.start(server={"workers": 1})
    with door.client() as client:
        far = far_ends.tunnel(client)
        client.send(b"x" * 1000)
        far.receive_exactly(1000)
        far.sock.close()
    assert door.logged(path="/public/x")["bytes_in"] == 1000
    stage.app.script = lambda request, connection: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    assert door.get("/public/later").status == 200
    entry = door.logged(path="/public/later")
    assert (entry["bytes_in"], entry["bytes_out"]) == (0, 2)


def test_tunnel_is_logged_once_it_is_over(stage, far_ends):
    door = stage.start()
    with door.client() as client:
        far = far_ends.tunnel(client)
        assert is_silent(client, 0.3)
        assert [e for e in door.access.json() if e["path"] == "/public/x"] == []
        far.sock.close()
    assert door.logged(path="/public/x")["total_us"] >= 300_000


# ---- the end ----


def test_client_has_said_all(stage, far_ends):
    door = stage.start()
    with door.client() as client:
        far = far_ends.tunnel(client)
        client.send(b"that is all")
        client.finish()
        assert far.receive_exactly(11) == b"that is all" and far.is_closed()
        for word in (b"one", b"more", lines(100_000)):
            far.send(word)
            assert client.receive_exactly(len(word)) == word
        finish(far)
        assert client.is_closed()
        over(door)
    assert door.logged(path="/public/x")["bytes_out"] == 100_007


def test_upstream_has_said_all(stage, far_ends):
    door = stage.start()
    with door.client() as client:
        far = far_ends.tunnel(client)
        far.send(b"that is all")
        finish(far)
        assert client.receive_exactly(11) == b"that is all" and client.is_closed()
        for word in (b"one", b"more", lines(100_000)):
            client.send(word)
            assert far.receive_exactly(len(word)) == word
        client.finish()
        assert far.is_closed()
        over(door)


def test_both_have_said_all(stage, far_ends):
    """Neither waits for the other's closing."""
    door = stage.start()
    with door.client() as client:
        far = far_ends.tunnel(client)
        client.finish()
        finish(far)
        assert client.is_closed() and far.is_closed()
        over(door)


def test_end_does_not_overtake_the_bytes_before_it(stage, far_ends):
    door, data = stage.start(), lines(200_000)
    with door.client() as client:
        far = far_ends.tunnel(client)
        for near, other in ((client, far), (far, client)):
            near.send(data)
            finish(near)
            assert other.receive_exactly(len(data)) == data and other.is_closed()
        over(door)


def test_client_has_said_all_with_its_handshake(stage, far_ends):
    door = stage.start()
    with door.client() as client:
        client.send(handshake() + b"that is all")
        client.finish()
        far = far_ends.next()
        far.send(SWITCHED)
        assert client.response(upgrade=True).status == 101
        assert far.receive_exactly(11) == b"that is all" and far.is_closed()
        far.send(b"understood")
        assert client.receive_exactly(10) == b"understood"


SIDES = ["client", "upstream"]


@pytest.mark.parametrize("who", SIDES)
def test_one_has_said_all_and_the_other_nothing(stage, far_ends, who):
    """`stream_idle` bounds this too where it is shorter than the ten seconds that the other has."""
    door = stage.start(server={"timeouts": {"stream_idle": "400ms"}})
    with door.client() as client:
        far = far_ends.tunnel(client)
        near, other = (client, far) if who == "client" else (far, client)
        finish(near)
        assert other.is_closed(), "it was not told"
        assert near.is_closed(), "the tunnel did not end"
        over(door)
    assert 300_000 <= door.logged(path="/public/x")["total_us"] < 4_000_000


@pytest.mark.long
@pytest.mark.parametrize("who", SIDES)
def test_ten_seconds_for_the_other_to_say_something(stage, far_ends, who):
    door = stage.start()
    with door.client(25) as client:
        far = far_ends.tunnel(client)
        near, other = (client, far) if who == "client" else (far, client)
        finish(near)
        assert other.is_closed()
        for _ in range(3):  # what it says buys time
            assert is_silent(near, 4)
            other.send(b".")
            assert near.receive_exactly(1) == b"."
        assert is_silent(near, 8), "cut before its time"
        near.sock.settimeout(8)
        assert near.is_closed(), "the tunnel did not end"
        over(door)


def ended(end):
    """By FIN or RST; what was said before does not count."""
    end.sock.settimeout(5)
    try:
        while end.sock.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.parametrize("how", ["close", "reset", "close with bytes unread"])
@pytest.mark.parametrize("who", SIDES)
def test_one_side_is_gone(stage, far_ends, who, how):
    door = stage.start()
    with door.client() as client:
        far = far_ends.tunnel(client)
        near, other = (client, far) if who == "client" else (far, client)
        if how == "close with bytes unread":
            other.send(b"x" * 1000)
            assert not is_silent(near, 5)
        if how == "reset":
            near.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        near.sock.close()
        assert ended(other)
        other.sock.close()
        over(door)
    assert door.logged(path="/public/x")["status"] == 101


def test_connection_of_a_tunnel_is_used_for_nothing_else(stage, far_ends):
    door = stage.start()
    with door.client() as client:
        far = far_ends.tunnel(client)
        client.finish()
        assert far.is_closed()
        finish(far)
        assert client.is_closed()
    over(door)
    stage.app.script = lambda request, connection: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    assert door.get("/public/x").body == b"ok"
    assert stage.app.connections == 2


def test_tunnels_take_places_and_give_them_back(stage, far_ends):
    app = {"endpoints": [stage.app.url], "connections": 2, "timeouts": {"connect": "200ms"}}
    door = stage.start(server={"workers": 1}, upstreams={"app": app})  # workers have places of their own
    with door.client() as one, door.client() as two, door.client() as three:
        far = far_ends.tunnel(one)
        far_ends.tunnel(two)
        three.send(handshake())
        refused(three.response(), 503)
        one.close()
        far.sock.close()
        eventually(lambda: tunnels(door) == 1)
        far_ends.tunnel(three)


def test_many_are_opened_and_broken_off(stage, far_ends):
    """In every way of breaking off, and nothing is left of them."""
    door = stage.start()
    with door.client() as client:
        far_ends.tunnel(client).sock.close()
        assert ended(client)
    over(door)
    before, rounds = door.descriptors(), 20 if SANITIZED else 60
    for n in range(rounds):
        client = door.client()
        client.send(handshake() + b"early")
        far = far_ends.next()
        if n % 4 != 0:  # else the client is gone before the answer
            far.send(SWITCHED)
        if n % 4 == 1:
            assert client.response(upgrade=True).status == 101
        if n % 4 == 3:
            far.sock.close()
        client.reset() if n % 2 else client.close()
        if n % 4 == 0:
            far.send(SWITCHED + b"hello?")
        if n % 4 != 3:
            assert ended(far)
            far.sock.close()
    over(door)
    eventually(lambda: door.descriptors() <= before + 2, 5, "descriptors back where they were")


# ---- who does not read ----


@pytest.mark.parametrize("who", SIDES)
def test_one_that_takes_nothing_is_cut(stage, far_ends, who):
    door = stage.start(server={"timeouts": {"write_idle": "400ms"}})
    with door.client(20) as client:
        far = far_ends.tunnel(client)
        talker = far if who == "client" else client
        talker.sock.settimeout(10)
        with pytest.raises(ConnectionError):  # a limit passed would be TimeoutError
            for _ in range(1024):
                talker.send(b"x" * 65536)
        over(door)


@pytest.mark.cost
def test_tunnel_holds_little_of_what_is_not_read(stage, far_ends):
    door = stage.start()
    with door.client(30) as client:
        far = far_ends.tunnel(client)
        client.send(b"x")
        far.receive_exactly(1)
        before = door.resident_kib()
        for talker, reader in ((client, far), (far, client)):
            talker.sock.settimeout(0.5)
            sent = 0
            with pytest.raises(TimeoutError):
                while True:
                    sent += talker.sock.send(b"x" * 65536)
            assert door.resident_kib() - before < 512
            reader.sock.settimeout(20)
            reader.receive_exactly(sent)


# ---- the drain ----


def ended_well(door):
    assert door.wait(8) == 0
    door.stopped = True


def test_tunnels_end_with_the_drain(stage, far_ends):
    """And not by its limit: both ends are told at once, and each is logged."""
    door = stage.start(server={"timeouts": {"drain_delay": "0s", "drain": "60s"}})
    clients = [door.client(10) for _ in range(20)]
    fars = [far_ends.tunnel(client) for client in clients]
    door.signal(signal.SIGTERM)
    assert all(map(ended, clients)) and all(map(ended, fars))
    for end in clients + fars:
        end.sock.close()
    ended_well(door)
    door.access.join()
    assert [e["status"] for e in door.access.json() if e["path"] == "/public/x"] == [101] * 20


def test_tunnel_opens_during_the_delay_of_the_drain_and_ends_after_it(stage, far_ends):
    door = stage.start(server={"timeouts": {"drain_delay": "1500ms", "drain": "60s"}})
    with door.client() as client:
        door.signal(signal.SIGTERM)
        eventually(lambda: door.admin("/readyz").status == 503)
        far = far_ends.tunnel(client)
        client.send(b"hello")
        assert far.receive_exactly(5) == b"hello"
        assert ended(client) and ended(far)
        far.sock.close()
    ended_well(door)


def test_handshake_that_is_answered_during_the_drain(stage, far_ends):
    """Whatever becomes of it, it does not hold up the end until the drain's limit."""
    door = stage.start(server={"timeouts": {"drain_delay": "0s", "drain": "60s"}})
    with door.client() as client, door.client() as idle:
        assert idle.ask("GET", "/elsewhere", {"Cookie": "sid=none"}).status == 401
        client.send(handshake())
        far = far_ends.next()
        door.signal(signal.SIGTERM)
        assert idle.is_closed()  # so the drain has begun
        far.send(SWITCHED)
        assert ended(client) and ended(far)
        far.sock.close()
    ended_well(door)
