"""The programs of a case, each started on the cores that stand for its machine, and all ended."""

import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

from people import write_people
from postgres import Postgres

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"
CONFIG = """\
server: {{ listen: "127.0.0.1:{port}", workers: 1, timeouts: {{ drain_delay: 0s, drain: 1s }} }}
admin: {{ listen: "127.0.0.1:{admin}" }}
redis: {{ url: "unix://{redis}" }}
upstreams: {{ app: "http://{app}", identity: "http://{identity}" }}
identity:
  upstream: identity
  guard: {{ in_flight: {in_flight}, queue: {queue}, queue_timeout: {queue_timeout}s }}
headers: {{ X-User-Id: "{{userId}}" }}
routes:
  - {{ path: /**, upstream: app }}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
        return True
    except OSError:
        return False


class Stage:
    """`near` is the machine of the application, of doorward and of Redis; `far` that of PostgreSQL and of what hashes for
    the identity service. One core each, where the machine has two."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.folder.chmod(0o755)  # PostgreSQL is another user, and has a folder in it
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            sys.exit("two cores are the least: one for those who ask, one for those who hash")
        self.near, self.far = {cores[0]}, {cores[1]}
        self.started = []

    def start(self, name, command, cores, as_user=(), first=False, end=signal.SIGTERM):
        """`first`: it gets the processor whenever it wants it, as on a machine of its own. It wants little."""

        def before():
            os.sched_setaffinity(0, cores)
            if first and os.geteuid() == 0:
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

        # Nothing outlives this program, whatever becomes of it.
        command = ["setpriv", "--pdeathsig", end.name.removeprefix("SIG"), *as_user, *map(str, command)]
        with open(self.folder / f"{name}.out", "wb") as out, open(self.folder / f"{name}.err", "wb") as err:
            # A session of its own is a group of its own to the scheduler: sixty threads that hash on one core would else
            # take from what Redis gets of the other.
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, preexec_fn=before,
                                       cwd=self.folder, start_new_session=True)  # fmt: skip
        self.started.append((name, process, end))
        return process

    def wait_for(self, what, condition, seconds=20):
        end = time.monotonic() + seconds
        while True:
            found = condition()
            if found:
                return found
            self.all_alive()
            if time.monotonic() > end:
                sys.exit(f"waited {seconds} s in vain for {what}")
            time.sleep(0.02)

    def output(self, name):
        return (self.folder / f"{name}.out").read_text()

    def address(self, name):
        """What one of our servers prints first."""
        return self.wait_for(name, lambda: re.search(r"^listening on (\S+)$", self.output(name), re.M))[1]

    # ---- the parts ----

    def postgres(self, people, cores, with_sessions):
        # At SIGINT it ends without waiting for anybody.
        start = lambda command, user: self.start("postgres", command, cores, user, end=signal.SIGINT)  # noqa: E731
        self.database = Postgres(self.folder, start, self.all_alive)
        self.database.create()
        self.database.fill(people, with_sessions)
        write_people(people, self.folder / "people")

    def redis(self, people):
        self.redis_socket = self.folder / "redis.sock"
        options = ["--port", "0", "--unixsocket", self.redis_socket, "--save", "", "--appendonly", "no"]
        self.start("redis", ["redis-server", *options], self.near)
        self.wait_for("Redis", self.redis_socket.exists)
        now = int(time.time() * 1000)
        lines = "".join(f"HSET session:{p.cookie} userId {p.id} role user createdAt {now} lastSeen {now}\n"
                        f"EXPIRE session:{p.cookie} 1800\n" for p in people if p.cookie)  # fmt: skip
        self.redis_cli("--pipe", input=lines)

    def redis_cli(self, *words, input=None):
        subprocess.run(["redis-cli", "-s", self.redis_socket, *words], input=input, text=True, check=True, stdout=subprocess.DEVNULL)

    def doorward(self, binary, app, identity, guard):
        self.admin = free_port()
        port = free_port()
        config = self.folder / "doorward.yaml"
        config.write_text(CONFIG.format(port=port, admin=self.admin, redis=self.redis_socket, app=app, identity=identity, **guard))
        checked = subprocess.run([binary, "check", "-c", config], capture_output=True, text=True)
        if checked.returncode:
            sys.exit(f"{binary} does not take the configuration:\n{checked.stdout}{checked.stderr}")
        self.start("doorward", [binary, "serve", "-c", config], self.near)
        self.wait_for("doorward", lambda: listens(port))
        self.wait_for("doorward's readiness", lambda: self.ask_admin("/readyz")[0] == 200)
        return f"127.0.0.1:{port}"

    def ask_admin(self, target):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=5)
        try:
            connection.request("GET", target)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metric(self, name, labels=""):
        """The sum over all lines with this text in their labels."""
        found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", self.ask_admin("/metrics")[1], re.M)
        return sum(float(value) for there, value in found if labels in there)

    # ---- the end ----

    def all_alive(self):
        for name, process, _ in self.started:
            if process.poll() not in (None, 0):
                errors = (self.folder / f"{name}.err").read_text()[-2000:]
                sys.exit(f"{name} ended with {process.returncode}:\n{errors}")

    def stop(self):
        for _, process, end in self.started:
            if process.poll() is None:
                process.send_signal(end)
        for _, process, _ in self.started:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
