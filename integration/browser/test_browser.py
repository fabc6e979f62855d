"""A real browser walks login, page, forbidden page and logout; screenshots stay in build/screenshots."""

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from support.browser import arrive, no_complaints, shoot, sign_in, text


def test_login_page_forbidden_page_and_logout(house, browser):
    door = house.door
    browser.get(door.origin + "/?tab=2")
    assert browser.execute_script("return location.pathname") == "/login"
    shoot(browser, "1-login")

    sign_in(browser, "bob", "wrong")
    alert = WebDriverWait(browser, 10).until(lambda b: b.find_element(By.CSS_SELECTOR, "[role=alert]"))
    assert alert.text and "next=" in browser.current_url
    password = browser.switch_to.active_element
    assert password.get_attribute("id") == "password", "after a mistake the cursor waits in the password"
    assert password.get_attribute("aria-describedby") == alert.get_attribute("id") and password.get_attribute("aria-invalid") == "true"
    shoot(browser, "2-wrong-password")

    browser.find_element(By.ID, "password").send_keys("builder", Keys.ENTER)
    arrive(browser, "/?tab=2")
    assert browser.find_element(By.ID, "who").text == "Hello Jürgen"
    assert "role user" in browser.find_element(By.ID, "identity").text
    assert "ARRIVED" not in text(browser) and "MORE THAN ONCE" not in text(browser)
    shoot(browser, "3-page")

    cookie = browser.get_cookie("sid")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and cookie["path"] == "/"
    assert browser.execute_script("return document.cookie") == "", "no script can read it"
    assert cookie["value"] not in browser.page_source

    browser.find_element(By.LINK_TEXT, "Administration").click()
    arrive(browser, "/admin/")
    assert "forbidden" in text(browser) and "Hello" not in text(browser)
    shoot(browser, "4-forbidden")
    no_complaints(browser)

    browser.get(door.origin + "/")
    browser.find_element(By.CSS_SELECTOR, "form[action='/logout'] button").click()
    WebDriverWait(browser, 10).until(lambda b: b.execute_script("return location.pathname") == "/login")
    assert browser.get_cookie("sid") is None
    assert not house.has_session(cookie["value"])
    browser.get(door.origin + "/")
    assert browser.execute_script("return location.pathname") == "/login"


def test_administrator_goes_straight_to_the_page_she_asked_for(house, browser):
    browser.get(house.door.origin + "/admin/")
    sign_in(browser, "alice", "wonderland")
    arrive(browser, "/admin/")
    assert browser.find_element(By.ID, "who").text == "Hello Alice Schäfer"
    shoot(browser, "5-administration")


def test_keep_me_signed_in(house, browser):
    browser.get(house.door.origin + "/")
    browser.find_element(By.CSS_SELECTOR, "input[name=remember]").click()
    browser.find_element(By.ID, "username").send_keys("bob", Keys.TAB, "builder", Keys.ENTER)
    arrive(browser, "/")
    assert browser.get_cookie("sid")["expiry"] > 0


def test_session_ends_elsewhere_while_a_page_is_open(house, browser):
    browser.get(house.door.origin + "/")
    sign_in(browser, "bob", "builder")
    arrive(browser, "/")
    house.redis("DEL", "session:" + browser.get_cookie("sid")["value"])
    browser.refresh()
    WebDriverWait(browser, 10).until(lambda b: b.execute_script("return location.pathname") == "/login")
    assert browser.get_cookie("sid") is None


def test_page_that_fetches_is_told_401_and_not_redirected(house, browser):
    browser.get(house.door.origin + "/public/")
    script = "const done = arguments[0]; fetch('/data').then(r => r.json().then(j => done([r.status, r.redirected, j.code])))"
    assert browser.execute_async_script(script) == [401, False, "no_session"]


def test_addresses_where_nothing_is(house, browser):
    browser.get(house.door.origin + "/nowhere-in-particular?x=<script>alert(1)</script>")
    assert browser.execute_script("return location.pathname") == "/login"
    browser.get(house.door.origin + "/.doorward/nothing")
    shoot(browser, "6-not-found")
    no_complaints(browser)
