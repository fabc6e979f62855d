"""Issue 4: a JWT as an envelope. It says which session, and nothing else; Redis says whose, and whether it lives."""

import time

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from support.doorward import run
from support.expect import refused
from support.stage import Stage
from support.tokens import Key, by_hand, encoded, secret_file

THEM = "https://login.example.com"


@pytest.fixture(scope="module")
def house(redis_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("envelope")
    with Stage(redis_server, folder) as stage:
        stage.keys = [Key(folder / "keys", "one"), Key(folder / "keys", "two")]
        stage.stranger = Key(folder / "keys", "three")
        stage.door = start(stage, [key.verifies for key in stage.keys], issuer=THEM, audience="door")
        yield stage


def start(stage, keys, **envelope):
    return stage.start(
        identity={"mode": "external"}, session={"cookie": {"name": "sid"}, "envelope": {"keys": keys, **envelope}}
    )


def claims(id, **more):
    now = int(time.time())
    return {"iss": THEM, "aud": "door", "iat": now, "exp": now + 300, "sid": id, **more}


def test_session_is_the_one_that_the_envelope_names(house):
    id = house.session("42", role="user")
    for key in house.keys:
        token = key.sign(claims(id, userId="1", sub="1", role="admin", roles=["admin"]))
        response = house.door.get("/page", session=token)
        assert response.status == 200
        assert house.app.last.folded("X-User-Id") == ["42"] and house.app.last.folded("X-User-Role") == ["user"]
        assert token not in house.app.last.raw_head.decode(), "nor does the application see it"
        refused(house.door.get("/admin/x", session=token), 403, "forbidden")
        assert house.door.get("/.doorward/whoami", session=token).json()["user"] == "42"


def test_one_command_an_envelope(house):
    id = house.session("42")
    token, monitor = house.keys[0].sign(claims(id)), house.monitor()
    for _ in range(3):
        assert house.door.get("/page", session=token).status == 200
    assert monitor.commands(house.db) == [["HGETALL", f"session:{id}"]] * 3


def test_revocation_works(house):
    id = house.session("42")
    token = house.keys[0].sign(claims(id))
    assert house.door.get("/page", session=token).status == 200
    house.redis("DEL", f"session:{id}")
    refused(house.door.get("/page", session=token), 401, "no_session")
    assert house.door.logged(path="/page", reason="session_unknown")


def test_log_out_ends_the_session_inside(house):
    id = house.session("42")
    token = house.keys[0].sign(claims(id))
    assert house.door.ask("POST", "/logout", session=token).status == 204
    assert not house.has_session(id)
    refused(house.door.get("/page", session=token), 401, "no_session")


def test_login_service_sees_its_whole_cookie(house):
    token = house.keys[0].sign(claims(house.session("42")))
    assert house.door.get("/login", session=token).status == 200
    assert token in house.identity.last.header("Cookie")


def public_jwk(key):
    """What a verifier that believes the header would take for the key."""
    numbers = load_pem_public_key(key.public.read_bytes()).public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": encoded(numbers.x.to_bytes(32, "big")), "y": encoded(numbers.y.to_bytes(32, "big"))}


def forgeries(house, id):
    one, stranger = house.keys[0], house.stranger
    good = one.sign(claims(id))
    head, body, signature = good.split(".")
    public = one.public.read_bytes()
    now = int(time.time())
    return {
        "the id alone": id,
        "alg none": by_hand({"alg": "none", "kid": "one"}, claims(id)),
        "alg None": by_hand({"alg": "None", "kid": "one"}, claims(id)),
        "alg none, signature kept": f"{encoded({'alg': 'none', 'kid': 'one'})}.{body}.{signature}",
        "public key as secret": by_hand({"alg": "HS256", "kid": "one"}, claims(id), public),
        "public key as secret, stripped": by_hand({"alg": "HS256", "kid": "one"}, claims(id), public.strip()),
        "ES256 said, HMAC made": by_hand({"alg": "ES256", "kid": "one"}, claims(id), public),
        "a stranger's key": stranger.sign(claims(id)),
        "a stranger's key under our name": stranger.sign(claims(id), kid="one"),
        "a stranger's key brought along": stranger.sign(claims(id), kid="one", jwk=public_jwk(stranger)),
        "the other key": house.keys[1].sign(claims(id), kid="one"),
        "no kid": jwt.encode(claims(id), one.private.read_text(), "ES256"),
        "crit": one.sign(claims(id), crit=["b64"], b64=False),
        "another id": f"{head}.{encoded(claims('another-session-number'))}.{signature}",
        "no signature": f"{head}.{body}.",
        "zeros": f"{head}.{body}.{encoded(bytes(64))}",
        "cut": good[:-4],
        "longer": good + "AAAA",
        "expired": one.sign(claims(id, exp=now - 60)),
        "not yet": one.sign(claims(id, nbf=now + 120)),
        "no date": one.sign(claims(id)).replace(".", ".."),
        "exp is a text": by_hand({"alg": "ES256"}, {"exp": "9"}),
        "another issuer": one.sign(claims(id, iss="https://evil.example")),
        "another audience": one.sign(claims(id, aud="other")),
        "no claim": one.sign({k: v for k, v in claims(id).items() if k != "sid"}),
        "claim is a list": one.sign(claims([id])),
        "claim is no id": one.sign(claims(id + "\r\nDEL x")),
        "claim is a pattern": one.sign(claims("session-number-*")),
        "too long": one.sign(claims(id, more="x" * 5000)),
        "five parts": f"{good}.x.y",
    }


def test_forgery_is_401_and_never_reaches_redis(house):
    id = house.session("42")
    monitor = house.monitor()
    for name, token in forgeries(house, id).items():
        response = refused(house.door.get("/page", session=token), 401, "no_session")
        assert response.all("Set-Cookie") == [], name
        entry = house.door.logged(response.header("X-Request-Id"))
        assert entry["reason"] == "session_forged", (name, entry)
        assert house.door.get("/maybe/x", session=token).status == 200
        assert house.app.last.folded("X-User-Id") == [], name
        house.door.ask("POST", "/logout", session=token)
    assert monitor.commands(house.db) == []
    assert house.has_session(id)


def test_thousand_forgeries_cost_no_command(house):
    id = house.session("42")
    good = house.keys[0].sign(claims(id))
    head, body, signature = good.split(".")
    monitor = house.monitor()
    with house.door.client() as client:
        for n in range(1000):
            token = f"{head}.{encoded(claims(id, n=n))}.{signature}"
            client.send(f"GET /page HTTP/1.1\r\nHost: h\r\nCookie: sid={token}\r\n\r\n".encode())
            assert client.response("GET").status == 401
    assert monitor.commands(house.db) == []


def test_forgery_beside_a_good_one(house):
    """A neighbour that plants a cookie locks nobody out, and gets nobody in."""
    id = house.session("42")
    good, planted = house.keys[0].sign(claims(id)), house.stranger.sign(claims(house.session("43")))
    for cookies in (f"sid={planted}; sid={good}", f"sid={good}; sid={planted}"):
        assert house.door.get("/page", {"Cookie": cookies}).status == 200
        assert house.app.last.folded("X-User-Id") == ["42"]
    both = f"sid={good}; sid={house.keys[1].sign(claims(house.session('43')))}"
    refused(house.door.get("/page", {"Cookie": both}), 401, "no_session")


def test_envelope_that_ends_while_the_session_lives(stage, tmp_path):
    """Its own end counts too, also for one that has been seen before."""
    key = Key(tmp_path, "k")
    door = start(stage, [key.verifies])
    id = stage.session("42")
    # Past, but within the ten seconds that clocks may differ by; what is over after that is forged.
    assert door.get("/page", session=key.sign({"sid": id, "exp": int(time.time()) - 5})).status == 200
    refused(door.get("/page", session=key.sign({"sid": id, "exp": int(time.time()) - 11})), 401, "no_session")
    assert door.get("/page", session=key.sign({"sid": id})).status == 200, "without an end, Redis alone decides"


def test_one_key_needs_no_name(stage, tmp_path):
    key = Key(tmp_path, "k")
    door = start(stage, [key.verifies])
    token = jwt.encode({"sid": stage.session("42")}, key.private.read_text(), "ES256")
    assert "kid" not in jwt.get_unverified_header(token)
    assert door.get("/page", session=token).status == 200


def test_shared_secret(stage, tmp_path):
    secret = b"0123456789abcdef0123456789abcdef"
    door = start(stage, [secret_file(tmp_path, "s", secret + b"\n")], algorithm="hs256", claim="session")
    id = stage.session("42")
    assert door.get("/page", session=jwt.encode({"session": id}, secret, "HS256")).status == 200
    refused(door.get("/page", session=jwt.encode({"session": id}, b"x" * 32, "HS256")), 401, "no_session")
    refused(door.get("/page", session=by_hand({"alg": "none"}, {"session": id})), 401, "no_session")
    refused(door.get("/page", session=jwt.encode({"session": id}, secret, "HS512")), 401, "no_session")


def test_explain_says_what_is_wrong(house):
    id = house.session("42")
    file = house.door.file
    good = run("explain", "-c", file, "GET", "/page", "--session", house.keys[0].sign(claims(id))).stdout
    assert "forward to app" in good and f"session:{id}" not in good
    bad = run("explain", "-c", file, "GET", "/page", "--session", house.stranger.sign(claims(id))).stdout
    assert "its `kid` names none of session.envelope.keys" in bad and "session_forged" in bad


def test_only_for_services_that_set_the_cookie_themselves(house, tmp_path):
    text = house.door.file.read_text().replace("mode: external", "mode: grant")
    (tmp_path / "d.yaml").write_text(text)
    result = run("check", "-c", tmp_path / "d.yaml")
    assert result.returncode == 78 and "error: session.envelope.keys: in mode `grant`" in result.stderr
