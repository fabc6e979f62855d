"""/.doorward/sessions in two real browsers of one user: seen by eye, by keyboard, narrow and in the dark."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from support.browser import afresh, arrive, chromium, contrast, no_complaints, shoot, show, sign_in, text
from support.places import SESSIONS, in_redis

LONG = "W" * 200


@pytest.fixture(scope="module")
def other_window(tmp_path_factory):
    driver = chromium(tmp_path_factory.mktemp("other-chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def pair(browser, other_window, house):
    """Bob, twice."""
    both = browser, afresh(other_window, house)
    for one in both:
        one.get(house.door.origin + "/")
        sign_in(one, "bob", "builder")
        arrive(one, "/")
    yield both
    house.redis("FLUSHDB")


def user(house):
    (index,) = [key for key in house.redis("KEYS", "user:*:sessions")]
    return index.split(":")[1]


def look(browser, house):
    """Opens the page; returns its entries."""
    browser.get(house.door.origin + SESSIONS)
    arrive(browser, SESSIONS)
    return browser.find_elements(By.CSS_SELECTOR, "li")


def button(entries, own):
    (entry,) = [entry for entry in entries if ("(this one)" in entry.text) is own]
    return entry.find_element(By.TAG_NAME, "button")


def press(browser, element, key=None):
    """Clicks, or presses a key, and waits until the page has gone."""
    before = browser.find_element(By.TAG_NAME, "html")
    element.send_keys(key) if key else element.click()
    WebDriverWait(browser, 10).until(lambda b: b.find_element(By.TAG_NAME, "html") != before)


def focused(browser):
    return browser.switch_to.active_element


def test_one_browser_logs_the_other_out(house, pair):
    here, there = pair
    entries = look(here, house)
    assert len(entries) == 2 and all("Chrome on Linux" in entry.text and "127.0.0.1" in entry.text for entry in entries)
    shoot(here, "7-sessions")
    no_complaints(here)
    press(here, button(entries, own=False))
    arrive(here, SESSIONS)
    assert len(here.find_elements(By.CSS_SELECTOR, "li")) == 1 and "Log out all others" not in text(here)

    there.find_element(By.LINK_TEXT, "Administration").click()
    arrive(there, "/login?next=/admin/&reason=session_revoked")
    assert there.get_cookie("sid") is None
    sign_in(there, "bob", "builder")
    arrive(there, "/admin/")
    assert "forbidden" in text(there), "in again, where she wanted to go"
    here.get(house.door.origin + "/")
    assert here.find_element(By.ID, "who").text == "Hello Jürgen"


def test_the_own_session(house, pair):
    here, there = pair
    press(here, button(look(here, house), own=True))
    arrive(here, "/login")
    assert here.get_cookie("sid") is None
    there.refresh()
    assert there.find_element(By.ID, "who").text == "Hello Jürgen"


def test_everywhere(house, pair):
    here, there = pair
    look(here, house)
    press(here, here.find_element(By.XPATH, "//button[text()='Log out everywhere']"))
    arrive(here, "/login")
    there.refresh()
    arrive(there, "/login?next=/&reason=session_revoked")
    assert house.redis("KEYS", "user:*:sessions") == []


def test_by_keyboard_alone(house, pair):
    here, there = pair
    look(here, house)
    labels = []
    for _ in range(4):
        focused(here).send_keys(Keys.TAB)
        labels.append(focused(here).get_attribute("aria-label"))
        outline = here.execute_script("const s = getComputedStyle(document.activeElement); return [s.outlineStyle, parseFloat(s.outlineWidth)]")
        assert outline[0] == "solid" and outline[1] >= 2, f"one sees where one is: {labels[-1]}"
    assert labels[-2:] == ["Log out all others", "Log out everywhere, here too"]
    assert sorted(labels[:2]) == ["Log out Chrome on Linux 127.0.0.1", "Log out here"]
    focused(here).send_keys(Keys.SHIFT, Keys.TAB)
    assert focused(here).get_attribute("aria-label") == "Log out all others"
    press(here, focused(here), Keys.ENTER)
    arrive(here, SESSIONS)
    assert len(here.find_elements(By.CSS_SELECTOR, "li")) == 1
    there.refresh()
    arrive(there, "/login?next=/&reason=session_revoked")


def colours(browser, selector):
    return browser.execute_script(
        "const e = document.querySelector(arguments[0]), s = getComputedStyle(e); return [s.color, s.backgroundColor]", selector)  # fmt: skip


def ratio(browser, selector):
    """The contrast of the first such element's text against what lies behind it."""
    return browser.execute_script(
        "const rgb = c => c.match(/[\\d.]+/g).map(Number);"
        "const light = c => { const [r, g, b] = rgb(c).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);"
        "  return .2126 * r + .7152 * g + .0722 * b; };"
        "const e = document.querySelector(arguments[0]); let behind = e, c;"
        "while ((c = rgb(getComputedStyle(behind).backgroundColor)).length == 4 && c[3] == 0) behind = behind.parentElement;"
        "const [a, b] = [getComputedStyle(e).color, getComputedStyle(behind).backgroundColor].map(light).sort((x, y) => y - x);"
        "return (a + .05) / (b + .05);", selector)  # fmt: skip


def test_in_the_dark(house, pair):
    here, _ = pair
    look(here, house)
    seen = {}
    for dark in (False, True):
        show(here, dark)
        seen[dark] = [colours(here, selector) for selector in ("body", "button")]
        assert contrast(here) >= 4.5
        for selector in ("h1", "strong", "small", "button"):
            assert ratio(here, selector) >= 4.5, f"{selector}, {'dark' if dark else 'light'}"
    for light, dark in zip(seen[False], seen[True]):
        assert light[0] != dark[0] and light[1] != dark[1]
    show(here, dark=False)


def test_narrow_and_with_what_does_not_fit(house, pair):
    """Another program wrote a session with a very long name, which is hostile as well."""
    here, _ = pair
    house.session(user(house), **{"doorward.device": LONG, "doorward.address": f"<img src=x onerror=alert(1)>{LONG}"})
    entries = look(here, house)
    assert len(entries) == 3 and not here.find_elements(By.TAG_NAME, "img")
    assert any("<img src=x onerror=alert(1)>" in entry.text for entry in entries)
    shoot(here, "8-sessions-that-do-not-fit")
    show(here, dark=False, width=320)
    for element in here.find_elements(By.CSS_SELECTOR, "button"):
        box = element.rect
        assert box["x"] >= 0 and box["x"] + box["width"] <= 320 and box["height"] >= 24, "a finger finds it"
    no_complaints(here)
    press(here, here.find_element(By.XPATH, "//button[text()='Log out all others']"))
    arrive(here, SESSIONS)
    assert len(in_redis(house, user(house))) == 1
