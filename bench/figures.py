"""From samples to figures: medians, values paired round by round, and a bootstrap interval."""

import random
import statistics

BASE = "nginx"
NOISE_MIN = 0.05  # of the machine busy with other programs: then the reader is warned


def bootstrap(values, seed=1, times=2000):
    """The 95 % interval of the median, by resampling; None for fewer than three values."""
    if len(values) < 3:
        return None
    dice = random.Random(seed)
    medians = sorted(statistics.median(dice.choices(values, k=len(values))) for _ in range(times))
    return medians[int(times * 0.025)], medians[int(times * 0.975) - 1]


def middle(values):
    """The median of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def valid(samples, proxy):
    """The proxy's samples by round, void ones left out."""
    return {s["round"]: s for s in samples if s["proxy"] == proxy and not s["void"]}


def pairs(samples, proxy, base=BASE):
    """(ours, the base's) of every round in which both are valid."""
    ours, theirs = valid(samples, proxy), valid(samples, base)
    return [(ours[r], theirs[r]) for r in sorted(ours.keys() & theirs.keys())]


def paired_ratios(samples, proxy, base=BASE, figure="cpu_us", floor=0):
    """proxy / base, round by round; a base that is not above `floor` gives no ratio."""
    return [ours[figure] / theirs[figure] for ours, theirs in pairs(samples, proxy, base)
            if theirs[figure] > floor]


def paired_differences(samples, proxy, base=BASE, figure="late_share"):
    return [ours[figure] - theirs[figure] for ours, theirs in pairs(samples, proxy, base)]


def with_interval(values):
    """The median of paired values and its interval, as reports keep them."""
    return {"median": middle(values), "interval": bootstrap(values), "values": values}


def counts(samples, proxy):
    """How many rounds a proxy had, and how many of them are void."""
    mine = [s for s in samples if s["proxy"] == proxy]
    return {"proxy": proxy, "rounds": len(mine), "void": len(mine) - len(valid(samples, proxy))}


def names(samples):
    """Of the proxies, in the order in which they came first."""
    return list(dict.fromkeys(s["proxy"] for s in samples))


# --- as text ---


def number(value, pattern="{:.1f}"):
    return "-" if value is None else pattern.format(value)


def interval(measured, pattern="{:.2f}"):
    """`1.05 (1.01 to 1.10)` of what with_interval made."""
    text = number(measured["median"], pattern)
    if measured["interval"]:
        low, high = (pattern.format(edge) for edge in measured["interval"])
        text += f" ({low} to {high})"
    return text


def table(heads, rows):
    """A Markdown table; numbers stand right."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|--:" * (len(heads) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def rounds(figures):
    return f"{figures['rounds'] - figures['void']}/{figures['rounds']}"


def void_notes(samples):
    return [f"- void: {s['proxy']}, round {s['round']}: {'; '.join(s['void'])}"
            for s in samples if s["void"]]


def noise_note(samples):
    noise = middle(s["others_busy"] for s in samples) or 0
    if noise < NOISE_MIN:
        return []
    return [f"- other programs kept {noise:.0%} of the machine busy meanwhile: "
            "compare ratios only, and those with care"]
