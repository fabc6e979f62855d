"""C2 and C3: what the commands say and how they end. 0 done, 1 could not run, 2 usage, 78 bad configuration."""

import json
import re
import socket

import jsonschema
import pytest
import yaml
from support.doorward import ROOT, run, write_config
from support.redis_server import free_port

SMALLEST = """\
redis: { url: "redis://127.0.0.1:6379" }
upstreams:
  app: http://127.0.0.1:3000
  identity: http://127.0.0.1:4000
identity: { upstream: identity }
routes:
  - { path: /**, upstream: app }
"""


@pytest.fixture
def file(tmp_path):
    def write(config=SMALLEST):
        return write_config(tmp_path / "doorward.yaml", config)

    write.folder = tmp_path
    return write


def with_line(*lines):
    return SMALLEST + "\n".join(lines) + "\n"


# ---- usage ----

COMMANDS = ["serve", "check", "routes", "explain", "session", "schema", "version", "probe"]


def test_help_names_every_command():
    result = run("--help")
    assert result.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b", result.stdout), command


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command):
    result = run(command, "--help")
    assert result.returncode == 0 and result.stdout.strip()


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["serve"], ["check"], ["check", "--nonsense"], ["explain", "-c", "x"], ["version", "more"]], ids=str)
def test_usage_error(arguments):
    result = run(*arguments)
    assert result.returncode == 2, result
    assert result.stderr.strip() and not result.stdout.strip()


def test_usage_error_names_the_word():
    assert "`chekc`" in run("chekc", "-c", "x").stderr
    broken = run("explain", "-c", "x", "GET", "/", "--header", "broken")
    assert broken.returncode == 2 and "`broken`" in broken.stderr


def test_version():
    result = run("version")
    declared = re.search(r"project\(doorward VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert result.returncode == 0 and declared in result.stdout


# ---- check ----


def test_smallest_configuration_is_good(file):
    result = run("check", "-c", file())
    assert result.returncode == 0, result


def test_file_that_is_not_there(tmp_path):
    result = run("check", "-c", tmp_path / "nothing.yaml")
    assert result.returncode == 78 and result.stderr == f"{tmp_path / 'nothing.yaml'}: error: no such file or directory\n"


def test_file_that_is_a_folder(tmp_path):
    for command in ("check", "serve", "routes"):
        result = run(command, "-c", tmp_path)
        assert result.returncode == 78 and result.stderr == f"{tmp_path}: error: is a directory\n"


def test_guarded_path_whose_slash_leads_past_its_guard(file):
    path = file(SMALLEST.replace("routes:", "routes:\n  - { path: /admin, allow: { roles: [admin] }, upstream: app }"))
    result = run("check", "-c", path)
    assert result.returncode == 0 and result.stdout == f"{path}: good\n"
    assert f"{path}:7:13: warning: routes[0].path: `/admin/` goes past this route (line 7) to `/**` (line 8)" in result.stderr
    assert "write `/admin/**`" in result.stderr


def test_all_problems_at_once_with_place_caret_and_suggestion(file):
    text = with_line(
        "server:",
        "  listn: 127.0.0.1:8080",
        "  timeouts: { header: 10 }",
        "  limits: { header_bytes: 1000000 }",
        "session: { cookie: { same_site: loose } }",
    )
    path = file(text)
    result = run("check", "-c", path)
    assert result.returncode == 78
    lines = result.stderr.splitlines()
    places = [re.match(rf"{re.escape(str(path))}:(\d+):(\d+): error: ([^:]+): (.+)", line) for line in lines]
    found = [(int(m[1]), int(m[2]), m[3], m[4]) for m in places if m]
    assert [f[0] for f in found] == [9, 10, 11, 12], result.stderr
    assert any("listen" in line for line in lines), "a suggestion for `listn`"
    assert any("10s" in line or "ms" in line for line in lines), "the fix of a bare number"
    carets = [line for line in lines if re.fullmatch(r"[\s|]*\^~*", line)]
    assert len(carets) == 4, result.stderr
    caret_after = {line: lines[i + 1] for i, line in enumerate(lines[:-1])}
    source = next(line for line in lines if "listn: 127" in line and "error" not in line)
    assert caret_after[source].index("^") == source.index("listn")


BAD = {
    "unknown key": with_line("nonsense: 1"),
    "unknown key deep inside": with_line("session: { cookie: { nam: x } }"),
    "key twice": with_line("admin: { listen: '' }", "admin: { listen: '' }"),
    "merge key": with_line("admin: { <<: { listen: '' } }"),
    "two documents": SMALLEST + "---\n" + SMALLEST,
    "no YAML": "a: [1\nb: }",
    "a list": "- a\n",
    "a word": "word\n",
    "nothing": "",
    "duration without a unit": with_line("redis: { url: 'redis://127.0.0.1', timeouts: { command: 250 } }").replace('redis: { url: "redis://127.0.0.1:6379" }\n', "", 1),
    "size without a unit": with_line("server: { limits: { body_bytes: 10 } }"),
    "yes for true": with_line("log: { access: yes }"),
    "version of the future": with_line("version: 2"),
    "upstream that is not there": SMALLEST.replace("upstream: app", "upstream: nowhere"),
    "identity service that is not there": SMALLEST.replace("upstream: identity", "upstream: nowhere"),
    "no routes": SMALLEST.split("routes:")[0],
    "route without a destination": SMALLEST.replace(", upstream: app", ""),
    "route with two": SMALLEST.replace("upstream: app }", "upstream: app, respond: 404 }"),
    "path without a slash": SMALLEST.replace("/**", "x/**"),
    "path with dots": SMALLEST.replace("/**", "/a/../b"),
    "double star in the middle": SMALLEST.replace("/**", "/**/a"),
    "variable that is not set": SMALLEST.replace("127.0.0.1:3000", "${NOT_SET_ANYWHERE}"),
    "port too high": with_line("server: { listen: '127.0.0.1:70000' }"),
    "header that is ours to set": with_line("headers: { Content-Length: '{userId}' }"),
    "header with a line end": with_line('headers: { X-A: "{userId}\\r\\nX-B: c" }'),
    "template left open": with_line("headers: { X-A: '{userId' }"),
    "unknown mode": SMALLEST.replace("path: /**", "path: /**, auth: maybe"),
    "two routes of one name": SMALLEST.replace("routes:", "routes:\n  - { id: a, path: /x, upstream: app }\n  - { id: a, path: /y, upstream: app }"),
    "bad network": with_line("server: { trusted_proxies: ['10.0.0.0/99'] }"),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_bad_configuration(file, text):
    path = file(text)
    for command in ("check", "serve"):
        result = run(command, "-c", path)
        assert result.returncode == 78, result
        assert str(path) in result.stderr and "error" in result.stderr


def test_alias_bomb(file):
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    result = run("check", "-c", file(SMALLEST + bomb), timeout=10)
    assert result.returncode == 78


LATER = {
    "http2": with_line("server: { http2: true }"),
    "sentinel": SMALLEST.replace('{ url: "redis://127.0.0.1:6379" }', "{ sentinel: { master: m, nodes: ['127.0.0.1:26379'] } }"),
    "cluster": SMALLEST.replace('{ url: "redis://127.0.0.1:6379" }', "{ cluster: { nodes: ['127.0.0.1:6379'] } }"),
    "rediss": SMALLEST.replace("redis://", "rediss://"),
    "balance": SMALLEST.replace("app: http://127.0.0.1:3000", "app: { endpoints: ['http://127.0.0.1:3000'], balance: least_requests }"),
    "health": SMALLEST.replace("app: http://127.0.0.1:3000", "app: { endpoints: ['http://127.0.0.1:3000'], health: { path: /h } }"),
    "protocol": SMALLEST.replace("app: http://127.0.0.1:3000", "app: { endpoints: ['http://127.0.0.1:3000'], protocol: h2c }"),
    "rate limit": SMALLEST.replace("path: /**", "path: /**, rate_limit: { rate: 50/s, burst: 100, by: user }"),
    "tracing": with_line("tracing: { otlp: 'http://127.0.0.1:4318' }"),
}


@pytest.mark.parametrize("text", LATER.values(), ids=LATER.keys())
def test_key_of_a_later_version_is_never_silently_ignored(file, text):
    result = run("check", "-c", file(text))
    assert result.returncode == 78 and "not available yet" in result.stderr, result


def test_every_value_of_the_documentation_of_defaults_is_known(file):
    text = with_line(
        "version: 1",
        "server:",
        "  workers: auto",
        "  tls: []",
        "  timeouts: { header: 10s, body_idle: 30s, idle: 75s, write_idle: 30s, drain_delay: 5s, drain: 30s }",
        "  limits: { header_bytes: 32KiB, headers: 100, target_bytes: 8KiB, body_bytes: 10MiB, connections: 10000 }",
        "admin: { listen: 127.0.0.1:9090, token: '' }",
        "session:",
        "  cookie: { name: sid, secure: auto, same_site: lax, codec: plain, shared: false, keys: [] }",
        "  store_hashed: false",
        "  key: 'session:{id}'",
        "  index: 'user:{user}:sessions'",
        "  encoding: hash",
        "  fields: { user: userId, roles: role, created: createdAt, last_seen: lastSeen }",
        "  lifetime: { idle: 30m, absolute: 12h, remember_idle: 14d, remember_absolute: 90d, touch_every: 1m, streams: false }",
        "  layout: plain",
        "  limit: { per_user: 0, per_device: 0, when_full: displace_oldest }",
        "  bind: []",
        "  recheck: 1s",
        "  envelope: { algorithm: es256, keys: [], claim: sid, issuer: '', audience: '' }",
        "  cache: { enabled: false, entries: 100000, max_age: 5s }",
        "assertion: { header: Doorward-Assertion, algorithm: es256, keys: [], lifetime: 60s, issuer: '' }",
        "headers: { X-User-Id: '{userId}', X-User-Role: '{role?}' }",
        "defaults: { auth: required }",
        "log: { level: info, format: auto, access: true }",
        "tracing: { otlp: '', sample: 1.0 }",
    )
    result = run("check", "-c", file(text))
    assert result.returncode == 0, result.stderr


# ---- interpolation ----


def test_variables_files_and_defaults(file, tmp_path):
    (tmp_path / "secret").write_text("pass$word\n")
    text = SMALLEST.replace("127.0.0.1:3000", "${APP}").replace("127.0.0.1:4000", "${NOT_SET:-127.0.0.1:4001}")
    text += f'headers: {{ X-Price: "$${{x}}{{userId}}" }}\n'
    text = text.replace('url: "redis://127.0.0.1:6379"', f'url: "redis://127.0.0.1:6379", password: "${{file:{tmp_path}/secret}}"')
    result = run("check", "-c", file(text), env={"APP": "127.0.0.1:3001"})
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("written", ["[very-secret-indeed]", "very-secret-indeed", "\n  - a-good-key-of-more-than-32-characters\n  - very-secret-indeed",
                                     "[very-secret-indeed-and-32-characters, '$', very-secret-indeed-and-32-characters]"])  # fmt: skip
def test_signing_key_is_not_shown_in_a_complaint(file, written):
    result = run("check", "-c", file(with_line(f"session:\n cookie:\n  keys: {written}")))
    assert result.returncode == 78 and "session.cookie.keys" in result.stderr
    assert "very-secret-indeed" not in result.stdout + result.stderr, result.stderr


def test_secret_is_not_shown_in_a_complaint(file):
    text = SMALLEST.replace('url: "redis://127.0.0.1:6379"', 'url: "redis://127.0.0.1:6379", password: ["${SECRET}"]')
    result = run("check", "-c", file(text), env={"SECRET": "very-secret-indeed"})
    assert result.returncode == 78 and "very-secret-indeed" not in result.stdout + result.stderr


# ---- schema ----


def test_schema_is_a_schema_and_the_smallest_configuration_fits():
    schema = json.loads(run("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(yaml.safe_load(SMALLEST))
    for text in (with_line("nonsense: 1"), SMALLEST.split("routes:")[0], with_line("session: { cookie: { same_site: loose } }")):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(yaml.safe_load(text))


def test_every_example_fits_the_schema():
    validator = jsonschema.Draft202012Validator(json.loads(run("schema").stdout))
    files = sorted(ROOT.glob("conf/**/*.yaml"))
    assert files
    for file in files:
        validator.validate(yaml.safe_load(file.read_text()))


# ---- routes and explain ----


def test_routes_are_listed_in_their_order_with_their_place(file):
    text = SMALLEST.replace("routes:", "routes:\n  - { id: staff, path: /admin/**, methods: [GET], allow: { roles: [admin] }, upstream: app }\n  - { path: /open, auth: none, respond: 404 }")
    result = run("routes", "-c", file(text))
    assert result.returncode == 0, result
    rows = [line.split() for line in result.stdout.splitlines() if "doorward.yaml:" in line]
    assert [row[:2] for row in rows] == [["staff", "/admin/**"], ["/open", "/open"], ["/**", "/**"]]
    assert [row[-1].rpartition(":")[2] for row in rows] == ["7", "8", "9"]
    assert "GET" in rows[0] and any("admin" in word for word in rows[0][2:])
    assert "none" in rows[1] and "404" in " ".join(rows[1])
    assert "/login/**" in result.stdout and "/logout" in result.stdout, "what stands above every route is shown as well"


def explain(stage, *arguments, **changes):
    path = write_config(stage.folder / "explain.yaml", stage.config(**changes))
    return run("explain", "-c", path, *arguments)


def test_explain_tells_every_step(stage):
    id = stage.session("42", role="admin", name="N")
    result = explain(stage, "GET", "http://app.test/admin/x?y=z", "--session", id, "--header", "X-User-Id: FORGED")
    assert result.returncode == 0, result
    text = result.stdout
    for word in ("hash", "42", "admin", "/admin/**", "explain.yaml:", "X-User-Id", "forward"):
        assert word in text, f"{word}\n{text}"
    assert re.search(r"\b1(7\d\d|800)( ?s\b|\d{3} ?ms)|\b(29|30) ?m", text), f"the TTL\n{text}"
    assert stage.app.requests == []


def steps(result):
    """What was said, as (step, finding)."""
    assert result.returncode == 0, result
    return [tuple(re.split(r"\s{2,}", line, maxsplit=1)) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    "arguments, reason, decision",
    [
        (["GET", "/page"], ("because", "no cookie sid came"), "401 no_session"),
        (["GET", "/page", "--header", "Accept: text/html"], ("because", "no cookie sid came"), "302 no_session, to the login page"),
        (["GET", "/public/x"], ("route", "/public/**"), "forward to app"),
        (["GET", "/login"], ("route", "(login)"), "forward to the identity service, identity"),
        (["GET", "/public/..%2fadmin/x"], ("reading", "/admin/x: route /admin/**"), "400 ambiguous_path"),
        (["GET", "/page", "--session", "dead-but-well-formed"], ("redis", "there is no such key"), "401 no_session (session_unknown)"),
        (["GET", "/page", "--session", "bad"], ("because", "16 to 256 characters"), "401 no_session (session_malformed)"),
        (["GET", "/a#b"], ("target", "`#`"), "400 bad_request"),
        (["GET", "/a", "--header", "Content-Length: many"], ("header", "Content-Length: many: has to be one plain number"), "400 bad_request"),
        (["PUT", "/logout"], ("allowed methods", "GET, POST"), "405 method_not_allowed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_explain_tells_the_decision_and_why(stage, arguments, reason, decision):
    found = steps(explain(stage, *arguments))
    assert any(step == reason[0] and reason[1] in finding for step, finding in found), found
    assert ("decision", decision) in found


def test_explain_names_the_condition_that_does_not_hold(stage):
    routes = [{"path": "/**", "allow": {"roles": ["admin", "ops"], "fields": {"plan": ["pro"]}}, "upstream": "app"}]
    found = steps(explain(stage, "GET", "/x", "--session", stage.session("42", plan="pro"), routes=routes))
    assert ("allow", "role must be one of admin, ops: it is user, which does not hold") in found
    assert ("allow", "plan must be pro: it is pro, which holds") in found
    assert ("decision", "403 forbidden") in found
    found = steps(explain(stage, "GET", "/x", "--session", stage.session("42", role="ops"), routes=routes))
    assert ("allow", "plan must be pro: the session does not have it, which does not hold") in found
    found = steps(explain(stage, "GET", "/x", "--session", stage.session("42", role="ops", plan="pro"), routes=routes))
    assert ("decision", "forward to app") in found


def test_explain_names_the_header_that_cannot_be_made(stage):
    headers = {"X-Tenant": "{tenant}"}
    found = steps(explain(stage, "GET", "/page", "--session", stage.session("42"), headers=headers))
    assert ("because", "header X-Tenant needs {tenant}, a field that the session does not have") in found
    assert ("decision", "502 bad_identity") in found
    found = steps(explain(stage, "GET", "/page", "--session", stage.session("42", tenant="a\r\nX-Admin: 1"), headers=headers))
    assert ("because", "header X-Tenant takes {tenant}, which holds a line end or a NUL at byte 1") in found
    assert ("field", "tenant = a<0d><0a>X-Admin: 1") in found, "and the terminal is left alone"


def test_explain_tells_which_routes_were_tried(stage):
    routes = [
        {"id": "there", "path": "/page", "host": "other.test", "upstream": "app"},
        {"id": "form", "path": "/form", "methods": ["POST"], "upstream": "app"},
    ]
    found = steps(explain(stage, "GET", "http://app.test/page", routes=routes))
    tried = [finding for step, finding in found if step == "tried"]
    assert any("explain.yaml:" in t and t.endswith("it is for host other.test, and not for `app.test`") for t in tried), tried
    assert any(t.startswith("form") and t.endswith("another path") for t in tried), tried
    assert ("decision", "404 not_found (no_route)") in found
    found = steps(explain(stage, "GET", "/form", routes=routes))
    assert any(finding.endswith("it is for POST, and not for GET") for _, finding in found), found
    assert ("allowed methods", "POST") in found and ("decision", "405 method_not_allowed") in found


def test_explain_tells_what_ails_redis(stage):
    id = stage.session("42")
    server = {
        "refused": {"url": f"redis://127.0.0.1:{free_port()}"},
        "auth": {"password": "wrong"},
        "resolve": {"url": f"redis://{'a' * 64}:6379"},  # no name, so that nobody is asked
    }
    for word, redis in server.items():
        found = steps(explain(stage, "GET", "/page", "--session", id, redis=redis))
        assert any(step == "redis" and f": {word}" in finding for step, finding in found), found
        assert ("decision", "503 store_unavailable") in found


def test_explain_tells_of_a_redis_that_hangs(stage):
    id = stage.session("42")
    stage.gate.hang()
    found = steps(explain(stage, "GET", "/page", "--session", id, redis={"timeouts": {"connect": "200ms"}}))
    assert ("redis", f"{stage.gate.address}: timeout") in found, found
    assert ("decision", "503 store_unavailable") in found


# ---- serve ----


def test_host_that_nobody_knows(stage):
    nowhere = "a" * 64 + ":80"  # no name, so that nobody is asked
    for changes in ({"server": {"listen": nowhere}}, {"admin": {"listen": nowhere}}):
        path = write_config(stage.folder / "c.yaml", stage.config(**changes))
        assert run("check", "-c", path).returncode == 0
        result = run("serve", "-c", path)
        assert result.returncode == 1 and f"{nowhere}: host not found" in result.stderr, result


def test_port_is_taken(stage):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        for changes in ({"server": {"listen": listen}}, {"admin": {"listen": listen}}):
            result = run("serve", "-c", write_config(stage.folder / "c.yaml", stage.config(**changes)))
            assert result.returncode == 1 and listen in result.stderr, result


def test_probe(stage):
    door = stage.start()
    admin = f"http://{door.address_of('admin')}"
    assert run("probe", "--url", f"{admin}/livez").returncode == 0
    assert run("probe", "--url", f"{admin}/nothing").returncode == 1
    assert run("probe", "--url", f"http://127.0.0.1:{free_port()}/livez").returncode == 1


def test_probe_by_configuration(stage):
    port = free_port()
    door = stage.start(admin={"listen": f"127.0.0.1:{port}"})
    assert run("probe", "-c", door.file).returncode == 0
    door.stop()
    assert run("probe", "-c", door.file).returncode == 1
