"""The plot of a whole run: CPU time beside the peers, and how it grows."""

import math
import pathlib
import re
import sys

from measure import median

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from svg import Linear, Logarithmic, document  # noqa: E402

WIDTH, HEIGHT = 900, 640  # of the whole
PANEL_WIDTH, PANEL_HEIGHT = 370, 200
LEFT, TOP = 60, 96  # of the first panel
STEP_X, STEP_Y = 455, 290  # from panel to panel
BARS = ("doorward", "nginx, no auth", "haproxy, no auth", "relay", "nginx+lua", "nginx auth_request", "node")
LINES = (("doorward", "ours"), ("nginx+lua", "other"))
GROWTH = (("headers", "CPU µs, by header fields more"), ("bodies", "CPU µs, by bytes of the answer"), ("sessions", "CPU µs, by sessions in Redis"))
NEEDED = [name for name, _ in GROWTH]


def corner(number):
    return LEFT + STEP_X * (number % 2), TOP + STEP_Y * (number // 2)


def grid(x, y, title, scale, up):
    out = [f'<text class="title" x="{x}" y="{y - 14}">{title}</text>']
    for value, name in scale.ticks:
        out.append(f'<line class="grid" x1="{x}" x2="{x + PANEL_WIDTH}" y1="{up(value):.1f}" y2="{up(value):.1f}"/>')
        out.append(f'<text class="tick" x="{x - 8}" y="{up(value) + 4:.1f}" text-anchor="end">{name}</text>')
    return out


def bars(number, title, results):
    """User and system time, one on the other."""
    x, y = corner(number)
    peers = [p for p in BARS if p in results]
    scale = Linear(max(median(results[p], "us") for p in peers))

    def up(value):
        return y + PANEL_HEIGHT * (1 - scale.share(value))

    out = grid(x, y, title, scale, up)
    step = PANEL_WIDTH / len(peers)
    for n, peer in enumerate(peers):
        left, whole = x + step * (n + 0.15), median(results[peer], "us")
        user = whole * median(results[peer], "user") / (median(results[peer], "user") + median(results[peer], "system"))
        ours = " ours" if peer == "doorward" else ""
        for low, high, part in ((0, user, ""), (user, whole, " system")):
            out.append(f'<rect class="bar{ours}{part}" x="{left:.1f}" y="{up(high):.1f}" width="{step * 0.7:.1f}" height="{up(low) - up(high):.1f}"/>')
        middle = left + step * 0.35
        out.append(f'<text class="tick" x="{middle:.1f}" y="{up(whole) - 5:.1f}" text-anchor="middle">{whole:.0f}</text>')
        for line, words in enumerate(peer.replace(", no", ",|no").replace("nginx a", "nginx|a").split("|")):
            out.append(f'<text class="tick" x="{middle:.1f}" y="{y + PANEL_HEIGHT + 17 + 13 * line}" text-anchor="middle">{words}</text>')
    return out


def short(count):
    if count >= 1024 and count % 1024 == 0:
        return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"
    return f"{count // 10**6} M" if count >= 10**6 else f"{count // 1000} k" if count >= 1000 else str(count)


def lines(number, title, results):
    """Each step as far from the one before: the counts are several times as large each."""
    x, y = corner(number)
    series = {}
    for label, rounds in results.items():
        peer, at = label.split(", ", 1)
        series.setdefault(peer, []).append((int(re.sub(r"\D", "", at)), median(rounds, "us")))
    highest = max(us for points in series.values() for _, us in points)
    if highest > 500:
        scale = Logarithmic([(10.0**n, f"{10**n:,}") for n in range(1, math.ceil(math.log10(highest)) + 1)])
    else:
        scale = Linear(highest)
    steps = [count for count, _ in series["doorward"]]

    def across(n):
        return x + PANEL_WIDTH * (0.04 + 0.92 * n / (len(steps) - 1))

    def up(value):
        return y + PANEL_HEIGHT * (1 - scale.share(value))

    out = grid(x, y, title, scale, up)
    for n, count in enumerate(steps):
        out.append(f'<text class="tick" x="{across(n):.1f}" y="{y + PANEL_HEIGHT + 18}" text-anchor="middle">{short(count)}</text>')
    for peer, kind in LINES:
        path = " ".join(f"{across(n):.1f},{up(us):.1f}" for n, (_, us) in enumerate(series[peer]))
        out.append(f'<polyline class="line {kind}" points="{path}"/>')
    return out


def legend():
    out = [f'<rect class="bar ours" x="{LEFT}" y="41" width="18" height="14"/><rect class="bar ours system" x="{LEFT + 18}" y="41" width="18" height="14"/>',
           f'<text x="{LEFT + 46}" y="52">user and system time</text>']  # fmt: skip
    for n, (peer, kind) in enumerate(LINES):
        x = LEFT + 240 + n * 160
        out.append(f'<line class="line {kind}" x1="{x}" x2="{x + 36}" y1="48" y2="48"/><text x="{x + 46}" y="52">{peer}</text>')
    return out


def draw(results):
    """Of a run with --all."""
    title = "CPU time of the proxy by request"
    body = [f'<text class="title" x="{LEFT}" y="22">{title}</text>', *legend(),
            *bars(0, "CPU µs: keep-alive GET with a session, 2 bytes", results["main"])]  # fmt: skip
    for number, (name, panel_title) in enumerate(GROWTH, 1):
        body += lines(number, panel_title, results[name])
    return document(WIDTH, HEIGHT, title, body)
