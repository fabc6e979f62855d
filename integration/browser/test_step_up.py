"""A real browser: a password is enough for the application, and a second factor for its administration."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from support.browser import afresh, arrive, no_complaints, shoot, sign_in, text
from support.programs import code_of, identity_service, legacy_app, listening
from support.stage import Stage

USERS = [("alice", "admin", "Alice Schäfer", "wonderland"), ("carol", "admin", "Carol", "looking glass")]


@pytest.fixture(scope="module")
def secrets():
    return {"alice": None}


@pytest.fixture(scope="module")
def house(redis_server, tmp_path_factory, secrets):
    folder = tmp_path_factory.mktemp("step-up")
    with identity_service(folder, USERS, secrets) as identity, legacy_app() as app, Stage(redis_server, folder) as stage:
        stage.door = stage.start(
            upstreams={"app": f"http://{listening(app)}", "identity": f"http://{listening(identity)}"},
            routes=[
                {"path": "/public/**", "auth": "none", "upstream": "app"},
                {"path": "/admin/**", "require": {"acr": 2, "max_age": "10m"}, "upstream": "app"},
                {"path": "/**", "upstream": "app"},
            ],
        )
        yield stage


@pytest.fixture
def browser(window, house):
    return afresh(window, house)


def test_from_a_password_to_a_second_factor(house, browser, secrets):
    browser.get(house.door.origin + "/")
    sign_in(browser, "alice", "wonderland")
    arrive(browser, "/")
    first = browser.get_cookie("sid")["value"]

    browser.get(house.door.origin + "/admin/")
    assert browser.execute_script("return location.pathname + location.search") == "/login?next=/admin/&acr=2&max_age=600"
    assert browser.get_cookie("sid")["value"] == first and house.has_session(first)
    shoot(browser, "step-up-1-code")
    assert browser.switch_to.active_element.get_attribute("id") == "username"
    code = code_of(secrets["alice"])
    browser.switch_to.active_element.send_keys("alice", Keys.TAB, "wonderland", Keys.TAB, code, Keys.ENTER)
    arrive(browser, "/admin/")
    assert browser.find_element(By.ID, "who").text == "Hello Alice Schäfer"
    assert browser.get_cookie("sid")["value"] != first and not house.has_session(first)
    no_complaints(browser)


def test_whoever_leaves_the_level_out_is_told_and_can_try_again(house, browser):
    browser.get(house.door.origin + "/login?next=/admin/")
    sign_in(browser, "carol", "looking glass")
    WebDriverWait(browser, 10).until(lambda b: "insufficient_user_authentication" in text(b))
    assert browser.find_element(By.TAG_NAME, "h1").text == "Please log in again"
    shoot(browser, "step-up-2-told")
    browser.find_element(By.LINK_TEXT, "Log in").send_keys(Keys.ENTER)
    WebDriverWait(browser, 10).until(lambda b: b.find_elements(By.ID, "code"))
    assert browser.execute_script("return location.search") == "?next=/admin/&acr=2&max_age=600"
    browser.get(house.door.origin + "/")
    arrive(browser, "/")  # she is logged in, for all that a password opens
