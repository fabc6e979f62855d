"""The few lines with which the README verifies an assertion, run as they stand there."""

import re

import jwt
import pytest
from support.doorward import ROOT

NAME = "Doorward-Assertion"


def test_application_of_the_readme(stage, asserting):
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    (text,) = (block for block in blocks if "PyJWKClient" in block)
    origin = "https://app.example.com"
    key = asserting.key()
    routes = [{"id": "app", "path": "/**", "upstream": "app"}]
    door = stage.start(
        server={"public_origin": origin}, session={"cookie": {"name": "sid"}}, assertion={"keys": [key.signs]}, routes=routes
    )
    assert door.get("/page", session=stage.session("42", role="admin,ops")).status == 200
    token = stage.app.last.header(NAME)

    application = {}
    exec(text.replace(f'PyJWKClient("{origin}/', f'PyJWKClient("{door.origin}/'), application)  # noqa: S102

    class Request:
        headers = {NAME: token}

    assert application["who"](Request) == ("42", ["admin", "ops"])
    head, claims, signature = token.split(".")
    Request.headers = {NAME: f"{head}.{claims}.{signature[::-1]}"}
    with pytest.raises(jwt.InvalidTokenError):
        application["who"](Request)
