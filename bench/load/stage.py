"""The stage: programs started, pinned to cores and stopped; what they have used, as /proc tells it."""

import itertools
import os
import pathlib
import select
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build/bench"
TICK = os.sysconf("SC_CLK_TCK")


class Trouble(Exception):
    """Something is not as a measurement needs it; the text is for whoever started the bench."""


_ports = itertools.count(20_000 + os.getpid() % 8000)


def free_port():
    """Below those that the kernel gives to clients: thousands of them come before the port is listened on."""
    for port in _ports:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def compiled(name):
    """One of programs/, built when its source is newer."""
    sources = [HERE / "programs" / f"{name}.cpp", *(HERE / "programs").glob("*.hpp")]
    out = BUILD / (f"{name}.so" if name == "allocations" else name)
    if not out.exists() or out.stat().st_mtime < max(s.stat().st_mtime for s in sources):
        BUILD.mkdir(parents=True, exist_ok=True)
        shared = ["-shared", "-fPIC"] if out.suffix == ".so" else []
        libraries = [] if shared or name == "relay" else ["-lssl", "-lcrypto"]
        subprocess.run(["g++", "-std=c++20", "-O2", *shared, "-o", out, sources[0], *libraries], check=True)
    return str(out)


class Used:
    """CPU seconds: user, system, and their sum, which is known more finely than the parts."""

    def __init__(self, user=0.0, system=0.0, total=0.0):
        self.user, self.system, self.total = user, system, total

    def __sub__(self, other):
        return Used(self.user - other.user, self.system - other.system, self.total - other.total)

    def __add__(self, other):
        return Used(self.user + other.user, self.system + other.system, self.total + other.total)


def used_by(pid):
    path = pathlib.Path(f"/proc/{pid}")
    fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
    user, system = int(fields[11]) / TICK, int(fields[12]) / TICK
    try:  # nanoseconds on a core, thread by thread
        total = sum(int((t / "schedstat").read_text().split()[0]) for t in (path / "task").iterdir()) / 1e9
    except OSError:
        total = user + system
    return Used(user, system, total)


def machine_busy():
    """Seconds that all cores together have worked."""
    fields = [int(f) for f in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / TICK


class Program:
    """A running program and its children, which are as many as it needs before it listens."""

    def __init__(self, command, cores, log, env=None):
        # Appending, so that a log can be emptied while it is written to.
        with open(log, "ab") as out:
            self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env={**os.environ, **(env or {})},
                                            preexec_fn=lambda: os.sched_setaffinity(0, cores))  # fmt: skip
        self.log, self.name = pathlib.Path(log), pathlib.Path(str(command[0])).name

    def pids(self):
        pid = self.process.pid
        return [pid, *map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def used(self):
        return sum((used_by(p) for p in self.pids()), Used())

    def memory(self):
        """KiB: resident in all, and the part that no file stands behind."""
        resident = anonymous = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    resident += int(line.split()[1])
                elif line.startswith("RssAnon:"):
                    anonymous += int(line.split()[1])
        return resident, anonymous

    def wait_for(self, port, seconds=180):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Trouble(f"{self.name} does not listen on port {port}:\n{self.log.read_text(errors='replace')[-2000:]}")

    def stop(self, seconds=20):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Load:
    """The load generator: connected and warm when made, measuring in `go`, connected until closed."""

    def __init__(self, cores, *args):
        self.process = subprocess.Popen([compiled("load"), *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, cores))  # fmt: skip
        self._answer("ready", 90)

    def _answer(self, what, seconds):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline().decode() if ready else ""
        if not line:
            self.process.kill()
            raise Trouble(f"the load generator gave no {what}: {self.process.stderr.read().decode().strip()}")
        return line

    def go(self, seconds):
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        return self._answer("figures", seconds + 30)

    def used(self):
        return used_by(self.process.pid)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Stage:
    """Redis with its sessions and the application, on all cores but the first; proxies come and go on the first."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)  # nginx's workers are another user
        self.all_cores = sorted(os.sched_getaffinity(0))
        self.proxy_cores, self.other_cores = self.all_cores[:1], self.all_cores[1:] or self.all_cores
        self.redis_port, self.upstream_port = free_port(), free_port()
        self.redis_socket, self.upstream_socket = self.folder / "redis.sock", self.folder / "upstream.sock"
        self.programs = []

    def start(self, command, port, cores, env=None):
        name = pathlib.Path(str(command[0])).name
        program = Program(command, cores, self.folder / f"{name}-{port}.log", env)
        self.programs.append(program)
        program.wait_for(port)
        return program

    def stop(self, program):
        program.stop()
        self.programs.remove(program)

    def set_up(self):
        self.redis = self.start(["redis-server", "--port", self.redis_port, "--bind", "127.0.0.1", "--unixsocket", self.redis_socket,
                                 "--save", "", "--appendonly", "no", "--dir", self.folder], self.redis_port, self.other_cores)  # fmt: skip
        self.fill(0, 10_000)
        self.upstream = self.start([compiled("upstream"), self.upstream_port, self.upstream_socket], self.upstream_port, self.other_cores)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                        "-subj", "/CN=bench.example", "-addext", "subjectAltName=DNS:bench.example",
                        "-keyout", self.folder / "tls.key", "-out", self.folder / "tls.crt"], check=True, capture_output=True)  # fmt: skip

    def fill(self, first, end):
        """Sessions of eight fields, about 300 bytes, made inside Redis. They have just been seen: none is touched within the hour."""
        script = """for i = ARGV[1], ARGV[2] - 1 do
            redis.call('HSET', string.format('session:bench-session-%08d', i), 'userId', i, 'role', 'admin', 'createdAt', ARGV[3],
                'lastSeen', ARGV[3], 'name', 'user-' .. i, 'email', 'user-' .. i .. '@example.com', 'plan', 'pro', 'locale', 'en-GB')
        end"""
        for at in range(first, end, 50_000):
            subprocess.run(["redis-cli", "-s", self.redis_socket, "EVAL", script, "0", str(at), str(min(end, at + 50_000)), str(int(time.time() * 1000))],
                           check=True, stdout=subprocess.DEVNULL)  # fmt: skip

    def load(self, *args):
        return Load(self.other_cores, *args)

    def empty_logs(self):
        for log in self.folder.glob("*.log"):
            os.truncate(log, 0)

    def close(self):
        for program in reversed(self.programs):
            program.stop()
