"""Sessions of Spring's in Redis, as they were recorded and as old as a play wants them."""

import time
import uuid

from .by_hand import spring_cookie
from .foreign import recorded

RECORDS = ["spring.resp", "spring_json.resp"]


def key(id):
    return f"spring:session:sessions:{id}"


def session(redis, record=RECORDS[0], idle=0, **more):
    """Writes one that was last used `idle` seconds ago; returns its id. `more`: attributes, as bytes."""
    id = str(uuid.uuid4())
    now = int(time.time() * 1000)
    fields = dict(recorded(record))
    fields[b"creationTime"] = _aged(fields[b"creationTime"], now - 3_600_000)
    fields[b"lastAccessedTime"] = _aged(fields[b"lastAccessedTime"], now - idle * 1000)
    fields.update({f"sessionAttr:{name}".encode(): value for name, value in more.items()})
    redis("HSET", key(id), *(word for pair in fields.items() for word in pair))
    redis("EXPIRE", key(id), 2100)
    return id


def cookie(id):
    """The headers of a request with this session."""
    return {"Cookie": f"SESSION={spring_cookie(id)}"}


def _aged(value, milliseconds):
    """A java.lang.Long in the JDK's form with another number (its last eight bytes), or what Jackson writes for that."""
    return value[:-8] + milliseconds.to_bytes(8, "big") if b"java.lang.Long" in value else str(milliseconds).encode()
