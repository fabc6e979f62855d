"""The published keys, and how one takes the place of another while applications keep what they have fetched."""

import jwt
import pytest
import yaml
from support.client import RawClient
from support.doorward import run
from support.expect import refused
from support.tokens import ISSUER, Key, secret_file, verified


NAME = "Doorward-Assertion"


def token_of(stage, door):
    assert door.get("/page", session=stage.session("42")).status == 200
    return stage.app.last.header(NAME)


def test_key_set_is_public_and_may_be_kept(stage, asserting):
    door = asserting(stage, asserting.key("a"), asserting.key("b"))
    response = door.get("/.doorward/jwks")
    assert response.status == 200 and response.header("Content-Type") == "application/jwk-set+json"
    assert response.header("Cache-Control") == "public, max-age=300"
    assert response.header("Set-Cookie") is None and response.header("X-Content-Type-Options") == "nosniff"
    keys = response.json()["keys"]
    assert [key["kid"] for key in keys] == ["a", "b"]
    for key in keys:
        assert set(key) == {"kty", "crv", "use", "alg", "kid", "x", "y"}, "and nothing of the private part"
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")
    head = door.ask("HEAD", "/.doorward/jwks")
    assert head.status == 200 and head.header("Content-Length") == str(len(response.body))
    refused(door.ask("POST", "/.doorward/jwks"), 405, "method_not_allowed")
    assert stage.app.requests == []


def test_key_set_does_not_wait_for_redis(stage, asserting):
    stage.gate.refuse()
    door = stage.start(ready=False, assertion={"issuer": ISSUER, "keys": [asserting.key().signs]})
    assert door.get("/.doorward/jwks").status == 200


def test_rotation_loses_nobody(stage, asserting):
    """Behind, published, to the front, and the old one away: whoever kept the keys of the step before verifies all."""
    old, new = asserting.key("old"), asserting.key("new")
    verifier, tokens = None, []
    for keys, signs in [([old], "old"), ([old, new], "old"), ([new, old], "new"), ([new], "new")]:
        door = asserting(stage, *keys)
        tokens.append(token_of(stage, door))
        assert jwt.get_unverified_header(tokens[-1])["kid"] == signs
        published = jwt.PyJWKSet.from_dict(door.get("/.doorward/jwks").json())
        for key_set in filter(None, (verifier, published)):
            by_kid = {key.key_id: key.key for key in key_set.keys}
            assert verified(tokens[-1], by_kid[signs], "shop")["sub"] == "42"
        # The ones that are still under way from the step before.
        if len(tokens) > 1 and keys != [new]:
            kid = jwt.get_unverified_header(tokens[-2])["kid"]
            assert verified(tokens[-2], {key.key_id: key.key for key in published.keys}[kid], "shop")
        verifier = published
        door.stop()
    assert "old" not in [key.key_id for key in verifier.keys]


@pytest.mark.parametrize("change", ["another curve", "no key", "the same name twice", "a public key", "short secret"])
def test_key_that_cannot_be_used(tmp_path, stage, change):
    good = Key(tmp_path, "good")
    algorithm, keys, about = {
        "another curve": ("es256", [good.signs, Key(tmp_path, "other", "P-384").signs], "keys[1].key: the key in"),
        "no key": ("es256", [secret_file(tmp_path, "text")], "keys[0].key: the file"),
        "the same name twice": ("es256", [good.signs, good.signs], "keys[1].kid: the same name as `keys[0]`"),
        "a public key": ("es256", [good.verifies], "keys[0].key: the file"),
        "short secret": ("hs256", [secret_file(tmp_path, "s", b"short")], "keys[0].key: the secret in"),
    }[change]
    door = stage.start(assertion={"issuer": ISSUER, "keys": [good.signs]})
    config = yaml.safe_load(door.file.read_text())
    config["assertion"] |= {"algorithm": algorithm, "keys": keys}
    door.file.write_text(yaml.safe_dump(config, sort_keys=False))
    result = run("check", "-c", door.file)
    assert result.returncode == 78
    assert f"error: assertion.{about}" in result.stderr
    place = result.stderr.split(" error: ")[0]
    line = int(place.rsplit(":", 3)[1])
    assert 0 < line <= len(door.file.read_text().splitlines())


def test_many_ask_at_once_on_one_connection(stage, asserting):
    door = asserting(stage, asserting.key())
    with RawClient(door.address) as client:
        for _ in range(50):
            client.send(b"GET /.doorward/jwks HTTP/1.1\r\nHost: h\r\n\r\n")
        assert {client.response("GET").status for _ in range(50)} == {200}
