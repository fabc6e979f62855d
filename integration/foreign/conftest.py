import itertools

import pytest
from support.stage import Stage

_ids = itertools.count(1)
EXTERNAL = {"upstream": "identity", "mode": "external"}


@pytest.fixture
def new_id():
    return lambda: f"theirs-{next(_ids):012d}"


@pytest.fixture
def stage_of(redis_server, tmp_path):
    """A stage whose sessions another program writes; `session` is the part of the configuration."""
    stages = []

    def make(session, server=None, **more):
        stage = Stage(server or redis_server, tmp_path / f"stage-{len(stages)}")
        stages.append(stage)
        # The keys are theirs; the commands are as documented.
        stage.server.admin("ACL", "SETUSER", "doorward", "~sess:*", "~spring:session:*")
        stage.changes = {"session": session, "identity": EXTERNAL, **more}
        stage.door = stage.start(**stage.changes)
        return stage

    yield make
    redis_server.reset_acl()
    problems = []
    for stage in reversed(stages):
        try:
            stage.close()
        except Exception as e:
            problems.append(e)
    if problems:
        raise problems[0]
