import pytest
from support.logins import grants
from support.near_cache import SortingGate, Witness, wait_ready
from support.redis_server import RedisServer, near_cache_acl
from support.stage import ROUTES, Stage

CACHE = {"enabled": True, "max_age": "1h"}  # so long that nothing is over by its age within a play


def say_role(request, connection):
    role = (request.header("X-User-Role") or "none").encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(role), role)


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    """With an ACL user who has what the documentation adds for the near-cache, and nothing else."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), rights=near_cache_acl())
    yield server
    server.stop()


@pytest.fixture
def stage(redis_server, tmp_path):
    """A stage whose application says the role it was told, and which has a witness. Doorward has one worker and its
    cache, and is one that believes a proxy at 127.0.0.1."""
    with Stage(redis_server, tmp_path) as stage:
        stage.app.script = say_role
        stage.identity.script = grants
        stage.witness = Witness(redis_server, stage.db)
        stage._closing.append(stage.witness.close)

        def open_door(workers=1, ready=True, session=None, **more):
            session = {"cache": CACHE, **(session or {})}
            server = {"workers": workers, "trusted_proxies": ["127.0.0.1"]}
            door = stage.start(server=server, session=session, **{"routes": ROUTES, **more})
            return wait_ready(door, workers) if ready else door

        def sort():
            stage._gate = SortingGate(redis_server.tcp)
            stage._closing.append(stage._gate.close)
            return stage._gate

        stage.open_door, stage.sort = open_door, sort
        yield stage
