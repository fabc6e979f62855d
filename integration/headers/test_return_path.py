"""C6, last sentence: `next` is a path on this origin, however it is spelled, or it is nothing."""

from urllib.parse import quote

import pytest
from support.upstream import answer

GRANT = {"Doorward-Grant": '{"userId":"42","role":"user"}'}

EVIL = [
    "https://evil.example/", "http://evil.example", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example",
    "\\\\evil.example", "\\/evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example",
    " //evil.example", "evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "/%2fevil.example",
    "/%5cevil.example", "/%09/evil.example", "/%0d%0aLocation:%20x", "%2f%2fevil.example", "/%252fevil.example", "/%255cevil.example",
    "/%00", "", "?x", "#x", "./x", "../x", "https:evil.example", "https:/evil.example", "/;@evil.example//\\x", "mailto:a@b",
]  # fmt: skip


@pytest.fixture(scope="module")
def granting(shared):
    shared.identity.script = lambda request, connection: answer(200, GRANT, b"in")
    return shared


def login(door, value):
    headers = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
    return door.ask("POST", "/login?next=" + value, headers, b"")


@pytest.mark.parametrize("target", EVIL, ids=repr)
@pytest.mark.parametrize("rounds", [1, 2])
def test_target_that_leaves_the_origin(granting, target, rounds):
    value = target
    for _ in range(rounds):
        value = quote(value, safe="")
    response = login(granting.door, value)
    location = response.header("Location")
    assert response.status == 200 and location is None, location


@pytest.mark.parametrize("target", ["/", "/a", "/a/b?c=d&e=f", "/a%20b", "/sch%C3%B6n", "/a?u=https://other.example/", "/a/?b=//c"])
def test_target_on_this_origin(granting, target):
    response = login(granting.door, quote(target, safe=""))
    assert (response.status, response.header("Location")) == (303, target)


def test_two_targets_are_one_or_none(granting):
    assert login(granting.door, "/good&next=//evil.example").header("Location") in (None, "/good")
