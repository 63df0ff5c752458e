"""Two workers against one: what the gateway carries in a closed loop, its workers on cores of
their own."""

import dataclasses
import os
import time

import figures
import measure
import proxies
import stage

CORES = 4  # two for the gateway, one each for load generator and mock provider
FREE = 3.5
LIMIT = 0.97  # a helper that is this busy is what limits


class Workers:
    """Interleaved rounds of a gateway with one worker and of one with two."""

    def __init__(self, bench, profile):
        self.bench = bench
        self.profile = profile

    def run(self):
        why = self.why_not(sorted(os.sched_getaffinity(0)))
        if why:
            return self.bench.skipped(self.profile, why)
        return self.compare(sorted(os.sched_getaffinity(0))[-2:])

    def why_not(self, cores):
        """Why this cannot be measured here; nothing: it can."""
        if not any(proxy.name == "tollgate" for proxy in self.bench.proxies):
            return "the gateway is not among the proxies"
        if len(cores) < CORES:
            return f"it takes {CORES} cores and there are {len(cores)}"
        free = len(cores) * (1 - busy_share())
        if free < FREE:
            return f"it takes {CORES} free cores and there are {free:.1f}"
        return None

    def compare(self, cores):
        servers = [gateway(self.bench, workers) for workers in (1, 2)]
        pinned = {server.name: cores[:server.workers] for server in servers}
        samples = []
        with stage.Stage(self.bench, self.profile, servers, pinned) as on:
            for number, server in self.bench.interleaved(self.profile, servers):
                load, used, _ = on.under_load(server)
                sample = sample_of(load, used) | {"proxy": server.name, "round": number}
                samples.append(sample)
                self.bench.say_sample(sample, f"{sample['per_second']:,.0f} requests a second")
            configs = on.configs()
        return {"title": self.profile.title, "profile": dataclasses.asdict(self.profile),
                "configs": configs, "samples": samples,
                "summary": [summary(samples, server.name) for server in servers]}

    @staticmethod
    def section(profile, part):
        heads = ["gateway", "requests/s", "cores used", "of one worker", "rounds"]
        rows = [[each["proxy"], figures.number(each["per_second"], "{:,.0f}"),
                 figures.number(each["busy"], "{:.2f}"), figures.interval(each["ratio"]),
                 figures.rounds(each)] for each in part["summary"]]
        notes = figures.void_notes(part["samples"]) + figures.noise_note(part["samples"])
        return [figures.table(heads, rows), *(["", *notes] if notes else [])]


def gateway(bench, workers):
    found = proxies.Tollgate(bench.args.build)
    found.name = name_of(workers)
    found.workers = workers
    return found


def name_of(workers):
    return f"tollgate-{workers}"


def busy_share(seconds=1.0):
    """Of the whole machine, while we do nothing."""
    total, busy, _ = measure.machine_ticks()
    time.sleep(seconds)
    total_later, busy_later, _ = measure.machine_ticks()
    return (busy_later - busy) / max(1, total_later - total)


def sample_of(load, used):
    void = stage.faults(load, used, load["requests"])
    if used["helpers_busy"] > LIMIT:
        void.append(f"load generator or mock provider was the limit ({used['helpers_busy']:.0%} "
                    "of its core)")
    return {"void": void, "per_second": load["requests"] / max(load["window_s"], 1e-9),
            "busy": used["busy"], "helpers_busy": used["helpers_busy"],
            "others_busy": used["others_busy"], "load": load}


def summary(samples, name):
    good = figures.valid(samples, name).values()
    return figures.counts(samples, name) | {
        "per_second": figures.middle(s["per_second"] for s in good),
        "busy": figures.middle(s["busy"] for s in good),
        "ratio": figures.with_interval(figures.paired_ratios(
            samples, name, base=name_of(1), figure="per_second"))}
