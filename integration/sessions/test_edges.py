"""Where ends and limits meet what is rare: a Redis that refuses, names that look like ours, a planted cookie."""

import time

from support.expect import cookie_untouched, refused
from support.logins import attempt, grants
from support.places import A_MOMENT, a_place, end, handle, id_in, in_redis, keys, listed, log_in, now_ms


def test_end_of_the_own_session_that_redis_refuses(house, user, acl):
    """She is still logged in, and is told so; then she must keep her cookie."""
    me = a_place(house.door, user)
    its_handle = handle(house.door, me)
    acl("-del")
    response = refused(end(house.door, me, its_handle), 503, "store_unavailable")
    assert house.door.get("/page", session=me).status == 200
    cookie_untouched(response)


def test_user_whose_name_ends_like_a_key_of_ours(stage, user, acl):
    """With an index that has nothing after the user, what is noted of one must not lie where another's index is."""
    stage.identity.script = grants
    acl("~by-user/*")
    door = stage.start(session={"index": "by-user/{user}"})
    one, other = a_place(door, user), a_place(door, f"{user}:ended")
    assert end(door, one, "?all=1").status == 204
    time.sleep(A_MOMENT)
    assert len(listed(door, other)) == 1
    assert log_in(door, f"{user}:ended").status == 200


def test_session_past_its_limit_takes_no_place(stage, user):
    """It opens nothing any more, so nobody can log out there to make room."""
    stage.identity.script = grants
    door = stage.start(session={"limit": {"per_user": 1, "when_full": "deny"}})
    over = stage.session(user, createdAt=now_ms() - 13 * 3600 * 1000)
    refused(door.get("/page", session=over), 401, "session_expired")
    assert log_in(door, user).status == 200


def test_own_session_beside_a_planted_cookie_takes_no_place(stage, user):
    """Both go with the login, whatever their order."""
    stage.identity.script = grants
    door = stage.start(session={"limit": {"per_user": 1, "when_full": "deny"}})
    own = a_place(door, user)
    new = id_in(attempt(door, user, "right", {"Cookie": f"sid=planted-by-somebody; sid={own}"}))
    assert in_redis(stage, user) == keys(new)
