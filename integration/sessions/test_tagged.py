"""`session.layout: tagged`, on a server in cluster mode: a user's keys are in one slot, and every script has keys of one slot."""

import hashlib
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.expect import cookie_expired, cookie_untouched, refused
from support.logins import grants
from support.places import A_MOMENT, SESSIONS, a_place, a_user, end, handle, id_in, listed, log_in
from support.redis_server import cluster_of_one
from support.resp import RedisError
from support.stage import Stage
from support.wait import eventually


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    server = cluster_of_one(tmp_path_factory.mktemp("cluster"))
    with Stage(server, tmp_path_factory.mktemp("tagged"), db=0) as stage:
        stage.identity.script = grants
        stage.door = stage.start(session={"layout": "tagged"})
        stage.two = stage.start(session={"layout": "tagged", "limit": {"per_user": 2, "per_device": 1}})
        stage.plain = stage.start()
        yield stage
    server.stop()


def tag(user):
    return hashlib.sha256(user.encode()).hexdigest()[:4]


def key(id):
    return f"session:{{{id[:4]}}}{id[4:]}"


def index(user):
    return f"user:{{{tag(user)}}}:{user}:sessions"


def in_index(stage, user):
    return set(stage.redis("SMEMBERS", index(user)))


def slot(stage, name):
    return stage.redis("CLUSTER", "KEYSLOT", name)


@pytest.mark.parametrize("name", ["anna", "anna@example.org", "{anna}", "a{b", "a}b{c}", "{}", "Änna", "anna:sessions", "x" * 200])
def test_keys_of_a_user_are_in_one_slot(cluster, name):
    ids = [a_place(cluster.door, name) for _ in range(3)]
    assert {id[:5] for id in ids} == {f"{tag(name)}."}
    assert in_index(cluster, name) == {key(id) for id in ids}
    assert end(cluster.door, ids[0], "?all=1").status == 204
    ended = f"session:ended:{{{tag(name)}}}:{name}"
    assert cluster.redis("EXISTS", ended) == 1
    assert len({slot(cluster, it) for it in [*map(key, ids), index(name), ended]}) == 1


def test_the_life_of_sessions(cluster, user):
    first, me, other = [a_place(cluster.door, user) for _ in range(3)]
    cluster.redis("HSET", key(me), "lastSeen", 0)
    assert cluster.door.get("/page", session=me).status == 200
    eventually(lambda: cluster.redis("HGET", key(me), "lastSeen") != "0")
    assert len(listed(cluster.door, me)) == 3
    assert end(cluster.door, me, handle(cluster.door, first)).status == 204
    refused(cluster.door.get("/page", session=first), 401, "session_revoked")
    assert end(cluster.door, me, "?others=1").status == 204
    refused(cluster.door.get("/page", session=other), 401, "session_revoked")
    assert in_index(cluster, user) == {key(me)}
    cookie_expired(cluster.door.ask("POST", "/logout", body=b"", session=me))
    assert in_index(cluster, user) == set()
    time.sleep(A_MOMENT)  # after the end of all others a login needs it
    me = a_place(cluster.door, user)
    cookie_expired(cluster.door.ask("POST", "/logout?everywhere=1", body=b"", session=me))
    assert cluster.redis("EXISTS", key(me), index(user)) == 0


def test_limits(cluster, user):
    phone, computer = "x (Android; Mobile)", "x (Windows)"
    first, desk = a_place(cluster.two, user, agent=phone), a_place(cluster.two, user, agent=computer)
    second = a_place(cluster.two, user, agent=phone)
    assert in_index(cluster, user) == {key(desk), key(second)}
    refused(cluster.two.get("/page", session=first), 401, "session_displaced")


def test_login_replaces_a_session_in_another_slot(cluster, user):
    """Which no script can do in the same step as it makes the new one."""
    other = a_user()
    old = a_place(cluster.door, other)
    assert slot(cluster, index(user)) != slot(cluster, index(other))
    new = id_in(log_in(cluster.door, user, session=old))
    assert cluster.redis("EXISTS", key(old), index(other)) == 0 and in_index(cluster, user) == {key(new)}


def test_twenty_logins_at_once(cluster, user):
    with ThreadPoolExecutor(20) as pool:
        ids = list(pool.map(lambda _: a_place(cluster.two, user), range(20)))
    (left,) = in_index(cluster, user)
    assert left in map(key, ids)


def test_nothing_was_an_error(cluster):
    """None of what the plays above have done crossed slots."""
    for door in (cluster.door, cluster.two):
        assert door.metrics().value("doorward_redis_errors_total") == 0


def test_layout_plain_cannot_log_in_there(cluster, user):
    """What the other layout is for. Look-ups are of one key, and go."""
    with pytest.raises(RedisError, match="CROSSSLOT"):
        cluster.redis("EVAL", "return 1", 2, "session:a", f"user:{user}:sessions")
    cookie_untouched(refused(log_in(cluster.plain, user), 503, "store_unavailable"))
    assert cluster.plain.get("/page", session=cluster.session(user, index=False)).status == 200


def test_with_signatures_in_cookies_and_hashes_in_redis(cluster, user):
    """All three are about ids, and go together."""
    session = {"layout": "tagged", "store_hashed": True, "cookie": {"keys": ["a-key-of-at-least-thirty-two-characters"]}}
    door = cluster.start(session=session)
    values = [re.match("sid=([^;]+);", log_in(door, user).header("Set-Cookie"))[1] for _ in range(3)]
    ids = [value.rsplit(".", 2)[0] for value in values]
    hashed = [f"session:{{{tag(user)}}}.{hashlib.sha256(id.encode()).hexdigest()}" for id in ids]
    assert in_index(cluster, user) == set(hashed) and len({slot(cluster, name) for name in [index(user), *hashed]}) == 1
    assert door.get("/page", session=values[0]).status == 200
    refused(door.get("/page", session=ids[0]), 401, "no_session")
    assert end(door, values[0], "?others=1").status == 204
    refused(door.get("/page", session=values[1]), 401, "session_revoked")
    cookie_expired(door.ask("POST", "/logout", body=b"", session=values[0]))
    assert in_index(cluster, user) == set()
    assert door.metrics().value("doorward_redis_errors_total") == 0


# ---- what is no id ----


def test_sessions_of_the_other_layout_are_not_found(cluster, user):
    """Nor is Redis asked for them, and the browser keeps its cookie: one may want to go back."""
    id, monitor = cluster.session(user, index=False), cluster.monitor()
    cookie_untouched(refused(cluster.door.get("/page", session=id), 401, "no_session"))
    cookie_untouched(refused(cluster.door.get(SESSIONS, session="ABCD.not-lower-case-digits"), 401, "no_session"))
    assert [words for words in monitor.commands(0) if words[0].upper() != "PING"] == []


def test_session_of_another_program(cluster, user):
    """It has to name its keys so."""
    id = f"{tag(user)}.written-by-another-program"
    cluster.redis("HSET", key(id), "userId", user)
    cluster.redis("SADD", index(user), key(id))
    assert cluster.door.get("/page", session=id).status == 200
    assert [place["current"] for place in listed(cluster.door, id)] == [True]


def test_index_that_names_what_is_in_another_slot(cluster, user):
    """Others may write to it; such a member is none of the user's and is not touched."""
    stranger, me = a_place(cluster.door, a_user()), a_place(cluster.door, user)
    cluster.redis("SADD", index(user), key(stranger))
    assert len(listed(cluster.door, me)) == 1
    assert end(cluster.door, me, "?others=1").status == 204
    assert cluster.door.get("/page", session=stranger).status == 200
