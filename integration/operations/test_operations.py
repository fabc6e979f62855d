"""C8: what an operator sees, and how the program ends."""

import json
import math
import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest
from support.client import RawClient, build
from support.redis_server import PASSWORD
from support.upstream import answer
from support.wait import eventually

GOLDEN = Path(__file__).parent / "golden" / "metrics.txt"


# ---- the start ----


def quota_of_cores():
    """What the cgroup allows, in cores; infinite where nothing is said."""
    for file, parts in [("/sys/fs/cgroup/cpu.max", None), ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us")]:
        if Path(file).exists():
            quota, period = Path(file).read_text().split() if parts is None else (Path(file).read_text(), Path(parts).read_text())
            if quota.strip() not in ("max", "-1"):
                return math.ceil(int(quota) / int(period))
    return math.inf


@pytest.mark.parametrize("only_one", [False, True], ids=["all cores", "one core"])
def test_as_many_workers_as_usable_cores(stage, only_one):
    assert stage.gate
    usable = os.sched_getaffinity(0)
    expected = 1 if only_one else min(len(usable), quota_of_cores())
    try:
        if only_one:
            os.sched_setaffinity(0, {min(usable)})  # of this thread; who is started by it inherits it
        door = stage.start(server={"workers": "auto"})
    finally:
        os.sched_setaffinity(0, usable)
    listening = door.log.wait_for_json(lambda e: e.get("event") == "listening" and e["role"] == "http")
    assert listening["workers"] == expected
    # And they are there: each has a connection to Redis of its own.
    assert door.metrics().value("doorward_redis_connected") == stage.gate.links == expected


# ---- health ----


def test_alive_and_ready(shared):
    for target in ("/livez", "/readyz", "/readyz?strict=1"):
        assert shared.door.admin(target).status == 200
    assert shared.door.admin("/nothing").status == 404
    assert shared.door.admin("/livez", "POST").status == 405


def test_admin_can_be_off(stage):
    door = stage.start(ready=False, admin={"listen": ""})
    assert door.get("/public/x").status == 200
    assert not any(e.get("role") == "admin" for e in door.log.json())


# ---- metrics ----


def test_every_metric_has_its_name_type_and_labels(shared):
    """The golden list: whoever changes it changes dashboards and alerts of others."""
    stage = shared
    stage.grant({"userId": "42"})
    stage.door.get("/page", session=stage.session("42"))
    stage.door.get("/page")
    stage.door.ask("POST", "/login", {}, b"")
    metrics = stage.door.metrics()
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", metrics.text, re.M))
    helped = set(re.findall(r"^# HELP (\S+) \S", metrics.text, re.M))
    labels = {}
    for name, found, _ in metrics.samples:
        base = re.sub(r"_(bucket|sum|count)$", "", name) if types.get(re.sub(r"_(bucket|sum|count)$", "", name)) == "histogram" else name
        labels.setdefault(base, set()).update(set(found) - {"le"})
    # A family that has counted nothing yet shows no labels.
    golden = [line if line.split()[0] in labels else " ".join(line.split()[:2]) for line in GOLDEN.read_text().splitlines()]
    seen = [f"{name} {kind} {','.join(sorted(labels.get(name, [])))}".rstrip() for name, kind in sorted(types.items()) if not name.startswith("process_")]
    assert [line for line in golden if line not in seen] == [], "named in the contract, and not there"
    assert [line for line in seen if line not in golden] == [], "there, and not in the golden list"
    assert set(types) == helped
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"} <= set(types)


def test_requests_are_counted_by_route_method_code_and_decision(shared):
    def count(**labels):
        return shared.door.metrics().value("doorward_http_requests_total", **labels)

    before = [count(code="200", decision="forward", method="GET", route="/public/**"), count(code="401", decision="no_session")]
    shared.door.get("/public/x")
    shared.door.get("/page")
    assert count(code="200", decision="forward", method="GET", route="/public/**") == before[0] + 1
    assert count(code="401", decision="no_session") == before[1] + 1


def test_labels_never_come_from_a_request(shared):
    for n in range(50):
        shared.door.ask(f"METHOD{n}", f"/public/{n}", host=f"host{n}.test")
        shared.door.get(f"/nowhere/{n}", {"X-User-Id": f"user{n}"})
    text = shared.door.metrics().text
    assert not re.search(r"METHOD\d|host\d|nowhere|user\d", text)


def test_lookups_are_counted(shared):
    def count(result):
        return shared.door.metrics().value("doorward_session_lookups_total", result=result)

    before = {r: count(r) for r in ("hit", "miss", "ghost", "malformed", "error")}
    shared.door.get("/page", session=shared.session("42"))
    shared.door.get("/page", session="dead-but-well-formed")
    shared.door.get("/page", session=shared.session(None, index=False))
    shared.door.get("/page", session="bad")
    assert {r: count(r) - before[r] for r in before} == {"hit": 1, "miss": 1, "ghost": 1, "malformed": 1, "error": 0}


def test_histograms_add_up(shared):
    shared.door.get("/public/x")
    metrics = shared.door.metrics()
    for name in ("doorward_http_request_duration_seconds", "doorward_overhead_seconds", "doorward_session_lookup_duration_seconds"):
        assert metrics.value(f"{name}_count") > 0
        assert metrics.value(f"{name}_bucket", le="+Inf") == metrics.value(f"{name}_count")
    assert metrics.value("doorward_redis_connected") >= 1 and metrics.value("doorward_build_info") == 1


# ---- the configuration as it is in force ----


def test_configuration_is_shown_without_its_secrets(shared):
    response = shared.door.admin("/config")
    assert response.status == 200 and response.header("Content-Type").split(";")[0] == "application/json"
    text = response.body.decode()
    assert PASSWORD not in text and "touch_every" in text
    assert json.loads(text)["routes"]


def test_secret_in_the_url_is_not_shown(stage):
    door = stage.start(redis={"url": f"redis://doorward:{PASSWORD}@{stage.server.tcp}/{stage.db}", "username": None, "password": None})
    assert PASSWORD not in door.admin("/config").body.decode()
    assert PASSWORD not in door.log.text()


# ---- the access log ----

FIELDS = {"time", "request_id", "trace_id", "client", "method", "host", "path", "route", "user", "session", "decision", "reason", "status",
          "bytes_in", "bytes_out", "total_us", "store_us", "upstream_us"}  # fmt: skip


def test_one_line_a_request_with_every_field(shared):
    id = shared.session("42")
    response = shared.door.ask("POST", "/page/a%20b?secret=query", {"Authorization": "Basic c2VjcmV0"}, b"hello", session=id)
    entry = shared.door.logged(response.header("X-Request-Id"))
    assert set(entry) == FIELDS, set(entry) ^ FIELDS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z", entry["time"])
    expected = {"client": "127.0.0.1", "method": "POST", "host": "app.test", "path": "/page/a%20b", "route": "/**", "user": "42", "status": 200,
                "decision": "forward", "bytes_in": 5, "bytes_out": 2}  # fmt: skip
    assert {k: entry[k] for k in expected} == expected
    assert re.fullmatch(r"[0-9a-f]{8}", entry["session"])
    assert 0 < entry["store_us"] < entry["total_us"] and 0 < entry["upstream_us"] < entry["total_us"]
    assert entry["trace_id"] == shared.app.last.header("traceparent").split("-")[1]


def test_secrets_never_reach_the_log(shared):
    id = shared.session("42")
    headers = [("Authorization", "Bearer TOPSECRET1"), ("Cookie", "other=TOPSECRET2"), ("X-Api-Key", "TOPSECRET3")]
    ids = [shared.door.get("/page?token=TOPSECRET4", headers, session=id).header("X-Request-Id"), shared.door.navigate("/x?token=TOPSECRET4").header("X-Request-Id")]
    for request_id in ids:
        shared.door.logged(request_id)
    text = shared.door.access.text() + shared.door.log.text()
    assert "TOPSECRET" not in text and id not in text


def test_line_end_in_a_path_stays_one_line(shared):
    before = len(list(shared.door.access))
    id = shared.door.get('/public/"quoted%22').header("X-Request-Id")
    shared.door.logged(id)
    for line in list(shared.door.access)[before:]:
        json.loads(line)


def test_refusal_is_logged_with_its_reason(shared):
    response = shared.door.get("/page", session="dead-but-well-formed")
    entry = shared.door.logged(response.header("X-Request-Id"))
    assert (entry["status"], entry["decision"], entry["reason"], entry["user"]) == (401, "no_session", "session_unknown", entry["user"])


def test_malformed_request_is_logged(shared):
    with shared.door.client() as client:
        client.send(b"GET /public/x HTTP/1.1\r\n\r\n")
        id = client.response().header("X-Request-Id")
    assert shared.door.logged(id)["status"] == 400


def test_access_log_can_be_off(stage):
    door = stage.start(log={"access": False})
    door.get("/public/x")
    door.stop()
    door.access.join()
    assert not door.access.json()


# ---- signals ----


def test_sighup_reloads_nothing_yet_and_ends_nothing(stage):
    id, door = stage.session("42"), stage.start()
    with door.client() as client:
        assert client.ask("GET", "/public/x").status == 200
        door.file.write_text("nonsense: [")  # what is written there meanwhile is not looked at
        door.signal(signal.SIGHUP)
        assert door.log.wait_for_json(lambda e: e.get("event") == "reload_not_available")["level"] == "warn"
        assert client.ask("GET", "/public/x").status == 200
    assert door.get("/page", session=id).status == 200
    door.signal(signal.SIGHUP)  # the second one is nothing else
    eventually(lambda: sum(e.get("event") == "reload_not_available" for e in door.log.json()) == 2)
    assert door.admin("/readyz").status == 200 and door.process.poll() is None


# ---- the end ----


def test_drain(stage):
    """SIGTERM: not ready at once, serving goes on; then the listener closes and what is in flight is finished."""
    go = threading.Event()

    def script(request, connection):
        if request.target == "/public/slow":
            assert go.wait(10)
        return answer()

    stage.app.script = script
    door = stage.start(server={"timeouts": {"drain_delay": "700ms", "drain": "5s"}})
    idle, slow = door.client(), door.client()
    assert idle.ask("GET", "/public/x").status == 200
    slow.send(build("GET", "/public/slow"))
    stage.app.wait_for(2)

    door.signal(signal.SIGTERM)
    eventually(lambda: door.admin("/readyz").status == 503, 1, "readiness failing")
    assert door.get("/public/new").status == 200, "serving goes on during drain_delay"

    def refused():
        try:
            RawClient(door.address, 1).close()
            return False
        except ConnectionRefusedError:
            return True

    eventually(refused, 3, "the listener closing")
    assert idle.is_closed()
    go.set()
    response = slow.response()
    assert response.status == 200 and response.header("Connection") == "close"
    assert slow.is_closed()
    assert door.wait(5) == 0
    door.stopped = True


def test_drain_ends_at_its_limit(stage):
    stage.app.script = lambda request, connection: connection.is_closed(20)
    door = stage.start(server={"timeouts": {"drain_delay": "0s", "drain": "500ms"}})
    client = door.client()
    client.send(build("GET", "/public/slow"))
    stage.app.wait_for(1)
    start = time.monotonic()
    door.signal(signal.SIGTERM)
    assert door.wait(5) == 0 and time.monotonic() - start < 3
    door.stopped = True


def test_second_signal_ends_at_once(stage):
    door = stage.start(server={"timeouts": {"drain_delay": "30s", "drain": "30s"}})
    start = time.monotonic()
    door.signal(signal.SIGTERM)
    eventually(lambda: door.admin("/readyz").status == 503)
    door.signal(signal.SIGINT)
    door.wait(5)
    assert time.monotonic() - start < 4
    door.stopped = True


def test_tunnel_ends_with_the_drain(stage):
    def script(request, connection):
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        connection.is_closed(20)

    stage.app.script = script
    door = stage.start(server={"timeouts": {"drain_delay": "0s", "drain": "10s"}})
    with door.client() as client:
        client.send(build("GET", "/public/x", {"Connection": "Upgrade", "Upgrade": "websocket"}))
        assert client.response("GET", upgrade=True).status == 101
        start = time.monotonic()
        door.signal(signal.SIGTERM)
        assert client.is_closed() and time.monotonic() - start < 3
    assert door.wait(5) == 0
    door.stopped = True


def test_no_request_fails_while_it_ends(stage):
    """Clients that reconnect see no error but a closed connection between two requests."""
    door = stage.start(server={"timeouts": {"drain_delay": "500ms", "drain": "5s"}})
    failures, done, address = [], threading.Event(), door.address

    def ask_again_and_again():
        try:
            client = RawClient(address)
            while not done.is_set():
                try:
                    response = client.ask("GET", "/public/x")
                except ConnectionError:
                    return  # closed between two requests
                if response.status != 200:
                    failures.append(response)
                if response.header("Connection") == "close":
                    return
        except ConnectionRefusedError:
            return
        except Exception as e:
            failures.append(e)

    threads = [threading.Thread(target=ask_again_and_again) for _ in range(8)]
    for thread in threads:
        thread.start()
    stage.app.wait_for(50)
    door.signal(signal.SIGTERM)
    assert door.wait(10) == 0
    done.set()
    for thread in threads:
        thread.join(5)
    door.stopped = True
    assert failures == []


@pytest.mark.parametrize("workers", [1, 2])
def test_limit_of_connections_of_one_address(stage, workers):
    """Whoever has as many as one may have is told so; everybody else comes in, and so does he once one has ended."""
    door = stage.start(server={"workers": workers, "limits": {"connections_per_address": 2}})
    mine = [door.client() for _ in range(2)]
    for client in mine:
        assert client.ask("GET", "/public/x").status == 200
    with door.client() as one_more:
        response = one_more.response()
        assert (response.status, response.code) == (503, "overloaded") and one_more.is_closed()
    told = door.log.wait_for_json(lambda e: e.get("event") == "address_limit")
    assert (told["client"], told["connections"]) == ("127.0.0.1", 2)
    with door.client(source="127.0.0.2") as other:
        assert other.ask("GET", "/public/x").status == 200
    mine.pop().close()
    eventually(lambda: door.metrics().value("doorward_connections") == 1)
    assert door.get("/public/x").status == 200
    mine.pop().close()


def test_limit_of_connections_of_one_address_is_not_for_proxies(stage):
    door = stage.start(server={"trusted_proxies": ["127.0.0.1"], "limits": {"connections_per_address": 1}})
    clients = [door.client() for _ in range(4)]
    assert all(client.ask("GET", "/public/x").status == 200 for client in clients)
    for client in clients:
        client.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_limit_of_connections(stage, workers):
    """One too many is told so before it has said anything, counted, and closed. The limit is of all workers together."""
    door = stage.start(server={"workers": workers, "limits": {"connections": 5}})
    clients = [door.client() for _ in range(5)]
    for client in clients:
        assert client.ask("GET", "/public/x").status == 200
    assert door.metrics().value("doorward_connections") == 5
    for _ in range(3):
        with door.client() as one_more:
            response = one_more.response()
            assert (response.status, response.code, response.header("Connection")) == (503, "overloaded", "close")
            assert int(response.header("Retry-After")) >= 1 and response.header("Cache-Control") == "no-store"
            assert one_more.is_closed()
    refusals = {"route": "-", "method": "other", "code": "503", "decision": "overloaded"}
    assert door.metrics().value("doorward_http_requests_total", **refusals) == 3
    assert door.metrics().value("doorward_connections") == 5
    assert door.log.wait_for_json(lambda e: e.get("event") == "connection_limit")["connections"] == 5
    assert all(client.ask("GET", "/public/x").status == 200 for client in clients)

    clients.pop().close()
    eventually(lambda: door.metrics().value("doorward_connections") == 4)
    assert door.get("/public/x").status == 200
    for client in clients:
        client.close()


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_an_idle_program_quickly(stage, signal_number):
    door = stage.start()
    start = time.monotonic()
    door.signal(signal_number)
    assert door.wait(5) == 0 and time.monotonic() - start < 2
    door.stopped = True


def test_client_that_sends_a_broken_pipe_does_not_end_the_program(stage):
    door = stage.start()
    for _ in range(50):
        with door.client() as client:
            client.send(build("GET", "/public/x") * 20)
            client.reset()
    assert door.get("/public/x").status == 200
