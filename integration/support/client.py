"""A client that sends the bytes it is given and reads answers strictly (h11)."""

import json
import socket
import struct

import h11


class Response:
    def __init__(self, status, reason, headers, body, http_version="1.1", informational=()):
        self.status = status
        self.reason = reason
        self.headers = headers  # [(name as sent, value)]
        self.body = body
        self.http_version = http_version
        self.informational = list(informational)  # status codes of 1xx answers that came before

    def all(self, name):
        return [value for n, value in self.headers if n.lower() == name.lower()]

    def header(self, name):
        """The value of a header that may come once at most."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The stable code of a refusal; None where the answer is no problem document."""
        if (self.header("Content-Type") or "").split(";")[0] != "application/problem+json":
            return None
        return self.json()["code"]

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


def build(method, target, headers=(), body=None, host="app.test"):
    """The bytes of a request; Host and Content-Length are added unless given."""
    headers = list(headers.items()) if isinstance(headers, dict) else list(headers)
    names = {name.lower() for name, _ in headers}
    if host is not None and "host" not in names:
        headers.insert(0, ("Host", host))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        headers.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


def connect(address, timeout=5.0, source=None):
    """`address` is "host:port" or "unix:/path"."""
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(timeout)
        sock.connect(address[len("unix:") :])
        return sock
    host, _, port = address.rpartition(":")
    sock = socket.create_connection((host.strip("[]"), int(port)), timeout, (source, 0) if source else None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class RawClient:
    """One connection. Everything waits at most `timeout` seconds."""

    def __init__(self, address, timeout=5.0, source=None, tls=None, name=None, before=b"", resume=None):
        """`source`: the address to connect from, "127.0.0.2" for example.

        With an ssl.SSLContext as `tls` it asks for `name`, and may `resume` an earlier connection's session. `before`
        goes out in front of everything.
        """
        self.sock = connect(address, timeout, source)
        self.sock.sendall(before)
        if tls:
            # An end that TLS was not told of is an error (ssl.SSLEOFError).
            self.sock = tls.wrap_socket(self.sock, server_hostname=name, session=resume, suppress_ragged_eofs=False)
        self.buffer = b""  # read, and not yet part of an answer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Closes with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def finish(self):
        """Half-closes: nothing more will be sent, answers are still read."""
        self.sock.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.sock.sendall(data)

    def receive(self):
        """What has come; b"" when the other side has closed."""
        if self.buffer:
            data, self.buffer = self.buffer, b""
            return data
        return self.sock.recv(65536)

    def receive_until(self, mark):
        data = b""
        while mark not in data:
            more = self.receive()
            assert more, f"closed before {mark!r} came; got {data!r}"
            data += more
        return data

    def receive_exactly(self, count):
        parts, have = [], 0
        while have < count:
            parts.append(self.receive())
            assert parts[-1], f"closed after {have} of {count} bytes"
            have += len(parts[-1])
        data = b"".join(parts)
        self.buffer = data[count:]
        return data[:count]

    def response(self, method="GET", upgrade=False):
        """Reads one final answer to a request of that method."""
        parser = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=1024 * 1024)
        headers = [("Host", "x")] + ([("Connection", "upgrade"), ("Upgrade", "x")] if upgrade else [])
        parser.send(h11.Request(method=method, target="/", headers=headers))
        parser.send(h11.EndOfMessage())
        if self.buffer:
            parser.receive_data(self.buffer)
            self.buffer = b""
        informational, head, body, started = [], None, [], bool(parser.trailing_data[0])
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                data = self.sock.recv(65536)
                if not data and head is None and not started:
                    raise ConnectionError("closed before an answer came")
                started = True
                parser.receive_data(data)
            elif isinstance(event, h11.InformationalResponse):
                informational.append(event.status_code)
                if event.status_code == 101:
                    head = event
                    break
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            else:
                break
        self.buffer = bytes(parser.trailing_data[0])
        pairs = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in head.headers.raw_items()]
        version = head.http_version.decode()
        return Response(head.status_code, head.reason.decode(), pairs, b"".join(body), version, informational)

    def ask(self, method, target, headers=(), body=None, **more):
        self.send(build(method, target, headers, body, **more))
        return self.response(method)

    def is_closed(self):
        """True when the other side closes without sending anything more; waits for it up to the time limit."""
        if self.buffer:
            return False
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
