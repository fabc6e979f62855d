"""The program under test, run as a user runs it."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import yaml

from .client import RawClient, build
from .lines import Lines
from .wait import eventually

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("DOORWARD_BIN", ROOT / "build/release/bin/doorward"))
SANITIZED = "asan" in str(BINARY) or "tsan" in str(BINARY)
REPORTS = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|WARNING: ThreadSanitizer")


def run(*args, env=None, timeout=20, stdin=None):
    """Runs a command of the program to its end; returns CompletedProcess with text."""
    environment = {**os.environ, **(env or {})}
    return subprocess.run([str(BINARY), *map(str, args)], capture_output=True, text=True, env=environment, timeout=timeout,
                          input=stdin)  # fmt: skip


def write_config(path, config):
    path.write_text(config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    return path


class Metrics:
    """A scrape in the Prometheus text format."""

    LINE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')

    def __init__(self, text):
        self.text = text
        self.samples = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = self.LINE.match(line)
                assert match, f"not a sample: {line!r}"
                labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
                self.samples.append((match[1], labels, float(match[3])))
        self.names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}

    def value(self, name, **labels):
        """The sum over all samples with these labels; 0 when there are none."""
        return sum(v for n, l, v in self.samples if n == name and labels.items() <= l.items())


class Doorward:
    def __init__(self, config, folder, env=None):
        self.config = config
        self.file = write_config(folder / "doorward.yaml", config)
        self.process = subprocess.Popen(
            [str(BINARY), "serve", "-c", str(self.file)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(env or {})},
        )  # fmt: skip
        self.access = Lines(self.process.stdout)
        self.log = Lines(self.process.stderr)
        self.stopped = False
        self._admin = None

    # ---- where it is ----

    def address_of(self, role, within=10.0):
        found = lambda e: e.get("event") == "listening" and e.get("role") == role  # noqa: E731
        return self.log.wait_for_json(found, within, f"the {role} listener")["address"]

    @property
    def address(self):
        """Of its first listener."""
        found = lambda e: e.get("event") == "listening" and e["role"] in ("http", "https")  # noqa: E731
        return self.log.wait_for_json(found, 10.0, "a listener")["address"]

    @property
    def addresses(self):
        """Of all its listeners, in the order of the configuration."""
        self.address_of("admin")  # the last one that is told of
        return [e["address"] for e in self.log.json() if e.get("event") == "listening" and e["role"] != "admin"]

    @property
    def origin(self):
        return f"http://{self.address}"

    def wait_ready(self, within=10.0):
        eventually(lambda: self.admin("/readyz").status == 200, within, "readiness")
        return self

    # ---- asking it ----

    def client(self, timeout=5.0, source=None):
        return RawClient(self.address, timeout, source)

    def ask(self, method, target, headers=(), body=None, session=None, timeout=5.0, **more):
        """One request on a connection of its own."""
        with self.client(timeout) as client:
            client.send(build(method, target, with_session(headers, session), body, **more))
            return client.response(method)

    def get(self, target, headers=(), session=None, **more):
        return self.ask("GET", target, headers, None, session, **more)

    def navigate(self, target, headers=(), session=None, method="GET", body=None, **more):
        """As a browser asks for a page."""
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        pairs += [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"), ("Sec-Fetch-Mode", "navigate"),
                  ("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Site", "same-origin")]  # fmt: skip
        return self.ask(method, target, pairs, body, session, **more)

    def admin(self, target, method="GET", headers=()):
        with RawClient(self.address_of("admin")) as client:
            return client.ask(method, target, headers)

    def metrics(self):
        return Metrics(self.admin("/metrics").body.decode())

    def logged(self, request_id=None, within=5.0, **fields):
        """The access log entry with these values."""
        wanted = {**fields, **({"request_id": request_id} if request_id else {})}
        return self.access.wait_for_json(lambda e: wanted.items() <= e.items(), within, f"an access log entry with {wanted}")

    # ---- what it costs ----

    def resident_kib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    # ---- its end ----

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, within=15.0):
        return self.process.wait(within)

    def stop(self):
        """Ends it as a service manager would, and looks whether it went well."""
        if self.stopped:
            return
        self.stopped = True
        died = self.process.poll()
        if died is None:
            self.signal(signal.SIGTERM)
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("doorward did not end after SIGTERM:\n" + self.log.text()) from None
        self.log.join()
        assert died is None, f"doorward ended by itself with {died}:\n{self.log.text()}"
        assert self.process.returncode == 0, f"exit code {self.process.returncode}:\n{self.log.text()}"
        assert not REPORTS.search(self.log.text()), self.log.text()


def with_session(headers, session, name="sid"):
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    return pairs + ([("Cookie", f"{name}={session}")] if session is not None else [])


def merged(base, changes):
    """`base` with `changes` put over it, map by map; None takes a key away."""
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def pretty(config):
    return json.dumps(config, indent=2)
