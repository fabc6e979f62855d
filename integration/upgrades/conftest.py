import pytest
from support.tunnels import FarEnds


@pytest.fixture
def far_ends(stage):
    """What the application's connections come out of."""
    far_ends = stage.app.script = FarEnds()
    yield far_ends
    far_ends.close()
