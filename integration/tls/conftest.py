import pytest
from support.certificates import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def app_test(authority):
    """The certificate and key of app.test."""
    return authority.issue("app", "app.test", "*.app.test")
