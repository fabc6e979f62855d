"""How cost grows: with header fields, with the size of answers, with routes, with sessions."""

import counts
import measure
import tasks


def everything(bench):
    for task in tasks.growth():
        if bench.wanted(task.name):
            bench.rounds(task)
    if bench.wanted("routes"):
        _routes(bench)
    if bench.wanted("sessions"):
        _sessions(bench)


def _routes(bench):
    """CPU time by rounds, and instructions with one route and a thousand: valgrind would read more for half an hour."""
    variants, started = [], []
    for n in tasks.ROUTES:
        label = f"{n:,} route{'s' if n > 1 else ''}"
        bench.peers.running[label] = bench.peers.fresh("doorward", routes=tasks.routes_yaml(n))
        started.append(label)
        variants.append(tasks.Variant(label, label, tasks.head(tasks.route_path(n)), ["--length", 2]))
    bench.rounds(tasks.Task("routes", "Growth with routes", variants, base="1 route", note="The last of them is asked for, in a path of three segments."))
    for label in started:
        bench.peers.end(bench.peers.running.pop(label))
    ends = {}
    for n in (1, 1000):
        variant = tasks.Variant(f"{n:,} route{'s' if n > 1 else ''}", "doorward", tasks.head(tasks.route_path(n)), ["--length", 2])
        ends[variant.label] = [counts.instructions(bench.stage, bench.peers, "doorward", variant, routes=tasks.routes_yaml(n))]
    bench.keep("route-instructions", "Instructions with one route and with a thousand", "", None, ends)


def _sessions(bench):
    """Redis is filled further and further; requests pick from all there are. Last, because it stays that full."""
    found, at = {}, 10_000
    for n in (n for n in tasks.SESSIONS if n <= bench.args.sessions):
        bench.say(f"sessions: filling up to {n:,}")
        bench.stage.fill(at, n)
        at = n
        variants = [tasks.Variant(f"{p}, {n:,} sessions", p, tasks.head(), ["--length", 2, "--sessions", n]) for p in ("doorward", "nginx+lua")]
        task = tasks.Task("sessions", "Growth with sessions in Redis", variants)
        found.update(measure.rounds(bench.stage, bench.peers, task, bench.args.rounds, bench.args.seconds, bench.say))
    task = tasks.Task("sessions", "Growth with sessions in Redis", [], base="doorward, 10,000 sessions")
    bench.keep("sessions", task.title, "Requests pick among all of them.", task, found)
