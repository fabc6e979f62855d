"""A stage: a Redis database of its own, an application, an identity service, and doorward in front of them."""

import itertools
import json
import time

import yaml

from .doorward import Doorward, merged
from .gate import Gate
from .redis_server import PASSWORD, USER
from .resp import Monitor
from .upstream import Upstream, answer

_databases = itertools.count(1)
_sessions = itertools.count(1)

ROUTES = [
    {"path": "/public/**", "auth": "none", "upstream": "app"},
    {"path": "/maybe/**", "auth": "optional", "upstream": "app"},
    {"path": "/watch/**", "auth": "passive", "upstream": "app"},
    {"path": "/admin/**", "allow": {"roles": ["admin"]}, "upstream": "app"},
    {"path": "/**", "upstream": "app"},
]


class Stage:
    def __init__(self, redis_server, folder, db=None):
        self.folder = folder
        self.server = redis_server
        self.db = next(_databases) if db is None else db
        self.redis = redis_server.client(self.db)
        self._closing = [self.redis.close]
        self.app = self.upstream()
        self.identity = self.upstream()
        self._gate = None

    # ---- the parts ----

    def upstream(self, script=None, unix=None, tls=None):
        upstream = Upstream(script, unix, tls)
        self._closing.append(upstream.close)
        return upstream

    def gate_before(self, target, unix=None):
        gate = Gate(target, unix)
        self._closing.append(gate.close)
        return gate

    @property
    def gate(self):
        """The gate between doorward and Redis; there from the first use, which must be before `start`."""
        if self._gate is None:
            self._gate = self.gate_before(self.server.tcp)
        return self._gate

    def monitor(self):
        monitor = Monitor(self.server)
        self._closing.append(monitor.close)
        return monitor

    def redis_url(self):
        where = f"redis://{self._gate.address}/{self.db}" if self._gate else f"unix://{self.server.socket}?db={self.db}"
        return where

    def config(self, **changes):
        base = {
            "server": {"listen": "127.0.0.1:0", "workers": 2, "timeouts": {"drain_delay": "0s", "drain": "2s"}},
            "admin": {"listen": "127.0.0.1:0"},
            "redis": {"url": self.redis_url(), "username": USER, "password": PASSWORD},
            "upstreams": {"app": self.app.url, "identity": self.identity.url},
            "identity": {"upstream": "identity"},
            "headers": {"X-User-Id": "{userId}", "X-User-Role": "{role?}", "X-User-Name": "{name?}"},
            "routes": ROUTES,
            "log": {"format": "json"},
        }
        return merged(base, changes)

    def start(self, ready=True, env=None, **changes):
        """Runs doorward with the configuration above and these changes to it."""
        return self._run(self.config(**changes), ready, env)

    def start_file(self, file, replacing):
        """Runs doorward with somebody's file, in which addresses are replaced by those of this stage, on free ports."""
        return self.start_text(file.read_text(), replacing)

    def start_text(self, text, replacing, env=None, user=USER, **changes):
        """The same with what stands in a file. `user` is one that Redis knows; without `changes` the text stays as it is."""
        for written, here in {"redis://127.0.0.1:6379": f"redis://{user}:{PASSWORD}@{self.server.tcp}/{self.db}", **replacing}.items():
            assert text.count(written) == 1, f"{written} in {text}"
            text = text.replace(written, here)
        own = {key: value for key, value in self.config().items() if key in ("server", "admin", "log")}
        if changes:
            return self._run(merged(merged(yaml.safe_load(text), own), changes), True, env)
        return self._run(text + yaml.safe_dump(own), True, env)

    def _run(self, config, ready, env):
        folder = self.folder / f"doorward-{len(self._closing)}"
        folder.mkdir(parents=True)
        door = Doorward(config, folder, env)
        self._closing.append(door.stop)
        assert door.address
        return door.wait_ready() if ready else door

    # ---- sessions ----

    def session(self, user="42", id=None, ttl=1800, index=True, **fields):
        """Writes a session as another program would; returns its id."""
        id = id or f"session-number-{next(_sessions):06d}"
        now = int(time.time() * 1000)
        record = {"userId": user, "role": "user", "createdAt": now, "lastSeen": now, **fields}
        flat = [word for key, value in record.items() if value is not None for word in (key, value)]
        self.redis("HSET", f"session:{id}", *flat)
        if ttl:
            self.redis("PEXPIRE", f"session:{id}", int(ttl * 1000))
        if index and user:
            self.redis("SADD", f"user:{user}:sessions", f"session:{id}")
        return id

    def has_session(self, id):
        """What stands where a session was ended has no user, and is none."""
        return self.redis("HGET", f"session:{id}", "userId") is not None

    def grant(self, fields, options=None, status=200, headers=(), body=b"welcome"):
        """From now on the identity service lets everybody in as this."""
        pairs = [*dict(headers).items(), ("Doorward-Grant", json.dumps(fields))]
        pairs += [("Doorward-Grant-Options", options)] if options else []
        self.identity.script = lambda request, connection: answer(status, pairs, b"" if status == 204 else body)

    # ---- the end ----

    def close(self):
        problems = []
        for step in reversed(self._closing):
            try:
                step()
            except Exception as e:
                problems.append(e)
        problems += self.app.failures + self.identity.failures
        if problems:
            raise problems[0]

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.close()
        except Exception:
            if kind is None:
                raise
