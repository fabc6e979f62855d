import pytest
from support.browser import afresh, chromium
from support.programs import identity_service, legacy_app, listening
from support.stage import Stage

USERS = [("alice", "admin", "Alice Schäfer", "wonderland"), ("bob", "user", "Jürgen", "builder")]


@pytest.fixture(scope="module")
def house(redis_server, tmp_path_factory):
    """The examples behind doorward."""
    folder = tmp_path_factory.mktemp("browser")
    with identity_service(folder, USERS) as identity, legacy_app() as app, Stage(redis_server, folder) as stage:
        stage.door = stage.start(
            upstreams={"app": f"http://{listening(app)}", "identity": f"http://{listening(identity)}"},
            routes=[
                {"path": "/public/**", "auth": "none", "upstream": "app"},
                {"path": "/admin/**", "allow": {"roles": ["admin"]}, "upstream": "app"},
                {"path": "/**", "upstream": "app"},
            ],
        )
        yield stage


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    driver = chromium(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def browser(window, house):
    return afresh(window, house)
