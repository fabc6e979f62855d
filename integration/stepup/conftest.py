import pytest
from support.stage import Stage

ROUTES = [
    {"id": "public", "path": "/public/**", "auth": "none", "upstream": "app"},
    {"id": "pay", "path": "/pay/**", "require": {"acr": 2, "max_age": "10m"}, "upstream": "app"},
    {"id": "second", "path": "/second/**", "require": {"acr": 2}, "upstream": "app"},
    {"id": "fresh", "path": "/fresh/**", "require": {"max_age": "60s"}, "upstream": "app"},
    {"id": "brief", "path": "/brief/**", "require": {"max_age": "1s"}, "upstream": "app"},
    {"id": "told", "path": "/told/**", "require": {"acr": 2}, "unauthenticated": "reject", "upstream": "app"},
    {"id": "maybe", "path": "/maybe/**", "auth": "optional", "require": {"acr": 1}, "upstream": "app"},
    {"id": "watch", "path": "/watch/**", "auth": "passive", "require": {"acr": 2}, "upstream": "app"},
    {"id": "staff", "path": "/staff/**", "allow": {"roles": ["admin"]}, "require": {"acr": 2}, "upstream": "app"},
    {"id": "rest", "path": "/**", "upstream": "app"},
]


@pytest.fixture(scope="module")
def house(redis_server, tmp_path_factory):
    """For all plays of a file; each has sessions of its own."""
    with Stage(redis_server, tmp_path_factory.mktemp("house")) as stage:
        headers = {"X-User-Id": "{userId}", "X-Level": "{doorward.acr?}"}
        stage.door = stage.start(routes=ROUTES, headers=headers, server={"public_origin": "http://app.test", "trusted_proxies": ["127.0.0.1"]})
        yield stage
