"""A real browser walks login, page, forbidden page and logout; screenshots stay in build/screenshots."""

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from support.doorward import ROOT
from support.programs import identity_service, legacy_app, listening
from support.stage import Stage

SCREENSHOTS = ROOT / "build" / "screenshots"
USERS = [("alice", "admin", "Alice Schäfer", "wonderland"), ("bob", "user", "Jürgen", "builder")]


@pytest.fixture(scope="module")
def house(redis_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    with identity_service(folder, USERS) as identity, legacy_app() as app, Stage(redis_server, folder) as stage:
        stage.door = stage.start(
            upstreams={"app": f"http://{listening(app)}", "identity": f"http://{listening(identity)}"},
            routes=[
                {"path": "/public/**", "auth": "none", "upstream": "app"},
                {"path": "/admin/**", "allow": {"roles": ["admin"]}, "upstream": "app"},
                {"path": "/**", "upstream": "app"},
            ],
        )
        yield stage


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1000,800",
                 f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    driver.set_page_load_timeout(20)
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium, house):
    """Without cookies, in the light, of ordinary width."""
    chromium.get(house.door.origin + "/public/")
    chromium.delete_all_cookies()
    show(chromium, dark=False, width=1000)
    chromium.get_log("browser")
    return chromium


def show(browser, dark, width=1000):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False})


def shoot(browser, name):
    """The page in light and dark, wide and narrow; readable in each."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for dark in (False, True):
        for width in (1000, 320):
            show(browser, dark, width)
            browser.save_screenshot(str(SCREENSHOTS / f"{name}-{'dark' if dark else 'light'}-{width}.png"))
            overflow = browser.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, f"{name} is wider than {width} px"
            assert contrast(browser) >= 4.5, f"{name}, {'dark' if dark else 'light'}"
    show(browser, dark=False)


def contrast(browser):
    """Of the running text against the page (WCAG 2.1)."""
    text, ground = browser.execute_script(
        "const probe = document.createElement('canvas').getContext('2d');"
        "const rgb = c => { probe.fillStyle = c; probe.fillRect(0, 0, 1, 1); return [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)]; };"
        "const body = getComputedStyle(document.body);"
        "const dark = matchMedia('(prefers-color-scheme: dark)').matches;"
        "const ground = [body.backgroundColor, getComputedStyle(document.documentElement).backgroundColor].find(c => !c.endsWith(', 0)'));"
        "return [rgb(body.color), ground ? rgb(ground) : dark ? [18, 18, 18] : [255, 255, 255]];"
    )

    def luminance(rgb):
        parts = [v / 255 / 12.92 if v / 255 <= 0.03928 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in rgb]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted([luminance(text), luminance(ground)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def text(browser):
    return browser.find_element(By.TAG_NAME, "body").text


def arrive(browser, path):
    WebDriverWait(browser, 10).until(lambda b: b.execute_script("return location.pathname + location.search") == path and b.execute_script("return document.readyState") == "complete")


def sign_in(browser, login, password):
    field = browser.switch_to.active_element
    assert field.get_attribute("id") == "username", "the cursor waits in the first field"
    field.send_keys(login, Keys.TAB, password, Keys.ENTER)


def no_complaints(browser):
    entries = [e for e in browser.get_log("browser") if e["level"] == "SEVERE" and "favicon" not in e["message"]]
    assert not [e for e in entries if "Content Security Policy" in e["message"]], entries


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
