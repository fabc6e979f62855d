"""Figures of what was seen in a case."""

import math
from collections import Counter

WARM_UP = 2.0  # seconds at the beginning that count for nothing


def percentile(values, share):
    """The smallest value that so large a share does not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else None


def phases(result):
    """{name: (from, to)}; what is due in a phase belongs to it, whenever it ends."""
    plan = result["plan"]
    first = result["flush_at"] if result["flush_at"] is not None else plan["surge-from"]
    second = plan["surge-to"] if result["flush_at"] is None else all_back(result) or plan["until"]
    return {"quiet": (WARM_UP, first), "surge": (first, second), "again": (second, plan["until"])}


def of_kind(result, kind, begin=0.0, end=math.inf):
    return [row for row in result["requests"] if row[0] == kind and begin <= row[1] < end]


def took(rows, *outcomes):
    """Seconds from when each was due."""
    return [end - due for _, due, _, end, outcome in rows if not outcomes or outcome in outcomes]


def all_back(result):
    """When the last of those who had been thrown out was in again; None if somebody was not, or nobody was out."""
    backs = of_kind(result, "back")
    return max(row[3] for row in backs) if backs and all(row[4] == "in" for row in backs) else None


def counter_at(samples, column, moment):
    """A counter at a moment, on the line between the samples around it."""
    before = [s for s in samples if s[0] <= moment][-1:] or samples[:1]
    after = [s for s in samples if s[0] > moment][:1] or samples[-1:]
    (t0, v0), (t1, v1) = (before[0][0], before[0][column]), (after[0][0], after[0][column])
    return v0 if t1 <= t0 or moment <= t0 else v0 + (v1 - v0) * min(1.0, (moment - t0) / (t1 - t0))


def rate(samples, column, begin, end):
    return (counter_at(samples, column, end) - counter_at(samples, column, begin)) / (end - begin) if end > begin else 0.0


def phase_figures(result, begin, end):
    pages = of_kind(result, "page", begin, end)
    # What was never sent, because its person was logging in, took no time.
    sent = [row for row in pages if row[4] not in ("away", "out")]
    all_logins = [row for row in result["requests"] if row[0] in ("login", "return")]
    logins = [row for row in all_logins if begin <= row[1] < end]
    outcomes = Counter(row[4] for row in logins)
    page_outcomes = Counter(row[4] for row in sent)
    let_in = took(logins, "in")
    seconds = max(end - begin, 1e-6)  # a phase that never came has no length
    return {
        "queries": rate(result["queries"], 1, begin, end),
        "session_queries": rate(result["queries"], 2, begin, end),
        "page_rate": len(sent) / seconds,
        "page_p50": percentile(took(sent), 0.50),
        "page_p95": percentile(took(sent), 0.95),
        "page_gave_up": page_outcomes["gave-up"],
        "page_failed": len(sent) - page_outcomes["right"] - page_outcomes["gave-up"],
        "login_rate": len(logins) / seconds,
        "let_in_rate": sum(begin <= row[3] < end and row[4] == "in" for row in all_logins) / seconds,
        "login_p50": percentile(let_in, 0.50),
        "login_p95": percentile(let_in, 0.95),
        "shed": outcomes["shed"],
        "gave_up": outcomes["gave-up"],
        "login_failed": len(logins) - outcomes["in"] - outcomes["shed"] - outcomes["gave-up"],
        "held": held_between(result, begin, end),
    }


def each_second(result, value):
    """[(middle of the second, value(its begin, its end))]"""
    return [(n + 0.5, value(n, n + 1)) for n in range(int(result["plan"]["until"]))]


def queries_each_second(result):
    return each_second(result, lambda begin, end: rate(result["queries"], 1, begin, end))


def pages_each_second(result):
    """p95 of those that were due in it."""
    pages = [row for row in of_kind(result, "page") if row[4] not in ("away", "out")]
    return each_second(result, lambda begin, end: percentile(took([row for row in pages if begin <= row[1] < end]), 0.95))


def let_in_each_second(result):
    """By when they were let in, not when they came."""
    ends = [row[3] for row in result["requests"] if row[0] in ("login", "return") and row[4] == "in"]
    return each_second(result, lambda begin, end: sum(begin <= moment < end for moment in ends))


def held_between(result, begin, end):
    told = [most for at, most, _ in result["held"] if begin <= at < end]
    # A service that got no time to tell says with its next line what it held meanwhile.
    return max(told or [most for at, most, _ in result["held"] if at >= end][:1], default=0)


def held_each_second(result):
    return each_second(result, lambda begin, end: held_between(result, begin, end))


def case_figures(result):
    return {name: phase_figures(result, *span) for name, span in phases(result).items()}


def whole_run(result):
    """Over all phases."""
    last = result["queries"][-1]
    late = sorted(row[2] - row[1] for row in result["requests"] if row[0] != "back")
    return {
        "held": result["held"][-1][2],
        "queries": last[1],
        "session_queries": last[2],
        "user_queries": last[3],
        "checks": len([row for row in of_kind(result, "page") if row[4] in ("right", "out")]),
        "queue_full": result["door"][-1][3] if result["door"] else 0,
        "queue_timeout": result["door"][-1][4] if result["door"] else 0,
        "most_in_flight": max((row[1] for row in result["door"]), default=0),
        "most_queued": max((row[2] for row in result["door"]), default=0),
        "late_p99": percentile(late, 0.99),
    }


def goals(after, flush):
    """(what, figure, bound, met) of what doorward has to show."""
    quiet, surge = (case_figures(after)[name] for name in ("quiet", "surge"))
    guard = after["guard"]
    patience = guard["queue_timeout"] + 2 * quiet["login_p95"]
    checked = [whole_run(r) for r in (after, flush)]
    other = sum(w["queries"] - w["user_queries"] for w in checked)
    held = max(w["held"] for w in checked)
    checks = sum(w["checks"] for w in checked)
    rows = [
        (f"PostgreSQL queries for {checks} session checks", other, 0, "{:.0f}"),
        ("p95 of ordinary requests in the surge, of quiet", surge["page_p95"] / quiet["page_p95"], 1.5, "{:.2f}"),
        ("p95 of logins let in in the surge, s, against queue_timeout + 2 x quiet", surge["login_p95"] or math.inf, patience, "{:.2f}"),
        ("most logins the identity service held at once, both runs", held, guard["in_flight"], "{:.0f}"),
    ]  # fmt: skip
    return [(what, form.format(value), form.format(bound), value <= bound) for what, value, bound, form in rows]
