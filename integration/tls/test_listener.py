"""TLS with clients: certificates, names, protocols, resumption, clients' certificates, what is said over it."""

import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from support.certificates import Authority, openssl
from support.client import RawClient, build
from support.doorward import run, write_config
from support.wait import eventually

COOKIE = {"session": {"cookie": {"name": "sid"}}}


def certificate(files, **more):
    return {"cert": files[0], "key": files[1], **more}


@pytest.fixture
def start(stage, app_test):
    """Runs doorward with TLS for app.test, and these changes to `server`."""

    def start(tls=None, listen="127.0.0.1:0", **server):
        return stage.start(server={"tls": tls or [certificate(app_test)], "listen": listen, **server}, **COOKIE)

    return start


@pytest.fixture
def client(authority):
    """A connection that speaks TLS with app.test, unless told otherwise."""

    def client(door, name="app.test", context=None, address=None, **more):
        return RawClient(address or door.address, tls=context or authority.trusted(), name=name, **more)

    return client


def test_a_login_and_a_page(stage, start, client):
    door = start()
    stage.grant({"userId": "42", "role": "user"})
    with client(door) as c:
        assert c.sock.version() == "TLSv1.3"
        login = c.ask("POST", "/login", {"Sec-Fetch-Site": "same-origin"}, b"user=42", host="app.test")
        assert login.status == 200
        cookie = login.header("Set-Cookie")
        assert "; Secure" in cookie and "; HttpOnly" in cookie
        page = c.ask("GET", "/", {"Cookie": cookie.split(";")[0]})
        assert page.status == 200
    seen = stage.app.last
    assert seen.header("X-User-Id") == "42"
    assert seen.header("X-Forwarded-Proto") == "https"


def test_the_cookie_has_a_prefix_that_browsers_enforce(stage, app_test, client):
    door = stage.start(server={"tls": [certificate(app_test)]})
    stage.grant({"userId": "42"})
    with client(door) as c:
        cookie = c.ask("POST", "/login", {"Sec-Fetch-Site": "same-origin"}, b"user=42").header("Set-Cookie")
    assert re.match(r"__Host-sid=[\w-]{43}; ", cookie) and "; Secure" in cookie and "; Path=/" in cookie


def test_large_bodies_both_ways(stage, start, client):
    door = start()
    body = bytes(i * 7 % 251 for i in range(3_000_000))
    stage.app.script = lambda request, _: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(request.body) + request.body
    with client(door) as c:
        for _ in range(2):
            answer = c.ask("POST", "/public/echo", {}, body)
            assert answer.body == body


def test_pipelined_requests_in_one_record(start, client):
    door = start()
    with client(door) as c:
        c.send(build("GET", "/public/1") + build("GET", "/public/2") + build("GET", "/public/3"))
        assert [c.response().status for _ in range(3)] == [200, 200, 200]


def test_certificates_by_name(authority, start, client, app_test):
    other = authority.issue("other", "other.test", key="rsa")
    door = start([certificate(app_test), certificate(other)])
    for name in ("app.test", "x.app.test", "other.test", "OTHER.test"):
        with client(door, name) as c:
            assert c.ask("GET", "/public/").status == 200
    # A name nobody knows gets the first one, which is not for it.
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        client(door, "unknown.test")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_that_are_spoken(authority, start, client, version):
    door = start()
    context = authority.trusted(minimum_version=version, maximum_version=version)
    with client(door, context=context) as c:
        assert c.ask("GET", "/public/").status == 200
        assert c.sock.version() == version.name.replace("TLSv1_", "TLSv1.")
        assert c.sock.compression() is None


def test_older_versions_are_not_spoken(authority, start, client):
    door = start()
    context = authority.trusted(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        client(door, context=context)


def test_suites_without_forward_secrecy_are_not_spoken(authority, start, client):
    door = start()
    context = authority.trusted(maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("AES128-GCM-SHA256:AES256-SHA:ECDHE-ECDSA-AES128-SHA")
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        client(door, context=context)


def test_protocols_are_agreed_on_or_it_ends(authority, start, client):
    door = start()
    context = authority.trusted()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with client(door, context=context) as c:
        assert c.sock.selected_alpn_protocol() == "http/1.1"
    # Nobody speaks SMTP to a web server by accident (ALPACA).
    context.set_alpn_protocols(["smtp"])
    with pytest.raises(ssl.SSLError, match="NO_APPLICATION_PROTOCOL|no application protocol"):
        client(door, context=context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_by_every_worker(authority, start, client, version):
    door = start(workers=4)
    context = authority.trusted(maximum_version=version)
    with client(door, context=context) as c:
        assert c.ask("GET", "/public/").status == 200
        session = c.sock.session
    for _ in range(20):  # the kernel spreads them over the four
        with client(door, context=context, resume=session) as c:
            assert c.sock.session_reused
            assert c.ask("GET", "/public/").status == 200
    assert door.metrics().value("doorward_tls_handshakes_total", result="resumed") == 20
    assert door.metrics().value("doorward_tls_handshakes_total", result="full") == 1


def test_plain_http_is_told_that_it_is_wrong_here(start):
    door = start()
    with door.client() as c:
        answer = c.ask("GET", "/public/")
        assert answer.status == 400 and answer.code == "bad_request"
        assert c.is_closed()
    assert door.metrics().value("doorward_tls_handshakes_total", result="failed") == 1


def test_a_client_that_never_shakes_hands_is_cut(start):
    door = start(timeouts={"header": "300ms", "drain_delay": "0s", "drain": "2s"})
    with door.client() as c:
        c.send(b"\x16\x03\x01")
        assert c.is_closed()


def test_part_of_a_record_now_and_then_buys_no_time(authority, start):
    """What TLS reads without a byte of a request: an idle connection has one deadline all the same."""
    door = start(timeouts={"header": "500ms", "idle": "500ms", "drain_delay": "0s", "drain": "2s"})
    raw = socket.create_connection(door.address.rsplit(":", 1))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority.trusted().wrap_bio(incoming, outgoing, server_hostname="app.test")
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            raw.sendall(outgoing.read())
            incoming.write(raw.recv(65536))
    raw.sendall(outgoing.read())
    tls.write(b"x" * 16000)
    record = outgoing.read()
    began = time.monotonic()
    with pytest.raises(ConnectionError):
        for byte in record:
            raw.sendall(bytes([byte]))
            time.sleep(0.05)  # slower than any client
            assert time.monotonic() - began < 3, "it lives on"
    raw.close()


def test_the_end_of_an_answer_without_a_length_is_told(stage, start, client):
    """To a client of HTTP/1.0 the end of the connection is the end of the body: TLS tells it from a cut."""
    stage.app.script = lambda request, c: [c.send(b"HTTP/1.1 200 OK\r\n\r\nwhole"), c.close()]
    door = start()
    with client(door) as c:
        c.send(b"GET /public/ HTTP/1.0\r\nHost: app.test\r\n\r\n")
        got = b""
        while data := c.sock.recv(1000):  # an end that was not told raises SSLEOFError
            got += data
        assert got.endswith(b"whole")


def test_an_answer_that_was_cut_looks_cut(stage, start, client):
    arrived = threading.Event()
    stage.app.script = lambda request, c: [c.send(b"HTTP/1.1 200 OK\r\n\r\nhalf"), arrived.wait(5), c.reset()]
    door = start()
    with client(door) as c:
        c.send(b"GET /public/ HTTP/1.0\r\nHost: app.test\r\n\r\n")
        c.receive_until(b"half")
        arrived.set()
        with pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
            while c.sock.recv(1000):
                pass


def test_websocket(stage, start, client):
    def script(request, connection):
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello ")
        while True:
            connection.send(connection.receive())

    stage.app.script = script
    door = start()
    with client(door) as c:
        c.send(build("GET", "/public/ws", {"Connection": "Upgrade", "Upgrade": "websocket"}))
        assert c.response(upgrade=True).status == 101
        assert c.receive_exactly(6) == b"hello "
        payload = bytes(range(256)) * 4000
        c.send(payload)
        assert c.receive_exactly(len(payload)) == payload


class TestClientCertificates:
    HEADER = "X-Client-Subject"

    @pytest.fixture
    def context(self, authority):
        context = authority.trusted()
        context.load_cert_chain(*authority.issue("client", subject="/O=Some, Inc./CN=machine-7"))
        return context

    def start(self, start, authority, **more):
        return start(client_certificates={"ca": str(authority.cert), "subject_header": self.HEADER, **more})

    def test_the_subject_is_told(self, stage, start, client, authority, context):
        door = self.start(start, authority)
        with client(door, context=context) as c:
            assert c.ask("GET", "/public/", {self.HEADER: "forged", "x_client_subject": "forged"}).status == 200
        assert stage.app.last.folded(self.HEADER) == [r"CN=machine-7,O=Some\, Inc."]

    def test_nobody_can_make_one_up(self, stage, start, client, authority):
        door = self.start(start, authority)
        with client(door) as c:
            assert c.ask("GET", "/public/", {self.HEADER: "forged", "X_Client-Subject": "forged"}).status == 200
        assert stage.app.last.folded(self.HEADER) == []

    def test_it_can_be_demanded(self, start, client, authority, context):
        door = self.start(start, authority, required=True)
        with client(door, context=context) as c:
            assert c.ask("GET", "/public/").status == 200
        with pytest.raises((ssl.SSLError, ConnectionError)), client(door) as c:
            c.ask("GET", "/public/")

    def test_one_that_nobody_vouches_for(self, start, client, authority, tmp_path):
        from support.certificates import Authority

        door = self.start(start, authority)
        context = authority.trusted()
        context.load_cert_chain(*Authority(tmp_path / "another").issue("mallory"))
        with pytest.raises((ssl.SSLError, ConnectionError)), client(door, context=context) as c:
            c.ask("GET", "/public/")


def test_hsts_is_said_over_tls_and_nowhere_else(stage, start, client):
    theirs = b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nContent-Length: 0\r\n\r\n"
    stage.app.script = lambda *_: theirs
    door = start(listen=["127.0.0.1:0", {"address": "127.0.0.1:0", "tls": False}], hsts={"max_age": "365d", "include_subdomains": True})
    secure, plain = door.addresses
    ours = "max-age=31536000; includeSubDomains"
    with client(door, address=secure) as c:
        assert c.ask("GET", "/public/").header("Strict-Transport-Security") == ours
        assert c.ask("GET", "/").header("Strict-Transport-Security") == ours
    with RawClient(plain) as c:
        assert c.ask("GET", "/public/").header("Strict-Transport-Security") == "max-age=1"
        assert c.ask("GET", "/").header("Strict-Transport-Security") is None


def test_plain_http_is_sent_to_https(stage, start):
    door = start(listen=["127.0.0.1:0", {"address": "127.0.0.1:0", "redirect_to_https": True}])
    _, plain = door.addresses
    with RawClient(plain) as c:
        to = c.ask("GET", "/a/b?c=d", host="app.test:8080")
        assert (to.status, to.header("Location")) == (301, "https://app.test/a/b?c=d")
        assert to.header("Set-Cookie") is None
        to = c.ask("POST", "/login", {}, b"user=42")
        assert (to.status, to.header("Location")) == (308, "https://app.test/login")
        assert c.ask("GET", "/%zz").status == 400
    assert stage.app.requests == [] and stage.identity.requests == []


def test_plain_http_is_sent_to_the_public_origin(start, stage):
    door = start(listen=["127.0.0.1:0", {"address": "127.0.0.1:0", "redirect_to_https": True}], public_origin="https://www.app.test:8443")
    with RawClient(door.addresses[1]) as c:
        assert c.ask("GET", "/a").header("Location") == "https://www.app.test:8443/a"


class TestRenewal:
    @pytest.fixture
    def files(self, authority, tmp_path):
        """Where the certificate is that doorward uses, and how another one takes its place."""
        where = tmp_path / "live.crt", tmp_path / "live.key"

        def put(name, only_cert=False):
            new = authority.issue(f"renewed-{name}", name)
            for source, target in list(zip(new, where))[: 1 if only_cert else 2]:
                target.write_bytes(open(source, "rb").read())

        put("old.test")
        return [str(w) for w in where], put

    def test_new_connections_get_the_new_one_and_none_is_lost(self, start, client, files):
        where, put = files
        door = start([certificate(where)])
        with client(door, "old.test") as old:
            assert old.ask("GET", "/public/").status == 200
            put("new.test")
            door.signal(1)
            door.log.wait_for_json(lambda e: e.get("event") == "certificates_renewed", 5, "the renewal")
            with client(door, "new.test") as new:
                assert new.ask("GET", "/public/").status == 200
            assert old.ask("GET", "/public/").status == 200

    def test_without_a_signal_within_ten_seconds(self, start, client, files):
        where, put = files
        door = start([certificate(where)])
        put("new.test")
        door.log.wait_for_json(lambda e: e.get("event") == "certificates_renewed", 25, "the renewal")
        with client(door, "new.test") as new:
            assert new.ask("GET", "/public/").status == 200

    def test_files_that_do_not_fit_change_nothing(self, start, client, files):
        where, put = files
        door = start([certificate(where)])
        put("new.test", only_cert=True)
        door.signal(1)
        kept = door.log.wait_for_json(lambda e: e.get("event") == "certificates_kept", 5, "the refusal")
        assert "the key is not the one of" in kept["reason"]
        with client(door, "old.test") as c:
            assert c.ask("GET", "/public/").status == 200


def test_ocsp_is_stapled(start, app_test, authority):
    door = start([certificate(app_test, ocsp=authority.ocsp(app_test[0]))])
    host, port = door.address.rsplit(":", 1)
    shown = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "app.test", "-status"],
                           input=b"", capture_output=True, timeout=10)  # fmt: skip
    assert b"OCSP Response Status: successful" in shown.stdout and b"Cert Status: good" in shown.stdout


def test_ocsp_of_another_certificate(stage, app_test, authority):
    other = authority.issue("ocsp-other", "x.test")
    server = {"tls": [certificate(app_test, ocsp=authority.ocsp(other[0]))]}
    done = run("check", "-c", write_config(stage.folder / "mixed.yaml", stage.config(server=server)))
    assert done.returncode == 78 and "server.tls[0].ocsp: the OCSP response is not of" in done.stderr


def test_check_and_serve_agree_on_a_weak_key(stage, app_test, tmp_path):
    """OpenSSL's own objections come when a context is made, not when the files are read."""
    weak = [str(tmp_path / name) for name in ("weak.crt", "weak.key")]
    openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak", "-addext", "subjectAltName=DNS:weak.test",
            "-days", 2, "-keyout", weak[1], "-out", weak[0])  # fmt: skip
    file = write_config(stage.folder / "weak.yaml", stage.config(server={"tls": [certificate(app_test), certificate(weak)]}))
    for command, code in (("check", 78), ("serve", 1)):
        done = run(command, "-c", file)
        assert done.returncode == code and "server.tls[1]: ee key too small" in done.stderr


def test_who_connects_and_says_nothing_is_no_failed_handshake(start, client):
    door = start()
    for _ in range(5):
        host, port = door.address.rsplit(":", 1)
        socket.create_connection((host, int(port))).close()
    with client(door) as c:
        assert c.ask("GET", "/public/").status == 200
    eventually(lambda: door.metrics().value("doorward_connections") == 0)
    assert door.metrics().value("doorward_tls_handshakes_total", result="failed") == 0


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01"])
def test_a_handshake_that_does_not_go_on_does_not_hold_up_the_end(start, said):
    door = start(timeouts={"header": "30s", "drain_delay": "0s", "drain": "30s"})
    host, port = door.address.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as silent:
        silent.sendall(said)
        eventually(lambda: door.metrics().value("doorward_connections") == 1)
        begun = time.monotonic()
        door.signal(signal.SIGTERM)
        assert silent.recv(1) == b"" and time.monotonic() - begun < 5
        assert door.wait(5) == 0
        door.stopped = True


def test_costly_key_exchanges_are_not_for_clients_to_choose(start):
    door = start()
    shown = subprocess.run(["openssl", "s_client", "-connect", door.address, "-groups", "ffdhe8192"],
                           input=b"", capture_output=True, timeout=10)  # fmt: skip
    assert b"handshake failure" in shown.stderr


def test_another_authority_for_clients_ends_all_resumption(start, client, authority, tmp_path):
    believed = tmp_path / "clients.crt"
    believed.write_bytes(authority.cert.read_bytes())
    door = start(client_certificates={"ca": str(believed)})
    context = authority.trusted(maximum_version=ssl.TLSVersion.TLSv1_2)
    with client(door, context=context) as c:
        session = c.sock.session
    with client(door, context=context, resume=session) as c:
        assert c.sock.session_reused
    believed.write_bytes(Authority(tmp_path / "other").cert.read_bytes())
    door.signal(signal.SIGHUP)
    door.log.wait_for_json(lambda e: e.get("event") == "certificates_renewed", 5, "the renewal")
    with client(door, context=context, resume=session) as c:
        assert not c.sock.session_reused


def test_check_names_what_is_wrong_with_a_certificate(stage, app_test, authority):
    other = authority.issue("check-other", "x.test")
    file = write_config(stage.folder / "bad.yaml", stage.config(server={"tls": [{"cert": app_test[0], "key": other[1]}]}))
    done = run("check", "-c", file)
    assert done.returncode == 78
    assert "server.tls[0].key: the key is not the one of" in done.stderr


def test_connections_that_break_in_the_handshake_leave_nothing(start, client):
    door = start()
    before = door.descriptors()
    for i in range(60):
        host, port = door.address.rsplit(":", 1)
        sock = socket.create_connection((host, int(port)))
        if i % 3:
            sock.sendall(b"\x16\x03\x01\x02\x00\x01" + b"x" * (i % 3))
        sock.close()
    with client(door) as c:
        assert c.ask("GET", "/public/").status == 200
    eventually(lambda: door.descriptors() <= before + 2, 5, "the descriptors to be closed")
