"""The figures as Markdown."""

import re

from figures import all_back, case_figures, goals, of_kind, percentile, phases, took, whole_run

BEGIN, END = "<!-- surge: figures -->", "<!-- surge: end -->"


def ms(seconds):
    if seconds is None:
        return "–"
    value = seconds * 1000
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.1f} ms"


def number(value):
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


ROWS = [
    ("PostgreSQL: queries a second", "queries", number),
    ("PostgreSQL: of them for sessions", "session_queries", number),
    ("ordinary requests a second", "page_rate", number),
    ("ordinary requests: p50", "page_p50", ms),
    ("ordinary requests: p95", "page_p95", ms),
    ("ordinary requests: given up", "page_gave_up", number),
    ("ordinary requests: failed", "page_failed", number),
    ("logins a second", "login_rate", number),
    ("logins: let in a second", "let_in_rate", number),
    ("logins: p50 of those let in", "login_p50", ms),
    ("logins: p95 of those let in", "login_p95", ms),
    ("logins: told to come later (503)", "shed", number),
    ("logins: given up", "gave_up", number),
    ("logins: failed", "login_failed", number),
    ("logins: most held at once by what hashes", "held", number),
]


def table(head, columns):
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * len(columns)]
    for title, key, form in ROWS:
        lines.append("| " + " | ".join([title, *(form(column[key]) for column in columns)]) + " |")
    return "\n".join(lines)


def surge_table(results):
    cases = [case_figures(results[name]) for name in ("before", "after")]
    head = ["", *(f"{case}: {phase}" for case in ("before", "after") for phase in ("quiet", "surge", "quiet again"))]
    return table(head, [case[phase] for case in cases for phase in ("quiet", "surge", "again")])


def flush_table(result):
    figures = case_figures(result)
    return table(["", "quiet", "until all are in again", "quiet again"], [figures[phase] for phase in ("quiet", "surge", "again")])


def flush_sentence(result):
    backs = of_kind(result, "back")
    begin, end = phases(result)["surge"]
    attempts = [row for row in of_kind(result, "return")]
    when = f"all were in again {end - begin:.1f} s after" if all_back(result) else "NOT all were in again at the end"
    half = percentile(took(backs), 0.5)
    return (f"Redis forgot {len(backs)} people's sessions. They made {len(attempts)} attempts to log in; half of them were in again within "
            f"{half or 0:.1f} s of noticing, and {when}. The identity service held {whole_run(result)['held']} of them at most.")  # fmt: skip


def goal_table(results):
    lines = ["| goal | figure | at most | |", "| --- | ---: | ---: | --- |"]
    for what, figure, bound, met in goals(results["after"], results["flush"]):
        lines.append(f"| {what} | {figure} | {bound} | {'met' if met else '**not met**'} |")
    return "\n".join(lines)


def tables(results):
    plan, guard = results["after"]["plan"], results["after"]["guard"]
    whole = whole_run(results["after"])
    late = max(whole_run(results[name])["late_p99"] for name in ("before", "after", "flush"))
    surge = plan["surge-to"] - plan["surge-from"]
    return f"""\
One core hashed {results["capacity"]:.1f} passwords a second. The surge: {plan["surge-rate"]} logins a second for {surge} s.
Whoever had waited for {plan["patience"]} s gave up, which counts as {plan["patience"]} s.
`guard: {{ in_flight: {guard["in_flight"]}, queue: {guard["queue"]}, queue_timeout: {guard["queue_timeout"]}s }}`

{surge_table(results)}

Of what doorward shed, {whole["queue_full"]:.0f} found the queue full and {whole["queue_timeout"]:.0f} waited in it in vain; its own counts never showed more than
{whole["most_in_flight"]:.0f} logins with the identity service and {whole["most_queued"]:.0f} in the queue. 99 % of all requests were sent within
{late * 1000:.1f} ms of when they were due.

{flush_sentence(results["flush"])}

{flush_table(results["flush"])}

{goal_table(results)}
"""


def into_docs(docs, text):
    """Puts the tables between the marks in the page that has them."""
    for page in (docs / "performance.md", docs / "surge.md"):
        if page.exists() and BEGIN in page.read_text():
            whole = page.read_text()
            page.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n\n{text}\n{END}", whole, flags=re.S))
            print(f"tables: docs/{page.name}")
            return
    raise SystemExit(f"no page in docs/ has `{BEGIN}` and `{END}`")
