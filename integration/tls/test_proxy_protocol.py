"""The PROXY protocol: who the client is, said by a proxy of the lower layers that is trusted to say it."""

import socket
import time

import pytest
from support.client import RawClient, build

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def v1(source="192.0.2.7", family="TCP4", target="127.0.0.1"):
    return f"PROXY {family} {source} {target} 4711 80\r\n".encode()


def v2(source="192.0.2.7", command=1, extra=b""):
    addresses = socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + b"\x12\x67\x00\x50" + extra
    return SIGNATURE + bytes([0x20 | command, 0x11]) + len(addresses).to_bytes(2, "big") + addresses


@pytest.fixture
def start(stage):
    def start(trusted=("127.0.0.1",), tls=None, **server):
        listen = [{"address": "127.0.0.1:0", "proxy_protocol": True}]
        return stage.start(server={"listen": listen, "trusted_proxies": list(trusted), **({"tls": tls} if tls else {}), **server})

    return start


def closed(client):
    try:
        return client.sock.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(("header", "client"), [
    (v1(), "192.0.2.7"),
    (v1("2001:db8::7", "TCP6", "::1"), "2001:db8::7"),
    (v2(), "192.0.2.7"),
    (v2(extra=b"\x04\x00\x01x"), "192.0.2.7"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    (v2(command=0), "127.0.0.1"),
])  # fmt: skip
def test_the_client_is_whom_the_proxy_names(stage, start, header, client):
    door = start()
    with RawClient(door.address, before=header) as c:
        assert c.ask("GET", "/public/").status == 200
        assert c.ask("GET", "/public/again").status == 200
    assert stage.app.last.header("X-Forwarded-For") == client
    assert door.logged(path="/public/again")["client"] == client


def test_header_and_request_in_one_piece_or_byte_by_byte(stage, start):
    door = start()
    for header in (v1(), v2()):
        with RawClient(door.address) as c:
            c.send(header + build("GET", "/public/") + build("GET", "/public/2"))
            assert [c.response().status, c.response().status] == [200, 200]
        with RawClient(door.address) as c:
            for byte in header + build("GET", "/public/"):
                c.send(bytes([byte]))
            assert c.response().status == 200
        assert stage.app.last.header("X-Forwarded-For") == "192.0.2.7"


def test_whoever_is_not_trusted_cannot_say_who_it_is(stage, start):
    door = start(trusted=["10.0.0.0/8"])
    for header in (v1(), v2()):
        with RawClient(door.address, before=header) as c:
            assert closed(c)
    refusal = door.log.wait_for_json(lambda e: e.get("event") == "proxy_header_refused", 5, "the refusal")
    assert "trusted_proxies" in refusal["reason"]
    assert stage.app.requests == []


def test_the_named_client_is_not_trusted_for_it(stage, start):
    door = start()
    with RawClient(door.address, before=v1()) as c:
        assert c.ask("GET", "/public/", {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https"}).status == 200
    assert stage.app.last.header("X-Forwarded-For") == "192.0.2.7"
    assert stage.app.last.header("X-Forwarded-Proto") == "http"


@pytest.mark.parametrize("junk", [
    build("GET", "/public/"),
    b"PROXY TCP4 192.0.2.7 127.0.0.1 4711\r\n" + build("GET", "/public/"),
    b"PROXY " + b"x" * 200 + b"\r\n",
    SIGNATURE + b"\x21\x12\x00\x0c" + b"x" * 12,
    SIGNATURE + b"\x21\x11\xff\xff",
])  # fmt: skip
def test_what_is_no_header(stage, start, junk):
    door = start()
    with RawClient(door.address, before=junk) as c:
        assert closed(c)
    assert stage.app.requests == []


def test_one_that_does_not_come_in_time(start):
    door = start(timeouts={"header": "300ms", "drain_delay": "0s", "drain": "2s"})
    with RawClient(door.address, before=b"PROXY TCP4 192.0.2.7") as c:
        assert closed(c)


def test_waiting_for_the_rest_of_one_costs_nothing(start):
    door = start()
    with RawClient(door.address, before=b"PROXY TCP4 192.0.2.7") as waiting:
        before = door.metrics().value("process_cpu_seconds_total")
        with RawClient(door.address, before=v1()) as c:
            for _ in range(3):
                c.ask("GET", "/public/")
        time.sleep(0.5)  # the span that is measured
        assert door.metrics().value("process_cpu_seconds_total") - before < 0.25
        waiting.send(b" 127.0.0.1 4711 80\r\n" + build("GET", "/public/"))
        assert waiting.response().status == 200


def test_half_a_header_and_an_end(start):
    door = start()
    with RawClient(door.address, before=b"PROXY TCP4 192.0.2.7") as c:
        c.finish()
        assert closed(c)


def test_a_client_that_the_proxy_cannot_name_is_not_believed_like_the_proxy(stage, start):
    door = start()
    with RawClient(door.address, before=b"PROXY UNKNOWN\r\n") as c:
        assert c.ask("GET", "/public/", {"X-Forwarded-For": "1.2.3.4"}).status == 200
    assert stage.app.last.header("X-Forwarded-For") == "127.0.0.1"


def test_connections_are_counted_by_the_named_client(start):
    door = start(limits={"connections_per_address": 1})
    with RawClient(door.address, before=v1("192.0.2.1")) as one, RawClient(door.address, before=v1("192.0.2.2")) as two:
        assert one.ask("GET", "/public/").status == 200
        assert two.ask("GET", "/public/").status == 200
        with RawClient(door.address, before=v1("192.0.2.1")) as third:
            assert third.response().code == "overloaded"


def test_in_front_of_tls(stage, start, authority, app_test):
    door = start(tls=[{"cert": app_test[0], "key": app_test[1]}])
    for header in (v1(), v2()):
        with RawClient(door.address, before=header, tls=authority.trusted(), name="app.test") as c:
            assert c.ask("GET", "/public/").status == 200
        assert stage.app.last.header("X-Forwarded-For") == "192.0.2.7"
        assert stage.app.last.header("X-Forwarded-Proto") == "https"
