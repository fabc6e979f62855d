import jwt
import pytest
from support.tokens import ISSUER, Key

ROUTES = [
    {"id": "open", "path": "/open/**", "auth": "none", "upstream": "app"},
    {"id": "maybe", "path": "/maybe/**", "auth": "optional", "upstream": "app"},
    {"id": "reports", "path": "/reports/**", "upstream": "app"},
    {"id": "shop", "path": "/**", "upstream": "app"},
]


@pytest.fixture
def asserting(tmp_path):
    """Starts a doorward on a stage that signs with these keys, the first one."""

    def start(stage, *keys, **changes):
        return stage.start(assertion={"issuer": ISSUER, "keys": [key.signs for key in keys], **changes}, routes=ROUTES)

    start.key = lambda kid="2026-11", **more: Key(tmp_path / "keys", kid, **more)
    return start


@pytest.fixture
def key_set():
    """What verifies a token by the published keys alone, and keeps them as long as an application may."""
    return lambda door: jwt.PyJWKClient(f"{door.origin}/.doorward/jwks")
