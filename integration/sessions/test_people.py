"""People who press a button, and are not to be shown what is meant for programs."""

from support.expect import cookie_expired, cookie_untouched
from support.logins import NAVIGATION, attempt, grants
from support.places import SESSIONS, a_place, end, handle


def for_people(response):
    """A page, or the way to one."""
    assert response.status in (302, 303) or response.header("Content-Type").startswith("text/html"), response
    return response


def press(house, session, what):
    return house.door.navigate(f"{SESSIONS}{what}", {"Content-Type": "application/x-www-form-urlencoded"}, session, "POST", b"")


def test_button_of_one_who_is_out_herself(house, user):
    me, other = a_place(house.door, user), a_place(house.door, user)
    its_handle = handle(house.door, other)
    end(house.door, other, "?others=1")
    for_people(cookie_expired(press(house, me, f"/{its_handle}")))


def test_button_of_a_session_that_has_ended_meanwhile(house, user):
    me, other = a_place(house.door, user), a_place(house.door, user)
    its_handle = handle(house.door, other)
    end(house.door, me, its_handle)
    for_people(cookie_untouched(press(house, me, f"/{its_handle}")))


def test_login_form_where_there_is_no_room(stage, user):
    stage.identity.script = grants
    door = stage.start(session={"limit": {"per_user": 1, "when_full": "deny"}})
    a_place(door, user)
    response = for_people(attempt(door, user, "right", NAVIGATION))
    assert response.status == 403 and b"Log out at one of them first" in response.body


def test_login_form_that_a_log_out_everywhere_has_overtaken(house, user):
    end(house.door, a_place(house.door, user), "?all=1")
    for_people(attempt(house.door, user, "right", NAVIGATION))
