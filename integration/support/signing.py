"""Signed ids, worked out anew from docs/security.md, without anything of doorward's."""

import base64
import hashlib
import hmac
import re

KEYS = ["k7Wb2mZ0Qx9tYc4RfNs1LpVe8HuJdGa6", "another key, which is as long as it has to be", "Ein+dritter/Schluessel=mit-Zeichen_aller~Art"]


def _text(key, message):
    return base64.urlsafe_b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode().rstrip("=")


def kid_of(key):
    return _text(key, "doorward.kid")[:6]


def sign(key, id, cookie="sid"):
    return f"{id}.{kid_of(key)}.{_text(key, f'doorward.cookie:{cookie}:{id}')[:32]}"


def cookie_in(response, name="sid"):
    """The value of the session cookie that a login's answer sets."""
    cookie = response.header("Set-Cookie")
    assert response.status in (200, 303) and cookie, response
    return re.match(rf"{name}=([A-Za-z0-9._~-]+);", cookie)[1]


def id_of(value):
    """The id in a signed value."""
    return value.rsplit(".", 2)[0]
