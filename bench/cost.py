"""CPU per request or event: the proxies under the same load, in interleaved rounds."""

import dataclasses

import figures
import stage

MEDIANS = ("cpu_us", "cpu_user_us", "cpu_system_us", "per_second", "pss_bytes", "p50_us", "p99_us",
           "p999_us", "late_share")

CARRIED_MIN = 0.9  # of what is asked for; below it is an overload


class Cost:
    """Every proxy runs throughout; each round measures all of them in an order of its own."""

    def __init__(self, bench, profile):
        self.bench = bench
        self.profile = profile

    def run(self):
        samples = []
        servers = self.bench.servers_for(self.profile)
        with stage.Stage(self.bench, self.profile, servers) as on:
            for number, proxy in self.bench.interleaved(self.profile, servers):
                sample = self.sample(on, proxy) | {"proxy": proxy.name, "round": number}
                samples.append(sample)
                self.bench.say_sample(sample, f"{sample['cpu_us']:.1f} us of CPU per "
                                              f"{self.profile.unit}")
            configs = on.configs()
        return {"title": self.profile.title, "profile": dataclasses.asdict(self.profile),
                "configs": configs, "samples": samples,
                "summary": [summary(samples, proxy.name) for proxy in servers]}

    def sample(self, on, proxy):
        return sample_of(self.profile, *on.under_load(proxy))

    @staticmethod
    def section(profile, part):
        notes = (figures.void_notes(part["samples"]) + shortfall_notes(profile, part["summary"]) +
                 figures.noise_note(part["samples"]))
        return [table(profile, part["summary"]), *(["", *notes] if notes else [])]


def sample_of(profile, load, used, pss):
    """One round's figures, and why it is void, if it is."""
    streams = load["streams"]
    units = streams["frames"] if profile.stream else load["requests"]
    times = streams["delay_us"] if profile.stream else load["latency_us"]
    each = max(units, 1)
    return {
        "void": stage.faults(load, used, units),
        "units": units,
        "per_second": units / load["window_s"] if load["window_s"] else 0,
        "cpu_us": used["cpu_us"] / each,
        "cpu_user_us": used["cpu_user_us"] / each,
        "cpu_system_us": used["cpu_system_us"] / each,
        "stolen": used["stolen"], "others_busy": used["others_busy"], "pss_bytes": pss,
        "p50_us": times["p50"], "p99_us": times["p99"], "p999_us": times["p999"],
        "late_share": streams["late"] / each if profile.stream else None,
        "load": load,
    }


def summary(samples, proxy):
    """The figures of one proxy in one profile."""
    good = list(figures.valid(samples, proxy).values())
    found = figures.counts(samples, proxy)
    found |= {key: figures.middle(s.get(key) for s in good) for key in MEDIANS}
    found["cpu"] = figures.with_interval([s["cpu_us"] for s in good])
    found["ratio"] = figures.with_interval(figures.paired_ratios(samples, proxy))
    late = found["late_share"] is not None
    found["later"] = figures.with_interval(
        figures.paired_differences(samples, proxy) if late else [])
    return found


def row(profile, found):
    number, pss = figures.number, found["pss_bytes"]
    cells = [
        found["proxy"], number(found["cpu_us"]), number(found["cpu_user_us"]),
        number(found["cpu_system_us"]), figures.interval(found["ratio"]),
        number(found["per_second"], "{:,.0f}"), number(found["p50_us"], "{:,.0f}"),
        number(found["p99_us"], "{:,.0f}"), number(found["p999_us"], "{:,.0f}"),
        number(pss and pss / 2**20), figures.rounds(found),
    ]
    if profile.stream:
        cells += [number(found["late_share"], "{:.2%}"),
                  figures.interval(found["later"], "{:+.2%}")]
    return cells


def table(profile, found):
    unit = profile.unit
    what = "delay" if profile.stream else "latency"
    heads = ["proxy", f"CPU us/{unit}", "user", "system", f"of {figures.BASE}", f"{unit}s/s",
             f"{what} p50 us", "p99 us", "p99.9 us", "PSS MiB", "rounds"]
    if profile.stream:
        heads += ["later than 5 ms", f"beside {figures.BASE}"]
    return figures.table(heads, [row(profile, each) for each in found])


def shortfall_notes(profile, found):
    """Who did not carry the load: events that queue up share reads and writes, and look cheap."""
    return [f"- {each['proxy']} carried {each['per_second']:,.0f} of {profile.demand:,.0f} "
            f"{profile.unit}s a second: its figures are those of an overload"
            for each in found if falls_short(profile, each)]


def falls_short(profile, found):
    carried = found["per_second"]
    return bool(profile.demand and carried is not None and carried < CARRIED_MIN * profile.demand)
