"""People who log in, and identity services that say when."""

import json
import threading
import time
from urllib.parse import parse_qs, urlencode

from .client import build
from .upstream import answer
from .wait import eventually

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NAVIGATION = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
FETCH = {"Accept": "*/*", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}


def form(user="anna", password="wrong", **more):
    return urlencode({"username": user, "password": password, **more}).encode()


def attempt(door, user="anna", password="wrong", headers=(), target="/login", body=None, source=None, via=None, timeout=5.0):
    """One login on a connection of its own. `source`: the address it comes from; `via`: the one a trusted proxy names."""
    with door.client(timeout, source) as client:
        client.send(request(user, password, headers, target, body, via))
        return client.response("POST")


def request(user="anna", password="wrong", headers=(), target="/login", body=None, via=None):
    """The bytes of a login."""
    pairs = {**FORM, **dict(headers), **({"X-Forwarded-For": via} if via else {})}
    return build("POST", target, pairs, form(user, password) if body is None else body)


def is_right(request):
    return parse_qs(request.body.decode("latin-1")).get("password") == ["right"]


def judges(request, connection):
    """The script of an identity service: it lets in whoever has the right password, and refuses the others."""
    return grants(request, connection) if is_right(request) else answer(401, {}, b"no")


def grants(request, connection):
    """Lets everybody in."""
    user = parse_qs(request.body.decode("latin-1")).get("username", ["somebody"])[0]
    return answer(200, {"Doorward-Grant": json.dumps({"userId": user})}, b"welcome")


class Desk:
    """The script of an identity service that counts who is in it at once, and keeps each for `takes` seconds or, without
    that, until the play lets it go on."""

    def __init__(self, takes=None, then=grants):
        self.takes, self.then = takes, then
        self.inside = self.most = 0
        self._lock = threading.Lock()
        self._may_go = threading.Semaphore(0)

    def __call__(self, request, connection):
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        if self.takes is None:
            self._may_go.acquire(timeout=20)
        else:
            time.sleep(self.takes)
        with self._lock:
            self.inside -= 1  # before a byte of the answer: the next one may come with it
        return self.then(request, connection)

    def let_go(self, count=1):
        self._may_go.release(count)


class Guard:
    """What the metrics say of the gate."""

    def __init__(self, door):
        self.door = door

    def _value(self, name, **labels):
        return self.door.metrics().value(f"doorward_login_{name}", **labels)

    in_flight = property(lambda self: self._value("in_flight"))
    queued = property(lambda self: self._value("queued"))
    failures = property(lambda self: self._value("failures_total"))

    def shed(self, reason):
        return self._value("shed_total", reason=reason)

    def bans(self, by):
        return self._value("bans_total", by=by)

    def is_empty(self):
        metrics = self.door.metrics()
        return metrics.value("doorward_login_in_flight") == metrics.value("doorward_login_queued") == 0


def opened(stage, desk=None, workers=2, upstream=None, server=None, **guard):
    """Doorward with that guard, in front of that identity service."""
    stage.identity.script = stage.desk = desk or Desk()
    if "failures" in guard:  # one number for both, unless a play wants two
        guard.setdefault("failures_per_address", guard["failures"])
    identity = {"endpoints": [stage.identity.url], **(upstream or {})}
    stage.door = stage.start(server={"workers": workers, **(server or {})}, upstreams={"identity": identity},
                             identity={"guard": {**guard}})  # fmt: skip
    stage.guard = Guard(stage.door)
    return stage


def take_all_places(stage, places=1):
    """Clients whose requests the identity service has."""
    clients = [stage.door.client() for _ in range(places)]
    for client in clients:
        client.send(request("inside", "right"))
    stage.identity.wait_for(places)
    return clients


def wait_in_line(stage, user, **more):
    """A client that waits behind all who wait already."""
    before = stage.guard.queued
    client = stage.door.client()
    client.send(request(user, "right", **more))
    eventually(lambda: stage.guard.queued == before + 1)
    return client


def closed(clients):
    for client in clients:
        client.close()
