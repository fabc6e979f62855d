"""A real application that nobody here wrote: Radicale (CalDAV), which believes X-Remote-User, behind doorward.

Once at the root, and once below a prefix with the file that users copy: conf/examples/radicale.yaml.
"""

import xml.etree.ElementTree as ElementTree

import pytest
import requests
from support.doorward import ROOT
from support.expect import refused
from support.programs import Program
from support.redis_server import free_port
from support.stage import Stage

NAMES = {"d": "DAV:", "c": "urn:ietf:params:xml:ns:caldav"}
EVENT = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//doorward//integration//EN\r
BEGIN:VEVENT\r
UID:{uid}\r
DTSTAMP:20260101T000000Z\r
DTSTART:20260102T100000Z\r
DTEND:20260102T110000Z\r
SUMMARY:{summary}\r
END:VEVENT\r
END:VCALENDAR\r
"""


@pytest.fixture(scope="module", params=["", "/radicale"], ids=["at the root", "below a prefix"])
def calendar(request, redis_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("radicale")
    port = free_port()
    config = folder / "radicale.conf"
    config.write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = http_x_remote_user\n[rights]\ntype = owner_only\n"
        f"[storage]\nfilesystem_folder = {folder}/collections\n[web]\ntype = none\n[logging]\nlevel = info\n"
    )
    with Program("radicale", "--config", config) as radicale, Stage(redis_server, folder) as stage:
        radicale.wait_for("Radicale server ready")
        stage.prefix, radicale_url = request.param, f"http://127.0.0.1:{port}"
        if stage.prefix:
            addresses = {"http://127.0.0.1:5232": radicale_url, "http://127.0.0.1:4000": stage.identity.url}
            stage.door = stage.start_file(ROOT / "conf/examples/radicale.yaml", addresses)
        else:
            stage.door = stage.start(upstreams={"app": radicale_url}, headers={"X-Remote-User": "{userId}"}, routes=[{"path": "/**", "upstream": "app"}])
        stage.sessions = {user: stage.session(user) for user in ("alice", "bob", "jürgen")}
        yield stage


class Dav:
    """A CalDAV client with a session."""

    def __init__(self, calendar, user, **headers):
        self.root = calendar.door.origin + calendar.prefix
        self.session = requests.Session()
        self.session.headers.update(headers)
        if user:
            self.session.cookies.set("sid", calendar.sessions[user])

    def __call__(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and body.startswith("<"):
            headers.setdefault("Content-Type", "application/xml; charset=utf-8")
        data = body.encode() if body is not None else None
        return self.session.request(method, self.root + path, data=data, headers=headers, timeout=10, allow_redirects=False)


PRINCIPAL = '<d:propfind xmlns:d="DAV:"><d:prop><d:current-user-principal/></d:prop></d:propfind>'
QUERY = (
    '<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><d:getetag/><c:calendar-data/></d:prop>'
    '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"/></c:comp-filter></c:filter></c:calendar-query>'
)


def principal(dav):
    response = dav("PROPFIND", "/", PRINCIPAL, Depth="0")
    assert response.status_code == 207, response.text
    return ElementTree.fromstring(response.content).findtext(".//d:current-user-principal/d:href", None, NAMES)


def test_the_application_knows_who_is_there(calendar):
    for user in ("alice", "bob"):
        assert principal(Dav(calendar, user)) == f"{calendar.prefix}/{user}/"


def test_a_calendar_from_its_making_to_its_end(calendar):
    dav = Dav(calendar, "alice")
    assert dav("MKCALENDAR", "/alice/office/").status_code == 201
    put = dav("PUT", "/alice/office/one.ics", EVENT.format(uid="one", summary="Vorstandssitzung mit Jürgen"), Content_Type="text/calendar; charset=utf-8", If_None_Match="*")
    assert put.status_code == 201 and put.headers["ETag"]
    assert dav("PUT", "/alice/office/two.ics", EVENT.format(uid="two", summary="x" * 100_000), Content_Type="text/calendar").status_code == 201

    report = dav("REPORT", "/alice/office/", QUERY, Depth="1")
    assert report.status_code == 207
    found = ElementTree.fromstring(report.content).findall("d:response", NAMES)
    assert {r.findtext("d:href", None, NAMES) for r in found} == {f"{calendar.prefix}/alice/office/{name}.ics" for name in ("one", "two")}
    assert "Vorstandssitzung mit Jürgen" in "".join(r.findtext(".//c:calendar-data", "", NAMES) for r in found)

    got = dav("GET", "/alice/office/one.ics")
    assert got.status_code == 200 and "Vorstandssitzung" in got.content.decode()
    assert dav("GET", "/alice/office/one.ics", If_None_Match=got.headers["ETag"]).status_code in (200, 304)
    assert dav("PROPFIND", "/alice/", Depth="1").status_code == 207
    # Radicale compares the authority of Destination with Host, and its path with the prefix.
    assert dav("MOVE", "/alice/office/two.ics", Destination=f"{dav.root}/alice/office/three.ics").status_code == 201
    assert dav("GET", "/alice/office/two.ics").status_code == 404
    assert "x" * 60 in dav("GET", "/alice/office/three.ics").text
    assert dav("DELETE", "/alice/office/one.ics").status_code == 200
    assert dav("GET", "/alice/office/one.ics").status_code == 404
    assert dav("DELETE", "/alice/office/").status_code == 200


def test_nobody_sees_what_is_another_s(calendar):
    alice, bob = Dav(calendar, "alice"), Dav(calendar, "bob")
    assert alice("MKCALENDAR", "/alice/private/").status_code == 201
    assert alice("PUT", "/alice/private/one.ics", EVENT.format(uid="p", summary="secret"), Content_Type="text/calendar").status_code == 201
    for method, path, body in [("GET", "/alice/private/one.ics", None), ("PROPFIND", "/alice/private/", PRINCIPAL), ("REPORT", "/alice/private/", QUERY), ("DELETE", "/alice/private/", None)]:
        response = bob(method, path, body)
        assert response.status_code in (403, 404) and "secret" not in response.text, (method, response.status_code)
    assert alice("DELETE", "/alice/private/").status_code == 200


@pytest.mark.parametrize("name", ["X-Remote-User", "x-remote-user", "X_Remote_User", "X_REMOTE_USER", "X-Remote_User"])
def test_forged_user_is_useless(calendar, name):
    assert principal(Dav(calendar, "bob", **{name: "alice"})) == f"{calendar.prefix}/bob/"
    stranger = Dav(calendar, None, **{name: "alice"})("PROPFIND", "/alice/", PRINCIPAL)
    assert stranger.status_code == 401 and stranger.json()["code"] == "no_session"


def test_connection_cannot_take_the_user_away(calendar):
    refused(calendar.door.get(calendar.prefix + "/alice/", {"Connection": "X-Remote-User"}), 401)
    assert principal(Dav(calendar, "bob", Connection="keep-alive, X-Remote-User")) == f"{calendar.prefix}/bob/"


def test_basic_credentials_are_left_to_the_application(calendar):
    assert principal(Dav(calendar, "bob", Authorization="Basic YWxpY2U6eA==")) == f"{calendar.prefix}/bob/"


def test_browser_without_a_session(calendar):
    response = Dav(calendar, None)("GET", "/.web/", None, Accept="text/html")
    if calendar.prefix:  # the example is for calendar programs, which follow no redirect
        assert response.status_code == 401 and "Location" not in response.headers
    else:
        assert response.status_code == 302 and response.headers["Location"] == "/login?next=/.web/"


@pytest.mark.parametrize("calendar", ["/radicale"], indirect=True)
def test_the_example_serves_nothing_but_its_prefix(calendar):
    prefix_of_another = {"X-Script-Name": "/elsewhere", "X_Script_Name": "/elsewhere"}
    assert principal(Dav(calendar, "bob", **prefix_of_another)) == "/radicale/bob/"
    for path in ("/alice/", "/radicalex/", "/.well-known/caldav"):
        assert calendar.door.get(path, session=calendar.sessions["alice"]).status == 404, path
