"""What doorward says to a proxy, without a proxy in between."""

import socket
import time

import pytest
from support.client import RawClient, build
from support.doorward import run, with_session
from support.expect import cookie_expired, cookie_untouched, refused, refused_page
from support.logins import NAVIGATION
from support.wait import eventually

WHO = ("X-User-Id", "X-User-Role", "X-User-Name")


def ask(stage, uri="/x", method="GET", headers=(), session=None, query="", by="GET", source=None, said=None):
    if said is None:
        said = {"X-Forwarded-Method": method, "X-Forwarded-Uri": uri, "X-Forwarded-Host": "app.test", "X-Forwarded-For": "203.0.113.7"}
    with stage.door.client(source=source) as client:
        client.send(build(by, "/.doorward/auth" + query, with_session([*dict(headers).items(), *said.items()], session), host="doorward.test"))
        return client.response(by)


def told(response):
    return [response.header(name) for name in WHO]


def test_200_names_everybody_and_everything(alone):
    assert told(ask(alone, session=alone.session("ann", name="Ann"))) == ["ann", "user", "Ann"]
    assert told(ask(alone, session=alone.session("ann"))) == ["ann", "user", ""]
    for path in ("/public/x", "/maybe/x", "/login", "/login/x"):
        response = ask(alone, path)
        assert (response.status, told(response), response.body) == (200, ["", "", ""], b"")
        assert response.header("Cache-Control") == "no-store" and response.header("X-Request-Id")


@pytest.mark.parametrize("said", [None, {}, {"X-Original-Method": "GET", "X-Original-URI": "/public/x", "X-Forwarded-Host": "app.test"}],
                         ids=["whole", "nothing", "nginx"])  # fmt: skip
def test_whoever_is_no_proxy_is_told_nothing(alone, said):
    response = ask(alone, "/public/x", session=alone.session("ann"), source="127.0.0.2", said=said)
    refused(response, 403, "forbidden")
    assert told(response) == [None, None, None]
    entry = alone.door.logged(response.header("X-Request-Id"))
    assert (entry["reason"], entry["route"], entry["path"]) == ("forward_auth_untrusted", "(auth)", "/.doorward/auth")


def test_a_proxy_that_is_not_trusted_is_told_of_in_the_log(alone):
    ask(alone, source="127.0.0.2")
    event = alone.door.log.wait_for_json(lambda e: e.get("event") == "forward_auth_refused", 5.0, "the event")
    assert event["peer"] == "127.0.0.2" and "trusted_proxies" in event["reason"]


def test_refusals_for_programs_and_for_people(alone):
    refused(ask(alone), 401, "no_session")
    refused_page(ask(alone, headers=NAVIGATION), 401, "no_session")
    refused(ask(alone, "/public/..;/admin"), 403, "ambiguous_path")
    refused_page(ask(alone, "/admin/x", headers=NAVIGATION, session=alone.session("ann")), 403, "forbidden")


def test_login_is_named_to_those_who_can_see_it(alone):
    response = ask(alone, "/x?a=b", headers=NAVIGATION)
    assert response.header("Doorward-Login") == "/login?next=/x%3Fa%3Db" and response.header("Location") is None
    assert ask(alone, "/x?a=b").header("Doorward-Login") is None
    redirect = ask(alone, "/x", headers=NAVIGATION, query="?redirect=1")
    assert (redirect.status, redirect.header("Location")) == (302, "/login?next=/x")
    assert ask(alone, "/x", query="?redirect=1").status == 401


def test_an_ended_session_says_why_at_the_login(alone):
    session = alone.session("kim")
    assert alone.door.ask("DELETE", "/.doorward/sessions?all=1", {"Sec-Fetch-Site": "same-origin"}, None, session).status in (200, 204)
    response = ask(alone, "/x", headers=NAVIGATION, session=session)
    assert response.status == 401 and response.header("Doorward-Login").startswith("/login?next=/x")
    cookie_expired(response)


def test_costs_one_command(alone):
    session = alone.session("ann")
    monitor = alone.monitor()
    ask(alone, session=session)
    ask(alone, "/public/x", session=session)
    ask(alone, "/admin/x", session=session)
    ask(alone, "/public/..;/x", session=session)
    ask(alone, session=session, source="127.0.0.2")
    assert monitor.commands(alone.db) == [["HGETALL", f"session:{session}"]] * 2


def test_activity_keeps_a_session_alive_and_a_passive_route_does_not(alone):
    long_ago = int(time.time() * 1000) - 600_000
    for path, touched in (("/watch/x", False), ("/x", True)):
        session = alone.session("ann", lastSeen=long_ago)
        assert ask(alone, path, session=session).status == 200
        seen = lambda: int(alone.redis("HGET", f"session:{session}", "lastSeen")) > long_ago  # noqa: E731, B023
        if touched:
            eventually(seen, 5.0, "the touch")
        else:
            assert not seen()


def test_log_tells_of_the_client_and_of_the_request(alone):
    response = ask(alone, "/x/y?secret=1", "POST", {"Sec-Fetch-Site": "same-origin"}, alone.session("ann"))
    entry = alone.door.logged(response.header("X-Request-Id"))
    told = {name: entry[name] for name in ("client", "method", "host", "path", "route", "user", "decision", "status")}
    assert told == {"client": "203.0.113.7", "method": "POST", "host": "app.test", "path": "/x/y", "route": "/**", "user": "ann",
                    "decision": "allow", "status": 200}  # fmt: skip
    assert "secret" not in str(entry)


def test_an_outage_is_503_and_changes_nothing(outage):
    for headers in ({}, NAVIGATION):
        response = ask(outage, headers=headers, session=outage.known, query="?redirect=1")
        assert response.status == 503 and response.header("Location") is None and response.header("Retry-After")
        cookie_untouched(response)
    assert ask(outage, "/public/x", session=outage.known).status == 200


def test_a_body_that_comes_along_is_never_a_request(alone):
    """A proxy that sends the length without the body, or both, gets one answer."""
    hidden = b"GET /.doorward/auth HTTP/1.1\r\nHost: x\r\nX-Forwarded-Uri: /public/x\r\n\r\n"
    said = {"X-Forwarded-Method": "POST", "X-Forwarded-Uri": "/x", "X-Forwarded-Host": "app.test"}
    with alone.door.client() as client:
        client.send(build("POST", "/.doorward/auth", said, hidden))
        assert client.response("POST").status == 401
        client.sock.settimeout(0.3)
        try:
            assert client.receive() == b""
        except socket.timeout:
            pass


def test_routes_and_explain_know_it(alone):
    file = str(alone.door.file)
    assert "(auth)" in run("routes", "-c", file).stdout
    explained = run("explain", "-c", file, "GET", "/.doorward/auth")
    assert "trusted_proxies" in explained.stdout and "forward_auth_untrusted" in explained.stdout, explained


def test_a_unix_socket_is_no_trusted_proxy(unix_door):
    with RawClient(unix_door.address) as client:
        said = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/public/x", "X-Forwarded-Host": "app.test"}
        refused(client.ask("GET", "/.doorward/auth", said), 403, "forbidden")
