"""The plot: four figures over time, before and after in each. An SVG that is read on light and on dark pages."""

import math

from figures import held_each_second, let_in_each_second, pages_each_second, queries_each_second

WIDTH, HEIGHT = 900, 585  # of the whole
PANEL_WIDTH, PANEL_HEIGHT = 370, 190
LEFT, TOP = 60, 96  # of the first panel
STEP_X, STEP_Y = 455, 260  # from panel to panel
CASES = (("before", "before: sessions in PostgreSQL, no shield"), ("after", "after: doorward"))
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
  .title { font-size: 14px; font-weight: 600; }
  .tick { font-size: 12px; fill: #57606a; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .band { fill: #8c959f; fill-opacity: .18; }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
  .before { stroke: #bc4c00; stroke-dasharray: 7 5; }
  .after { stroke: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .tick { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .before { stroke: #ffa657; }
    .after { stroke: #58a6ff; }
  }
"""


class Linear:
    def __init__(self, most):
        step = 10 ** math.floor(math.log10(max(most, 1)))
        step = next(s for s in (step / 5, step / 2, step, step * 2) if most / s <= 5)
        self.top = step * math.ceil(most / step)
        self.ticks = [(n * step, f"{n * step:,.0f}") for n in range(round(self.top / step) + 1)]

    def share(self, value):
        """0 at the bottom, 1 at the top."""
        return value / self.top


class Logarithmic:
    """What is below the first tick is drawn at it."""

    def __init__(self, ticks):
        self.ticks = ticks
        self.low, self.high = (math.log10(ticks[n][0]) for n in (0, -1))

    def share(self, value):
        return min(1.0, max(0.0, (math.log10(max(value, 1e-9)) - self.low) / (self.high - self.low)))


def powers(first, last, name):
    return Logarithmic([(10.0**n, name(10.0**n)) for n in range(first, last + 1)])


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
    for case, points in series:
        path = " ".join(f"{across(at):.1f},{up(value):.1f}" for at, value in points if value is not None)
        out.append(f'<polyline class="line {case}" points="{path}"/>')
    return out


def legend():
    out = []
    for n, (case, text) in enumerate(CASES):
        x = LEFT + n * 330
        out.append(f'<line class="line {case}" x1="{x}" x2="{x + 36}" y1="48" y2="48"/><text x="{x + 46}" y="52">{text}</text>')
    x = LEFT + 560
    out.append(f'<rect class="band" x="{x}" y="41" width="36" height="14"/><text x="{x + 46}" y="52">the surge</text>')
    return out


def draw(results):
    plan = results["after"]["plan"]
    surge, until = (plan["surge-from"], plan["surge-to"]), plan["until"]

    def series(function):
        return [(case, function(results[case])) for case, _ in CASES]

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
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title">',
        f'<title id="title">{title}: before and after</title>', f"<style>{STYLE}</style>", *body, "</svg>", ""])  # fmt: skip
