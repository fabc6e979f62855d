"""What meets in Redis, in every order: commands of several doorwards go through turnstiles, one by one, in an order that
the play has chosen. Before each round Redis forgets its scripts, so that most of what is done takes two or three
commands. Some hundred orders, and ten thousand with --long."""

import random
import re

import pytest
from support.client import build
from support.logins import grants, request
from support.places import SESSIONS, a_user, id_in
from support.stage import Stage
from support.turnstile import Asker, Deeds, Turnstile, orders, take_turns

DOORS = 5
ROUTES = [{"path": "/here", "respond": 204}]


@pytest.fixture(scope="module")
def count(request):
    return 10_000 if request.config.getoption("--long") else 200


@pytest.fixture(scope="module")
def crossing(redis_server, tmp_path_factory):
    """Doorwards with one connection to Redis each, and on it a turnstile."""
    folder = tmp_path_factory.mktemp("crossing")
    with Stage(redis_server, folder) as stage:
        stage.identity.script = grants

        def open_doors(number, **session):
            doors, lines = [], []
            for i in range(number):
                line = Turnstile(stage.server.address, folder / f"{len(stage._closing)}-{i}.sock")
                stage._closing.append(line.close)
                lines.append(line)
                redis = {"url": f"unix://{line.address[len('unix:'):]}?db={stage.db}", "timeouts": {"command": "5s"}}
                doors.append(stage.start(server={"workers": 1}, redis=redis, session=session, routes=ROUTES))
            return list(zip(doors, lines))

        stage.open_doors = open_doors
        stage.doors = open_doors(DOORS)
        yield stage


@pytest.fixture
def askers():
    """Makes players at the doors, for one play, and holds the lines of these."""
    made = []

    def make(doors, *goes_on):
        made.extend(Asker(door, line, rule) for (door, line), rule in zip(doors, goes_on))
        for asker in made:
            asker.line.hold()
        return made[-len(goes_on) :]

    yield make
    for asker in made:
        asker.close()
        asker.line.free()


def nothing_more(words, reply):
    return False


def touch_follows(words, reply):
    """A look-up that found a session which was seen long ago."""
    return words[0] == b"HGETALL" and b"userId" in reply and re.search(rb"lastSeen\r\n\$1\r\n0\r\n", reply) is not None


def list_follows(words, reply):
    return words[0] == b"HGETALL" and b"userId" in reply


class LogOutEverywhere:
    """A look-up, and the end of all that its session names. Where that session has ended in between, it names nobody any
    more, and the end of all of the user whom the look-up has found follows."""

    def __init__(self):
        self.user_known = False

    def __call__(self, words, reply):
        if words[0] == b"HGETALL":
            self.user_known = b"userId" in reply
            return True
        by_name = self.user_known and reply == b":0\r\n"
        self.user_known = False
        return by_name


def with_cookie(method, target, id, body=None):
    return build(method, target, {"Cookie": f"sid={id}"}, body)


def sessions_of(stage, user, ids):
    """Of these, those that are sessions; and what the index names."""
    return {id for id in ids if stage.redis("HGET", f"session:{id}", "userId") == user}, set(stage.redis("SMEMBERS", f"user:{user}:sessions"))


def test_touches_and_a_log_out(crossing, askers, count):
    """Three requests whose sessions are due, and the log-out."""
    *requests, log_out = askers(crossing.doors, touch_follows, touch_follows, touch_follows, nothing_more)
    played, statuses = 0, set()
    for order in orders([3, 3, 3, 2], count):
        crossing.redis("SCRIPT", "FLUSH")
        id = crossing.session("touched", lastSeen=0)
        for asker in requests:
            asker.begin(with_cookie("GET", "/here", id))
        log_out.begin(with_cookie("POST", "/logout", id, b""))
        take_turns([*requests, log_out], order)
        statuses |= {asker.answer().status for asker in requests}
        assert log_out.answer().status == 204
        assert crossing.redis("EXISTS", f"session:{id}", "user:touched:sessions") == 0, order
        played += 1
    assert played == count and statuses == {204, 401}


def test_logins_and_log_outs_everywhere(crossing, askers, count):
    """Three logins that have all begun, and two log-outs everywhere by two sessions that are there."""
    players = askers(crossing.doors, *[nothing_more] * 3, LogOutEverywhere(), LogOutEverywhere())
    played, statuses = 0, set()
    for order in orders([2, 2, 2, 5, 5], count):
        crossing.redis("SCRIPT", "FLUSH")
        user = a_user()
        ids = [crossing.session(user), crossing.session(user)]
        # A log-out before the logins have begun would say nothing of them: each is at its turnstile first.
        for asker in players[:3]:
            asker.begin(request(user, "right"))
        for asker, id in zip(players[3:], ids):
            asker.begin(with_cookie("POST", "/logout?everywhere=1", id, b""))
        crossing.identity.wait_for(3 * (played + 1))
        take_turns(players, order)
        answers = [asker.answer() for asker in players]
        assert [answer.status for answer in answers[3:]] == [204, 204]
        statuses |= {answer.status for answer in answers[:3]}
        made = [id_in(answer) for answer in answers[:3] if answer.status == 200]
        assert sessions_of(crossing, user, [*ids, *made]) == (set(), set()), order
        played += 1
    assert played == count and statuses == {200, 401}


def test_one_session_and_five_logins(crossing, askers, count):
    doors = crossing.open_doors(5, limit={"per_user": 1})
    players, played = askers(doors, *[nothing_more] * 5), 0
    for order in orders([2, 2, 2, 2, 2], count):
        crossing.redis("SCRIPT", "FLUSH")
        user = a_user()
        for asker in players:
            asker.begin(request(user, "right"))
        take_turns(players, order)
        ids = [id_in(asker.answer()) for asker in players]
        alive, named = sessions_of(crossing, user, ids)
        assert len(alive) == 1 and named == {f"session:{id}" for id in alive}, order
        played += 1
    assert played == count


@pytest.mark.parametrize("limit, left", [({"per_user": 1}, 1), ({"per_user": 1, "when_full": "deny"}, 1), ({"per_device": 1}, 3)], ids=str)
def test_a_hundred_logins_at_once(crossing, askers, count, limit, left):
    """Five doorwards have twenty each, on a connection each; which one's next goes through is drawn by lot."""
    agents = ["x (Windows)", "x (iPhone)", "curl/8"]
    doors, lot = crossing.open_doors(5, limit=limit), random.Random(1)
    players = [askers([door], nothing_more)[0] for door in doors for _ in range(20)]
    for _ in range(max(1, count // 100)):
        user = a_user()
        for number, asker in enumerate(players):
            asker.begin(request(user, "right", {"User-Agent": agents[number % 3]}))
        order = [line for _, line in doors for _ in range(20)]
        lot.shuffle(order)
        for line in order:
            words, reply = line.let_through()
            if reply.startswith(b"-NOSCRIPT"):
                order.append(line)
        answers = [asker.answer() for asker in players]
        ids = [id_in(answer) for answer in answers if answer.status == 200]
        alive, named = sessions_of(crossing, user, ids)
        assert len(alive) == left and named == {f"session:{id}" for id in alive}
        assert len(ids) == (left if "when_full" in limit else 100)


def test_lists_and_expiry(crossing, askers, count):
    """Three lists, while three sessions run out: each shows what there was when Redis made it, and nothing else."""
    me = crossing.session("lister", **{"doorward.device": "me"})
    lists = askers(crossing.doors, *[list_follows] * 3)
    expiry, played, seen = Deeds(), 0, set()
    for order in orders([3, 3, 3, 3], count):
        crossing.redis("SCRIPT", "FLUSH")
        others = [crossing.session("lister", **{"doorward.device": f"place {n}"}) for n in range(3)]
        alive, expected = {me, *others}, {}

        def run_out(id):
            crossing.redis("PEXPIRE", f"session:{id}", -1)
            alive.discard(id)

        def looking(asker):
            class Looking:
                more = property(lambda self: asker.more)

                def step(self):
                    words, reply = asker.step()
                    if words[0] != b"HGETALL" and not asker.more:
                        expected[asker] = {"me", *(f"place {n}" for n, id in enumerate(others) if id in alive)}
                        assert set(crossing.redis("SMEMBERS", "user:lister:sessions")) == {f"session:{id}" for id in alive}, order

            return Looking()

        for asker in lists:
            asker.begin(with_cookie("GET", SESSIONS, me))
        expiry.begin([lambda id=id: run_out(id) for id in others])
        take_turns([*map(looking, lists), expiry], order)
        for asker in lists:
            shown = asker.answer().json()["sessions"]
            assert {place["device"] for place in shown} == expected[asker], order
            assert all(place["ends_in"] > 0 for place in shown)
            seen.add(len(shown))
        played += 1
    assert played == count and seen == {1, 2, 3, 4}
