"""Other people's programs, and the examples, run as they are."""

import base64
import hmac
import os
import subprocess
import sys
import time

from .doorward import ROOT
from .lines import Lines

PYTHON = "/usr/bin/python3"


class Program:
    """Runs until stopped. `announces` is what its first lines say once it listens."""

    def __init__(self, *command, stdin=None, cwd=None):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, cwd=cwd)  # fmt: skip
        self.output = Lines(self.process.stdout)

    def wait_for(self, text, within=15.0):
        return self.output.wait_for(lambda line: line if text in line else None, within, repr(text))

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def listening(program):
    """The address that an example prints."""
    return program.wait_for("listening on ").split("listening on ")[1]


def identity_service(folder, users, secrets=None):
    """`users`: (login, role, display, password). Those who are named in the dict `secrets` get a second factor, and it there."""
    script, db = ROOT / "examples/identity-service/identity_service.py", folder / "users.db"
    for login, role, display, password in users:
        more = ["--second-factor"] if login in (secrets or {}) else []
        added = subprocess.run([PYTHON, script, "add-user", "--db", db, "--role", role, "--display", display, *more, login],
                               input=password + "\n", text=True, check=True, stdout=subprocess.PIPE)  # fmt: skip
        if more:
            secrets[login] = added.stdout.strip().rpartition("secret=")[2]
    return Program(PYTHON, script, "serve", "--db", db, "--listen", "127.0.0.1:0")


def code_of(secret, ahead=0):
    """What an authenticator program shows now, or that many steps of 30 s later (RFC 6238)."""
    step = int(time.time()) // 30 + ahead
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def legacy_app(listen="127.0.0.1:0"):
    return Program(PYTHON, ROOT / "examples/legacy-app/legacy_app.py", "--listen", listen)


def echo_app():
    """The fast upstream of support/echo_app.py, in a process of its own."""
    return Program(sys.executable, "-m", "support.echo_app", cwd=ROOT / "integration")


def sized_app():
    """The upstream of support/sized_app.py, likewise."""
    return Program(sys.executable, "-m", "support.sized_app", cwd=ROOT / "integration")


def stands_back(process):
    """It gets what the others leave of the cores, as if it were on a machine of its own."""
    os.setpriority(os.PRIO_PROCESS, process.pid, 19)
