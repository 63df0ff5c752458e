"""From samples to figures: medians, paired ratios with a bootstrap interval, and the Markdown."""

import random
import statistics

BASE = "nginx"


def bootstrap(values, seed=1, times=2000):
    """The 95 % interval of the median, by resampling; None for fewer than three values."""
    if len(values) < 3:
        return None
    dice = random.Random(seed)
    medians = sorted(statistics.median(dice.choices(values, k=len(values))) for _ in range(times))
    return medians[int(times * 0.025)], medians[int(times * 0.975) - 1]


def valid(samples, proxy):
    """The proxy's samples by round, void ones left out."""
    return {s["round"]: s for s in samples if s["proxy"] == proxy and not s["void"]}


def paired_ratios(samples, proxy, base=BASE, figure="cpu_us"):
    """proxy / base, round by round, of the rounds in which both are valid."""
    ours, theirs = valid(samples, proxy), valid(samples, base)
    return [ours[r][figure] / theirs[r][figure] for r in sorted(ours.keys() & theirs.keys())
            if theirs[r][figure] > 0]


def summary(samples, proxy):
    """The figures of one proxy in one profile."""
    good = list(valid(samples, proxy).values())
    mine = [s for s in samples if s["proxy"] == proxy]
    ratios = paired_ratios(samples, proxy)
    figures = {"proxy": proxy, "rounds": len(mine), "void": len(mine) - len(good)}
    for key in ("cpu_us", "cpu_user_us", "cpu_system_us", "per_second", "pss_bytes", "p50_us",
                "p99_us", "p999_us", "late_share"):
        known = [s[key] for s in good if s.get(key) is not None]
        figures[key] = statistics.median(known) if known else None
    figures["ratio"] = statistics.median(ratios) if ratios else None
    figures["ratio_interval"] = bootstrap(ratios)
    figures["ratios"] = ratios
    return figures


def number(value, pattern="{:.1f}"):
    return "-" if value is None else pattern.format(value)


def ratio(figures):
    text = number(figures["ratio"], "{:.2f}")
    if figures["ratio_interval"]:
        text += " ({:.2f} to {:.2f})".format(*figures["ratio_interval"])
    return text


def row(figures):
    pss = figures["pss_bytes"]
    cells = [
        figures["proxy"], number(figures["cpu_us"]), number(figures["cpu_user_us"]),
        number(figures["cpu_system_us"]), ratio(figures), number(figures["per_second"], "{:,.0f}"),
        number(figures["p50_us"], "{:,.0f}"), number(figures["p99_us"], "{:,.0f}"),
        number(pss and pss / 2**20), f"{figures['rounds'] - figures['void']}/{figures['rounds']}",
    ]
    if figures["late_share"] is not None:
        cells.append(number(figures["late_share"] * 100, "{:.2f}"))
    return "| " + " | ".join(cells) + " |"


def table(profile, figures):
    unit = profile.unit
    what = "delay" if profile.stream else "latency"
    heads = ["proxy", f"CPU us/{unit}", "user", "system", f"of {BASE}", f"{unit}s/s",
             f"{what} p50 us", "p99 us", "PSS MiB", "rounds"]
    if profile.stream:
        heads.append("late %")
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|--:" * (len(heads) - 1) + "|"]
    return "\n".join(lines + [row(each) for each in figures])


def void_notes(samples):
    return [f"- void: {s['proxy']}, round {s['round']}: {'; '.join(s['void'])}"
            for s in samples if s["void"]]


def shortfall_notes(profile, figures):
    """Who did not carry the load: events that queue up share reads and writes, and look cheap."""
    return [f"- {each['proxy']} carried {each['per_second']:,.0f} of {profile.demand:,.0f} "
            f"{profile.unit}s a second: its figures are those of an overload"
            for each in figures if profile.demand and each["per_second"] is not None
            and each["per_second"] < 0.9 * profile.demand]


def noise_note(samples):
    noise = statistics.median(s["others_busy"] for s in samples) if samples else 0
    if noise < 0.05:
        return []
    return [f"- other programs kept {noise:.0%} of the machine busy meanwhile: "
            "compare ratios only, and those with care"]


def markdown(result, profiles):
    machine = result["machine"]
    lines = [
        "# Benchmark", "",
        f"{machine['cpu']}, {len(machine['cores'])} cores, {machine['system']}, "
        f"Linux {machine['kernel']}; commit {result['commit']}; {result['pinning']}.", "",
        "; ".join(f"{name}: {version}" for name, version in result["versions"].items()) + ".", "",
        "Medians of the valid rounds; CPU is that of the whole process tree; ratios are taken "
        "round by round, with the bootstrap interval of their median (95 %).",
    ]
    for profile in profiles:
        part = result["profiles"][profile.name]
        lines += ["", f"## {part['title']}", "", table(profile, part["summary"])]
        notes = (void_notes(part["samples"]) + shortfall_notes(profile, part["summary"]) +
                 noise_note(part["samples"]))
        lines += ["", *notes] if notes else []
    return "\n".join(lines + [""] + [f"- {note}" for note in result["notes"]]) + "\n"
