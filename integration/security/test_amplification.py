"""What a byte can cost: memory that is held for it, CPU, bytes that go out, commands to Redis, connections to upstreams.

A row is a request (or an answer, or a handshake) made to be dear. Its CPU time is compared with that of the plainest one
with as many bytes for the same route, its memory with its own bytes. docs/security.md has the largest ratios and these
bounds: a change here changes that table.
"""

import resource
import ssl
import threading
import time

import pytest
from support.certificates import Authority
from support.client import RawClient, build, connect
from support.stage import Stage
from support.upstream import answer
from support.wait import eventually

pytestmark = pytest.mark.cost

ENOUGH = 0.1  # seconds of CPU time that are long enough to be measured
LEAST = 4e-6  # a baseline counts for this much at least: below is noise
HELD = 200  # connections that hold memory at once
TRUSTED = "127.0.0.2"
MARK = b"HTTP/1.1 "  # begins an answer

# The rows that stand in docs/security.md, and one of each kind. The others are cheap, and are seen to be so with --long.
DEAREST = {
    "a path with many readings", "a path with many readings, rewritten", "32 options of Connection, 97 long names", "chunks of one byte",
    "nothing, over TLS", "a byte of a head, over TLS", "half a ClientHello", "97 fields in 1 KiB, waiting for an upstream",
    "1 KiB, waiting for an upstream, over TLS", "16,000 hops, waiting for an upstream",
    "1 KiB, the answer's head has 31 KiB and its body does not come", "1 KiB, the answer's head has 31 KiB and nobody reads it, over TLS",
}  # fmt: skip


def rows(table):
    return [pytest.param(name, id=name, marks=() if name in DEAREST else pytest.mark.long) for name in table]


# ---- the stage ----


def read_raw(request, connection):
    """Takes a body in as cheaply as can be: an answer to the last of its bytes."""
    if request.header("Transfer-Encoding"):
        seen, connection.buffer = connection.buffer, b""
        while not seen.endswith(b"0\r\n\r\n"):
            data = connection.sock.recv(1 << 18)
            if not data:
                return None
            seen = (seen + data)[-8:]
    else:
        connection.read_body(request)
    return answer(body=b"")


def silent(request, connection):
    return None


ROUTES = [
    {"path": "/own/**", "auth": "none", "respond": 204},
    {"path": "/**", "host": "own.test", "auth": "none", "respond": 204},
    {"path": "/**", "host": "*.wild.test", "auth": "none", "respond": 204},
    {"path": "/**", "host": "rewritten.test", "auth": "none", "upstream": "app", "rewrite": "/app"},
    {"path": "/app/**", "auth": "none", "upstream": "app"},
    {"path": "/secure/**", "auth": "none", "upstream": "secure"},
    {"path": "/evil/**", "auth": "none", "upstream": "evil"},
    {"path": "/silent/**", "auth": "none", "upstream": "silent"},
    {"path": "/**", "upstream": "app"},
]


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("authority"))
    authority.pairs = [authority.issue("ec", "app.test"), authority.issue("rsa", "rsa.test", key="rsa")]
    authority.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.server.load_cert_chain(*authority.issue("upstream", "127.0.0.1"))
    return authority


@pytest.fixture(scope="module")
def built(redis_server, tmp_path_factory, certified):
    """Upstreams, and `built.new_door()`: one worker; `plain`, `secure`, `proxied` and `unix` say where it listens."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16 * HELD), hard))
    with Stage(redis_server, tmp_path_factory.mktemp("amplification")) as stage:
        upstreams = {"app": stage.app, "identity": stage.identity, "evil": stage.upstream(), "silent": stage.upstream(silent),
                     "secure": stage.upstream(read_raw, tls=certified.server)}  # fmt: skip
        stage.app.script, stage.evil = read_raw, upstreams["evil"]
        for upstream in upstreams.values():
            upstream.reads_bodies = False
        listen = [{"address": "127.0.0.1:0", "tls": False}, {"address": "127.0.0.1:0", "tls": True},
                  {"address": "127.0.0.1:0", "tls": False, "proxy_protocol": True}]  # fmt: skip
        tls = [{"cert": cert, "key": key} for cert, key in certified.pairs]
        known = {name: {"endpoints": [up.url], "connections": 16 * HELD} for name, up in upstreams.items()}
        known["secure"]["tls"] = {"ca": str(certified.folder / "authority.crt")}

        def new_door():
            unix = f"unix:{stage.folder / f'door-{time.monotonic_ns()}'}"
            server = {"listen": [*listen, unix], "tls": tls, "workers": 1, "trusted_proxies": [f"{TRUSTED}/32"],
                      "limits": {"body_bytes": "64MiB"}}  # fmt: skip
            door = stage.start(server=server, upstreams=known, routes=ROUTES, session={"cookie": {"name": "sid"}})
            door.plain, door.secure, door.proxied, door.unix = door.addresses
            return door

        stage.new_door = new_door
        yield stage
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def door(built):
    return built.new_door()


# ---- requests ----


def head(target, *lines, method="GET", host="a"):
    return ("\r\n".join([f"{method} {target} HTTP/1.1", f"Host:{host}", *lines]) + "\r\n\r\n").encode()


def filled(size, target="/own/", *lines, method="GET", host="a"):
    """The plainest request of about `size` bytes, or of the fewest."""
    size = round(size, -3 if size > 2_000 else -2 if size > 500 else 0)
    left = size - len(head(target, *lines, method=method, host=host))
    whole, rest = divmod(max(left, 0), 1000)
    lines += ("X-P:" + "p" * 994,) * whole + (("X-P:" + "p" * (rest - 6),) if rest >= 6 else ())
    return head(target, *lines, method=method, host=host)


def posted(target, framing, body):
    return head(target, framing, method="POST") + body


def one_chunk(size):
    return b"%x\r\n" % size + b"a" * size + b"\r\n0\r\n\r\n"


# ---- the meter ----


def cpu_seconds(door):
    """What the process has used up to now (clock_getcpuclockid(3) for another process)."""
    return time.clock_gettime(~door.process.pid << 3 | 2)


def pipelined(address, data, count, source=None):
    """`count` times the same on one connection, as fast as it goes."""
    batch = max(1, min(count, (1 << 18) // len(data)))

    def send():
        for begun in range(0, count, batch):
            client.sock.sendall(data * min(batch, count - begun))

    with RawClient(address, 20, source) as client:
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        answered, rest = 0, b""
        while answered < count:
            more = client.sock.recv(1 << 18)
            assert more, f"closed after {answered} of {count} answers: {rest}"
            answered += (rest + more).count(MARK)
            rest = (rest + more)[-len(MARK) + 1 :]
        sender.join()


def one_by_one(address, data, count, source=None):
    """A connection for each, read to its end."""
    for _ in range(count):
        with RawClient(address, 20, source) as client:
            client.send(data)
            while client.sock.recv(1 << 16):
                pass


def cost_of(door, play, *args, **more):
    """CPU seconds for one of `count`, of as many as it takes to measure them: the least of three measurements, as
    whatever else the machine does makes them longer and never shorter."""

    def used(count):
        before = cpu_seconds(door)
        play(*args, count, **more)
        return cpu_seconds(door) - before

    count = 5
    used(count)
    while (took := used(count)) < ENOUGH and count < 20_000:
        count = min(20_000, int(count * max(2.0, min(20.0, 1.3 * ENOUGH / max(took, 1e-4)))))
    return min(took, used(count), used(count)) / count


_plain = {}


def plain_cost(door, play, address, data, **more):
    """The same for a baseline, which several rows share."""
    key = (play, address, data, *more.items())
    if key not in _plain:
        _plain[key] = cost_of(door, play, address, data, **more)
    return _plain[key]


def compared(name, dear, plain, bound):
    ratio = dear / max(plain, LEAST)
    print(f"{name}: {dear * 1e6:.1f} us against {plain * 1e6:.1f} us: {ratio:.1f} times (bound {bound})")
    assert ratio < bound


# ---- CPU: heads ----

# Four slashes, an escaped one, a backslash and two semicolons: as many ways to read it as there are.
MANY_READINGS = "/a;b%5Cc%3Bd//a" + ";/a" * 13  # 106 ways to read it; with more it is refused before
LONG = "x" + "a" * 236

HEADS = {
    # name: (target, lines, host, bound)
    "a path with many readings": (MANY_READINGS, [], "own.test", 30),
    "a path with many readings, rewritten": (MANY_READINGS, [], "rewritten.test", 30),
    "a path of short segments": ("/own/./" + "a/" * 4000, [], "a", 25),
    "a path of ..": ("/own/" + "a/../" * 1600, [], "a", 12),
    "a path of escapes": ("/own/" + "%61" * 2700, [], "a", 10),
    "a host of short labels": ("/", [], "a." * 120 + "wild.test", 8),
    "32 options of Connection, 97 long names": (
        "/own/", ["Connection:" + ",".join(f"{LONG}{i:02}" for i in range(32)), *[f"{LONG}-{i % 10}:" for i in range(97)]], "a", 45),
    "Accept of commas": ("/own/", ["Accept:" + "," * 16_000, "Accept:" + "," * 16_000], "a", 25),
    "Accept of short items": ("/own/", ["Accept:" + "a," * 16_000], "a", 25),
    "Cookie of short pieces": ("/own/", ["Cookie:" + "=;" * 16_000], "a", 25),
    "Cookie of our name, many times": ("/own/", ["Cookie:" + "sid=;" * 6_400], "a", 25),
    "98 short fields": ("/own/", ["a:"] * 98, "a", 6),
    "98 names that are nearly forwarding headers": ("/own/", ["X-Forwardee:"] * 98, "a", 8),
    "98 reserved names": ("/own/", ["X-User-Id:"] * 98, "a", 8),
    "a query of short parameters": ("/logout?" + "a+&" * 2_700, ["Content-Length:0"], "a", 30),
    "a way back of short segments": ("/" + "a/" * 1_000, ["Accept:text/html"], "a", 25),
}  # fmt: skip
PLAIN_TARGET = {"a query of short parameters": "/logout", "a path with many readings": "/plain", "a path with many readings, rewritten": "/plain",
                "a way back of short segments": "/a", "a host of short labels": "/"}  # fmt: skip


@pytest.mark.parametrize("name", rows(HEADS))
def test_cpu_of_a_head(door, name):
    target, lines, host, bound = HEADS[name]
    method = "POST" if target.startswith("/logout") else "GET"
    dear = head(target, *lines, method=method, host=host)
    kept = [line for line in lines if line in ("Content-Length:0", "Accept:text/html")]
    plain = filled(len(dear), PLAIN_TARGET.get(name, "/own/"), *kept, method=method, host="app.wild.test" if "wild" in host else host)
    compared(name, cost_of(door, pipelined, door.plain, dear), plain_cost(door, pipelined, door.plain, plain), bound)


REFUSED = {
    "16,000 options of Connection": (head("/own/", "Connection:" + "a," * 16_000), 25),
    "a byte that is no request": (b"\n", 8),
    "a head over the limit": (b"GET / HTTP/1.1\r\nA:" + b"a" * 33_000, 8),
}


@pytest.mark.parametrize("name", rows(REFUSED))
def test_cpu_of_a_refusal(door, name):
    """Each ends its connection; so does the baseline."""
    dear, bound = REFUSED[name]
    plain = filled(min(len(dear), 32_000), "/own/", "Connection:close")
    compared(name, cost_of(door, one_by_one, door.plain, dear), plain_cost(door, one_by_one, door.plain, plain), bound)


HOPS = {
    "X-Forwarded-For of short nodes": "X-Forwarded-For:" + "1," * 15_900,
    "X-Forwarded-For of trusted addresses": "X-Forwarded-For:" + f"{TRUSTED}," * 3_100,
    "Forwarded of trusted addresses": "Forwarded:" + f"for={TRUSTED}," * 2_200 + f"for={TRUSTED}",
}


@pytest.mark.parametrize("name", rows(HOPS))
def test_cpu_of_hops(door, name):
    """From a trusted proxy, that passes on what its client wrote."""
    dear = head("/own/", HOPS[name])
    plain = plain_cost(door, pipelined, door.plain, filled(len(dear)), source=TRUSTED)
    compared(name, cost_of(door, pipelined, door.plain, dear, source=TRUSTED), plain, 25)


@pytest.mark.long
def test_cpu_of_several_cookies(door):
    """Four are looked up; the plainest has one."""
    cookies = [f"sid=nobody-has-this-session-{n}" for n in range(4)]
    dear, plain = (head("/x", "Cookie:" + ";".join(some)) for some in (cookies, cookies[:1]))
    compared("four cookies", *(cost_of(door, pipelined, door.plain, data) for data in (dear, plain)), 10)


# ---- CPU: bodies and answers ----

TINY = b"1\r\na\r\n" * 20_000 + b"0\r\n\r\n"
BODIES = {
    "chunks of one byte": (TINY, 25),
    "chunk extensions": (b"".join(b"1;" + b"a" * 250 + b"\r\na\r\n" for _ in range(60)) + b"0\r\n\r\n", 12),
    "trailers": (b"0\r\n" + b"a:b\r\n" * 6_000 + b"\r\n", 12),
}


@pytest.mark.parametrize("name", rows(BODIES))
def test_cpu_of_a_chunked_body(door, name):
    body, bound = BODIES[name]
    dear = posted("/app/", "Transfer-Encoding:chunked", body)
    plain = posted("/app/", f"Content-Length:{len(body)}", b"a" * len(body))
    compared(name, cost_of(door, pipelined, door.plain, dear), cost_of(door, pipelined, door.plain, plain), bound)


@pytest.mark.parametrize("path, bound", [("/secure/", 75), pytest.param("/app/", 25, marks=pytest.mark.long)])
def test_cpu_of_a_body_that_means_nothing(door, path, bound):
    """A GET with a body costs an upstream connection of its own, over TLS a handshake too."""
    dear, plain = head(path, "Content-Length:1") + b"a", head(path, "X-P:aaaaaaaaa")
    compared(f"GET {path} with a body", *(cost_of(door, pipelined, door.plain, data) for data in (dear, plain)), bound)


def answered_head(*lines):
    return ("\r\n".join(["HTTP/1.1 200 Fine", *lines, "Content-Length: 0"]) + "\r\n\r\n").encode()


CHUNKED = b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n"
PLAIN_HEAD = answered_head(*["X-P:" + "p" * 995] * 31)
ANSWERS = {
    # name: (dear, plain, bound)
    "chunks of one byte": (CHUNKED + TINY, CHUNKED + one_chunk(len(TINY)), 25),
    "32 options of Connection, 97 long names": (
        answered_head("Connection:" + ",".join(f"{LONG[:230]}{i:02}" for i in range(32)), *[f"{LONG[:230]}-{i % 10}:" for i in range(97)]),
        PLAIN_HEAD, 45),
    "eight interim answers": ((b"HTTP/1.1 103 Soon\r\nX-P:" + b"p" * 31_000 + b"\r\n\r\n") * 8 + answered_head(), PLAIN_HEAD, 10),
}  # fmt: skip


@pytest.mark.parametrize("name", rows(ANSWERS))
def test_cpu_of_an_answer(built, door, name):
    *both, bound = ANSWERS[name]

    def cost(data):
        built.evil.script = lambda request, connection: data
        return cost_of(door, pipelined, door.plain, head("/evil/"))

    compared(name, *map(cost, both), bound)


# ---- CPU: pieces and handshakes ----


class Sealed:
    """TLS without a socket: what is written can be looked at, counted, and sent in one piece."""

    def __init__(self, certified, address, name="app.test"):
        self.read, self.written = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = certified.trusted().wrap_bio(self.read, self.written, server_hostname=name)
        self.sock = connect(address, 20)
        self.sent = 0
        self.take(self.tls.do_handshake)
        self.flush()

    def flush(self):
        data = self.written.read()
        self.sent += len(data)
        self.sock.sendall(data)

    def take(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.flush()
                more = self.sock.recv(1 << 16)
                assert more, "closed"
                self.read.write(more)

    def close(self):
        self.sock.close()


def test_cpu_of_a_segment_of_one_byte(door):
    """Against the plainest request, which is a segment too."""
    request = filled(1000)

    def bytewise(address, count):
        with RawClient(address) as client:
            for _ in range(count):
                for byte in request:
                    client.send(bytes([byte]))
                client.response()

    def whole(address, count):
        with RawClient(address) as client:
            for _ in range(count):
                client.ask("GET", "/own/")

    dear = cost_of(door, bytewise, door.plain) / len(request)
    compared("a segment of one byte", dear, cost_of(door, whole, door.plain), 4)


def test_cpu_of_a_tls_record_of_one_byte(door, certified):
    """Of a body, all of them in few segments. Against the plainest request in a record of its own, sent so too."""

    def records(pieces):
        client = Sealed(certified, door.secure)
        for piece in pieces:
            client.tls.write(piece)
        before = cpu_seconds(door)
        sender = threading.Thread(target=client.flush, daemon=True)
        sender.start()
        answered = 0
        while answered < (1 if pieces[0].startswith(b"POST") else len(pieces)):
            answered += client.take(lambda: client.tls.read(1 << 16)).count(MARK)
        used = cpu_seconds(door) - before
        sender.join()
        client.close()
        return used / len(pieces)

    count = 30_000
    records([head("/own/")])
    dear = records([posted("/app/", f"Content-Length:{count}", b""), *[b"a"] * count])
    compared("a TLS record of one byte", dear, records([head("/own/")] * count), 4)


@pytest.mark.parametrize("name, bound", [("rsa.test", 75), pytest.param("app.test", 60, marks=pytest.mark.long)])
def test_cpu_of_a_handshake(door, certified, name, bound):
    """Against a connection without TLS that has one request answered."""

    def shake(address, count):
        for _ in range(count):
            Sealed(certified, address, name).close()

    plain = cost_of(door, one_by_one, door.plain, filled(600, "/own/", "Connection:close"))
    compared(f"a handshake for {name}", cost_of(door, shake, door.secure), plain, bound)


# ---- memory ----

BIG_HEAD = b"HTTP/1.1 200 Fine\r\n" + (b"X-P:" + b"p" * 394 + b"\r\n") * 78 + b"Content-Length: 900000\r\n\r\n"
SMALL = head("/silent/")
KIB = head("/silent/", "X-P:" + "p" * 1000)
BEGUN = b"GET /own/ HTTP/1.1\r\nHost:a\r\nX-P:" + b"p" * 32_000
HELLO_BEGUN = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xf0" + b"a" * 1015

MEMORY = {
    # name: (what each sends, which listener, KiB that are held for it at most); the ratio is below 100 with these
    "nothing": (b"", "plain", 4),
    "nothing, over TLS": (b"", "secure", 40),
    "a byte of a head": (b"G", "plain", 24),
    "a byte of a PROXY header": (b"P", "proxied", 24),
    "a byte of a head, over TLS": (b"G", "secure", 64),
    "half a ClientHello": (HELLO_BEGUN, "handshake", 80),
    "1 KiB of a head": (BEGUN[:1024], "plain", 32),
    "1 KiB of a head, over TLS": (BEGUN[:1024], "secure", 72),
    "14.5 KiB of a head": (BEGUN[:14_800], "plain", 64),
    "30 KiB of a head": (BEGUN[:30_000], "plain", 90),
    "a small request, waiting for an upstream": (SMALL, "plain", 48),
    "1 KiB, waiting for an upstream": (KIB, "plain", 48),
    "1 KiB, waiting for an upstream, over TLS": (KIB, "secure", 90),
    "97 fields in 1 KiB, waiting for an upstream": (head("/silent/", *["a:bbbbbbb"] * 97), "plain", 56),
    "a chunked body behind 14 KiB of a head": (
        head("/silent/", "X-P:" + "p" * 14_000, "Transfer-Encoding:chunked", method="POST") + b"5\r\na", "plain", 90),
    "30 KiB, waiting for an upstream": (filled(30_000, "/silent/"), "plain", 200),
    "16,000 hops, waiting for an upstream": (head("/silent/", "X-Forwarded-For:" + "1," * 15_900), "trusted", 700),
    "1 KiB, the answer's head has 31 KiB and its body does not come": (head("/evil/", "X-P:" + "p" * 1000), "plain", 95),
    "1 KiB, the answer's head has 31 KiB and nobody reads it, over TLS": (head("/evil/unread", "X-P:" + "p" * 1000), "secure", 150),
    "1 KiB, the answer's head has 31 KiB and nobody reads it": (head("/evil/unread", "X-P:" + "p" * 1000), "unix", 95),
}  # fmt: skip


def big_answer(request, connection):
    return BIG_HEAD + (b"a" * 900_000 if request.target.endswith("unread") else b"a")


@pytest.mark.parametrize("name", rows(MEMORY))
def test_memory_held(built, certified, name):
    data, listener, bound = MEMORY[name]
    built.evil.script = big_answer
    door = built.new_door()
    sent = []

    def hold():
        if listener == "secure":
            client = Sealed(certified, door.secure)
            if data:
                client.tls.write(data)
                client.flush()
            sent.append(client.sent)
            return client
        address = {"plain": door.plain, "trusted": door.plain, "handshake": door.secure}.get(listener) or getattr(door, listener)
        client = RawClient(address, source=TRUSTED if listener in ("trusted", "proxied") else None)
        client.send(data)
        sent.append(len(data))
        return client

    def settled():
        """Where it stays for a moment: the last of what was sent has been taken in."""
        seen = []
        eventually(lambda: seen.append(door.resident_kib()) or (len(seen) > 15 and len(set(seen[-15:])) == 1), 10, "rest")
        return seen[-1]

    warm = [hold() for _ in range(30)]
    before = settled()
    clients = [hold() for _ in range(HELD)]
    held = (settled() - before) / HELD
    for client in warm + clients:
        client.close()
    door.stop()
    print(f"{name}: {held:.1f} KiB for {sent[-1]} bytes: {held * 1024 / max(sent[-1], 1):.1f} times (bound {bound} KiB)")
    assert held < bound
    assert sent[-1] < 1000 or held * 1024 < 95 * sent[-1]


# ---- bytes that go out ----

OUT = {
    # name: (request, most bytes of the answer for each of its own, most bytes of its log line for each of its own)
    "the plainest request, no session": (b"GET / HTTP/1.0\r\n\r\n", 35, 30),
    "a page for 46 bytes": (b"GET /.doorward/ HTTP/1.0\r\nAccept:text/html\r\n\r\n", 50, 15),
    "a page for 37 bytes that are no request": (b"GET /% HTTP/1.0\r\nAccept:text/html\r\n\r\n", 60, 15),
    "a way back of escapes": (b"GET /" + b"(" * 2000 + b" HTTP/1.0\r\nAccept:text/html\r\n\r\n", 5, 3),
    "a path of quotation marks": (b'GET /own/' + b'"' * 8000 + b" HTTP/1.0\r\n\r\n", 2, 3),
    "a method of 8 KiB": (b"M" * 8000 + b" /own/ HTTP/1.0\r\n\r\n", 2, 3),
}  # fmt: skip


def everything_from(client):
    parts = []
    while not parts or parts[-1]:
        parts.append(client.sock.recv(1 << 16))
    return b"".join(parts)


@pytest.mark.parametrize("name", OUT)
def test_bytes_that_go_out(door, name):
    request, most, most_logged = OUT[name]
    with door.client() as client:
        client.send(request)
        answered = everything_from(client)
    id = answered.split(b"X-Request-Id: ")[1].split(b"\r\n")[0].decode()
    logged = door.access.wait_for(lambda line: line if id in line else None)
    out, log = len(answered) / len(request), len(logged) / len(request)
    print(f"{name}: {len(request)} bytes; answer {len(answered)}: {out:.1f} times; log line {len(logged)}: {log:.1f} times")
    assert out < most and log < most_logged


def test_one_byte_that_is_no_request(door):
    """There is no ratio to speak of: an answer and a log line of at most this."""
    with door.client() as client:
        client.send(b"\n")
        answered = everything_from(client)
    id = answered.split(b"X-Request-Id: ")[1].split(b"\r\n")[0].decode()
    assert len(answered) < 600
    assert len(door.access.wait_for(lambda line: line if id in line else None)) < 500


# ---- commands, connections, series ----


@pytest.mark.parametrize("request_, most", [(("GET", "/x"), 5), (("POST", "/logout"), 4), (("POST", "/logout?everywhere=1"), 8)])
def test_commands_to_redis(built, door, request_, most):
    """Four cookies, four live sessions of one user."""
    monitor = built.monitor()
    door.ask(*request_, {"Cookie": f"sid={built.session('7')}"})  # from now on Redis knows the script
    cookie = "; ".join(f"sid={built.session('7')}" for _ in range(4))
    monitor.commands()
    assert door.ask(*request_, {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}).status in (200, 204)
    asked = [words for words in monitor.commands(built.db) if words[0].upper() in ("HGETALL", "EVAL", "EVALSHA")]
    assert 1 < len(asked) <= most, asked


def test_connections_to_an_upstream(built, door):
    """An upstream that drops every connection at its second request: each request costs one more attempt and no third."""
    served = set()

    def once(request, connection):
        if connection.number in served:
            connection.close()
        served.add(connection.number)
        return answer()

    built.evil.script = once
    before, asked = built.evil.connections, len(built.evil.requests)
    for _ in range(20):
        assert door.get("/evil/").status == 200
    assert 1 < built.evil.connections - before <= 2 * 20
    assert len(built.evil.requests) - asked <= 2 * 20


def test_series_do_not_grow(door):
    """Nothing that a client makes up becomes a label."""

    def made_up(start):
        for n in range(start, start + 300):
            with door.client() as client:
                client.send(build(f"M{n}", f"/own/{n}", {"User-Agent": f"agent-{n}", "X-Request-Id": f"id-{n}"}, host=f"h{n}.test"))
                client.response(f"M{n}")
        return len(door.metrics().samples)

    assert made_up(0) == made_up(1000)
