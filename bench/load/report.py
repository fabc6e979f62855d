"""Tables, in Markdown that can be read as it is."""

from measure import median, ratios
from goals import GOALS


def table(header, rows):
    rows = [[str(c) for c in row] for row in [header, *rows]]
    widths = [max(len(r[i]) for r in rows) for i in range(len(header))]
    line = lambda r: "| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))) + " |"  # noqa: E731
    rule = "| " + " | ".join("-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)) + " |"
    return "\n".join([line(rows[0]), rule, *map(line, rows[1:])])


def number(x, digits=1):
    return f"{x:,.{digits}f}"


def _rounds_table(task, results):
    timed = task.name.startswith("latency") or task.name == "new"
    header = ["", "CPU µs", "user", "system", f"of {task.base}", "rounds", "requests/s", "core busy", "Redis CPU µs"]
    if timed:
        header += ["p50 ms", "p99 ms", "p99.9 ms"]
    rows = []
    for label, r in results.items():
        each = ratios(results, label, task.base) if task.base in results and label != task.base else []
        row = [label, number(median(r, "us")), number(median(r, "user")), number(median(r, "system")),
               number(sorted(each)[len(each) // 2], 2) if each else "", " ".join(number(x, 2) for x in each),
               number(median(r, "rate"), 0), f"{median(r, 'busy') * 100:.0f} %", number(median(r, "redis"))]  # fmt: skip
        if timed:
            row += [number(median(r, k) / 1000, 2) for k in ("p50", "p99", "p999")]
        rows.append(row)
    return table(header, rows)


def _counts_table(name, results):
    if name == "memory":
        header = ["", "at start", "after load", "of that, not files", "one idle connection", "after 5,000 idle ones"]
        return table(header, [[k, f"{r[0]['start'] / 1024:.1f} MB", f"{r[0]['load'] / 1024:.1f} MB", f"{r[0]['load_anonymous'] / 1024:.1f} MB",
                               f"{r[0]['connection']:.2f} KB", f"{r[0]['after'] / 1024:.1f} MB"] for k, r in results.items()])  # fmt: skip
    if name == "syscalls":
        header = ["", "saturated", "as it runs", "by name, saturated"]
        by_name = lambda calls: ", ".join(f"{c} {n:.2f}" for c, n in sorted(calls.items(), key=lambda x: -x[1]) if n >= 0.01)  # noqa: E731
        return table(header, [[k, number(r[0]["saturated"], 2), number(r[0]["as_it_runs"], 2) if "as_it_runs" in r[0] else "",
                               by_name(r[0]["by_name"])] for k, r in results.items()])  # fmt: skip
    if name == "allocations":
        return table(["", "a request", "in all"], [[k, number(r[0]["allocations"], 3), f"{r[0]['total']:,} in {r[0]['requests']:,} requests"]
                                                   for k, r in results.items()])  # fmt: skip
    text = table(["", "instructions"], [[k, number(r[0]["instructions"], 0)] for k, r in results.items()])
    if "doorward, small head" in results:
        tops = [dict(results[f"doorward, {h}"][0]["top"]) for h in ("small head", "browser's head")]
        text += "\n\nWhere doorward's are run, function by function, without those it calls:\n\n" + table(
            ["", "small head", "browser's head"],
            [[f"`{f}`", number(n, 0), number(tops[1][f], 0) if f in tops[1] else ""] for f, n in list(tops[0].items())[:20]])  # fmt: skip
    return text


def goals_table(results):
    rows = []
    for goal in GOALS:
        try:
            value = goal.value(results)
        except (KeyError, IndexError):
            continue  # not measured in this run
        rows.append([goal.title, goal.sign + goal.show(goal.limit), goal.show(value), "met" if value <= goal.limit else "MISSED"])
    return rows


def write(titles, results, about):
    """`titles`: name -> (title, note, task or None)."""
    goals = goals_table(results)
    parts = ["### Goals", table(["figure", "goal", "measured", ""], goals)] if goals else []
    for name, r in results.items():
        title, note, task = titles[name]
        parts += [f"### {title}", *([note] if note else []), _rounds_table(task, r) if task else _counts_table(name, r)]
    parts += ["### Machine and conditions", "\n".join(f"- {line}" for line in about)]
    return "\n\n".join(parts) + "\n"
