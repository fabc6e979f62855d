"""`doorward session`: an operator sees and ends people's sessions, straight in Redis."""

import json
import os
import pty
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.doorward import BINARY, run, write_config
from support.expect import cookie_untouched, refused
from support.logins import Desk, grants
from support.places import a_place, a_user, ended, handle, in_redis, keys, listed, log_in, mark, told
from support.redis_server import OPERATOR, PASSWORD
from support.signing import KEYS, cookie_in
from support.wait import eventually

NO_HANDLE = "abcdefghijklmnopqrstuv"


def session(office, *words, file=None, stdin="", code=0):
    """One run of the command; nothing it says may hold an id or a password."""
    result = run("session", words[0], "-c", file or office.door.file, *words[1:], stdin=stdin)
    assert result.returncode == code, result
    said = result.stdout + result.stderr
    assert PASSWORD not in said and "session:" not in said, said
    return result


def says(office, *words, **more):
    result = session(office, *words, **more)
    assert result.stderr == "", result
    return json.loads(result.stdout)


def quiet_about(result, *ids):
    assert not [id for id in ids if id in result.stdout + result.stderr], result


@pytest.fixture
def places(office, user):
    """Three of one user."""
    return [a_place(office.door, user, agent="Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0") for _ in range(3)]


# ---- list and show ----


def test_list(office, user, places):
    found = says(office, "list", "--user", user)
    seen = listed(office.door, places[0])
    assert found["user"] == user
    strip = lambda s: {k: v for k, v in s.items() if k not in ("current", "ends_in")}  # noqa: E731
    assert [strip(s) for s in found["sessions"]] == [strip(s) for s in seen] and len(seen) == 3
    assert all(1790 < s["ends_in"] <= 1800 for s in found["sessions"])
    quiet_about(session(office, "list", "--user", user), *places)


def test_list_as_a_table(office, user, places):
    result = session(office, "list", "--user", user, "--format", "table")
    head, *lines = result.stdout.splitlines()
    assert head.split()[0] == "HANDLE" and len(lines) == 3
    assert {line.split()[0] for line in lines} == {s["handle"] for s in listed(office.door, places[0])}
    assert all("127.0.0.1" in line and "Firefox on Linux" in line and "29m" in line for line in lines), result
    quiet_about(result, *places)


def test_nobody_is_said(office, user):
    assert says(office, "list", "--user", user) == {"user": user, "sessions": []}
    assert session(office, "list", "--user", user, "--format", "table").stdout == f"user `{user}` has no sessions\n"


def test_show(office, user):
    id = office.session(user, plan="pro", lastSeen=1_700_000_000_000)
    by_handle = says(office, "show", "--user", user, "--handle", handle(office.door, id))
    by_id = says(office, "show", "--id-stdin", stdin=id + "\n")
    assert {**by_handle, "ends_in": 0} == {**by_id, "ends_in": 0}
    assert by_id["user"] == user and by_id["fields"]["plan"] == "pro" and by_id["expired"] is False
    assert by_id["absolute_until"] == by_id["created_at"] + 12 * 3600 * 1000
    sheet = session(office, "show", "--id-stdin", "--format", "table", stdin=id)
    assert "field plan" in sheet.stdout and user in sheet.stdout
    quiet_about(sheet, id)


@pytest.mark.parametrize("id, words", [("unknown-but-well-formed", "no such session"), ("bad", "no session id")])
def test_show_what_is_not_there(office, id, words):
    result = session(office, "show", "--id-stdin", stdin=id, code=1)
    assert words in result.stderr and result.stdout == "" and id not in result.stderr


def test_show_handle_of_nobody_and_of_another(office, user, places):
    stranger = a_place(office.door, a_user())
    for what in (NO_HANDLE, handle(office.door, stranger)):
        assert "has no such session" in session(office, "show", "--user", user, "--handle", what, code=1).stderr


def test_show_tells_why_a_session_ended(office, user, places):
    session(office, "revoke", "--user", user, "--yes")
    assert "was revoked" in session(office, "show", "--id-stdin", stdin=places[0], code=1).stderr


def test_device_cannot_speak_to_the_terminal(office, user):
    office.session(user, **{"doorward.device": "x\x1b[2Jy\x9bz", "doorward.address": "\x07"})
    for words in (["list", "--user", user], ["show", "--user", user, "--handle", says(office, "list", "--user", user)["sessions"][0]["handle"]]):
        out = session(office, *words, "--format", "table").stdout
        assert "\x1b" not in out and "\x9b" not in out and "\x07" not in out


# ---- revoke ----


def test_all_of_a_user(office, user, places):
    stranger = a_place(office.door, a_user())
    assert says(office, "revoke", "--user", user, "--yes") == {"user": user, "ended": 3}
    assert in_redis(office, user) == set() and [mark(office, id) for id in places] == ["revoked"] * 3
    for id in places:
        told(office.door, id, "session_revoked")
    assert office.door.get("/page", session=stranger).status == 200
    again = session(office, "revoke", "--user", user, "--yes", "--format", "table")
    assert again.stdout == f"no sessions of user `{user}`: nothing was ended\n"
    assert office.door.get("/page", session=a_place_later(office, user)).status == 200


def a_place_later(office, user):
    """A login is refused that may have begun before the end of all."""
    return eventually(lambda: a_place(office.door, user))


def test_one_of_a_user(office, user, places):
    me, it, other = places
    assert says(office, "revoke", "--user", user, "--handle", handle(office.door, it), "--yes") == {"user": user, "ended": 1}
    told(office.door, it, "session_revoked")
    assert in_redis(office, user) == keys(me, other)
    assert office.door.get("/page", session=me).status == 200


def test_one_that_is_not_there_or_anothers(office, user, places):
    stranger = a_place(office.door, a_user())
    for what in (NO_HANDLE, handle(office.door, stranger)):
        result = session(office, "revoke", "--user", user, "--handle", what, "--yes", code=1)
        assert "has no such session" in result.stderr and result.stdout == ""
    assert in_redis(office, user) == keys(*places) and office.door.get("/page", session=stranger).status == 200


def test_login_under_way_is_refused(office, user, places):
    office.identity.script = desk = Desk()
    try:
        with ThreadPoolExecutor(1) as pool:
            login = pool.submit(log_in, office.door, user)
            eventually(lambda: desk.inside == 1)
            assert says(office, "revoke", "--user", user, "--yes")["ended"] == 3
            desk.let_go()
            cookie_untouched(refused(login.result(), 401, "session_revoked"))
    finally:
        office.identity.script = grants


# ---- asking ----


@pytest.mark.parametrize("words", [["--user", "somebody"], ["--user", "somebody", "--handle", NO_HANDLE], ["--all-users"]], ids=" ".join)
def test_without_a_terminal_it_wants_a_yes(office, user, places, words):
    words = [user if word == "somebody" else word for word in words]
    result = session(office, "revoke", *words, stdin="y\n", code=2)
    assert "--yes" in result.stderr and result.stdout == ""
    assert in_redis(office, user) == keys(*places)


class OnTerminal:
    """The command with a terminal as its input and output."""

    def __init__(self, office, *words):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen([str(BINARY), "session", words[0], "-c", str(office.door.file), *words[1:]],
                                        stdin=theirs, stdout=theirs, stderr=theirs)  # fmt: skip
        os.close(theirs)
        self.said = ""

    def read_until(self, words):
        while words not in self.said:
            self.said += os.read(self.ours, 4096).decode()

    def end(self):
        try:
            while more := os.read(self.ours, 4096):
                self.said += more.decode()
        except OSError:
            pass  # how Linux tells the end of a terminal
        os.close(self.ours)
        return self.process.wait(10)


@pytest.mark.parametrize("answer, code", [("n", 1), ("", 1), ("y", 0)])
def test_on_a_terminal_it_asks(office, user, places, answer, code):
    play = OnTerminal(office, "revoke", "--user", user)
    play.read_until(f"End all sessions of `{user}`? [y/N] ")
    assert in_redis(office, user) == keys(*places), "nothing is done before the answer"
    os.write(play.ours, answer.encode() + b"\n")
    assert play.end() == code, play.said
    assert in_redis(office, user) == (set() if code == 0 else keys(*places))
    assert ("ended 3 sessions" if code == 0 else "nothing was ended") in play.said


def test_on_a_terminal_it_is_a_table(office, user, places):
    play = OnTerminal(office, "list", "--user", user)
    assert play.end() == 0 and play.said.startswith("HANDLE"), play.said


# ---- everybody ----


def test_gateways_user_may_not_scan_and_is_told(office, user, places):
    result = session(office, "revoke", "--all-users", "--yes", code=1)
    assert "`doorward` SCAN" in result.stderr and "docs/redis.md" in result.stderr and result.stdout == ""
    assert in_redis(office, user) == keys(*places)


def test_everybody(office, user, places):
    other = a_user()
    its = [a_place(office.door, other), office.session(other, index=False), office.session(a_user(), index=False)]
    found = says(office, "revoke", "--all-users", "--yes", file=office.operator_file)
    assert found["ended"] >= len(places + its) and set(found) == {"ended"}
    for id in places + its:
        told(office.door, id, "session_revoked")
    assert in_redis(office, user) == in_redis(office, other) == set()
    again = session(office, "revoke", "--all-users", "--yes", "--format", "table", file=office.operator_file)
    assert again.stdout == "no sessions: nothing was ended\n"


def test_nobodys_session_outlives_it_while_others_log_in(office):
    """What was there before is gone after; logins go on meanwhile, and nobody's is broken by half."""
    users = [a_user() for _ in range(40)]
    before = [office.session(users[n % 40], index=n % 2 == 0) for n in range(3000)]
    done, answers = threading.Event(), []

    def log_in_again_and_again():
        while not done.is_set():
            answers.append(log_in(office.door, a_user()).status)

    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(log_in_again_and_again)
        try:
            eventually(lambda: len(answers) > 5)
            found = says(office, "revoke", "--all-users", "--yes", file=office.operator_file)
        finally:
            done.set()
    assert found["ended"] >= len(before)
    assert not [id for id in before if office.has_session(id)]
    assert set(answers) <= {200, 401}
    for id in before[::500]:
        told(office.door, id, "session_revoked")


def test_login_of_somebody_known_that_is_under_way_is_refused(office, user, places):
    office.identity.script = desk = Desk()
    try:
        with ThreadPoolExecutor(1) as pool:
            login = pool.submit(log_in, office.door, user)
            eventually(lambda: desk.inside == 1)
            says(office, "revoke", "--all-users", "--yes", file=office.operator_file)
            desk.let_go()
            cookie_untouched(refused(login.result(), 401, "session_revoked"))
    finally:
        office.identity.script = grants


def test_operators_rights_suffice_for_all_of_it(office, user, places):
    file = office.operator_file
    first = says(office, "list", "--user", user, file=file)["sessions"][0]["handle"]
    assert says(office, "show", "--user", user, "--handle", first, file=file)["user"] == user
    assert says(office, "show", "--id-stdin", stdin=places[0], file=file)["user"] == user
    assert says(office, "revoke", "--user", user, "--handle", first, "--yes", file=file)["ended"] == 1
    assert says(office, "revoke", "--user", user, "--yes", file=file)["ended"] == 2


@pytest.mark.parametrize("how", [{"layout": "tagged"}, {"store_hashed": True}, {"cookie": {"keys": KEYS}},
                                 {"layout": "tagged", "store_hashed": True, "cookie": {"keys": KEYS}}], ids=str)  # fmt: skip
def test_ids_and_keys_of_any_make(stage, how):
    stage.identity.script = grants
    stage.door = stage.start(session=how)
    file = write_config(stage.folder / "operator.yaml", stage.config(session=how, redis={"username": OPERATOR}))
    anna, annas_other, annas_third, bert = cookies = [cookie_in(log_in(stage.door, user)) for user in ("anna", "anna", "anna", "bert")]
    assert len(says(stage, "list", "--user", "anna", file=file)["sessions"]) == 3
    assert says(stage, "show", "--id-stdin", stdin=bert, file=file)["user"] == "bert"
    its = handle(stage.door, annas_other)
    assert says(stage, "revoke", "--user", "anna", "--handle", its, "--yes", file=file)["ended"] == 1
    told(stage.door, annas_other, "session_revoked")
    assert stage.door.get("/page", session=anna).status == 200
    assert says(stage, "revoke", "--all-users", "--yes", file=file)["ended"] == 3
    for cookie in (anna, annas_third, bert):
        told(stage.door, cookie, "session_revoked")
    assert says(stage, "list", "--user", "anna", file=file)["sessions"] == []
    assert "was revoked" in session(stage, "show", "--id-stdin", stdin=bert, file=file, code=1).stderr
    quiet_about(session(stage, "list", "--user", "bert", file=file), *cookies)


# ---- trouble ----


def trouble(office, tmp_path, redis, *words, code=1):
    file = write_config(tmp_path / "trouble.yaml", office.config(redis=redis))
    result = session(office, *words, file=file, code=code)
    assert result.stdout == "", result
    return result.stderr


COMMANDS = [["list", "--user", "x"], ["show", "--user", "x", "--handle", NO_HANDLE], ["revoke", "--user", "x", "--yes"], ["revoke", "--all-users", "--yes"]]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_redis_cannot_be_asked(office, tmp_path, words):
    away = trouble(office, tmp_path, {"url": f"unix://{tmp_path}/nobody.sock", "timeouts": {"connect": "200ms"}}, *words)
    assert f"Redis at unix:{tmp_path}/nobody.sock: refused" in away
    stranger = trouble(office, tmp_path, {"password": "not-the-password"}, *words)
    assert "auth" in stranger and "redis.username" in stranger and "not-the-password" not in stranger


def test_redis_says_nothing(office, tmp_path):
    gate = office.gate_before(office.server.tcp)
    gate.hang()
    said = trouble(office, tmp_path, {"url": f"redis://{gate.address}/{office.db}", "timeouts": {"connect": "200ms"}}, "list", "--user", "x")
    assert "timeout" in said


def test_configuration_that_cannot_be_read(office, tmp_path):
    (tmp_path / "bad.yaml").write_text("nonsense: [")
    assert "error" in session(office, "list", "--user", "x", file=tmp_path / "bad.yaml", code=78).stderr


def test_gateway_counts_nothing_of_it(office, user, places):
    """What the command ends is ended behind the gateway's back."""
    before = ended(office.door, "revoked")
    says(office, "revoke", "--user", user, "--yes")
    assert ended(office.door, "revoked") == before
