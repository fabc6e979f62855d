import pytest
from support.doorward import write_config
from support.logins import grants
from support.operators import TOKEN
from support.places import a_user
from support.redis_server import OPERATOR
from support.stage import Stage


@pytest.fixture(scope="module")
def office(redis_server, tmp_path_factory):
    """For all plays of a file: an identity service that lets everybody in, an admin listener with a token, and a
    configuration for an operator of Redis. Each play has users of its own."""
    with Stage(redis_server, tmp_path_factory.mktemp("office")) as stage:
        stage.identity.script = grants
        stage.token = TOKEN
        stage.door = stage.start(admin={"token": TOKEN})
        stage.operator_file = write_config(stage.folder / "operator.yaml", stage.config(redis={"username": OPERATOR}))
        yield stage


@pytest.fixture
def user():
    return a_user()
