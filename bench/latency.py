"""Added latency: an open loop at half of nginx's saturation rate, through each proxy and straight
to the mock provider in the same round; the difference of the quantiles is what the proxy adds."""

import dataclasses

import figures
import measure
import stage

SHARE = 0.5
QUANTILES = ("p50", "p99", "p999")
DIRECT = "direct"
# Below it a base's added latency is about zero, and a ratio to it says nothing.
FLOOR_US = 5
CARRIED_MIN = 0.95


class Latency:
    """First nginx's saturation in a closed loop, then the rounds at the rate that follows."""

    def __init__(self, bench, profile):
        self.bench = bench
        self.profile = profile

    def run(self):
        servers = self.bench.servers_for(self.profile)
        base = next((each for each in servers if each.name == figures.BASE), None)
        if base is None:
            return self.bench.skipped(self.profile, f"{figures.BASE} sets the rate and is not here")
        with stage.Stage(self.bench, self.profile, servers) as on:
            saturation = self.saturate(on, base)
            profile = dataclasses.replace(
                self.profile, rate=round(SHARE * saturation["per_second"]))
            samples = []
            for number, server in self.bench.interleaved(profile, [*servers, DIRECT]):
                sample = self.sample(on, profile, server, number)
                samples.append(sample)
                self.bench.say_sample(sample, f"p50 {sample['p50_us']:.0f} us, "
                                              f"p99 {sample['p99_us']:.0f} us")
            configs = on.configs()
        add_differences(samples)
        return {"title": f"{self.profile.title}, {profile.rate:,} requests a second",
                "profile": dataclasses.asdict(profile), "configs": configs, "samples": samples,
                "saturation": saturation, "rate": profile.rate,
                "summary": [summary(samples, name) for name in
                            [DIRECT, *(server.name for server in servers)]]}

    def saturate(self, on, base):
        load, used, _ = on.under_load(base)
        rate = load["requests"] / load["window_s"]
        if load["errors"] or rate < 1:
            raise SystemExit(f"bench: {base.name} has no saturation rate: {load['errors']}")
        self.bench.say(f"  {base.name} carries {rate:,.0f} requests a second")
        return {"per_second": rate, "busy": used["busy"], "helpers_busy": used["helpers_busy"]}

    def sample(self, on, profile, server, number):
        arguments = [*on.window(), *profile.load_arguments()]
        if server == DIRECT:
            load, used = self.straight(on, arguments)
        else:
            load, used, _ = on.under_load(server, arguments)
        name = server if server == DIRECT else server.name
        return {"proxy": name, "round": number,
                "void": stage.faults(load, used, load["requests"]),
                "carried": load["requests"] / max(load["window_s"], 1e-9),
                "others_busy": used["others_busy"], "stolen": used["stolen"],
                **{f"{q}_us": load["latency_us"][q] for q in QUANTILES}, "load": load}

    @staticmethod
    def straight(on, arguments):
        looks = []

        def look(load):
            looks.append(measure.Snapshot(on.upstream.pid, [load.pid]))

        return on.load(on.upstream.port, arguments, look=look), looks[1].since(looks[0])

    @staticmethod
    def section(profile, part):
        return section(part)


def add_differences(samples):
    """Gives each sample `added_*_us`, its quantile less the direct one of its round; where the
    direct one is void, so is the sample."""
    direct = figures.valid(samples, DIRECT)
    for sample in samples:
        beside = direct.get(sample["round"])
        if beside is None:
            sample["void"] = sample["void"] or ["nothing direct to compare with in this round"]
            continue
        for quantile in QUANTILES:
            sample[f"added_{quantile}_us"] = sample[f"{quantile}_us"] - beside[f"{quantile}_us"]


def summary(samples, name):
    good = list(figures.valid(samples, name).values())
    found = figures.counts(samples, name)
    for quantile in QUANTILES:
        found[f"{quantile}_us"] = figures.middle(s[f"{quantile}_us"] for s in good)
        figure = f"added_{quantile}_us"
        found[figure] = figures.with_interval([s[figure] for s in good])
        found[f"ratio_{quantile}"] = figures.with_interval(
            figures.paired_ratios(samples, name, figure=figure, floor=FLOOR_US))
    return found


def section(part):
    found, at = part["summary"], part["saturation"]
    heads = ["", "p50 us", "p99 us", "p99.9 us", "added p50 us", "added p99 us", "added p99.9 us",
             f"p50 of {figures.BASE}", f"p99 of {figures.BASE}", "rounds"]
    lines = [
        f"The rate is half of what {figures.BASE} carries in a closed loop: "
        f"{at['per_second']:,.0f} requests a second, with {at['busy']:.0%} of a core; the busier "
        f"of load generator and mock provider used {at['helpers_busy']:.0%} of one.", "",
        figures.table(heads, [row(each) for each in found])]
    notes = (figures.void_notes(part["samples"]) + floor_notes(part) + shortfall_notes(part) +
             figures.noise_note(part["samples"]))
    return lines + (["", *notes] if notes else [])


def row(found):
    number = figures.number
    cells = [found["proxy"], *(number(found[f"{q}_us"], "{:,.0f}") for q in QUANTILES)]
    if found["proxy"] == DIRECT:
        return [*cells, "-", "-", "-", "-", "-", figures.rounds(found)]
    cells += [figures.interval(found[f"added_{q}_us"], "{:,.0f}") for q in QUANTILES]
    cells += [figures.interval(found[f"ratio_{q}"]) for q in ("p50", "p99")]
    return [*cells, figures.rounds(found)]


def floor_notes(part):
    base = figures.valid(part["samples"], figures.BASE)
    notes = []
    for quantile in ("p50", "p99"):
        low = [s for s in base.values() if s[f"added_{quantile}_us"] <= FLOOR_US]
        if low:
            notes.append(f"- {quantile}: in {len(low)} of {len(base)} rounds {figures.BASE} added "
                         f"no more than {FLOOR_US} us: they give no ratio")
    return notes


def shortfall_notes(part):
    """Who fell behind the schedule: no reason to drop the round, as what waits counts as late."""
    return [f"- {s['proxy']}, round {s['round']}: carried {s['carried']:,.0f} of "
            f"{part['rate']:,} requests a second, the others waited"
            for s in part["samples"] if s["carried"] < CARRIED_MIN * part["rate"]]
