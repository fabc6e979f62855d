"""Rounds of load, and what they cost."""

import json
import statistics
import time

from stage import Trouble, machine_busy


def one(stage, peer, variant, seconds, rate=0.0):
    """One run of the load generator against one peer."""
    head = stage.folder / "head"
    head.write_bytes(variant.head.encode())
    args = ["--port", peer.port, "--head", head, "--seconds", seconds, *variant.args]
    if rate:
        args += ["--rate", rate]
    with stage.load(*args) as load:
        before = [p.used() for p in (peer, stage.redis, stage.upstream, load)]
        busy_before = machine_busy()
        figures = json.loads(load.go(seconds))
        after = [p.used() for p in (peer, stage.redis, stage.upstream, load)]
        busy = machine_busy() - busy_before
    stage.empty_logs()
    if figures["errors"] or not figures["requests"]:
        raise Trouble(f"{variant.label}: {figures['errors']} errors in {figures['requests']} requests: {figures['complaint']}")
    proxy, redis, upstream, load = (a - b for a, b in zip(after, before))
    n, took = figures["requests"], figures["seconds"]
    split = proxy.user / ((proxy.user + proxy.system) or 1)
    ours = sum(p.total for p in (proxy, redis, upstream, load))
    return {
        "us": proxy.total / n * 1e6,
        "user": proxy.total / n * 1e6 * split,
        "system": proxy.total / n * 1e6 * (1 - split),
        "redis": redis.total / n * 1e6,
        "rate": n / took,
        "busy": proxy.total / took,  # of one core
        "others": max(0.0, busy - ours) / took / len(stage.all_cores),  # what other programs took of the machine
        **{k: figures[k] for k in ("p50", "p99", "p999", "most", "requests")},
    }


def rounds(stage, peers, task, count, seconds, say):
    """A B C, A B C, ...: what is compared is what was measured next to each other."""
    results = {v.label: [] for v in task.variants}
    for v in task.variants:
        one(stage, peers.get(v.peer), v, min(0.3, seconds / 2), task.rate)  # warms up, and is no round
    for i in range(count):
        for v in task.variants:
            say(f"{task.name}: round {i + 1} of {count}: {v.label}")
            results[v.label].append(one(stage, peers.get(v.peer), v, seconds, task.rate))
    return results


def memory(stage, peers, names, variant, connections=5000):
    """KiB of new processes: when they have served a load, with idle connections, and when those have gone."""
    results = {}
    for name in names:
        peer = peers.fresh(name)
        head = stage.folder / "head"
        head.write_bytes(variant.head.encode())
        common = ["--port", peer.port, "--head", head]
        at_start = peer.memory()
        with stage.load(*common, "--connections", 256, "--seconds", 1) as load:
            load.go(1)
        before = peer.memory()
        with stage.load(*common, "--connections", connections):
            time.sleep(1)
            idle = peer.memory()
        time.sleep(0.5)
        results[name] = [{"start": at_start[0], "load": before[0], "load_anonymous": before[1],
                          "connection": (idle[0] - before[0]) / connections, "after": peer.memory()[0]}]  # fmt: skip
        peers.end(peer)
        stage.empty_logs()
    return results


def median(rounds, key):
    return statistics.median(r[key] for r in rounds)


def ratios(results, label, base, key="us"):
    return [a[key] / b[key] for a, b in zip(results[label], results[base]) if b[key]]
