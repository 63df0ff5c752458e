"""The verdict: what the gateway must show, what was measured, and whether that is enough.

One row of ROWS for each thing asked for. A row finds its figure in a profile's part of the result;
where there is none it says why."""

import dataclasses
import typing

import books
import cost
import figures
import workers

GATEWAY = "tollgate"
KB = 1024
STREAM_PROFILES = ("sse", "translate-sse")


@dataclasses.dataclass(frozen=True)
class Row:
    """One requirement. `measure` gives what figures.with_interval made, or says why it cannot."""

    what: str
    profile: str
    measure: typing.Callable  # of (profile's part, whole result)
    must: float
    goal: float | None = None
    pattern: str = "{:.2f} x"
    at_least: bool = False


def gateway_of(part, name=GATEWAY):
    return next((each for each in part["summary"] if each["proxy"] == name), None)


def of_gateway(*path, name=GATEWAY):
    """A measure that follows `path` into the gateway's summary."""
    def find(part, _):
        found = gateway_of(part, name)
        if found is None:
            return "the gateway was left out"
        for key in path:
            found = found[key]
        return found if found["median"] is not None else why_nothing(part, name)
    return find


def why_nothing(part, name):
    found = gateway_of(part, name)
    if found["void"] == found["rounds"]:
        return "every round was void"
    return f"no round in which {figures.BASE} gives something to compare with"


def cost_ratio(part, result):
    """The ratio, unless the load was not carried: an overload looks cheap."""
    found, profile = gateway_of(part), part["profile"]
    if found and short(profile, found["per_second"]):
        return f"it carried only {found['per_second']:,.0f} events a second"
    return of_gateway("ratio")(part, result)


def short(profile, per_second):
    if not profile["stream"] or per_second is None:
        return False
    return per_second < cost.CARRIED_MIN * profile["connections"] * 1000 / profile["interval_ms"]


def later(part, result):
    """Share of late frames less the base's in the same round, in percentage points."""
    found = of_gateway("later")(part, result)
    return found if isinstance(found, str) else scaled(found, 100)


def faulty_frames(_, result):
    """Of all streams of the gateway, void rounds included: they are why a round is void."""
    samples = [s for name in STREAM_PROFILES for s in result["profiles"].get(name, {}).get(
        "samples", ()) if s["proxy"] == GATEWAY]
    streams = [s["load"]["streams"] for s in samples]
    if not sum(each["frames"] for each in streams):
        return "no streams were measured"
    faulty = sum(each[what] for each in streams for what in ("lost", "reordered", "merged"))
    return {"median": faulty, "interval": None}


def scaled(found, factor):
    interval = found["interval"] and [edge * factor for edge in found["interval"]]
    return {"median": found["median"] * factor, "interval": interval}


def kilobytes(part, result):
    found = of_gateway("stream_bytes")(part, result)
    return found if isinstance(found, str) else scaled(found, 1 / KB)


def added(proxy):
    """What a step of the profile `books` adds to the CPU of a request."""
    def find(part, _):
        found = gateway_of(part, proxy)
        if found is None:
            return "redis-server is not installed"
        return found["added"] if found["added"]["median"] is not None else "void rounds"
    return find


OF_BASE = f"of {figures.BASE}'s"

ROWS = (
    Row(f"relay 3 KB / 1 KB: CPU per request, {OF_BASE}", "relay", cost_ratio, 1.25, 1.0),
    Row(f"relay of a 100 KB request: CPU, {OF_BASE}", "relay-100k", cost_ratio, 1.25, 1.0),
    Row(f"SSE relay: CPU per event, {OF_BASE}", "sse", cost_ratio, 1.25, 1.0),
    Row(f"OpenAI to Anthropic: CPU per request, {OF_BASE} relaying the same bytes", "translate",
        cost_ratio, 2.0, 1.5),
    Row(f"cache hit from memory: CPU, {OF_BASE} relaying", "cache-hit", cost_ratio, 1.0),
    Row(f"added latency p50 {OF_BASE}, at half of its saturation rate", "latency",
        of_gateway("ratio_p50"), 1.5, 1.1),
    Row(f"added latency p99 {OF_BASE}, at half of its saturation rate", "latency",
        of_gateway("ratio_p99"), 1.5, 1.1),
    Row("memory per open silent stream (PSS)", "idle", kilobytes, 24, 16, "{:.1f} KB"),
    Row("memory 60 s after these streams closed, of the start", "idle",
        of_gateway("return_ratio"), 1.1),
    Row("memory per open silent stream under TLS (PSS)", "idle-tls", kilobytes, 60, None,
        "{:.1f} KB"),
    Row("memory 60 s after those under TLS closed, of the start", "idle-tls",
        of_gateway("return_ratio"), 1.1),
    Row("throughput of two workers, of one's", "workers",
        of_gateway("ratio", name=workers.name_of(2)), 1.8, at_least=True),
    Row("frames lost, reordered or merged", "sse", faulty_frames, 0, 0, "{:,.0f}"),
    Row(f"share of frames later than 5 ms, less {figures.BASE}'s in the same round", "sse", later,
        0.1, 0.0, "{:+.3f} %"),
    Row("limits and budgets in the process: CPU added to a request", "books",
        added(books.Limits.name), 2, 1, "{:+.2f} us"),
    Row("the ledger, its rows stored: CPU added to a request", "books", added(books.Ledger.name),
        4, None, "{:+.2f} us"),
    Row("limits and budgets in Redis: CPU added to a request of the gateway's", "books",
        added(books.Redis.name), 20, None, "{:+.2f} us"),
)


def judge(row, median):
    def enough(limit):
        return median >= limit if row.at_least else median <= limit
    if row.goal is not None and enough(row.goal):
        return "goal met"
    return "met" if enough(row.must) else "MISSED"


def measured(row, result):
    """What with_interval made, or why there is nothing."""
    part = result["profiles"].get(row.profile)
    if part is None:
        return f"profile {row.profile} was left out"
    return part["skipped"] if "skipped" in part else row.measure(part, result)


def verdicts(result):
    """One entry for each row, for the report: texts, and the figures that they come from."""
    return [verdict(row, measured(row, result)) for row in ROWS]


def verdict(row, found):
    sign = "at least " if row.at_least else ""
    entry = {"what": row.what, "profile": row.profile, "must": sign + row.pattern.format(row.must),
             "goal": "-" if row.goal is None else sign + row.pattern.format(row.goal)}
    if isinstance(found, str):
        return entry | {"measured": "-", "verdict": f"not measured ({found})"}
    return entry | {"measured": figures.interval(found, row.pattern), "median": found["median"],
                    "interval": found["interval"], "verdict": judge(row, found["median"])}


def noise(result):
    """The greatest share of the machine that other programs kept busy during a profile."""
    return max((figures.middle(s.get("others_busy") for s in part["samples"]) or 0
                for part in result["profiles"].values()), default=0)


def warnings(result):
    found = []
    if result["quick"]:
        found += ["A quick run: it shows that everything works, and its figures are no figures."]
    if noise(result) >= figures.NOISE_MIN:
        found += [f"Other programs kept up to {noise(result):.0%} of the machine busy meanwhile: "
                  "do not judge by this run."]
    return [line for words in found for line in (words, "")]


def section(result):
    heads = ["what", "profile", "must", "goal", "measured", "verdict"]
    return [*warnings(result),
            figures.table(heads, [[each["what"], each["profile"], each["must"], each["goal"],
                                   each["measured"], f"**{each['verdict']}**"]
                                  for each in result["verdicts"]])]
