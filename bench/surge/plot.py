"""The plot: four figures over time, before and after in each. An SVG that is read on light and on dark pages."""

import math
import pathlib
import sys

from figures import held_each_second, let_in_each_second, pages_each_second, queries_each_second

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from svg import Linear, document, powers  # noqa: E402

WIDTH, HEIGHT = 900, 585  # of the whole
PANEL_WIDTH, PANEL_HEIGHT = 370, 190
LEFT, TOP = 60, 96  # of the first panel
STEP_X, STEP_Y = 455, 260  # from panel to panel
CASES = (("before", "other", "before: sessions in PostgreSQL, no shield"), ("after", "ours", "after: doorward"))
def seconds(value):
    return f"{value:g} s" if value >= 1 else f"{value * 1000:g} ms"


def panel(number, title, scale, series, surge, until):
    x, y = LEFT + STEP_X * (number % 2), TOP + STEP_Y * (number // 2)

    def across(moment):
        return x + PANEL_WIDTH * moment / until

    def up(value):
        return y + PANEL_HEIGHT * (1 - scale.share(value))

    out = [f'<text class="title" x="{x}" y="{y - 14}">{title}</text>',
           f'<rect class="band" x="{across(surge[0]):.1f}" y="{y}" width="{across(surge[1]) - across(surge[0]):.1f}" height="{PANEL_HEIGHT}"/>']  # fmt: skip
    for value, name in scale.ticks:
        out.append(f'<line class="grid" x1="{x}" x2="{x + PANEL_WIDTH}" y1="{up(value):.1f}" y2="{up(value):.1f}"/>')
        out.append(f'<text class="tick" x="{x - 8}" y="{up(value) + 4:.1f}" text-anchor="end">{name}</text>')
    step = 5 if until <= 30 else 10
    for moment in range(int(-(surge[0] // step) * step), int(until - surge[0]) + 1, step):
        name = f"{moment} s" if moment else "0"
        out.append(f'<text class="tick" x="{across(surge[0] + moment):.1f}" y="{y + PANEL_HEIGHT + 18}" text-anchor="middle">{name}</text>')
    for line, points in series:
        path = " ".join(f"{across(at):.1f},{up(value):.1f}" for at, value in points if value is not None)
        out.append(f'<polyline class="line {line}" points="{path}"/>')
    return out


def legend():
    out = []
    for n, (_, line, text) in enumerate(CASES):
        x = LEFT + n * 330
        out.append(f'<line class="line {line}" x1="{x}" x2="{x + 36}" y1="48" y2="48"/><text x="{x + 46}" y="52">{text}</text>')
    x = LEFT + 560
    out.append(f'<rect class="band" x="{x}" y="41" width="36" height="14"/><text x="{x + 46}" y="52">the surge</text>')
    return out


def draw(results):
    plan = results["after"]["plan"]
    surge, until = (plan["surge-from"], plan["surge-to"]), plan["until"]

    def series(function):
        return [(line, function(results[case])) for case, line, _ in CASES]

    def most(lines):
        return max(value for _, points in lines for _, value in points if value is not None)

    queries, let_in = series(queries_each_second), series(let_in_each_second)
    pages, held = series(pages_each_second), series(held_each_second)
    title = f"{plan['surge-rate']} logins a second, ten times what can be hashed, on top of {plan['rate']} ordinary requests a second"
    panels = [
        ("Ordinary requests: 95 % answered within", powers(-4, 1, seconds), pages),
        ("PostgreSQL: queries a second", Linear(most(queries)), queries),
        ("Logins let in, a second", Linear(most(let_in)), let_in),
        ("Logins held at once by what hashes", powers(0, max(2, math.ceil(math.log10(most(held)))), "{:,.0f}".format), held),
    ]
    body = [f'<text class="title" x="{LEFT}" y="22">{title}</text>', *legend()]
    for number, (name, scale, lines) in enumerate(panels):
        body += panel(number, name, scale, lines, surge, until)
    return document(WIDTH, HEIGHT, f"{title}: before and after", body)
