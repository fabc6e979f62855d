"""What doorward accepts, an independent strict parser (h11) reads in the same way: one request, its method, its body, and
where the next one begins."""

import random
import re

import h11
import pytest
from support.client import RawClient

CASES = 1500
SENTINEL = b"GET /public/sentinel HTTP/1.1\r\nHost: app.test\r\n\r\n"


def one_of(random, *choices):
    return random.choice(choices)


def mutated(random, data):
    """Now and then a byte that should not be where it is."""
    if random.random() > 0.25 or not data:
        return data
    at = random.randrange(len(data))
    junk = one_of(random, b"\r", b"\n", b"\0", b" ", b"\t", b":", b",", b";", b"\x0b", b"\x85", b"0", b"+", b"-", b"x", b"\r\n", b"\n\n")
    return one_of(random, data[:at] + junk + data[at:], data[:at] + data[at + 1 :], data[:at] + junk + data[at + 1 :])


def chunk(random, size):
    digits = one_of(random, f"{size:x}", f"{size:X}", f"{size:04x}", f"0x{size:x}", f"+{size:x}", f" {size:x}", f"{size:x} ", "-1", "")
    extension = one_of(random, "", "", "", ";a", ";a=b", ';a="b"', " ;a", ";\n", ";" + "x" * 20)
    line_end = one_of(random, "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r")
    return (digits + extension + line_end).encode() + b"d" * size + one_of(random, b"\r\n", b"\r\n", b"\r\n", b"\n", b"")


def chunked(random):
    last = one_of(random, b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\n\r\n", b"00\r\n\r\n", b"0;x\r\n\r\n", b"0\r\nX-Trailer: 1\r\n\r\n", b"0\n\n", b"0\r\n")
    return b"".join(chunk(random, random.randrange(1, 20)) for _ in range(random.randrange(3))) + last


def request(random):
    """A request that is sound, or nearly."""
    method = one_of(random, "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "get", "M-SEARCH")
    version = one_of(random, "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1")
    lines = ["Host: app.test"]
    length = random.randrange(30)
    body = b""
    framing = random.randrange(6)
    if framing in (1, 2):
        body = b"b" * length
        name = one_of(random, "Content-Length", "content-length", "Content-Length ", "Content_Length")
        value = one_of(random, *[str(length)] * 5, f"+{length}", f"{length},{length}", f"0{length}", f" {length}\t", f"{length}.0", "", f"{length:x}h")
        lines.append(f"{name}: {value}")
        if random.random() < 0.1:
            lines.append(f"Content-Length: {one_of(random, length, length + 1)}")
    if framing in (3, 4) or (framing == 2 and random.random() < 0.2):
        body = chunked(random)
        coding = one_of(random, *["chunked"] * 5, "Chunked", " chunked", "chunked ", "chunked,", ",chunked", "gzip, chunked", "chunked, chunked",
                        "chunked;q=1", "xchunked", "identity", "\x0bchunked")  # fmt: skip
        lines.append(f"{one_of(random, 'Transfer-Encoding', 'transfer-encoding', 'Transfer-Encoding ')}: {coding}")
    for _ in range(random.randrange(3)):
        lines.append(one_of(random, "X-A: b", "x-a:b", "X-A:", "X-A: b\t c ", "X-A : b", " folded", "X_A: b", ": b", "X-A", "Cookie: a=b"))
    random.shuffle(lines)
    head = "\r\n".join([f"{method} /public/case {version}", *lines]) + "\r\n\r\n"
    return mutated(random, head.encode("latin-1")) + body


# Blanks before a chunk extension: recipients are to read over them (RFC 9110 section 5.6.3), and h11 does not.
BAD_WHITESPACE = re.compile(rb"(?<=\n)([0-9a-fA-F]+)[ \t]+(?=;)")


def second_opinion(data):
    """[(method, target, body)] of all requests that h11 reads, and whether it refused the rest."""
    parser = h11.Connection(our_role=h11.SERVER)
    parser.receive_data(BAD_WHITESPACE.sub(rb"\1", data))
    parser.receive_data(b"")
    found = []
    try:
        while True:
            event = parser.next_event()
            if isinstance(event, h11.Request):
                found.append([event.method, event.target, b""])
            elif isinstance(event, h11.Data):
                found[-1][2] += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                parser.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                parser.send(h11.EndOfMessage())
                if parser.our_state is not h11.DONE:
                    return found, False
                parser.start_next_cycle()
            else:
                return found, False
    except h11.RemoteProtocolError:
        return found, True


def forwarded(app, door, data):
    """What reached the application of these bytes, once doorward has answered or closed."""
    seen = len(app.requests)
    with RawClient(door.address) as client:
        client.send(data)
        client.finish()
        answers = b""
        try:
            while more := client.sock.recv(65536):
                answers += more
        except ConnectionResetError:
            pass
    return [[r.method.encode(), r.target.encode(), r.body] for r in app.requests[seen:]], answers


@pytest.mark.parametrize("part", range(5))
def test_what_is_accepted_is_read_alike(stage, part):
    door = stage.start(routes=[{"path": "/**", "auth": "none", "upstream": "app"}])
    dice = random.Random(part)
    accepted = 0
    for _ in range(CASES // 5):
        data = request(dice) + SENTINEL
        ours, answers = forwarded(stage.app, door, data)
        theirs, _ = second_opinion(data)
        # doorward may refuse what h11 takes, and stops there; nothing that it takes may look different to h11.
        assert ours == theirs[: len(ours)], f"{data!r}\nanswers: {answers!r}"
        accepted += len(ours) > 0
    assert accepted > CASES // 5 // 10, "the cases must not all be refused"
