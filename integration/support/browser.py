"""A real browser: Chromium without a window, and what one looks at on a page."""

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from .doorward import ROOT

SCREENSHOTS = ROOT / "build" / "screenshots"


def chromium(profile):
    """With a profile of its own; the caller has it quit."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1000,800",
                 f"--user-data-dir={profile}"):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    driver.set_page_load_timeout(20)
    return driver


def afresh(driver, house):
    """Without cookies, in the light, of ordinary width."""
    driver.get(house.door.origin + "/public/")
    driver.delete_all_cookies()
    show(driver, dark=False, width=1000)
    driver.get_log("browser")
    return driver


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
