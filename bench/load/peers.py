"""Who is measured: how each is started, and what is looked at before it is believed."""

import http.client
import shutil
import ssl
import subprocess
import time

from stage import BUILD, HERE, Trouble, compiled, free_port

ALL = ["doorward", "nginx+lua", "nginx auth_request", "node", "nginx, no auth", "haproxy, no auth", "relay"]
KNOWN = "sid=bench-session-00000007"
AUTHENTICATES = ("doorward", "nginx+lua", "nginx auth_request", "node")


def template(name, **values):
    text = (HERE / "peers" / f"{name}.in").read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text


class Peer:
    def __init__(self, name, port, programs, tls=False):
        self.name, self.port, self.programs, self.tls = name, port, programs, tls

    def used(self):
        return sum((p.used() for p in self.programs[1:]), self.programs[0].used())

    def memory(self):
        return tuple(map(sum, zip(*(p.memory() for p in self.programs))))


class Peers:
    """Starts a peer when it is first asked for, and keeps it; `fresh` makes another that the caller ends."""

    def __init__(self, stage, binary):
        self.stage, self.binary = stage, binary
        self.running = {}
        (stage.folder / "session.lua").write_text((HERE / "peers/session.lua").read_text())

    def get(self, name):
        if name not in self.running:
            self.running[name] = self.fresh(name)
            check(self.running[name])
        return self.running[name]

    def fresh(self, name, **how):
        for start in ("doorward", "nginx+lua", "nginx auth_request", "nginx", "haproxy", "node", "relay"):
            if name.startswith(start):
                peer = getattr(self, "_" + start.replace("+", "_").replace(" ", "_"))(name, **how)
                wait_until_serving(peer)
                return peer
        raise Trouble(f"there is no peer {name}")

    def end(self, peer):
        for program in peer.programs:
            self.stage.stop(program)

    # ---- each of them ----

    def _run(self, command, port, cores=None, before=(), env=None):
        return self.stage.start([*before, *command], port, cores or self.stage.proxy_cores, env)

    def _doorward(self, name, routes="", **how):
        """`doorward`, and with `unix`, `tls`, `near-cache`, `two workers` or `one worker, both cores` in its name."""
        s, port = self.stage, free_port()
        unix, tls, both, cache = (word in name for word in ("unix", "tls", "both cores", "near-cache"))
        config = s.folder / f"doorward-{port}.yaml"
        config.write_text(template(
            "doorward.yaml", PORT=port, ADMIN=free_port(), WORKERS=2 if "two workers" in name else 1, ROUTES=routes,
            CACHE="true" if cache else "false",
            TLS=f"[{{ cert: {s.folder}/tls.crt, key: {s.folder}/tls.key }}]" if tls else "[]",
            REDIS=f"unix://{s.redis_socket}" if unix else f"redis://127.0.0.1:{s.redis_port}",
            UPSTREAM=f"unix:{s.upstream_socket}" if unix else f"http://127.0.0.1:{s.upstream_port}"))  # fmt: skip
        program = self._run([self.binary, "serve", "-c", config], port, s.all_cores if both else None, **how)
        return Peer(name, port, [program], tls)

    def _nginx_conf(self, server, port, master="on", **values):
        s, name = self.stage, f"{server}-{port}"
        values = {"DIR": s.folder, "NAME": name, "PORT": port, "UPSTREAM_PORT": s.upstream_port, "REDIS_PORT": s.redis_port, **values}
        config = s.folder / f"{name}.conf"
        config.write_text(template("nginx_common.conf", SERVERS=template(f"{server}.conf", **values), MASTER=master, **values))
        return ["nginx", "-c", config]

    def _nginx_lua(self, name, master="on", **how):
        port, tls_port = free_port(), free_port()
        program = self._run(self._nginx_conf("nginx_lua", port, master, TLS_PORT=tls_port), port, **how)
        tls = "tls" in name
        return Peer(name, tls_port if tls else port, [program], tls)

    def _nginx_auth_request(self, name, **how):
        port, auth_port = free_port(), free_port()
        backend = self._run(self._nginx_conf("nginx_auth_backend", auth_port), auth_port)
        return Peer(name, port, [self._run(self._nginx_conf("nginx_auth_request", port, AUTH_PORT=auth_port), port, **how), backend])

    def _nginx(self, name, master="on", **how):
        port = free_port()
        return Peer(name, port, [self._run(self._nginx_conf("nginx_plain", port, master), port, **how)])

    def _haproxy(self, name, **how):
        port = free_port()
        config = self.stage.folder / "haproxy.cfg"
        config.write_text(template("haproxy.cfg", PORT=port, UPSTREAM_PORT=self.stage.upstream_port))
        return Peer(name, port, [self._run(["haproxy", "-f", config], port, **how)])

    def _node(self, name, **how):
        port, folder = free_port(), BUILD / "node"
        package, installed = HERE / "peers/node/package.json", folder / "package.json"
        if not (folder / "node_modules").exists() or installed.read_text() != package.read_text():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(package, installed)
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"], cwd=folder, check=True)
        shutil.copy(HERE / "peers/node/server.js", folder)
        env = {"NODE_ENV": "production"}
        return Peer(name, port, [self._run(["node", folder / "server.js", port, self.stage.redis_port, self.stage.upstream_port],
                                           port, env=env, **how)])  # fmt: skip

    def _relay(self, name, **how):
        port = free_port()
        return Peer(name, port, [self._run([compiled("relay"), port, self.stage.redis_port, self.stage.upstream_port], port, **how)])


def _get(peer, **headers):
    kind = http.client.HTTPSConnection if peer.tls else http.client.HTTPConnection
    how = {}
    if peer.tls:
        how["context"] = ssl._create_unverified_context()
    connection = kind("127.0.0.1", peer.port, timeout=30, **how)
    connection.request("GET", "/head", headers={"Host": "bench.example", **headers})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, {k.lower(): v for k, v in (line.split(": ", 1) for line in body.split("\r\n")[1:] if ": " in line)}


def wait_until_serving(peer, seconds=30):
    """A listener may be there before the line to Redis is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if _get(peer, Cookie=KNOWN)[0] == 200:
            return
        time.sleep(0.05)
    raise Trouble(f"{peer.name} does not serve a session that is there")


def check(peer):
    """A peer that does not do the task is not to be compared with."""
    status, seen = _get(peer, Cookie=KNOWN, **{"X-User-Id": "mallory", "X-User-Role": "root"})
    if not peer.name.startswith(AUTHENTICATES):
        return
    who = seen.get("x-user-id"), seen.get("x-user-role")
    if who != ("7", "admin"):
        raise Trouble(f"{peer.name} tells the application that this is {who}")
    for what, headers in {"no cookie": {}, "an unknown session": {"Cookie": "sid=bench-session-99999999"}, "junk": {"Cookie": "sid=%"}}.items():
        status, _ = _get(peer, **headers)
        if status != 401:
            raise Trouble(f"{peer.name} answers {status} to {what}")
