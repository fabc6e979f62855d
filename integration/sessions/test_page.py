"""/.doorward/sessions for people: a page of forms, without script."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from support.expect import cookie_expired, cookie_untouched
from support.places import SESSIONS, a_place, handle, in_redis, keys, log_in, mark, now_ms


def form(house, session, what):
    """Sends one of the page's forms as a browser does."""
    target = SESSIONS + (what if what.startswith("?") else f"/{what}")
    return house.door.navigate(target, {"Content-Type": "application/x-www-form-urlencoded"}, session, "POST", b"")


def page(house, session):
    response = cookie_untouched(house.door.navigate(SESSIONS, session=session))
    assert response.status == 200 and response.header("Content-Type") == "text/html; charset=utf-8"
    return response


class Reader(HTMLParser):
    """What a browser makes of the page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.actions, self.labels = [], "", [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        given = dict(attributes)
        assert not [name for name in given if name.startswith("on") or name == "style"], given
        if tag == "form":
            assert given["method"] == "post"
            self.actions.append(given["action"])
        if tag == "button":
            self.labels.append(given["aria-label"])

    def handle_data(self, data):
        self.text += data


def test_page(house, user):
    id = a_place(house.door, user, agent="curl/8", via="198.51.100.7")
    a_place(house.door, user)
    response = page(house, id)
    read = Reader(response.body.decode())
    assert "script" not in read.tags and 'lang="en"' in response.body.decode()
    assert read.text.count("(this one)") == 1 and "198.51.100.7" in read.text and "curl" in read.text
    assert len(read.actions) == 4 and f"{SESSIONS}/{handle(house.door, id)}" in read.actions
    assert read.actions[-2:] == [f"{SESSIONS}?others=1", f"{SESSIONS}?all=1"]
    assert len(set(read.labels)) == 4, "who hears the page can tell its buttons apart"


def test_alone(house, user):
    read = Reader(page(house, a_place(house.door, user)).body.decode())
    assert len(read.actions) == 2 and f"{SESSIONS}?others=1" not in read.actions


def test_headers(house, user):
    response = page(house, a_place(house.door, user))
    style = re.search(r"<style>(.*?)</style>", response.body.decode(), re.DOTALL)[1]
    policy = dict(part.strip().split(" ", 1) for part in response.header("Content-Security-Policy").split(";"))
    assert policy == {
        "default-src": "'none'", "base-uri": "'none'", "form-action": "'self'", "frame-ancestors": "'none'",
        "style-src": f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'",
    }  # fmt: skip
    assert "no-store" in response.header("Cache-Control") and response.header("X-Content-Type-Options") == "nosniff"


TAGS = set("html head meta title style body main h1 ul li div strong small time form button".split())
HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><base href=//evil.example>", "&lt;b&gt;", "x" * 500, "\u202eright to left", "a\nb\r\n\r\nc", b"\xff\xfe"]


@pytest.mark.parametrize("field", ["doorward.device", "doorward.address"])
@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_what_others_wrote_is_text(house, user, field, value):
    id = house.session(user, **{field: value})
    house.session(user, **{field: value})
    read = Reader(page(house, id).body.decode("utf-8", "replace"))
    assert set(read.tags) <= TAGS
    assert len(read.actions) == 4
    if isinstance(value, str):
        assert read.text.count(value) == 2


@pytest.mark.parametrize("time", [0, 1, 253_402_300_800_000, 2**63 - 1, 99_999_999_999_999_999_999])
def test_times_that_no_calendar_has(house, user, time):
    me = house.session(user)
    house.session(user, createdAt=time, lastSeen=time, **{"doorward.absoluteUntil": now_ms() + 3_600_000})
    assert len(Reader(page(house, me).body.decode()).actions) == 4


def test_times_are_told_in_words(house, user):
    now = now_ms()
    text = Reader(page(house, house.session(user, createdAt=now - 7_300_000, lastSeen=now - 61_000)).body.decode()).text
    assert "Logged in 2 hours ago" in text and "Last seen 1 minute ago" in text


# ---- its forms ----


def test_form_that_ends_another(house, user):
    me, other = a_place(house.door, user), a_place(house.door, user)
    response = cookie_untouched(form(house, me, handle(house.door, other)))
    assert (response.status, response.header("Location")) == (303, SESSIONS) and "no-store" in response.header("Cache-Control")
    assert in_redis(house, user) == keys(me) and mark(house, other) == "revoked"


def test_form_that_ends_all_others(house, user):
    me, *_ = [a_place(house.door, user) for _ in range(3)]
    response = cookie_untouched(form(house, me, "?others=1"))
    assert (response.status, response.header("Location")) == (303, SESSIONS)
    assert in_redis(house, user) == keys(me)


def test_form_that_ends_the_own_one(house, user):
    me, other = a_place(house.door, user), a_place(house.door, user)
    response = cookie_expired(form(house, me, handle(house.door, me)))
    assert (response.status, response.header("Location")) == (303, "/login")
    assert in_redis(house, user) == keys(other)


def test_form_that_ends_all(house, user):
    me, _ = a_place(house.door, user), a_place(house.door, user)
    response = cookie_expired(form(house, me, "?all=1"))
    assert (response.status, response.header("Location")) == (303, "/login")
    assert in_redis(house, user) == set()


def test_form_of_a_page_that_is_older_than_the_login(house, user):
    """A handle that is nobody's any more takes nothing from the one who sends it."""
    me, other = a_place(house.door, user), a_place(house.door, user)
    its_handle = handle(house.door, other)
    log_in(house.door, user, session=other)
    assert cookie_untouched(form(house, me, its_handle)).status in (303, 404)
    assert house.door.get("/page", session=me).status == 200
