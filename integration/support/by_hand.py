"""Sessions as other programs write them, worked out anew, without anything of theirs or of doorward's."""

import base64
import hashlib
import hmac
import json
import struct
import time
from urllib.parse import quote


def express_cookie(secret, id):
    """What express-session puts into its cookie (cookie-signature, then encodeURIComponent)."""
    mac = base64.b64encode(hmac.new(secret.encode(), id.encode(), hashlib.sha256).digest()).decode().rstrip("=")
    return quote(f"s:{id}.{mac}", safe="-_.!~*'()")


def spring_cookie(id):
    return base64.b64encode(id.encode()).decode()


def java_text(text):
    """Of characters up to U+FFFF, NUL left out."""
    data = text.encode()
    return b"\xac\xed\x00\x05t" + struct.pack(">H", len(data)) + data


_NUMBER = b"xr\x00\x10java.lang.Number\x86\xac\x95\x1d\x0b\x94\xe0\x8b\x02\x00\x00xp"
_LONG = b"\xac\xed\x00\x05sr\x00\x0ejava.lang.Long;\x8b\xe4\x90\xcc\x8f#\xdf\x02\x00\x01J\x00\x05value" + _NUMBER
_INTEGER = b"\xac\xed\x00\x05sr\x00\x11java.lang.Integer\x12\xe2\xa0\xa4\xf7\x81\x878\x02\x00\x01I\x00\x05value" + _NUMBER


def java_long(n):
    return _LONG + struct.pack(">q", n)


def java_int(n):
    return _INTEGER + struct.pack(">i", n)


def spring_hash(attributes, age_s=0, interval=1800, text=java_text):
    """Field and value in turn, for HSET."""
    now = int(time.time() * 1000) - int(age_s * 1000)
    number, whole = (java_long, java_int) if text is java_text else (json.dumps, json.dumps)
    out = ["creationTime", number(now), "lastAccessedTime", number(now), "maxInactiveInterval", whole(interval)]
    for name, value in attributes.items():
        out += [f"sessionAttr:{name}", text(value)]
    return out
