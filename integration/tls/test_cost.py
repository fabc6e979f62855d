"""What a connection costs that waits for its next request."""

import resource
import ssl

import pytest
from support.client import RawClient

COUNT = 1000


@pytest.fixture(autouse=True)
def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * COUNT), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def idle_cost(door, connect):
    """KiB a connection, of those that have had an answer and are idle now."""

    def connected():
        client = connect()
        assert client.ask("GET", "/public/").status == 200
        return client

    warm = [connected() for _ in range(50)]
    before = door.resident_kib()
    clients = [connected() for _ in range(COUNT)]
    cost = (door.resident_kib() - before) / COUNT
    for client in warm + clients:
        client.close()
    print(f"{cost:.1f} KiB a connection")
    return cost


@pytest.mark.cost
def test_idle_plain_connections(stage):
    door = stage.start()
    assert idle_cost(door, door.client) < 2


@pytest.mark.cost
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_idle_tls_connections(stage, authority, app_test, version):
    door = stage.start(server={"tls": [{"cert": app_test[0], "key": app_test[1]}]})
    context = authority.trusted(minimum_version=version, maximum_version=version)
    assert idle_cost(door, lambda: RawClient(door.address, tls=context, name="app.test")) < 22
