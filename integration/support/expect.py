"""What an answer of doorward's own must look like, whatever it says (contract C5)."""

import re
from urllib.parse import parse_qs, urlsplit

RETRY_STATUSES = (429, 503)


def refused(response, status, code=None, challenge="Session"):
    """A refusal for a program: problem+json (RFC 9457) with a stable code."""
    assert response.status == status, response
    assert (response.header("Content-Type") or "").split(";")[0] == "application/problem+json", response
    problem = response.json()
    assert problem["status"] == status and problem["title"] and problem["type"], problem
    if code:
        assert problem["code"] == code, problem
    _common(response, status, challenge)
    return response


def refused_page(response, status, code=None, challenge="Session"):
    """A refusal for a person: a small page without a script."""
    assert response.status == status, response
    assert (response.header("Content-Type") or "").startswith("text/html"), response
    page = response.body.decode()
    assert "<!doctype html>" in page.lower() and "<script" not in page.lower()
    assert 'lang="' in page and "color-scheme" in page
    if code:
        assert code in page, page
    _common(response, status, challenge)
    return response


def _common(response, status, challenge):
    assert response.header("X-Request-Id"), response
    assert "no-store" in (response.header("Cache-Control") or ""), response
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", response.header("Date") or ""), response
    if status == 401:
        assert response.header("WWW-Authenticate") == challenge, response
    if status in RETRY_STATUSES:
        assert int(response.header("Retry-After")) >= 1, response
    if status != 401:
        assert response.header("Location") is None, response


def sent_to_login(response, back_to, login="/login", parameter="next", **asked):
    """A redirect to the login page that knows the way back, and says what is asked of the login."""
    assert response.status == 302, response
    where = urlsplit(response.header("Location"))
    assert (where.scheme, where.netloc, where.path) == ("", "", login), where
    assert parse_qs(where.query) == {parameter: [back_to], **{name: [value] for name, value in asked.items()}}, where
    assert response.header("X-Request-Id") and "no-store" in response.header("Cache-Control")
    return response


def cookie_untouched(response):
    assert response.all("Set-Cookie") == [], response
    return response


def cookie_expired(response, name="sid"):
    """The browser is told to forget the cookie."""
    cookie = response.header("Set-Cookie") or ""
    assert cookie.startswith(f"{name}=;") or cookie.startswith(f'{name}="";'), response
    attributes = [part.strip().lower() for part in cookie.split(";")[1:]]
    assert "max-age=0" in attributes or any(a.startswith("expires=thu, 01 jan 1970") for a in attributes), cookie
    assert "path=/" in attributes, cookie
    return response
