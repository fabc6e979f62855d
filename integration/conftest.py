import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support.doorward import BINARY, SANITIZED  # noqa: E402
from support.redis_server import RedisServer  # noqa: E402
from support.stage import Stage  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also what takes minutes")


def pytest_configure(config):
    config.addinivalue_line("markers", "cost: measures memory or time; means nothing with sanitizers")
    config.addinivalue_line("markers", "plain: not for a sanitized binary, whose run-time library would be in the way")
    config.addinivalue_line("markers", "long: takes minutes; only with --long")


def pytest_collection_modifyitems(config, items):
    """What measures is not collected for a sanitized binary: the figures would be the sanitizer's. Nor what it cannot stand."""

    def leave_out(marker):
        left_out = [item for item in items if item.get_closest_marker(marker)]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)

    if SANITIZED:
        leave_out("cost")
        leave_out("plain")
    if not config.getoption("--long"):
        leave_out("long")


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there; build it, or name another in DOORWARD_BIN", 2)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def stage(redis_server, tmp_path):
    """A stage for one play."""
    with Stage(redis_server, tmp_path) as stage:
        yield stage


@pytest.fixture(scope="module")
def shared(redis_server, tmp_path_factory):
    """A stage for all plays of a file, with the usual doorward on it as `shared.door`: for tables of requests."""
    with Stage(redis_server, tmp_path_factory.mktemp("shared")) as stage:
        stage.door = stage.start()
        yield stage
