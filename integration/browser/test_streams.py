"""C4: what a page hears when the session ends that it has a WebSocket and an event stream open with."""

import threading

from selenium.webdriver.support.ui import WebDriverWait
from support.browser import chromium
from support.upstream import Closed, answer

PAGE = b"""<!doctype html><html lang="en"><title>live</title><script>
const seen = [];
const events = new EventSource("/page/events");
events.onopen = () => seen.push("open");
events.onmessage = m => seen.push("event " + m.data);
events.onerror = () => seen.push(events.readyState === EventSource.CLOSED ? "closed for good" : "connects again");
</script>live</html>"""
# Browsers wait for three seconds before they connect again, unless they are told otherwise.
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n1c\r\nretry: 200\ndata: hello one\n\n\r\n"


def seen(browser):
    return browser.execute_script("return seen")


def test_event_stream_of_a_page_whose_session_ends(stage, tmp_path):
    """It connects again by itself, hears 401, and does not come back."""
    over = threading.Event()

    def script(request, connection):
        if request.target != "/page/events":
            return answer(200, {"Content-Type": "text/html"}, PAGE if request.target == "/page" else b"")
        connection.send(SSE)
        over.wait(60)
        raise Closed

    stage.app.script = script
    door, it = stage.start(), stage.session("42")
    browser = chromium(tmp_path / "profile")
    try:
        browser.get(door.origin + "/public/x")
        browser.add_cookie({"name": "sid", "value": it, "path": "/"})
        browser.get(door.origin + "/page")
        WebDriverWait(browser, 15).until(lambda b: "event hello one" in seen(b))
        stage.redis("DEL", f"session:{it}")
        WebDriverWait(browser, 15).until(lambda b: "closed for good" in seen(b))
        assert seen(browser)[-4:] == ["open", "event hello one", "connects again", "closed for good"], seen(browser)
    finally:
        over.set()
        browser.quit()
    refusals = [e for e in door.access.json() if e["path"] == "/page/events" and e["status"] == 401]
    assert len(refusals) == 1
