"""The report as Markdown: the verdict first, then a section for each profile."""

import verdict


def head(result):
    machine = result["machine"]
    return [
        "# Benchmark", "",
        f"{machine['cpu']}, {len(machine['cores'])} cores, {machine['system']}, "
        f"Linux {machine['kernel']}; commit {result['commit']}; {result['pinning']}.", "",
        "; ".join(f"{name}: {version}" for name, version in result["versions"].items()) + ".", "",
        "Medians of the valid rounds; CPU is that of the whole process tree; ratios and "
        "differences are taken round by round, in parentheses the bootstrap interval of their "
        "median (95 %). A round with an error, or with more than 1 % of the CPU stolen, is void.",
    ]


def markdown(result, sections, picture=None):
    """`sections`: name of a profile -> the lines that its kind of measurement writes."""
    lines = head(result)
    if picture:
        lines += ["", f"![CPU per request or event, and added latency]({picture})"]
    lines += ["", "## Verdict", "", *verdict.section(result)]
    for name, text in sections.items():
        lines += ["", f"## {result['profiles'][name]['title']} (`{name}`)", "", *text]
    return "\n".join(lines + [""] + [f"- {note}" for note in result["notes"]]) + "\n"
