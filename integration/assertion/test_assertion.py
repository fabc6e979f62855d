"""Issue 4: an application can verify who asks, by keys that doorward publishes. PyJWT is the application here."""

import hashlib
import time

import jwt
import pytest
from support.doorward import run
from support.expect import refused
from support.tokens import ISSUER, secret_file, verified
from support.wait import eventually

NAME = "Doorward-Assertion"
FORGED = "FORGED"


def assertion_for(stage, door, path, session):
    assert door.get(path, session=session).status == 200
    return stage.app.last.header(NAME)


def test_assertion_is_verified_by_the_published_keys(stage, asserting, key_set):
    door = asserting(stage, asserting.key())
    id = stage.session("42", role="admin,staff", **{"doorward.acr": "2"})
    response = door.get("/page", session=id)
    token = stage.app.last.header(NAME)
    claims = verified(token, key_set(door).get_signing_key_from_jwt(token).key, "shop")
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "typ": "JWT", "kid": "2026-11"}
    assert (claims["sub"], claims["roles"], claims["acr"]) == ("42", ["admin", "staff"], "2")
    assert 0 < claims["exp"] - claims["iat"] <= 60 and abs(claims["iat"] - time.time()) < 5
    assert claims["session"] == hashlib.sha256(id.encode()).hexdigest()[:8]
    assert claims["session"] == door.logged(response.header("X-Request-Id"))["session"]
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "roles", "session", "acr"}
    assert id not in str(claims)


def test_assertion_is_for_one_route(stage, asserting, key_set):
    door = asserting(stage, asserting.key())
    id = stage.session("42")
    tokens = {path: assertion_for(stage, door, path, id) for path in ("/page", "/reports/x")}
    keys = key_set(door)
    for path, audience, other in [("/page", "shop", "reports"), ("/reports/x", "reports", "shop")]:
        key = keys.get_signing_key_from_jwt(tokens[path]).key
        assert verified(tokens[path], key, audience)["sub"] == "42"
        with pytest.raises(jwt.InvalidAudienceError):
            verified(tokens[path], key, other)


def test_assertion_that_was_changed(stage, asserting, key_set):
    door = asserting(stage, asserting.key())
    mine = assertion_for(stage, door, "/page", stage.session("42"))
    theirs = assertion_for(stage, door, "/page", stage.session("43", role="admin"))
    key = key_set(door).get_signing_key_from_jwt(mine).key
    head, _, signature = mine.split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        verified(f"{head}.{theirs.split('.')[1]}.{signature}", key, "shop")
    with pytest.raises(jwt.InvalidSignatureError):
        verified(mine, asserting.key("another").public.read_text(), "shop")


@pytest.mark.parametrize("path", ["/open/x", "/maybe/x", "/page", "/login", "/login/x"])
@pytest.mark.parametrize("spelling", [NAME, "doorward-assertion", "Doorward_Assertion", "DOORWARD-ASSERTION"])
def test_header_of_a_client_is_removed_on_every_route(stage, asserting, path, spelling):
    door = asserting(stage, asserting.key())
    upstream = stage.identity if path.startswith("/login") else stage.app
    id = stage.session("42")
    logged_in = path in ("/maybe/x", "/page")
    for session in (id, None) if path != "/page" else (id,):
        assert door.get(path, {spelling: FORGED}, session=session).status == 200
        values = upstream.last.folded(NAME)
        assert FORGED not in upstream.last.raw_head.decode("latin-1")
        assert len(values) == (1 if logged_in and session else 0)


def test_header_of_another_name(stage, asserting, key_set):
    door = asserting(stage, asserting.key(), header="X-Who")
    for path in ("/open/x", "/page"):
        assert door.get(path, {"X-Who": FORGED, "X_WHO": FORGED}, session=stage.session("42")).status == 200
        assert FORGED not in stage.app.last.raw_head.decode("latin-1")
    token = stage.app.last.header("X-Who")
    assert verified(token, key_set(door).get_signing_key_from_jwt(token).key, "shop")["sub"] == "42"
    assert stage.app.last.header(NAME) is None


def test_handshake_of_a_websocket_carries_it(stage, asserting, key_set):
    door = asserting(stage, asserting.key())
    pairs = [("Connection", f"Upgrade, {NAME}"), ("Upgrade", "websocket"), (NAME, FORGED)]
    door.get("/page", pairs, session=stage.session("42"))
    token = stage.app.last.header(NAME)
    assert verified(token, key_set(door).get_signing_key_from_jwt(token).key, "shop")["sub"] == "42"


def test_assertion_is_sent_again_and_renewed_in_time(stage, asserting, key_set):
    """Never with less than half of its lifetime left, and never signed anew for each request."""
    door = stage.start(
        server={"workers": 1}, assertion={"issuer": ISSUER, "keys": [asserting.key().signs], "lifetime": "2s"}
    )
    id = stage.session("42")
    seen = []

    def renewed_twice():
        before = time.time()
        token = assertion_for(stage, door, "/page", id)
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == 2
        # What was sent had at least a second left when it was sent, which was after `before`.
        assert claims["exp"] - before >= 0.99, (claims, before)
        seen.append(token)
        return len(set(seen)) >= 3

    eventually(renewed_twice, 10, "two renewals")
    assert len(seen) > 2 * len(set(seen)), "the same one is sent more than once"
    jwks = key_set(door)
    assert verified(seen[-1], jwks.get_signing_key_from_jwt(seen[-1]).key, "/**")


def test_role_that_changes_is_seen_at_once(stage, asserting):
    door = asserting(stage, asserting.key())
    id = stage.session("42", role="user")
    said = lambda: jwt.decode(assertion_for(stage, door, "/page", id), options={"verify_signature": False})  # noqa: E731
    assert said()["roles"] == ["user"]
    for role, roles in [("admin", ["admin"]), ("", []), ("user,ops", ["user", "ops"])]:
        stage.redis("HSET", f"session:{id}", "role", role)
        assert said()["roles"] == roles
    stage.redis("HSET", f"session:{id}", "userId", "43")
    assert said()["sub"] == "43"
    stage.redis("HSET", f"session:{id}", "doorward.acr", "3")
    assert said()["acr"] == "3"


def test_user_that_is_no_text(stage, asserting):
    """Two users must not become one because neither can be written in JSON."""
    door = asserting(stage, asserting.key())
    refused(door.get("/page", session=stage.session(b"J\xfcrgen", index=False)), 502, "bad_identity")
    assert stage.app.requests == []
    token = assertion_for(stage, door, "/page", stage.session("Jürgen"))
    assert jwt.decode(token, options={"verify_signature": False})["sub"] == "Jürgen"


def test_secret_that_is_shared(stage, asserting, tmp_path):
    key = secret_file(tmp_path, "s1", b"0123456789abcdef0123456789abcdef\n")
    door = stage.start(assertion={"issuer": ISSUER, "algorithm": "hs256", "keys": [key]})
    token = assertion_for(stage, door, "/page", stage.session("42"))
    assert verified(token, b"0123456789abcdef0123456789abcdef", "/**", "HS256")["sub"] == "42"
    with pytest.raises(jwt.InvalidSignatureError):
        verified(token, b"another-secret-of-the-same-length", "/**", "HS256")
    refused(door.get("/.doorward/jwks"), 404, "not_found")


def test_off(shared):
    assert shared.door.get("/page", {NAME: FORGED}, session=shared.session("42")).status == 200
    assert shared.app.last.folded(NAME) == []
    refused(shared.door.get("/.doorward/jwks"), 404, "not_found")


def test_key_is_shown_nowhere(stage, asserting):
    key = asserting.key()
    door = asserting(stage, key)
    id = stage.session("42", role="admin")
    secret = "".join(key.private.read_text().splitlines()[1:-1])
    shown = door.admin("/config").body.decode()
    assert key.kid in shown and str(key.private) in shown
    explained = run("explain", "-c", door.file, "GET", "/page", "--session", id).stdout
    assert f"{NAME}: a JWT signed with key {key.kid}" in explained and '"sub":"42"' in explained
    token = assertion_for(stage, door, "/page", id)
    for text in (shown, explained, run("check", "-c", door.file).stdout):
        assert secret[:40] not in text and "BEGIN" not in text and token.split(".")[2] not in text


def test_proxy_in_front_is_told_it_too(stage, asserting, key_set):
    """Beside the identity headers, and empty where there is none, so that a copy of it overwrites what a client says."""
    door = asserting(stage, asserting.key())
    trusting = stage.start(
        server={"trusted_proxies": ["127.0.0.1"]},
        assertion={"issuer": ISSUER, "keys": door.config["assertion"]["keys"]},
        routes=door.config["routes"],
    )

    def told(path, session=None):
        said = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": path, "X-Forwarded-Host": "app.test", NAME: FORGED}
        response = trusting.get("/.doorward/auth", said, session=session)
        assert response.status == 200
        return response.all(NAME)

    id = stage.session("42")
    (token,) = told("/reports/x", id)
    assert verified(token, key_set(trusting).get_signing_key_from_jwt(token).key, "reports")["sub"] == "42"
    for path, session in [("/maybe/x", None), ("/open/x", id), ("/login", id)]:
        assert told(path, session) == [""]
    assert stage.app.requests == []
