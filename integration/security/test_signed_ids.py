"""Ids with signatures (session.cookie.keys): what is forged costs Redis nothing, and keys are replaced without logging anybody out."""

import itertools
import json
import random
import re
import string

import pytest
from support.client import build
from support.doorward import ROOT, run, write_config
from support.expect import cookie_expired, cookie_untouched, refused, sent_to_login
from support.logins import attempt, grants
from support.places import SESSIONS, a_user, commands, end, handle, listed, told
from support.signing import KEYS, cookie_in, id_of, kid_of, sign
from support.stage import Stage
from support.upstream import answer

FIRST, SECOND, THIRD = KEYS


@pytest.fixture(scope="module")
def house(redis_server, tmp_path_factory):
    """Ids are signed with FIRST; SECOND is believed as well. Each play has users of its own."""
    with Stage(redis_server, tmp_path_factory.mktemp("house")) as stage:
        stage.identity.script = grants
        stage.door = stage.start(session={"cookie": {"keys": [FIRST, SECOND]}})
        yield stage


@pytest.fixture
def user():
    return a_user()


def log_in(door, user, session=None):
    return cookie_in(attempt(door, user, "right", {"Cookie": f"sid={session}"} if session else {}))


def forgeries(id):
    """Values that name this session, and are not signed by us."""
    good = sign(FIRST, id)
    yield from (id, good[:-1], good + "A", good + ".", good.replace(".", "~"), good.swapcase(), f"{id}.{good}", f"{id}..", f"{id}.{kid_of(FIRST)}.")
    yield sign(THIRD, id)
    yield sign(FIRST, id, "other")
    yield f"{id}.{kid_of(FIRST)}.{sign(THIRD, id)[-32:]}"
    yield f"{id}.{kid_of(SECOND)}.{good[-32:]}"
    yield sign(FIRST, "another-session-id")[: -32] + good[-32:]


# ---- what is signed, and how ----


def test_documented_algorithm_and_vector():
    """The Python in docs/security.md is run as it stands there, and says what the page and our own reading say."""
    page = (ROOT / "docs/security.md").read_text().split("## Signed ids")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    there = {}
    exec(code, there)
    key, cookie, id, value = re.search(r"key `([^`]+)`, cookie `([^`]+)`, id `([^`]+)`: `([^`]+)`", page).groups()
    assert there["sign"](key, cookie, id) == sign(key, id, cookie) == value


def test_login_signs_the_id_that_is_in_redis(house, user):
    value = log_in(house.door, user)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{32}", value)
    assert value == sign(FIRST, id_of(value))
    assert house.has_session(id_of(value)) and not house.has_session(value)
    assert house.redis("SMEMBERS", f"user:{user}:sessions") == [f"session:{id_of(value)}"]
    response = house.door.get("/page", session=value)
    assert response.status == 200 and house.app.last.header("X-User-Id") == user
    assert house.app.last.header("Cookie") is None


@pytest.mark.parametrize("key", [FIRST, SECOND])
@pytest.mark.parametrize("id", ["sixteen-letters-", "a" * 256, "dots.in.it.are.fine", "~" * 20])
def test_whoever_has_a_key_may_sign(house, user, key, id):
    house.session(user, id=id)
    assert house.door.get("/page", session=sign(key, id)).status == 200
    assert house.app.last.header("X-User-Id") == user


def test_name_of_the_cookie_is_signed_too(stage):
    door = stage.start(server={"public_origin": "https://app.test"}, session={"cookie": {"keys": [FIRST]}})
    id = stage.session("42")
    ask = lambda value: door.get("/page", {"Cookie": f"__Host-sid={value}"})  # noqa: E731
    assert ask(sign(FIRST, id, "__Host-sid")).status == 200
    refused(ask(sign(FIRST, id, "sid")), 401, "no_session")


def test_log_names_the_session_by_its_id(house, user):
    import hashlib

    value = log_in(house.door, user)
    entry = house.door.logged(house.door.get("/page", session=value).header("X-Request-Id"))
    assert entry["session"] == hashlib.sha256(id_of(value).encode()).hexdigest()[:8]
    assert value not in json.dumps(entry) and id_of(value) not in json.dumps(entry)


# ---- what is not signed ----


def test_forged_cookies_never_reach_redis(house, user):
    id, monitor = id_of(log_in(house.door, user)), house.monitor()
    for value in forgeries(id):
        response = cookie_untouched(refused(house.door.get("/page", session=value), 401, "no_session"))
        assert house.door.logged(response.header("X-Request-Id"))["reason"] == "session_forged", value
        cookie_untouched(sent_to_login(house.door.navigate("/page", session=value), "/page"))
    assert house.door.get("/maybe/x", session=id).status == 200 and house.app.last.header("X-User-Id") is None
    for target in (SESSIONS, "/.doorward/whoami", "/watch/x"):
        refused(house.door.get(target, session=id), 401, "no_session")
    for what in ("some-handle", "?others=1", "?all=1"):
        refused(end(house.door, id, what), 401, "no_session")
    for target in ("/logout", "/logout?everywhere=1"):
        cookie_expired(house.door.ask("POST", target, body=b"", session=id))
    assert commands(monitor, house) == []
    assert house.door.get("/page", session=sign(FIRST, id)).status == 200


@pytest.mark.parametrize("value", ["short", sign(FIRST, "fifteen-letters"), sign(FIRST, "a" * 257), "x" * 300, "a b", ""])
def test_what_could_be_no_id_at_all(house, value):
    monitor = house.monitor()
    response = cookie_untouched(refused(house.door.get("/page", session=value), 401, "no_session"))
    assert house.door.logged(response.header("X-Request-Id"))["reason"] == "session_malformed"
    assert commands(monitor, house) == []


def test_every_byte_counts(house, user):
    """One byte of a good value changed, each in turn: into another that may stand in a cookie."""
    value, monitor, dice = log_in(house.door, user), house.monitor(), random.Random(1)
    alphabet = string.ascii_letters + string.digits + "._~-"
    with house.door.client() as client:
        for at, was in enumerate(value):
            changed = value[:at] + dice.choice(alphabet.replace(was, "")) + value[at + 1 :]
            refused(client.ask("GET", "/page", {"Cookie": f"sid={changed}"}), 401, "no_session")
        assert commands(monitor, house) == []
        assert client.ask("GET", "/page", {"Cookie": f"sid={value}"}).status == 200


def test_ten_thousand_forged_cookies_cost_redis_nothing(house, user):
    id, dice = id_of(log_in(house.door, user)), random.Random(2)
    mac = lambda: "".join(dice.choices(string.ascii_letters + string.digits + "-_", k=32))  # noqa: E731
    kinds = itertools.cycle([lambda: f"{id}.{kid_of(FIRST)}.{mac()}", lambda: mac() + mac(), lambda: sign(THIRD, mac()),
                             lambda: f"{mac()}.{kid_of(SECOND)}.{mac()}"])  # fmt: skip
    before, refusals = usage(house), malformed(house.door)
    monitor = house.monitor()
    with house.door.client(timeout=20) as client:
        for _ in range(100):
            client.send(b"".join(build("GET", "/page", {"Cookie": f"sid={next(kinds)()}"}) for _ in range(100)))
            for _ in range(100):
                assert client.response().status == 401
    assert malformed(house.door) == refusals + 10_000
    assert commands(monitor, house) == []
    assert usage(house) == before


def usage(stage):
    """How often Redis has been asked for what doorward asks for."""
    lines = stage.server.admin("INFO", "commandstats").splitlines()
    calls = dict(re.findall(r"cmdstat_(\w+):calls=(\d+)", "\n".join(lines)))
    return {name: calls.get(name, "0") for name in ("hgetall", "evalsha", "eval", "hget", "hset", "exists", "del")}


def malformed(door):
    return door.metrics().value("doorward_session_lookups_total", result="malformed")


# ---- everything that has to do with ids ----


def test_several_cookies(house, user):
    mine, other = log_in(house.door, user), log_in(house.door, a_user())
    both = refused(house.door.get("/page", session=f"{mine}; sid={other}"), 401, "no_session")
    cookie_expired(both)
    for planted in (id_of(other), other[:-1], sign(THIRD, id_of(other))):
        assert house.door.get("/page", session=f"{planted}; sid={mine}").status == 200
        assert house.app.last.header("X-User-Id") == user
    monitor = house.monitor()
    again = sign(SECOND, id_of(mine))
    assert house.door.get("/page", session=f"{mine}; sid={again}").status == 200, "one session, signed twice"
    assert commands(monitor, house) == ["HGETALL"]
    forged = "; sid=".join(f"{id_of(mine)[:-1]}{n}{mine[-40:]}" for n in range(6))
    refused(house.door.get("/page", session=f"{forged}; sid={mine}"), 401, "no_session")
    assert commands(monitor, house) == []


def test_logout(house, user):
    value = log_in(house.door, user)
    cookie_expired(house.door.ask("POST", "/logout", body=b"", session=value))
    assert not house.has_session(id_of(value))
    cookie_expired(told(house.door, value, "no_session")[0])


def test_login_replaces_the_session_that_came_with_it(house, user):
    old = log_in(house.door, user)
    new = log_in(house.door, user, old)
    assert not house.has_session(id_of(old)) and house.has_session(id_of(new))
    # What somebody else says is his session stays where it is.
    log_in(house.door, a_user(), id_of(new))
    assert house.has_session(id_of(new))


def test_sessions_page(house, user):
    me, it, other = (log_in(house.door, user) for _ in range(3))
    assert [place["current"] for place in listed(house.door, me)].count(True) == 1
    assert end(house.door, me, handle(house.door, it)).status == 204
    cookie_expired(told(house.door, it, "session_revoked")[0])
    cookie_expired(end(house.door, me, handle(house.door, me)))
    assert not house.has_session(id_of(me))
    cookie_expired(house.door.ask("POST", "/logout?everywhere=1", body=b"", session=other))
    assert house.redis("SMEMBERS", f"user:{user}:sessions") == []


def test_identity_service_that_signs_itself(stage):
    """With `mode: external` it writes Redis and the cookie, and has the key for it."""
    id = "written-by-the-service-itself"
    value = sign(FIRST, id)

    def script(request, connection):
        script.cookie = request.header("Cookie")
        stage.session("42", id=id)
        return answer(303, {"Location": "/page", "Set-Cookie": f"sid={value}; Path=/; HttpOnly"})

    stage.identity.script = script
    door = stage.start(identity={"mode": "external"}, session={"cookie": {"keys": [FIRST]}})
    assert cookie_in(attempt(door, "anna", "right")) == value
    assert door.get("/page", session=value).status == 200
    refused(door.get("/page", session=id), 401, "no_session")
    attempt(door, "anna", "right", {"Cookie": f"sid={value}"})
    assert script.cookie == f"sid={value}", "its own cookie, as it made it"


# ---- rotation ----


def test_keys_are_replaced_and_nobody_is_logged_out(stage, user):
    """Instances beside each other, as while one after the other is started anew."""
    stage.identity.script = grants
    door = lambda *keys: stage.start(session={"cookie": {"keys": list(keys)}})  # noqa: E731
    only_old, knows_new, signs_new, only_new = door(FIRST), door(FIRST, SECOND), door(SECOND, FIRST), door(SECOND)
    by_old, by_new = log_in(only_old, user), log_in(signs_new, user)
    assert by_old == sign(FIRST, id_of(by_old)) and by_new == sign(SECOND, id_of(by_new))
    assert log_in(knows_new, user).split(".")[-2] == kid_of(FIRST), "the first signs"
    for instance in (only_old, knows_new, signs_new):
        assert instance.get("/page", session=by_old).status == 200
    for instance in (knows_new, signs_new, only_new):
        assert instance.get("/page", session=by_new).status == 200
    response = cookie_untouched(refused(only_new.get("/page", session=by_old), 401, "no_session"))
    assert only_new.logged(response.header("X-Request-Id"))["reason"] == "session_forged"
    assert stage.has_session(id_of(by_old)), "the session itself is still there"
    cookie_untouched(refused(only_old.get("/page", session=by_new), 401, "no_session"))


def test_keys_from_files(stage, user):
    (stage.folder / "new").write_text(FIRST + "\n")
    (stage.folder / "old").write_text(SECOND)
    door = stage.start(session={"cookie": {"keys": [f"${{file:{stage.folder}/new}}", f"${{file:{stage.folder}/old}}"]}})
    id = stage.session(user)
    for key in (FIRST, SECOND):
        assert door.get("/page", session=sign(key, id)).status == 200
    shown = door.admin("/config").body.decode()
    assert FIRST not in shown and SECOND not in shown
    assert json.loads(shown)["session"]["cookie"]["keys"] == [f"<redacted, kid {kid_of(key)}>" for key in (FIRST, SECOND)]
    assert FIRST not in door.log.text() + door.access.text()


# ---- explain ----


def test_explain(stage):
    id = stage.session("42")
    path = write_config(stage.folder / "explain.yaml", stage.config(session={"cookie": {"keys": [FIRST, SECOND]}}))

    def explained(value):
        result = run("explain", "-c", path, "GET", "/page", "--session", value)
        assert result.returncode == 0 and FIRST not in result.stdout, result
        return [tuple(re.split(r"\s{2,}", line, maxsplit=1)) for line in result.stdout.splitlines()]

    for value in (id, sign(FIRST, id), sign(SECOND, id)):
        found = explained(value)
        assert ("cookie", "sid: 1 value with a good signature") in found and ("decision", "forward to app") in found
    for value, because in [(sign(THIRD, id), f"theirs have the kids {kid_of(FIRST)}, {kid_of(SECOND)}"), (sign(FIRST, id)[:-1] + "~", "not that of the key it names")]:
        found = explained(value)
        assert any(step == "because" and because in finding for step, finding in found), found
        assert ("decision", "401 no_session (session_forged)") in found


def test_session_command_takes_an_id_or_a_cookie(stage):
    id = stage.session("42")
    path = write_config(stage.folder / "operator.yaml", stage.config(session={"cookie": {"keys": [FIRST, SECOND]}}))
    show = lambda text: run("session", "show", "-c", path, "--id-stdin", stdin=text + "\n")  # noqa: E731
    for text in (id, sign(FIRST, id), sign(SECOND, id)):
        result = show(text)
        assert result.returncode == 0 and json.loads(result.stdout)["user"] == "42", result
    for text in (sign(THIRD, id), sign(FIRST, id)[:-1] + "~"):
        result = show(text)
        assert result.returncode == 1 and "not one of session.cookie.keys" in result.stderr and text not in result.stderr, result


def test_forward_auth(stage):
    id = stage.session("42")
    door = stage.start(server={"trusted_proxies": ["127.0.0.1"]}, session={"cookie": {"keys": [FIRST]}})
    ask = lambda value: door.get("/.doorward/auth", {"Cookie": f"sid={value}", "X-Forwarded-Method": "GET", "X-Forwarded-Proto": "http",  # noqa: E731
                                                     "X-Forwarded-Host": "app.test", "X-Forwarded-Uri": "/page"})  # fmt: skip
    assert ask(sign(FIRST, id)).header("X-User-Id") == "42"
    assert ask(id).status == ask(sign(SECOND, id)).status == 401
