"""Applications that keep sessions of their own in Redis, run as they are, and somebody who visits them."""

import itertools
import json
import re
from urllib.parse import urlencode

import yaml

from .client import RawClient
from .doorward import merged
from .logins import FORM
from .npm import packages
from .programs import Program
from .redis_server import PASSWORD, ROOT

APPS = ROOT / "integration/foreign"
RECORDED = ROOT / "tests/session/recorded"
SECRETS = ["newest secret of the play", "an older secret"]
_readers = itertools.count(1)


class App:
    """One of them. `cookie` is the name of its session's; `key(id)` where it keeps that session."""

    def __init__(self, program, address, cookie, key):
        self.program = program
        self.address = address
        self.url = f"http://{address}"
        self.cookie = cookie
        self.key = key


def express(redis, secrets):
    """`redis`: "host:port/database"."""
    settings = json.dumps({"redis": f"redis://{redis}", "secrets": secrets})
    program = Program("env", f"NODE_PATH={packages(APPS / 'express')}", "NODE_ENV=production", "node", APPS / "express/app.js", settings)
    return App(program, _address(program, "listening on (.*)"), "connect.sid", lambda id: f"sess:{id}")


def php(redis, handler):
    """`handler`: the name of one of PHP's serialize handlers."""
    server, _, database = redis.partition("/")
    settings = {"session.save_handler": "redis", "session.save_path": f"tcp://{server}?database={database}",
                "session.serialize_handler": handler, "session.use_strict_mode": "1", "session.cookie_httponly": "1",
                "session.cookie_samesite": "Lax", "display_errors": "stderr"}  # fmt: skip
    # In quotes, for a setting is read as a line of php.ini.
    program = Program("php", *(word for name, value in settings.items() for word in ("-d", f'{name}="{value}"')),
                      "-S", "127.0.0.1:0", APPS / "php/app.php")  # fmt: skip
    address = _address(program, r"\(http://(127\.0\.0\.1:[1-9]\d*)\) started")
    return App(program, address, "PHPSESSID", lambda id: f"PHPREDIS_SESSION:{id}")


def _address(program, announced):
    """The address that it prints; a program that does not is ended."""
    try:
        return program.output.wait_for(lambda line: re.search(announced, line), 15.0, repr(announced))[1]
    except AssertionError:
        program.stop()
        raise


class Visitor:
    """A browser's cookies, and no more of it. `address`: whom it visits."""

    def __init__(self, address):
        self.address = address
        self.cookies = {}

    def ask(self, method, target, headers=(), body=None):
        pairs = [*dict(headers).items()]
        if self.cookies:
            pairs.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        with RawClient(self.address, 10.0) as client:
            response = client.ask(method, target, pairs, body)
        for cookie in response.all("Set-Cookie"):
            name, value = cookie.split(";")[0].split("=", 1)
            gone = re.search(r"max-age=0|expires=\w+,? 01.Jan.1970", cookie, re.I) or value in ("", '""', "deleted")
            self.cookies.pop(name, None) if gone else self.cookies.update({name: value})
        return response

    def get(self, target, headers=()):
        return self.ask("GET", target, headers)

    def post(self, target, headers=(), **fields):
        return self.ask("POST", target, {**FORM, **dict(headers)}, urlencode(fields).encode())

    def log_in(self, user, role="editor", target="/login"):
        response = self.post(target, username=user, password="right", role=role)
        assert response.status == 303, response
        return self

    def me(self):
        """What the application says about its own session."""
        response = self.get("/me")
        assert response.status == 200, response
        return response.json()


def recipe(stage, text, shop=None, secret="", **changes):
    """A doorward with a configuration that somebody copied from us. The application is at `shop`, or else the stage's."""
    # It may do in Redis what docs/redis.md says is enough to read such sessions and to end them, and with their keys only.
    session = merged(yaml.safe_load(text)["session"], changes.get("session", {}))
    reads = "+hgetall" if session["encoding"] == "spring" else "+get"
    keys = "~" + session["key"].replace("{id}", "*")
    reader = f"reader-{next(_readers)}"
    stage.server.admin("ACL", "SETUSER", reader, "reset", "on", f">{PASSWORD}", keys, "resetchannels", "-@all", "+ping", "+del", reads, "+select")
    addresses = {f"http://127.0.0.1:{port}": url for port, url in ((3000, shop or stage.identity.url), (8081, shop or stage.identity.url), (3100, stage.app.url))}
    here = {written: url for written, url in addresses.items() if written in text}
    return stage.start_text(text, here, {"SESSION_SECRET": secret}, reader, **changes)


class House:
    """An application at `/`, and at `/reports/` and `/desk/` a service that has no sessions: `reports`."""

    def __init__(self, stage, example, app=None, secret=""):
        self.stage, self.app, self.secret = stage, app, secret
        self.example = ROOT / "conf/examples" / example
        self.redis, self.reports = stage.redis, stage.app
        self.door = self.start()

    def start(self, **changes):
        """A doorward with that file."""
        return recipe(self.stage, self.example.read_text(), self.app and self.app.url, self.secret, **changes)

    def visitor(self, door=None):
        return Visitor((door or self.door).address)

    def key_of(self, visitor):
        """Where the application keeps this visitor's session."""
        return self.app.key(visitor.me()["id"])

    def told(self, visitor, path="/reports/x"):
        """What the service is told of this visitor: user and role, or None when it is not asked."""
        before = len(self.reports.requests)
        response = visitor.get(path)
        if len(self.reports.requests) == before:
            assert response.status in (401, 403), response
            return None
        assert response.status == 200, response
        return self.reports.last.header("X-User-Id"), self.reports.last.header("X-User-Role")


def at(stage):
    """Where an application finds the stage's database."""
    return f"{stage.server.tcp}/{stage.db}"


def recorded(name):
    """The values of a recorded reply, as bytes: of a string the one, of a hash the fields and their values."""
    data = (RECORDED / name).read_bytes()
    if data[:1] == b"$":
        return _bulk(data, 0)[0]
    end = data.index(b"\r\n")
    count, at, words = int(data[1:end]), end + 2, []
    for _ in range(count):
        word, at = _bulk(data, at)
        words.append(word)
    return dict(zip(words[::2], words[1::2]))


def _bulk(data, at):
    end = data.index(b"\r\n", at)
    size = int(data[at + 1 : end])
    return data[end + 2 : end + 2 + size], end + 4 + size
