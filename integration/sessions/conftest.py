import pytest
from support.logins import grants
from support.places import a_user
from support.stage import ROUTES, Stage


@pytest.fixture(scope="module")
def house(redis_server, tmp_path_factory):
    """For all plays of a file: an identity service that lets everybody in, behind a doorward that believes a proxy at
    127.0.0.1. Each play has users of its own."""
    with Stage(redis_server, tmp_path_factory.mktemp("house")) as stage:
        stage.identity.script = grants
        routes = [{"path": "/always/**", "unauthenticated": "redirect", "upstream": "app"}, *ROUTES]
        stage.door = stage.start(server={"trusted_proxies": ["127.0.0.1"]}, routes=routes)
        yield stage


@pytest.fixture
def user():
    return a_user()


@pytest.fixture
def acl(request, redis_server):
    """Changes what doorward's ACL user may do, until the end of the play."""
    request.addfinalizer(redis_server.reset_acl)
    return lambda *rules: redis_server.admin("ACL", "SETUSER", "doorward", *rules)
