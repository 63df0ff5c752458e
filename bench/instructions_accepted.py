"""bench/instructions.txt: the accepted instruction counts, and how counts compare with them. Pure:
text and numbers in, text and numbers out. Used by bench/instructions.py."""

import dataclasses
import re

GROWTH_MAX = 0.03
LISTED_FROM = 0.01  # a function with less of a profile's total is not worth a line

HEAD = """\
# Instructions that the gateway executes in user space for one request, or one streamed event, with
# authentication, metrics and access log on; under each total the functions that execute the most
# themselves. ./dev test fails when a total grows by more than 3 %.
# Written by `./dev instructions --accept`.
"""


@dataclasses.dataclass
class Count:
    """One profile: instructions per unit (request or event), and by function."""

    unit: str
    total: float
    functions: dict


@dataclasses.dataclass
class Accepted:
    """The file: what the counts belong to (compiler, libc, cpu), and the counts by profile."""

    machine: dict
    counts: dict


def written(accepted):
    lines = [HEAD]
    lines += [f"{name:<9} {value}" for name, value in accepted.machine.items()]
    for name, count in accepted.counts.items():
        lines += ["", f"{name}: {count.total:,.0f} instructions per {count.unit}"]
        heavy = sorted(count.functions.items(), key=lambda pair: (-pair[1], pair[0]))
        lines += [f"  {to_three_digits(each):>10,}  {function}" for function, each in heavy
                  if each >= LISTED_FROM * count.total]
    return "\n".join(lines) + "\n"


def to_three_digits(value):
    """A function's share moves a little from run to run; the file need not."""
    return int(float(f"{value:.3g}"))


def read(text):
    """The file's content; ValueError names the line that is none of its own."""
    accepted, current = Accepted({}, {}), None
    for number, line in enumerate(text.splitlines(), 1):
        profile = re.fullmatch(r"([\w-]+): ([\d,]+) instructions per (\w+)", line)
        function = re.fullmatch(r" +([\d,]+)  (\S.*)", line)
        setting = re.fullmatch(r"(\w+) +(\S.*)", line)
        if not line or line.startswith("#"):
            continue
        if profile:
            current = Count(profile[3], as_number(profile[2]), {})
            accepted.counts[profile[1]] = current
        elif function and current:
            current.functions[function[2]] = as_number(function[1])
        elif setting and not current:
            accepted.machine[setting[1]] = setting[2]
        else:
            raise ValueError(f"line {number} says nothing that is known here: {line}")
    return accepted


def as_number(text):
    return int(text.replace(",", ""))


def strangers(accepted, machine):
    """What of this machine is not what the accepted counts belong to."""
    return [f"{name} is {machine.get(name)}, accepted were counts of {value}"
            for name, value in accepted.machine.items() if machine.get(name) != value]


@dataclasses.dataclass
class Verdict:
    """`state` is one of grew, fell, held, new; `text` says it in a sentence."""

    state: str
    text: str

    @property
    def passed(self):
        return self.state in ("fell", "held")


def judge(name, accepted, counted):
    """One profile's count against the accepted one (None: there is none)."""
    if accepted is None:
        return Verdict("new", f"{name}: {counted.total:,.0f} instructions per {counted.unit}, and "
                              "none accepted")
    change = counted.total / accepted.total - 1
    state = "grew" if change > GROWTH_MAX else "fell" if change < -GROWTH_MAX else "held"
    return Verdict(state, f"{name}: {counted.total:,.0f} instructions per {counted.unit}, accepted "
                          f"are {accepted.total:,.0f}: {change:+.1%}")


def growth(accepted, counted, most=15):
    """(function, accepted, counted), those first that grew the most. What the file does not list
    was below its limit: such a function counts from there."""
    unlisted = LISTED_FROM * accepted.total
    rows = []
    for function, now in counted.functions.items():
        before = accepted.functions.get(function)
        if now - (unlisted if before is None else before) > 0.001 * accepted.total:
            rows.append((function, before, now))
    return sorted(rows, key=lambda row: (row[1] or 0) - row[2])[:most]
