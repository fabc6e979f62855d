"""What the plots of the benches have in common: SVG that is read on light and on dark pages, and scales."""

import math

STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
  .title { font-size: 14px; font-weight: 600; }
  .tick { font-size: 12px; fill: #57606a; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .band { fill: #8c959f; fill-opacity: .18; }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
  .other { stroke: #bc4c00; stroke-dasharray: 7 5; }
  .ours { stroke: #0969da; }
  .bar { fill: #8c959f; }
  .bar.ours { fill: #0969da; stroke: none; }
  .system { fill-opacity: .45; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .tick { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .other { stroke: #ffa657; }
    .ours { stroke: #58a6ff; }
    .bar.ours { fill: #58a6ff; }
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


def document(width, height, title, body):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title">',
        f'<title id="title">{title}</title>', f"<style>{STYLE}</style>", *body, "</svg>", ""])  # fmt: skip
