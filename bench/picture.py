"""One picture of a run as SVG: CPU per request or event, and added latency, by proxy.

Written by hand: it needs no library, and its colours follow a reader's light or dark setting."""

import html
import math

import figures

WIDTH = 960
LEFT, RIGHT = 84, 20
PLOT = 260         # height of an axis
BAND = 370         # of a chart with its title and labels
TICKS = 5
PALETTE = ("#2f6fde", "#1a9e6a", "#d9822b", "#a456c4", "#c2454d", "#6b7a8f")

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2430; }
  .title { font-size: 16px; font-weight: 600; }
  .quiet { fill: #5b6474; font-size: 12px; }
  .paper { fill: #ffffff; }
  .line { stroke: #d5d9e0; }
  .whisker { stroke: #1f2430; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ef; }
    .quiet { fill: #a3abba; }
    .paper { fill: #14171d; }
    .line { stroke: #39404d; }
    .whisker { stroke: #e6e9ef; }
  }
"""


class Axis:
    """From values to heights. Logarithmic when the greatest would hide the others."""

    def __init__(self, values):
        least, most = min(values), max(values)
        self.logarithmic = least > 0 and most > 30 * least
        if self.logarithmic:
            self.low = 10 ** math.floor(math.log10(least / 1.5))
            self.high = 10 ** math.ceil(math.log10(most))
        else:
            step = nice(max(most, 1e-9) / TICKS)
            self.low, self.step = 0, step
            self.high = step * math.ceil(max(most, 1e-9) * 1.02 / step)

    def height(self, value):
        """Of the plot's, from 0 to 1."""
        if self.logarithmic:
            value = max(value, self.low)
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = value / self.high
        return min(1.0, max(0.0, share))

    def ticks(self):
        if self.logarithmic:
            exponents = range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)
            return [10.0 ** exponent for exponent in exponents]
        return [self.step * i for i in range(round(self.high / self.step) + 1)]


def nice(step):
    """The least of 1, 2, 5 times a power of ten that is not below `step`."""
    power = 10 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * 0.999)


def text(x, y, words, kind="", anchor="start", more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}"{more}>'
            f"{html.escape(words)}</text>")


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def scale(axis, top, unit):
    """Grid lines, their values and the axis' name."""
    drawn = []
    for tick in axis.ticks():
        y = top + PLOT * (1 - axis.height(tick))
        drawn += [line(LEFT, y, WIDTH - RIGHT, y, "line"),
                  text(LEFT - 8, y + 4, f"{tick:,.12g}", "quiet", "end")]
    middle = top + PLOT / 2
    name = unit + (" (logarithmic)" if axis.logarithmic else "")
    return [*drawn, text(18, middle, name, "quiet", "middle",
                         f' transform="rotate(-90 18 {middle:.1f})"')]


def bar(axis, top, x, width, measured, colour):
    """A bar with its interval and its value above."""
    base = top + PLOT
    y = base - PLOT * axis.height(measured["median"])
    drawn = [f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{base - y:.1f}" '
             f'fill="{colour}"/>']
    peak = y
    if measured["interval"]:
        low, high = (base - PLOT * axis.height(edge) for edge in measured["interval"])
        centre, peak = x + width / 2, min(y, high)
        drawn += [line(centre, low, centre, high, "whisker"),
                  line(centre - 3, low, centre + 3, low, "whisker"),
                  line(centre - 3, high, centre + 3, high, "whisker")]
    value = measured["median"]
    label = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"
    return [*drawn, text(x + width / 2, peak - 5, label, "quiet", "middle")]


def chart(top, title, unit, groups, colours):
    """`groups`: label -> proxy -> what figures.with_interval made."""
    values = [edge for group in groups.values() for each in group.values()
              for edge in (each["median"], *(each["interval"] or ()))]
    axis = Axis(values)
    drawn = [text(LEFT, top + 20, title, "title")]
    top += 50
    drawn += scale(axis, top, unit)
    wide = (WIDTH - LEFT - RIGHT) / len(groups)
    for place, (label, group) in enumerate(groups.items()):
        left = LEFT + place * wide
        width = min(48, wide * 0.8 / len(group))
        x = left + (wide - width * len(group)) / 2
        for number, (proxy, measured) in enumerate(group.items()):
            drawn += bar(axis, top, x + number * width, width * 0.86, measured, colours[proxy])
        drawn.append(text(left + wide / 2, top + PLOT + 20, label, "", "middle"))
    return drawn


def legend(colours):
    drawn, x = [], LEFT
    for proxy, colour in colours.items():
        drawn += [f'<rect x="{x}" y="14" width="12" height="12" fill="{colour}"/>',
                  text(x + 18, 25, proxy)]
        x += 40 + 8 * len(proxy)
    note = "whiskers: 95 % interval of the median"
    return [*drawn, text(WIDTH - RIGHT, 25, note, "quiet", "end")]


def known(part, figure):
    """Proxy -> figure, where there is one."""
    return {each["proxy"]: each[figure] for each in part["summary"]
            if figure in each and each[figure]["median"] is not None}


def charts_of(result):
    """(title, unit, groups) of what this run has measured."""
    parts = result["profiles"]
    cost = {name: known(part, "cpu") for name, part in parts.items()
            if part["profile"]["measure"] == "cost"}
    found = [("CPU per request, of streams per event", "microseconds of CPU", cost)]
    for part in parts.values():
        if part["profile"]["measure"] == "latency" and "skipped" not in part:
            title = f"Added latency at {part['rate']:,} requests a second"
            found.append((title, "microseconds", {
                quantile: {proxy: measured for proxy, measured in
                           known(part, f"added_{quantile}_us").items() if proxy != "direct"}
                for quantile in ("p50", "p99")}))
    filled = [(title, unit, {label: group for label, group in groups.items() if group})
              for title, unit, groups in found]
    return [each for each in filled if each[2]]


def draw(result):
    """The whole picture; nothing where nothing of it was measured."""
    charts = charts_of(result)
    if not charts:
        return None
    names = dict.fromkeys(proxy for _, _, groups in charts for group in groups.values()
                          for proxy in group)
    colours = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}
    height = 40 + BAND * len(charts)
    drawn = legend(colours)
    for place, (title, unit, groups) in enumerate(charts):
        drawn += chart(40 + place * BAND, title, unit, groups, colours)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-label="CPU and added latency beside {figures.BASE}">\n<style>{STYLE}</style>\n'
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>\n' + "\n".join(drawn) +
            "\n</svg>\n")
