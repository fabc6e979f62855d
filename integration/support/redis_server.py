"""A real redis-server of our own: no persistence, a unix socket and a TCP port, gone with the test."""

import re
import shutil
import socket
import subprocess
from pathlib import Path

from .resp import RedisError, Resp
from .wait import eventually

PASSWORD = "gate-keeper"
USER = "doorward"
OPERATOR = "doorward-operator"
ROOT = Path(__file__).resolve().parents[2]


def documented_acl(user=USER):
    """The rules after `ACL SETUSER doorward on >...` as the documentation gives them: the tests run under exactly those."""
    for page in sorted(ROOT.glob("docs/*.md")):
        found = re.search(rf"ACL SETUSER {user} on >\S+ (.+)", page.read_text())
        if found:
            return found[1].strip("`").split()
    raise AssertionError(f"docs/*.md has no line `ACL SETUSER {user} on >PASSWORD rules...`")


def near_cache_acl():
    """What the documentation adds to that for `session.cache`."""
    found = re.search(rf"ACL SETUSER {USER} (&.+)", (ROOT / "docs/redis.md").read_text())
    assert found, "docs/redis.md has no line `ACL SETUSER doorward &channel... +command...`"
    return found[1].strip("`").split()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class RedisServer:
    """`password` protects the default user, as requirepass does. The ACL user `doorward` is always there; `rights` are
    added to what it may do. `more` are options of redis-server; one of several words is a tuple."""

    def __init__(self, folder, password=None, port=None, rights=(), **more):
        self.folder = Path(folder)
        self.socket = self.folder / "redis.sock"
        self.address = f"unix:{self.socket}"
        self.port = port or free_port()
        self.tcp = f"127.0.0.1:{self.port}"
        self.password = password
        self.rights = rights
        self.more = {name.replace("_", "-"): value for name, value in more.items()}
        self.process = None
        self.admin = None
        self.start()

    def start(self):
        program = shutil.which("redis-server")
        assert program, "redis-server is not installed"
        options = {"port": self.port, "bind": "127.0.0.1", "unixsocket": self.socket, "save": "", "appendonly": "no",
                   "dir": self.folder, "databases": 4096, "maxclients": 2000}  # fmt: skip
        words = lambda value: value if isinstance(value, tuple) else (value,)  # noqa: E731
        command = [program] + [str(word) for name, value in {**options, **self.more}.items() for word in (f"--{name}", *words(value))]
        log = open(self.folder / "redis.log", "ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()

        def ready():
            client = Resp(self.address)
            try:
                return client if client("PING") == "PONG" else None
            except RedisError:
                client.close()
                raise OSError("not yet") from None

        self.admin = eventually(ready, 10, "redis-server")
        self.reset_acl()
        if self.password:
            self.admin("CONFIG", "SET", "requirepass", self.password)

    def reset_acl(self):
        """What doorward may do, exactly as documented; the stages use databases other than 0."""
        for user in (USER, OPERATOR):
            self.admin("ACL", "SETUSER", user, "reset", "on", f">{PASSWORD}", *documented_acl(user), "+select", *self.rights)

    def client(self, db=0):
        client = Resp(self.address)
        if self.password:
            client("AUTH", self.password)
        if db:
            client("SELECT", db)
        return client

    def stop(self):
        if self.admin:
            self.admin.close()
            self.admin = None
        if self.process:
            self.process.kill()  # there is nothing to save
            self.process.wait()
            self.process = None


def cluster_of_one(folder):
    """A server in cluster mode that has all slots: it minds what a cluster minds, and sends nobody elsewhere."""
    server = RedisServer(folder, cluster_enabled="yes", cluster_port=free_port(), databases=1)
    server.admin("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    eventually(lambda: "cluster_state:ok" in server.admin("CLUSTER", "INFO"), 10, "a cluster that is up")
    return server
