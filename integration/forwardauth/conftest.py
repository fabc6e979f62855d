"""Proxies that others wrote, each with the file that users copy from examples/forward-auth, in front of one doorward."""

import re
import shutil

import pytest
import yaml
from support.client import RawClient, build
from support.doorward import ROOT, merged, with_session
from support.logins import NAVIGATION
from support.programs import Program
from support.redis_server import free_port
from support.stage import Stage
from support.wait import eventually

EXAMPLES = ROOT / "examples/forward-auth"


def example(name, replacing):
    """The text of an example with the addresses, each of which has to be there, replaced by those of a play."""
    text = (EXAMPLES / name).read_text()
    for written, here in replacing.items():
        assert written in text, f"{written} in {name}"
        text = text.replace(written, str(here))
    return text


def nginx(folder, port, doorward, app):
    (folder / "site.conf").write_text(example("nginx.conf", {"127.0.0.1:8000": f"127.0.0.1:{port}", "127.0.0.1:8080": doorward, "127.0.0.1:3000": app}))
    places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(f"""
        daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr warn;
        events {{ }}
        http {{ access_log off; {places} include {folder}/site.conf; }}""")
    return Program(shutil.which("nginx") or "/usr/sbin/nginx", "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf")


def caddy(folder, port, doorward, app):
    (folder / "Caddyfile").write_text(example("Caddyfile", {":8000": f":{port}", "127.0.0.1:8080": doorward, "127.0.0.1:3000": app}))
    home = [f"{name}={folder}" for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")]
    return Program("env", *home, "caddy", "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile")


def haproxy(folder, port, doorward, app):
    addresses = {"127.0.0.1:8000": f"127.0.0.1:{port}", "127.0.0.1:8080": doorward, "127.0.0.1:3000": app,
                 "/etc/haproxy/doorward.lua": EXAMPLES / "doorward.lua"}  # fmt: skip
    (folder / "haproxy.cfg").write_text(example("haproxy.cfg", addresses))
    return Program(shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", folder / "haproxy.cfg")


class Front:
    """Clients come here."""

    def __init__(self, name, port, stage):
        self.name = name
        self.address = f"127.0.0.1:{port}"
        self.stage = stage
        self.door = stage.door

    def ask(self, method, target, headers=(), body=None, session=None, **more):
        with RawClient(self.address, 10.0) as client:
            client.send(build(method, target, with_session(headers, session), body, **more))
            return client.response(method)

    def get(self, target, headers=(), session=None, **more):
        return self.ask("GET", target, headers, None, session, **more)

    def navigate(self, target, headers=(), session=None):
        return self.get(target, {**dict(headers), **NAVIGATION}, session)

    def reaches_application(self):
        """Says whether a request has come there since."""
        before = len(self.stage.app.requests)
        return lambda: len(self.stage.app.requests) > before

    def is_up(self):
        try:
            with RawClient(self.address, 1.0):
                return True
        except OSError:
            return False


def beside(stage, **changes):
    """doorward with the example's file, at the addresses of this stage."""
    file = yaml.safe_load((EXAMPLES / "doorward.yaml").read_text())
    here = {key: value for key, value in stage.config().items() if key in ("server", "admin", "redis", "upstreams", "log")}
    return stage._run(merged(merged(file, here), changes), True, None)


@pytest.fixture(scope="module", params=[nginx, caddy, haproxy], ids=lambda start: start.__name__)
def front(request, redis_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param.__name__)
    with Stage(redis_server, folder) as stage:
        assert stage.gate
        stage.door = beside(stage)
        port = free_port()
        app = re.sub("^http://", "", stage.app.url)
        with request.param(folder, port, stage.door.address, app) as program:
            there = Front(request.param.__name__, port, stage)
            eventually(there.is_up, 15.0, f"{there.name}:\n{program.output.text()}")
            yield there


@pytest.fixture(params=[nginx, caddy, haproxy], ids=lambda start: start.__name__)
def orphan(request, stage, tmp_path):
    """A proxy whose doorward is not there."""
    stage.door, port = None, free_port()
    with request.param(tmp_path, port, f"127.0.0.1:{free_port()}", re.sub("^http://", "", stage.app.url)) as program:
        there = Front(request.param.__name__, port, stage)
        eventually(there.is_up, 15.0, f"{there.name}:\n{program.output.text()}")
        yield there


@pytest.fixture
def stumbling(stage, tmp_path):
    """HAProxy with a script that fails when it is called."""
    stage.door, port = beside(stage), free_port()
    script = tmp_path / "doorward.lua"
    script.write_text(example("doorward.lua", {"core.httpclient()": "core.no_such_thing()"}))
    app = re.sub("^http://", "", stage.app.url)
    (tmp_path / "haproxy.cfg").write_text(example("haproxy.cfg", {"127.0.0.1:8000": f"127.0.0.1:{port}", "127.0.0.1:8080": stage.door.address,
                                                                  "127.0.0.1:3000": app, "/etc/haproxy/doorward.lua": script}))  # fmt: skip
    with Program(shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", tmp_path / "haproxy.cfg") as program:
        there = Front("haproxy", port, stage)
        eventually(there.is_up, 15.0, f"haproxy:\n{program.output.text()}")
        yield there


@pytest.fixture(scope="module")
def alone(redis_server, tmp_path_factory):
    """doorward, and whoever the play says is a proxy."""
    with Stage(redis_server, tmp_path_factory.mktemp("alone")) as stage:
        watch = {"path": "/watch/**", "auth": "passive", "upstream": "app"}
        stage.door = beside(stage, routes=[watch, *yaml.safe_load((EXAMPLES / "doorward.yaml").read_text())["routes"]])
        yield stage


@pytest.fixture
def outage(stage):
    """A session that was good a moment ago, and Redis refuses connections."""
    assert stage.gate
    stage.door = beside(stage)
    stage.known = stage.session("ann")
    stage.gate.refuse()
    yield stage
    stage.gate.open()


@pytest.fixture
def unix_door(stage, tmp_path):
    return beside(stage, server={"listen": f"unix:{tmp_path}/door.sock", "trusted_proxies": ["0.0.0.0/0", "::/0"]})
