"""System calls per request or event: strace counts those of a proxy under two loads of different
length, and the difference is what one more costs; connections and idle time fall out.

strace slows a proxy down several times over: this is a run of its own and says nothing of time."""

import collections
import dataclasses
import re
import shutil
import signal
import subprocess
import time

import figures
import measure
import stage

ATTACH_SECONDS = 10
LOAD_SECONDS = 120
SETTLE_SECONDS = 0.2  # access logs are written after the last reply
LISTED_FROM = 0.005   # calls per unit
TOGETHER_NOTED = 0.01
ROW = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:(\d+)\s+)?([a-z_]\w*)$")


@dataclasses.dataclass(frozen=True)
class Load:
    """One table of the report; `few` and `many` are the requests of its two counts."""

    title: str
    changes: dict  # of the profile
    few: int
    many: int
    many_quick: int


LOADS = (
    Load("relay, 1 connection", {"connections": 1}, 50, 1050, 250),
    Load("relay, 64 connections", {"connections": 64}, 128, 3328, 768),
    Load("SSE, 10 streams of 50 events a second, per event",
         {"connections": 10, "stream": True, "events": 100, "interval_ms": 20}, 10, 30, 20),
)


class NotPermitted(Exception):
    """strace may not look at other processes here."""


class Strace:
    """Counts the system calls of a process tree while it is entered."""

    def __init__(self, pid, out):
        self.out = out
        named = [word for each in measure.tree(pid) for word in ("-p", str(each))]
        self.said = out.with_suffix(".log")
        with open(self.said, "w") as said:
            self.process = subprocess.Popen(["strace", "-f", "-c", "-o", str(out), *named],
                                            stderr=said, stdin=subprocess.DEVNULL)
        self.expected = len(named) // 2

    def __enter__(self):
        deadline = time.monotonic() + ATTACH_SECONDS
        while self.said.read_text().count("attached") < self.expected:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                raise NotPermitted(self.said.read_text().strip() or "strace does not attach")
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        time.sleep(SETTLE_SECONDS)
        self.end()

    def end(self):
        """strace writes its table when it is interrupted, and lets go of the process."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


def parse(text):
    """Two counters by name, of the table that strace -c writes: calls, and how many failed."""
    calls, failed = collections.Counter(), collections.Counter()
    for row in map(ROW.match, text.splitlines()):
        if row and row[3] != "total":
            calls[row[3]], failed[row[3]] = int(row[1]), int(row[2] or 0)
    return calls, failed


class Syscalls:
    """All proxies under each load, one after another."""

    def __init__(self, bench, profile):
        self.bench = bench
        self.profile = profile

    def run(self):
        if not shutil.which("strace"):
            return self.bench.skipped(self.profile, "strace is not installed "
                                                    "(apt-get install strace)")
        servers, samples = self.bench.servers_for(self.profile), []
        try:
            for load in LOADS:
                samples += self.measure(load, servers)
        except NotPermitted as error:
            return self.bench.skipped(self.profile, f"strace may not attach: {error}")
        return {"title": self.profile.what, "profile": dataclasses.asdict(self.profile),
                "configs": self.configs, "samples": samples,
                "summary": [figures.counts(samples, proxy.name) for proxy in servers]}

    def measure(self, load, servers):
        profile, samples = dataclasses.replace(self.profile, **load.changes), []
        with stage.Stage(self.bench, profile, servers) as on:
            for proxy in self.bench.order.sample(servers, len(servers)):
                sample = self.sample(on, profile, load, proxy)
                samples.append(sample)
                self.bench.say_sample(sample, f"{sum(sample['calls'].values()):.2f} system calls, "
                                              f"{load.title}")
            self.configs = on.configs()
        return sorted(samples, key=lambda s: [each.name for each in servers].index(s["proxy"]))

    def sample(self, on, profile, load, proxy):
        """One proxy under one load: calls per unit, by name."""
        requests_many = load.many_quick if self.bench.args.quick else load.many
        run_load(on, profile, proxy, load.few)  # opens what stays open
        counts, faults, streams = [], [], {}
        for requests in (load.few, requests_many):
            with Strace(proxy.process.pid, on.directory / f"{proxy.name}.strace") as strace:
                said = run_load(on, profile, proxy, requests)
            faults += stage.faults_of_load(said)
            streams = said["streams"]
            counts.append(parse(strace.out.read_text()))
        units = (requests_many - load.few) * (profile.events if profile.stream else 1)
        (few, few_failed), (many, many_failed) = counts
        return {"proxy": proxy.name, "round": 1, "load": load.title, "units": units,
                "void": faults, "calls": per_unit(few, many, units),
                "failed": per_unit(few_failed, many_failed, units),
                "together": streams["together"] / max(1, streams["frames"])}

    @staticmethod
    def section(_profile, part):
        lines = ["Calls for one more request or event; in parentheses how many of them failed "
                 "(most with EAGAIN: there was nothing yet).", ""]
        for load in LOADS:
            good = [s for s in part["samples"] if s["load"] == load.title and not s["void"]]
            notes = together_notes(good)
            lines += [f"### {load.title}", "", table(good), "", *([*notes, ""] if notes else [])]
        return lines + figures.void_notes(part["samples"])


def run_load(on, profile, proxy, requests):
    arguments = [*profile.load_arguments(), "--requests", requests, "--seconds", LOAD_SECONDS]
    return on.load(proxy.port, arguments, proxy.request_for(profile))


def per_unit(few, many, units):
    """What each of `units` more requests or events called."""
    return {name: (many[name] - few[name]) / units for name in sorted(few.keys() | many.keys())}


def cell(sample, name):
    calls, failed = sample["calls"].get(name, 0), sample["failed"].get(name, 0)
    return f"{calls:.2f}" + (f" ({failed:.2f})" if failed >= LISTED_FROM else "")


def together_notes(samples):
    """Who had several events in one read: fewer calls than where each event comes alone."""
    return [f"- {s['proxy']} passed on {s['together']:.0%} of the events together with others"
            for s in samples if s["together"] > TOGETHER_NOTED]


def table(samples):
    """System calls by row, proxies by column; those that are rare by every proxy are left out."""
    names = sorted({name for s in samples for name, calls in s["calls"].items()
                    if calls >= LISTED_FROM},
                   key=lambda name: -max(s["calls"].get(name, 0) for s in samples))
    rows = [[name, *(cell(s, name) for s in samples)] for name in names]
    rows.append(["**all**", *(f"**{sum(s['calls'].values()):.2f}**" for s in samples)])
    return figures.table(["system call", *(s["proxy"] for s in samples)], rows)
