"""Applications with sessions of their own, each with the file that users copy from conf/examples, behind one doorward."""

import os
from pathlib import Path

import pytest
from support import npm
from support.foreign import APPS, SECRETS, House, at, express, php
from support.stage import Stage

NOT_RUN = pytest.StashKey[str]()


def pytest_configure(config):
    config.addinivalue_line("markers", "npm: needs packages of npm's registry; where that is out of reach, it is not run, and that is said")


def pytest_collection_modifyitems(config, items):
    """Everything else runs where only the distribution's packages can be had."""
    wanting = [item for item in items if item.get_closest_marker("npm")]
    if not wanting:
        return
    try:
        npm.packages(APPS / "express")
    except npm.OutOfReach as e:
        items[:] = [item for item in items if item not in wanting]
        config.hook.pytest_deselected(items=wanting)
        config.stash[NOT_RUN] = f"{len(wanting)} tests of a real Express application: npm's registry cannot be reached ({e})"


def pytest_terminal_summary(terminalreporter, config):
    what = config.stash.get(NOT_RUN, None)
    if what:
        terminalreporter.write_line(f"NOT RUN: {what}", yellow=True)
        # scripts/check says it once more, at its end.
        if os.environ.get("NOT_RUN_FILE"):
            with Path(os.environ["NOT_RUN_FILE"]).open("a") as file:
                file.write(what + "\n")


@pytest.fixture(scope="module")
def express_house(redis_server, tmp_path_factory):
    with Stage(redis_server, tmp_path_factory.mktemp("express")) as stage:
        app = express(at(stage), SECRETS[:1])
        with app.program:
            yield House(stage, "express.yaml", app, SECRETS[0])


@pytest.fixture(scope="module", params=["php", "php_serialize"])
def php_house(request, redis_server, tmp_path_factory):
    with Stage(redis_server, tmp_path_factory.mktemp(request.param)) as stage:
        app = php(at(stage), request.param)
        with app.program:
            yield House(stage, "php.yaml", app)
