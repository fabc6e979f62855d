"""C5, row 1: a malformed or ambiguous request is 400, the connection is closed, and nothing of it goes upstream."""

import pytest
from support.client import build
from support.expect import refused, refused_page

HOST = b"Host: app.test\r\n"


def request(line=b"GET /public/x HTTP/1.1", headers=HOST, body=b""):
    return line + b"\r\n" + headers + b"\r\n" + body


def post(*headers, body=b"hello", line=b"POST /public/x HTTP/1.1"):
    return request(line, HOST + b"".join(h + b"\r\n" for h in headers), body)


MALFORMED = {
    "no Host": request(headers=b"Accept: */*\r\n"),
    "two Hosts": request(headers=HOST * 2),
    "two different Hosts": request(headers=HOST + b"Host: other.test\r\n"),
    "empty Host": request(headers=b"Host:\r\n"),
    "Host with a blank": request(headers=b"Host: app test\r\n"),
    "Host with user info": request(headers=b"Host: me@app.test\r\n"),
    "Host with a path": request(headers=b"Host: app.test/x\r\n"),
    "Host with a word for a port": request(headers=b"Host: app.test:http\r\n"),
    "Host is a list": request(headers=b"Host: app.test, other.test\r\n"),
    "folded header": request(headers=HOST + b"X-A: 1\r\n 2\r\n"),
    "folded with a tab": request(headers=HOST + b"X-A: 1\r\n\t2\r\n"),
    "first header starts with a blank": request(headers=b" X-A: 1\r\n" + HOST),
    "blank before the colon": request(headers=HOST + b"X-A : 1\r\n"),
    "tab before the colon": request(headers=HOST + b"X-A\t: 1\r\n"),
    "empty header name": request(headers=HOST + b": 1\r\n"),
    "blank in a header name": request(headers=HOST + b"X A: 1\r\n"),
    "control in a header name": request(headers=HOST + b"X\x01A: 1\r\n"),
    "high byte in a header name": request(headers=HOST + b"X\xe9A: 1\r\n"),
    "line without a colon": request(headers=HOST + b"nonsense\r\n"),
    "bare LF ends a line": request(headers=b"Host: app.test\nX-A: 1\r\n"),
    "bare LF ends the head": b"GET /public/x HTTP/1.1\nHost: app.test\n\n",
    "bare CR in a value": request(headers=HOST + b"X-A: 1\r2\r\n"),
    "NUL in a value": request(headers=HOST + b"X-A: 1\x002\r\n"),
    "control in a value": request(headers=HOST + b"X-A: 1\x072\r\n"),
    "DEL in a value": request(headers=HOST + b"X-A: 1\x7f2\r\n"),
    # Framing.
    "length and chunked": post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked and length": post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"),
    "length and a coding that is not chunked": post(b"Content-Length: 5", b"Transfer-Encoding: gzip"),
    "coding is identity": post(b"Transfer-Encoding: identity"),
    "coding before chunked": post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "coding after chunked": post(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"),
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
    "chunked after a comma": post(b"Transfer-Encoding: ,chunked", body=b"0\r\n\r\n"),
    "chunked with a parameter": post(b"Transfer-Encoding: chunked;q=1", body=b"0\r\n\r\n"),
    "chunked with a high byte": post(b"Transfer-Encoding: chunked\x85", body=b"0\r\n\r\n"),
    "chunked in quotes": post(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"),
    "xchunked": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "empty coding": post(b"Transfer-Encoding:", body=b"0\r\n\r\n"),
    "two lines of chunked": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked in HTTP/1.0": post(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n", line=b"POST /public/x HTTP/1.0"),
    "two equal lengths": post(b"Content-Length: 5", b"Content-Length: 5"),
    "two different lengths": post(b"Content-Length: 5", b"Content-Length: 6"),
    "length is a list": post(b"Content-Length: 5, 5"),
    "length has a plus": post(b"Content-Length: +5"),
    "length is negative": post(b"Content-Length: -5"),
    "length is hexadecimal": post(b"Content-Length: 0x5"),
    "length is empty": post(b"Content-Length:"),
    "length has a blank inside": post(b"Content-Length: 5 5"),
    "length is a fraction": post(b"Content-Length: 5.0"),
    "length overflows 64 bits": post(b"Content-Length: 18446744073709551621"),
    # The request line.
    "method is no token": request(b"GE(T /public/x HTTP/1.1"),
    "no method": request(b" /public/x HTTP/1.1"),
    "two blanks": request(b"GET  /public/x HTTP/1.1"),
    "a tab": request(b"GET\t/public/x HTTP/1.1"),
    "blank at the end": request(b"GET /public/x HTTP/1.1 "),
    "no version": request(b"GET /public/x"),
    "version in lower case": request(b"GET /public/x http/1.1"),
    "version 1.10": request(b"GET /public/x HTTP/1.10"),
    "version 2.0": request(b"GET /public/x HTTP/2.0"),
    "blank in the target": request(b"GET /public/x y HTTP/1.1"),
    "target without a slash": request(b"GET public/x HTTP/1.1"),
    "target is a star": request(b"GET * HTTP/1.1"),
    "target is empty": request(b"GET  HTTP/1.1"),
    "CONNECT": request(b"CONNECT app.test:443 HTTP/1.1"),
    "fragment": request(b"GET /public/x#/admin HTTP/1.1"),
    "backslash": request(b"GET /public\\x HTTP/1.1"),
    "backslash first": request(b"GET \\evil HTTP/1.1"),
    "high byte in the path": request(b"GET /public/\xe9 HTTP/1.1"),
    "control in the path": request(b"GET /public/\x01 HTTP/1.1"),
    "high byte in the query": request(b"GET /public/x?\xe9 HTTP/1.1"),
    "encoded NUL": request(b"GET /public/%00 HTTP/1.1"),
    "encoded line end": request(b"GET /public/%0d%0aX:1 HTTP/1.1"),
    "encoded DEL": request(b"GET /public/%7f HTTP/1.1"),
    "percent alone": request(b"GET /public/% HTTP/1.1"),
    "percent and one digit": request(b"GET /public/%2 HTTP/1.1"),
    "percent and no digits": request(b"GET /public/%zz HTTP/1.1"),
    "climbs above the root": request(b"GET /../public/x HTTP/1.1"),
    "climbs above the root, encoded": request(b"GET /public/%2e%2e/%2e%2e/x HTTP/1.1"),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed(shared, data):
    before = len(shared.app.requests)
    with shared.door.client() as client:
        client.send(data)
        refused(client.response(), 400, "bad_request")
        assert client.is_closed()
    assert len(shared.app.requests) == before


AMBIGUOUS = ["/public/..;/admin/", "/public/..%2fadmin/", "/public/..%5cadmin/", "//admin/x", 
             "/public//../admin/x", "/public/%2e%2e%2fadmin/", "/public/..%2Fadmin/"]  # fmt: skip


@pytest.mark.parametrize("target", AMBIGUOUS)
def test_path_that_servers_read_differently(shared, target):
    before = len(shared.app.requests)
    with shared.door.client() as client:
        client.send(build("GET", target))
        refused(client.response(), 400, "ambiguous_path")
        assert client.is_closed()
    assert len(shared.app.requests) == before


BAD_CHUNKS = {
    "size is no number": b"xyz\r\nhello\r\n0\r\n\r\n",
    "size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "blank before the size": b" 5\r\nhello\r\n0\r\n\r\n",
    "size of 17 digits": b"00000000000000005\r\nhello\r\n0\r\n\r\n",
    "size overflows": b"ffffffffffffffffff\r\nhello",
    "empty size": b"\r\nhello\r\n0\r\n\r\n",
    "bare LF after the size": b"5\nhello\r\n0\r\n\r\n",
    "bare LF in an extension": b"5;a\nhello\r\n0\r\n\r\n",
    "bare CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "no line end after the data": b"5\r\nhello0\r\n\r\n",
    "bare LF after the data": b"5\r\nhello\n0\r\n\r\n",
    "extension of 20 KiB": b"5;" + b"x" * 20_480 + b"\r\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("body", BAD_CHUNKS.values(), ids=BAD_CHUNKS.keys())
def test_malformed_chunks(shared, body):
    with shared.door.client() as client:
        client.send(build("POST", "/public/x", {"Transfer-Encoding": "chunked"}) + body)
        refused(client.response("POST"), 400, "bad_request")
        assert client.is_closed()


def test_refused_body_is_not_read_as_a_request(shared):
    """Pingora's CVE-2025-4366: what is left of a refused request must not become the next one."""
    before = len(shared.app.requests)
    smuggled = build("GET", "/public/smuggled")
    with shared.door.client() as client:
        client.send(build("POST", "/protected", {}, smuggled.ljust(1024)) + build("GET", "/public/next"))
        refused(client.response("POST"), 401, "no_session")
        try:
            assert client.response().status == 200
            assert shared.app.last.target == "/public/next"
        except ConnectionError:
            pass  # closing is right, too
    assert all("smuggled" not in r.target for r in shared.app.requests[before:])


def test_the_answer_to_a_person_is_a_page(shared):
    head = b"Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n"
    with shared.door.client() as client:
        client.send(request(b"GET /public/%zz HTTP/1.1", HOST + head))
        refused_page(client.response(), 400, "bad_request")
        assert client.is_closed()
