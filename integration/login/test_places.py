"""The places at the identity service come back whatever happens, and the gate needs nobody else."""

import signal
import threading
import time

import pytest
from support.client import build
from support.expect import refused
from support.logins import Desk, attempt, closed, form, grants, opened, request, take_all_places, wait_in_line
from support.redis_server import RedisServer
from support.stage import Stage
from support.tunnels import handshake
from support.upstream import Closed, answer
from support.wait import eventually


# ---- places come back ----


def refuses(request, connection):
    connection.reset()


def hangs_up(request, connection):
    connection.close()


def says_nothing(request, connection):
    connection.is_closed(5)


def mumbles(request, connection):
    return b"HELLO WHO IS THERE\r\n\r\n"


def stops_in_the_head(request, connection):
    connection.send(b"HTTP/1.1 200 Fine\r\nContent-")
    connection.close()


def grants_nonsense(request, connection):
    return answer(200, {"Doorward-Grant": "nobody"})


FAULTS = {refuses: 502, hangs_up: 502, says_nothing: 504, mumbles: 502, stops_in_the_head: 502, grants_nonsense: 502}


@pytest.mark.parametrize(("fault", "status"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", None))
def test_place_comes_back_after_a_fault(stage, fault, status):
    play = opened(stage, fault, in_flight=1, queue=1, upstream={"timeouts": {"first_byte": "200ms"}})
    for _ in range(3):
        assert attempt(play.door, password="right").status == status
    play.identity.script = grants
    assert attempt(play.door, password="right").status == 200 and play.guard.is_empty()


def test_place_comes_back_when_nobody_listens(stage):
    play = opened(stage, grants, in_flight=1, queue=1)
    play.identity.stop_listening()
    assert [attempt(play.door).status for _ in range(3)] == [502] * 3
    play.identity.listen()
    assert attempt(play.door, password="right").status == 200 and play.guard.is_empty()


def test_answer_that_takes_its_time_holds_no_place(stage):
    """The password has been looked at when the head of an answer comes: its body goes to a slow reader, or comes slowly itself."""
    whole, over = 8 * 1024 * 1024, threading.Event()

    def script(request, connection):
        if request.method == "POST":
            return grants(request, connection)
        if request.target == "/login/slow":
            connection.send(b"HTTP/1.1 200 Fine\r\nContent-Length: 10\r\n\r\nhalf")
            over.wait(10)
            return b"whole."
        if request.target == "/login/events":
            connection.send(b"HTTP/1.1 200 Fine\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            over.wait(10)
            raise Closed
        return answer(200, {}, b"x" * whole)

    play = opened(stage, script, in_flight=1, queue=0)
    clients = [play.door.client() for _ in range(3)]
    for client, target in zip(clients, ("/login/large", "/login/slow", "/login/events")):
        client.send(build("GET", target))
        client.receive_until(b"\r\n\r\n")
        assert play.guard.in_flight == 0
        assert attempt(play.door, password="right").status == 200
    over.set()
    closed(clients)


def test_tunnel_holds_no_place(stage):
    """There is none below the login path: the handshake goes on as an ordinary request."""
    play = opened(stage, lambda request, connection: answer(200, {}, b"no tunnel"), in_flight=1, queue=0)
    with play.door.client() as client:
        client.send(handshake("/login/socket"))
        assert client.response().status == 200 and play.identity.last.header("Upgrade") is None
        assert play.guard.in_flight == 0
    stage.identity.script = lambda request, connection: b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    with play.door.client() as client:
        client.send(handshake("/login/socket"))
        refused(client.response(), 502)
    assert play.guard.is_empty()


BODIES = {"length": ({}, form("slow", "right")), "chunks": ({"Transfer-Encoding": "chunked"}, b"1c\r\nusername=slow&password=right\r\n0\r\n\r\n")}


@pytest.mark.parametrize(("headers", "body"), BODIES.values(), ids=BODIES.keys())
def test_slow_sender_of_a_form_holds_no_place(stage, headers, body):
    play = opened(stage, grants, in_flight=1, queue=0)
    with play.door.client() as slow:
        whole = request(headers=headers, body=body)
        slow.send(whole[:-12])
        time.sleep(0.2)
        assert attempt(play.door, password="right").status == 200 and play.guard.in_flight == 0
        slow.send(whole[-12:])
        assert slow.response("POST").status == 200 and play.identity.last.body == form("slow", "right")


# ---- Redis ----


def test_gate_needs_no_redis(tmp_path):
    """Whom the identity service lets in cannot be told to Redis: 503. The gate stands all the same, and so do bans."""
    server = RedisServer(tmp_path)
    try:
        with Stage(server, tmp_path) as stage:
            play = opened(stage, in_flight=1, queue=1, failures=3)
            server.stop()
            clients = take_all_places(play) + [wait_in_line(play, "second")]
            refused(attempt(play.door), 503, "login_busy")
            play.desk.let_go(2)
            for client in clients:
                refused(client.response("POST"), 503, "store_unavailable")
            assert play.guard.is_empty() and play.guard.failures == 0
            play.desk.then = lambda request, connection: answer(401, {}, b"no")
            play.desk.let_go(3)
            assert [attempt(play.door).status for _ in range(4)] == [401] * 3 + [429]
            closed(clients)
    finally:
        server.stop()


def test_everybody_comes_back_after_a_loss_of_all_sessions(stage):
    play = opened(stage, Desk(takes=0.01), in_flight=4, queue=100)
    ids = [play.session(f"user-{n}") for n in range(60)]
    assert all(play.door.get("/page", session=id).status == 200 for id in ids)
    play.redis("FLUSHDB")
    for id in ids:
        refused(play.door.get("/page", session=id), 401)
    clients = [play.door.client(20) for _ in ids]
    for n, client in enumerate(clients):
        client.send(request(f"user-{n}", "right"))
    assert [client.response("POST").status for client in clients] == [200] * 60
    assert play.desk.most == 4 and len(play.redis("KEYS", "session:*")) == 60
    closed(clients)


# ---- the end ----


def ends(door):
    assert door.wait(3) == 0
    door.stopped = True


def test_those_in_line_are_served_while_it_ends(stage):
    play = opened(stage, in_flight=1, queue=5, server={"timeouts": {"drain_delay": "0s", "drain": "5s"}})
    clients = take_all_places(play) + [wait_in_line(play, name) for name in ("second", "third")]
    play.door.signal(signal.SIGTERM)
    play.door.log.wait_for_json(lambda e: e.get("event") == "draining")
    play.desk.let_go(3)
    assert [client.response("POST").status for client in clients] == [200] * 3
    ends(play.door)
    closed(clients)


def test_those_in_line_are_told_while_it_ends(stage):
    play = opened(stage, in_flight=1, queue=5, queue_timeout="600ms", server={"timeouts": {"drain_delay": "0s", "drain": "5s"}})
    inside, *waiting = take_all_places(play) + [wait_in_line(play, name) for name in ("second", "third")]
    play.door.signal(signal.SIGTERM)
    for client in waiting:
        refused(client.response("POST"), 503, "login_busy")
    play.desk.let_go()
    assert inside.response("POST").status == 200
    ends(play.door)
    closed([inside, *waiting])


@pytest.mark.parametrize("workers", [1, 2])
def test_nobody_in_line_keeps_it_from_ending(stage, workers):
    play = opened(stage, workers=workers, in_flight=8, queue=40, server={"timeouts": {"drain_delay": "0s", "drain": "400ms"}})
    clients = take_all_places(play, 8) + [play.door.client() for _ in range(40)]
    for client in clients[8:]:
        client.send(request("waits", "right"))
    eventually(lambda: play.guard.queued == 40)
    play.door.signal(signal.SIGTERM)
    ends(play.door)
    play.desk.let_go(48)
    assert all(client.is_closed() for client in clients) and len(play.identity.requests) == 8
    closed(clients)
