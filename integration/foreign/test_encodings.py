"""Sessions that other programs wrote: values made by hand in a real Redis, under the documented ACL user."""

import itertools
import json
import re

import pytest
from support.by_hand import express_cookie, java_text, spring_cookie, spring_hash
from support.client import build
from support.doorward import run, with_session, write_config
from support.expect import cookie_expired, cookie_untouched, refused, sent_to_login
from support.operators import TOKEN, api, problem
from support.places import commands
from support.redis_server import RedisServer
from support.stage import Stage
from support.tunnels import FarEnds
from support.upstream import answer

_ids = itertools.count(1)
EXTERNAL = {"upstream": "identity", "mode": "external"}


@pytest.fixture
def new_id():
    return lambda: f"theirs-{next(_ids):012d}"


@pytest.fixture
def stage_of(redis_server, tmp_path):
    """A stage whose sessions another program writes; `session` is the part of the configuration."""
    stages = []

    def make(session, redis=None, **more):
        stage = Stage(redis or redis_server, tmp_path / f"stage-{len(stages)}")
        stages.append(stage)
        # The keys are theirs; the commands are as documented, with what is to be added for encodings that are no hashes.
        # (A command that was renamed has its old name here.)
        reads = [] if session["encoding"] == "spring" else ["+get"]
        stage.server.admin("ACL", "SETUSER", "doorward", "~sess:*", "~spring:session:*", *reads)
        stage.changes = {"session": session, "identity": EXTERNAL, **more}
        stage.door = stage.start(**stage.changes)
        return stage

    yield make
    redis_server.reset_acl()
    problems = []
    for stage in reversed(stages):
        try:
            stage.close()
        except Exception as e:
            problems.append(e)
    if problems:
        raise problems[0]


def write(stage, id, value, key="session:{}", ttl=600):
    name = key.format(id)
    if isinstance(value, list):
        stage.redis("HSET", name, *value)
    else:
        stage.redis("SET", name, value)
    stage.redis("EXPIRE", name, ttl)
    return id


def seen(stage, name):
    return stage.app.last.header(name)


def lookups(stage, result):
    return stage.door.metrics().value("doorward_session_lookups_total", result=result)


ENCODED = {
    "json": ('{"cookie":{"originalMaxAge":null},"userId":"42","role":["admin","user"],"name":"\\u00c4da"}', ["GET"]),
    "php": ('userId|i:42;role|a:2:{i:0;s:5:"admin";i:1;s:4:"user";}name|s:4:"Äda";o|O:1:"X":0:{}', ["GET"]),
    "php_serialize": ('a:3:{s:6:"userId";i:42;s:4:"role";a:2:{i:0;s:5:"admin";i:1;s:4:"user";}s:4:"name";s:4:"Äda";}', ["GET"]),
    "spring": (spring_hash({"userId": "42", "role": "admin,user", "name": "Äda"}), ["HGETALL"]),
    "spring, JSON": (spring_hash({"userId": "42", "role": "admin,user", "name": "Äda"}, text=json.dumps), ["HGETALL"]),
}


@pytest.mark.parametrize("kind", ENCODED)
def test_session_is_read_by_one_command(stage_of, new_id, kind):
    value, asked = ENCODED[kind]
    stage = stage_of({"encoding": re.split("[_,]", kind)[0]})
    id = write(stage, new_id(), value)
    before = stage.redis("DUMP", f"session:{id}")
    monitor = stage.monitor()
    assert stage.door.get("/admin/page", session=id).status == 200
    assert commands(monitor, stage) == asked
    assert (seen(stage, "X-User-Id"), seen(stage, "X-User-Role"), seen(stage, "X-User-Name")) == ("42", "admin,user", "%C3%84da")
    assert stage.redis("DUMP", f"session:{id}") == before and stage.redis("TTL", f"session:{id}") <= 600
    assert stage.redis("KEYS", "*") == [f"session:{id}"]


@pytest.fixture
def renamed(tmp_path):
    server = RedisServer(tmp_path, rename_command=("GET", "JSON.GET"))
    yield server
    server.stop()


def test_redisjson_by_its_wire(renamed, stage_of, new_id):
    """The module is not to be had; its reply is that of GET, which this server calls JSON.GET."""
    stage = stage_of({"encoding": "redisjson", "fields": {"user": "/user/id"}}, renamed, headers={"X-User-Id": "{/user/id}"})
    id = write(stage, new_id(), '{"user":{"id":42}}')
    monitor = stage.monitor()
    assert stage.door.get("/page", session=id).status == 200 and seen(stage, "X-User-Id") == "42"
    assert commands(monitor, stage) == ["JSON.GET"]
    refused(stage.door.get("/page", session=new_id()), 401, "no_session")


def test_server_without_redisjson_logs_nobody_out(stage_of, new_id):
    stage = stage_of({"encoding": "redisjson"})
    cookie_untouched(refused(stage.door.get("/page", session=new_id()), 503, "store_unavailable"))


def test_pointers_in_headers_and_rules(stage_of, new_id):
    routes = [{"path": "/gold/**", "allow": {"fields": {"/plan/name": ["gold"]}}, "upstream": "app"}, {"path": "/**", "upstream": "app"}]
    stage = stage_of({"encoding": "json", "fields": {"user": "/user/id", "roles": "/user/roles"}},
                     headers={"X-User-Id": "{/user/id}", "X-User-Role": "{/user/roles?}", "X-First": "{/user/roles/0?}"}, routes=routes)  # fmt: skip
    gold = write(stage, new_id(), '{"user":{"id":42,"roles":["a","b"]},"plan":{"name":"gold"}}')
    plain = write(stage, new_id(), '{"user":{"id":43},"plan":{"name":"iron"}}')
    assert stage.door.get("/gold/x", session=gold).status == 200
    assert (seen(stage, "X-User-Id"), seen(stage, "X-User-Role"), seen(stage, "X-First")) == ("42", "a,b", "a")
    refused(stage.door.get("/gold/x", session=plain), 403, "forbidden")
    assert stage.door.get("/x", session=plain).status == 200 and seen(stage, "X-User-Role") is None


UNREADABLE = {
    "php for json": ("json", "userId|i:42;", "PHP's serialize()", "session.encoding: php"),
    "json for php": ("php", '{"userId":"42"}', "JSON", "session.encoding: json"),
    "pickle": ("json", b"\x80\x04\x95\x12\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x06userId\x94K*s.", "a Python pickle", "docs/foreign-sessions.md"),
    "igbinary": ("php", b"\x00\x00\x00\x02\x14\x01\x11\x06userId\x06\x2a", "igbinary", "php_serialize"),
    "msgpack": ("json", b"\x81\xa6userId*", "msgpack", "JSON"),
    "user that is an object": ("json", '{"userId":{"id":42}}', "JSON", "session.fields.roles"),
    "two users": ("json", '{"userId":"42","userId":"43"}', "JSON", "twice"),
    "PHP's object as user": ("php", 'userId|O:4:"User":1:{s:2:"id";i:42;}', "PHP's serialize()", "neither text"),
    "Java's object as user": ("spring", spring_hash({"userId": "42"}, text=lambda t: b"\xac\xed\x00\x05sr\x00\x06a.User"), "Java serialization", "String"),
    "hash that is not Spring's": ("spring", ["userId", "42"], "not Spring Session's", "lastAccessedTime"),
    "hash for json": ("json", ["userId", "42"], "another type", "session.encoding hash"),
    "text for spring": ("spring", '{"userId":"42"}', "another type", "json"),
    "text for hash": ("hash", '{"userId":"42"}', "another type", "json"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_401_counted_and_logged_with_the_fix(stage_of, new_id, kind):
    encoding, value, looks_like, hint = UNREADABLE[kind]
    stage = stage_of({"encoding": encoding}, server={"workers": 1})
    id = write(stage, new_id(), value)
    wrong_type = looks_like == "another type"
    counted = "ghost" if wrong_type else "undecodable"
    before = lookups(stage, counted)
    # It may be mended by a word in the configuration; then everybody is still logged in.
    left = cookie_expired if encoding == "hash" else cookie_untouched
    for _ in range(3):
        response = left(refused(stage.door.get("/page", session=id), 401, "no_session"))
    reason = "session_wrong_type" if wrong_type else "session_undecodable"
    assert stage.door.logged(response.header("X-Request-Id"))["reason"] == reason
    sent_to_login(stage.door.navigate("/page", session=id), "/page")
    assert stage.door.get("/maybe/page", session=id).status == 200 and seen(stage, "X-User-Id") is None
    assert lookups(stage, counted) == before + 5
    entry = stage.door.log.wait_for_json(lambda e: e.get("event") == "session_undecodable", 5, "a line in the log")
    assert entry["encoding"] == encoding and looks_like in entry["looks_like"] and hint in entry["hint"], entry
    assert [e.get("event") for e in stage.door.log.json()].count("session_undecodable") == 1, "once in ten seconds"
    log = stage.door.log.text()
    assert id not in log and "42" not in json.dumps({k: v for k, v in entry.items() if k != "time"})


def test_explain_says_how_it_was_read_and_what_it_looks_like(stage_of, new_id):
    stage = stage_of({"encoding": "json"})
    file = write_config(stage.folder / "explain.yaml", stage.config(**stage.changes))
    good, bad = write(stage, new_id(), '{"userId":"42"}'), write(stage, new_id(), "userId|i:42;")
    told = run("explain", "-c", file, "GET", "/page", "--session", good).stdout
    assert "read by GET, encoding json" in told and "userId = 42" in told and "forward to app" in told
    told = run("explain", "-c", file, "GET", "/page", "--session", bad)
    assert "looks like PHP's serialize()" in told.stdout and "set session.encoding: php" in told.stdout
    assert "401 no_session (session_undecodable)" in told.stdout and told.stderr == ""


# ---- Spring Session's own time ----


def test_spring_session_is_over_though_its_hash_is_there(stage_of, new_id):
    stage = stage_of({"encoding": "spring"})
    alive = write(stage, new_id(), spring_hash({"userId": "42"}, age_s=1790))
    for value in (spring_hash({"userId": "42"}, age_s=1801), spring_hash({"userId": "42"}, interval=0), spring_hash({"userId": "42"}, age_s=-30, interval=0)):
        response = cookie_expired(refused(stage.door.get("/page", session=write(stage, new_id(), value)), 401, "no_session"))
        assert stage.door.logged(response.header("X-Request-Id"))["reason"] == "session_unknown"
    assert stage.door.get("/page", session=alive).status == 200
    assert stage.door.get("/page", session=write(stage, new_id(), spring_hash({"userId": "42"}, age_s=10**8, interval=-1))).status == 401, "absolute limit"


# ---- cookies ----

SECRETS = ["newer cat", "keyboard cat"]
EXPRESS = {"encoding": "json", "key": "sess:{id}", "cookie": {"name": "connect.sid", "codec": "express", "keys": SECRETS}}


def with_cookie(value, name="connect.sid"):
    return with_session({}, value, name)


def test_express_cookie(stage_of, new_id):
    stage = stage_of(EXPRESS)
    id = write(stage, new_id(), '{"userId":"42"}', "sess:{}")
    for secret in SECRETS:
        value = express_cookie(secret, id)
        for spelt in (value, value.replace("%3A", ":")):
            assert stage.door.get("/page", with_cookie(spelt)).status == 200 and seen(stage, "X-User-Id") == "42"
            assert seen(stage, "Cookie") is None


def test_forged_express_cookies_never_reach_redis(stage_of, new_id):
    stage = stage_of(EXPRESS)
    id = write(stage, new_id(), '{"userId":"42"}', "sess:{}")
    good = express_cookie(SECRETS[0], id)
    monitor = stage.monitor()
    other = express_cookie(SECRETS[0], id[:-1] + "x")
    forged = [express_cookie("another dog", id), id, good[:-1] + ("A" if good[-1] != "A" else "B"), f"s%3A{id}.{other.rsplit('.', 1)[1]}"]
    malformed = [f"s%3A{id}", f"s%3A{id}.", "s%3A.", "s%3", "j%3A%7B%7D", f"s%3A../../{id}.{good.rsplit('.', 1)[1]}", "x" * 2000]
    for value in forged + malformed:
        response = cookie_untouched(refused(stage.door.get("/page", with_cookie(value)), 401, "no_session"))
        reason = "session_forged" if value in forged else "session_malformed"
        assert stage.door.logged(response.header("X-Request-Id"))["reason"] == reason, value
    assert commands(monitor, stage) == []


def test_spring_cookie(stage_of, new_id):
    stage = stage_of({"encoding": "spring", "key": "spring:session:sessions:{id}", "cookie": {"name": "SESSION", "codec": "base64"}})
    id = write(stage, "0d3b2a5c-9a7e-4b8d-8f0e-6a1c2d3e4f50", spring_hash({"userId": "42"}), "spring:session:sessions:{}")
    assert stage.door.get("/page", with_cookie(spring_cookie(id), "SESSION")).status == 200
    for value in (id, spring_cookie("../../../../etc/passwd"), spring_cookie("short")):
        refused(stage.door.get("/page", with_cookie(value, "SESSION")), 401, "no_session")


@pytest.mark.parametrize("upstream, given", [("app", True), ("app", False), ("identity", True)])
def test_shared_cookie_goes_both_ways_on_every_route_of_who_logs_in(stage_of, new_id, upstream, given):
    shared = upstream == "app" and given
    stage = stage_of({"encoding": "json", "cookie": {"shared": given}}, identity={**EXTERNAL, "upstream": upstream})
    id = write(stage, new_id(), '{"userId":"42"}')
    stage.app.script = lambda request, connection: answer(200, [("Set-Cookie", "sid=new; Path=/"), ("Set-Cookie", "a=b")], b"")
    for target in ("/page", "/public/page", "/maybe/page"):
        response = stage.door.get(target, {"Cookie": f"x=1; sid={id}"})
        assert response.all("Set-Cookie") == (["sid=new; Path=/", "a=b"] if shared else ["a=b"])
        assert seen(stage, "Cookie") == (f"x=1; sid={id}" if shared else "x=1")
    gone = refused(stage.door.get("/page", session=new_id()), 401, "no_session")
    (cookie_untouched if given else cookie_expired)(gone)


def test_of_several_values_of_a_shared_cookie_nobody_chooses(stage_of, new_id):
    """The application takes one by rules of its own: it must not be another person than doorward says."""
    stage = stage_of({"encoding": "json", "cookie": {"shared": True}}, identity={**EXTERNAL, "upstream": "app"})
    mine, planted = (write(stage, new_id(), f'{{"userId":"{user}"}}') for user in ("42", "43"))
    assert stage.door.get("/page", {"Cookie": f"sid={mine}; sid={mine}"}).status == 200
    for other in (planted, new_id(), f"%{ord(planted[0]):02x}{planted[1:]}", "x"):
        for cookies in (f"sid={other}; sid={mine}", f"sid={mine}; sid={other}"):
            response = cookie_untouched(refused(stage.door.get("/page", {"Cookie": cookies}), 401, "no_session"))
            assert stage.door.logged(response.header("X-Request-Id"))["reason"] == "session_conflict"
            assert stage.door.get("/maybe/page", {"Cookie": cookies}).status == 200 and seen(stage, "X-User-Id") is None


# ---- what ends, and what there is not ----


def test_logout_deletes_and_nothing_else(stage_of, new_id):
    stage = stage_of({"encoding": "json"})
    id, other = write(stage, new_id(), '{"userId":"42"}'), write(stage, new_id(), '{"userId":"42"}')
    monitor = stage.monitor()
    refused(stage.door.ask("POST", "/logout?everywhere=1", body=b"", session=id), 404, "not_found")
    assert commands(monitor, stage) == []
    assert cookie_expired(stage.door.ask("POST", "/logout", body=b"", session=id)).status == 204
    assert commands(monitor, stage) == ["DEL"]
    assert stage.redis("KEYS", "*") == [f"session:{other}"]


def test_there_is_no_list(stage_of, new_id):
    stage = stage_of({"encoding": "php"}, admin={"token": TOKEN})
    id = write(stage, new_id(), "userId|i:42;")
    refused(stage.door.get("/.doorward/sessions", session=id), 404, "not_found")
    refused(stage.door.ask("POST", "/.doorward/sessions?all=1", body=b"", session=id), 404, "not_found")
    for method in ("GET", "DELETE"):
        problem(api(stage, method, "/sessions?user=42"), 501, "no_index")
    assert stage.door.get("/.doorward/whoami", session=id).json() == {"user": "42", "roles": []}
    file = write_config(stage.folder / "cli.yaml", stage.config(**stage.changes))
    for words in (["list", "--user", "42"], ["revoke", "--user", "42", "--yes"], ["revoke", "--all-users", "--yes"]):
        result = run("session", *words, "-c", file)
        assert result.returncode == 1 and "in no index" in result.stderr and result.stdout == "", result
    assert stage.redis("KEYS", "*") == [f"session:{id}"]


def test_show_by_id_or_cookie(stage_of, new_id):
    stage = stage_of({**EXPRESS, "key": "session:{id}"})
    id = write(stage, new_id(), '{"userId":"42","name":"Ada","secret":"never shown"}')
    bad = write(stage, new_id(), "userId|i:42;")
    file = write_config(stage.folder / "cli.yaml", stage.config(**stage.changes))
    show = lambda line: run("session", "show", "--id-stdin", "-c", file, stdin=line + "\n")  # noqa: E731
    for line in (id, express_cookie(SECRETS[1], id)):
        result = show(line)
        shown = json.loads(result.stdout)
        assert shown["user"] == "42" and shown["fields"] == {"userId": "42", "name": "Ada"}, result
    for line, why in ((express_cookie("dog", id), "neither"), (bad, "cannot be read as session.encoding: json")):
        result = show(line)
        assert result.returncode == 1 and why in result.stderr and result.stdout == "", result


def test_forward_auth_and_live_streams(stage_of, new_id):
    stage = stage_of({"encoding": "spring"}, server={"trusted_proxies": ["127.0.0.1"]})
    id = write(stage, new_id(), spring_hash({"userId": "42", "role": "admin"}))
    asked = {"X-Original-Method": "GET", "X-Original-URI": "/admin/x", "X-Forwarded-Host": "h"}
    allowed = stage.door.get("/.doorward/auth", asked, session=id)
    assert allowed.status == 200 and allowed.header("X-User-Id") == "42"
    far_ends = stage.app.script = FarEnds()
    with stage.door.client() as client:
        client.send(build("GET", "/events", with_session({"Accept": "text/event-stream"}, id)))
        far = far_ends.next()
        far.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
        client.receive_until(b"data: 1\n\n\r\n")
        stage.redis("HSET", f"session:{id}", "maxInactiveInterval", "0")  # as Spring ends one
        assert client.receive_until(b"0\r\n\r\n") == b"0\r\n\r\n"
    far_ends.close()


def test_roles_that_change_count_at_once(stage_of, new_id):
    stage = stage_of({"encoding": "spring"})
    id = write(stage, new_id(), spring_hash({"userId": "42", "role": "user"}))
    refused(stage.door.get("/admin/x", session=id), 403, "forbidden")
    stage.redis("HSET", f"session:{id}", "sessionAttr:role", java_text("admin"))
    assert stage.door.get("/admin/x", session=id).status == 200
