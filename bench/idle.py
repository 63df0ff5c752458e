"""Memory of silent streams: PSS before, with thousands of them open, and some time after their end.

Each round starts the proxies anew: what an earlier round left behind would be in its start."""

import dataclasses
import time

import figures
import measure
import proxies
import stage

WARM_CONNECTIONS = 64
WINDOW_S = 1      # all streams are open and silent
PATIENCE_S = 60   # until they are
CLOSED_S = 0.5    # until a proxy has closed what its clients have closed
PORTS = "/proc/sys/net/ipv4/ip_local_port_range"


class Idle:
    """All proxies are started; one after the other opens, holds and closes its streams, then rests
    while the next has its turn."""

    def __init__(self, bench, profile):
        self.bench = bench
        most, why = streams_max()
        if profile.connections > most:
            bench.note(f"{profile.name}: {most:,} STREAMS, NOT {profile.connections:,}: {why}")
            profile = dataclasses.replace(profile, connections=most)
        self.profile = profile

    def run(self):
        samples, servers = [], self.bench.servers_for(self.profile)
        for number in range(1, self.bench.rounds(self.profile) + 1):
            with stage.Stage(self.bench, self.profile, servers) as on:
                samples += self.round(on, number)
                configs = on.configs()
        return {"title": self.profile.title, "profile": dataclasses.asdict(self.profile),
                "configs": configs, "samples": samples,
                "summary": [summary(samples, proxy.name) for proxy in servers]}

    def round(self, on, number):
        begun = []
        for proxy in self.bench.order.sample(on.proxies, len(on.proxies)):
            sample = self.hold(on, proxy) | {"proxy": proxy.name, "round": number}
            begun.append((proxy, sample, time.monotonic()))
        for proxy, sample, closed in begun:
            stage.wait_until(closed + self.profile.rest_s)
            sample["after_bytes"] = measure.pss_bytes(proxy.process.pid)
            judge(sample)
            self.bench.say_sample(sample, f"{sample['stream_bytes'] / 1024:.1f} KB per stream, "
                                          f"{sample['return_ratio']:.2f} of the start afterwards")
        return [sample for _, sample, _ in begun]

    def hold(self, on, proxy):
        """Opens the streams, looks at the memory, and closes them."""
        self.warm(on, proxy)
        before = measure.pss_bytes(proxy.process.pid)
        load, _, held = on.under_load(proxy, [
            "--hold", "--warmup", self.profile.ramp() + PATIENCE_S, "--seconds", WINDOW_S,
            *self.profile.load_arguments()])
        return {"before_bytes": before, "held_bytes": held, "streams": load["open_streams"],
                "void": faults(self.profile, load), "load": load}

    def warm(self, on, proxy):
        """What is set up once is there before the first look: whole replies, then a few streams."""
        few = dataclasses.replace(self.profile, connections=WARM_CONNECTIONS, ramp_s=0.1)
        for part in (dataclasses.replace(few, stream=False), few):
            arguments = ["--warmup", 0.2, "--seconds", 0.5, *part.load_arguments()]
            on.load(proxy.port, arguments, proxy.request_for(self.profile))
            time.sleep(CLOSED_S)

    @staticmethod
    def section(profile, part):
        return section(part)


def streams_max():
    """How many streams this system lets one proxy hold, and what says so: a proxy has two
    descriptors of each, and every connection to one port has a port of its own."""
    descriptors = proxies.connections_max() - 100
    low, high = map(int, open(PORTS, encoding="ascii").read().split())
    ports = (high - low) // 4  # several proxies call the one provider; closed ones linger
    if descriptors < ports:
        return descriptors, "the hard limit of descriptors (ulimit -Hn) allows no more"
    return ports, f"{PORTS} allows no more"


def faults(profile, load):
    """Stolen CPU does no harm here."""
    found = stage.faults_of_load(load)
    if load["open_streams"] != profile.connections:
        found.append(f"{load['open_streams']:,} of {profile.connections:,} streams were open")
    return found


def judge(sample):
    """From bytes to figures."""
    start, held, after = (sample[f"{when}_bytes"] for when in ("before", "held", "after"))
    if None in (start, held, after):
        sample["void"].append("the kernel tells no PSS")
        start = held = after = 1
    sample["stream_bytes"] = (held - start) / max(1, sample["streams"])
    sample["return_ratio"] = after / start


def summary(samples, name):
    good = list(figures.valid(samples, name).values())
    found = figures.counts(samples, name)
    for figure in ("before_bytes", "held_bytes", "after_bytes"):
        found[figure] = figures.middle(s[figure] for s in good)
    for figure in ("stream_bytes", "return_ratio"):
        found[figure] = figures.with_interval([s[figure] for s in good])
    return found


def section(part):
    rest = part["profile"]["rest_s"]
    heads = ["proxy", "PSS MiB", "with the streams", "KB per stream", f"{rest:g} s after",
             "of the start", "rounds"]
    notes = figures.void_notes(part["samples"])
    return [figures.table(heads, [row(each) for each in part["summary"]]),
            *(["", *notes] if notes else [])]


def row(found):
    def mib(figure):
        return figures.number(found[figure] and found[figure] / 2**20)

    kilobytes = {"median": found["stream_bytes"]["median"], "interval": None}
    for key in ("median", "interval"):
        value = found["stream_bytes"][key]
        kilobytes[key] = value and (value / 1024 if key == "median" else
                                    [edge / 1024 for edge in value])
    return [found["proxy"], mib("before_bytes"), mib("held_bytes"),
            figures.interval(kilobytes, "{:.1f}"), mib("after_bytes"),
            figures.interval(found["return_ratio"]), figures.rounds(found)]
