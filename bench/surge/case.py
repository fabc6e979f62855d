"""Plays one case from its first request to its last answer, and returns what was seen. All times are of one clock, in
seconds since the first request was due."""

import json
import threading
import time

from stage import HERE, PYTHON, Stage

GENERATOR = HERE.parents[1] / "build/bench/surge-generator"
SAMPLE = 0.5


class Watch(threading.Thread):
    """Reads the counters of PostgreSQL and of doorward, every so often."""

    def __init__(self, stage, start, guarded):
        super().__init__(daemon=True)
        self.stage, self.start_time, self.guarded = stage, start, guarded
        self.over = threading.Event()
        self.queries, self.guard, self.problem = [], [], None

    def run(self):
        try:
            self.sample()
        except Exception as e:  # told where somebody listens
            self.problem = e

    def sample(self):
        wanted = 0.0
        while not self.over.wait(max(0.0, self.start_time + wanted - time.monotonic())):
            before = time.monotonic()
            counts = self.stage.database.counts()
            middle = (before + time.monotonic()) / 2 - self.start_time  # a busy server may take its time
            self.queries.append([middle, *counts])
            if self.guarded:
                self.guard.append([middle, *self.guard_values()])
            wanted += SAMPLE

    def guard_values(self):
        metric = self.stage.metric
        return [metric("doorward_login_in_flight"), metric("doorward_login_queued"),
                metric("doorward_login_shed_total", "queue_full"),
                metric("doorward_login_shed_total", "queue_timeout")]  # fmt: skip

    def stop(self):
        self.over.set()
        self.join()
        if self.problem:
            raise self.problem


def play(name, folder, people, plan, binary=None, guard=None, flush_at=None):
    """`plan`: options of the generator. Without a `binary` it is the legacy application; with one, doorward, which lets
    `guard` in. `flush_at`: when Redis forgets everything."""
    stage = Stage(folder / name)
    try:
        address, hashing = set_up(stage, people, binary, guard)
        start = time.monotonic() + 0.5
        options = {"address": address, "people": stage.folder / "people", "out": stage.folder / "requests", "start": start,
                   "back": int(flush_at is not None), **plan}  # fmt: skip
        words = [word for key, value in options.items() for word in (f"--{key}", value)]
        watch = Watch(stage, start, guard is not None)
        generator = stage.start("generator", [GENERATOR, *words], stage.near, first=True)
        watch.start()
        if flush_at is not None:
            time.sleep(max(0.0, start + flush_at - time.monotonic()))
            stage.redis_cli("FLUSHALL")
        generator.wait(plan["until"] + plan["patience"] + 20)
        watch.stop()
        stage.all_alive()
        return {
            "name": name, "plan": plan, "guard": guard, "flush_at": flush_at,
            "requests": read_requests(stage.folder / "requests"), "queries": watch.queries, "door": watch.guard,
            "held": read_held(stage.output(hashing), start),
        }  # fmt: skip
    finally:
        stage.stop()


def set_up(stage, people, binary, guard):
    """(where to ask, which program checks passwords)"""
    if binary is None:
        # All there is, for both: the kernel may put them where it likes.
        everywhere = stage.near | stage.far
        stage.postgres(people, everywhere, with_sessions=True)
        stage.start("application", [PYTHON, HERE / "application.py", "--database", stage.database.dsn()], everywhere)
        return stage.address("application"), "application"
    stage.postgres(people, stage.far, with_sessions=False)
    stage.redis(people)
    stage.start("identity", [PYTHON, HERE / "identity.py", "--database", stage.database.dsn()], stage.far)
    stage.start("application", [PYTHON, HERE / "application.py"], stage.near)
    return stage.doorward(binary, stage.address("application"), stage.address("identity"), guard), "identity"


def read_requests(file):
    """[kind, due, sent, end, outcome]"""
    rows = (line.split() for line in file.read_text().splitlines())
    return [[kind, int(due) / 1e6, int(sent) / 1e6, int(end) / 1e6, outcome] for kind, due, sent, end, outcome in rows]


def read_held(output, start):
    """[when, the most logins at once since the line before, the most ever]"""
    lines = (json.loads(line) for line in output.splitlines() if line.startswith("{") and line.endswith("}"))
    return [[line["at"] - start, line["most"], line["ever"]] for line in lines]
