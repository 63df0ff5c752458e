"""Reserve and settle apart from the gateway: how many a second, in the process and over one Redis,
and what a pair costs both sides."""

import contextlib
import dataclasses
import json
import os
import subprocess

import figures
import measure
import proxies
import stage

FIGURES = ("per_second", "cpu_us", "redis_us", "p50_us", "p99_us")


@dataclasses.dataclass(frozen=True)
class Way:
    """How the pairs are made; `words` are bench_store_rate's."""

    name: str
    redis: bool
    words: tuple = ()


IN_PROCESS = ("--at-once", 1)
WAYS = (
    Way("in process, 1 thread", False, IN_PROCESS),
    Way("in process, 2 threads, one tenant", False, (*IN_PROCESS, "--threads", 2)),
    Way("in process, 2 threads, a tenant each", False, (*IN_PROCESS, "--threads", 2, "--apart")),
    Way("in process, 4 threads, one tenant", False, (*IN_PROCESS, "--threads", 4)),
    Way("Redis, one at a time", True, ("--at-once", 1)),
    Way("Redis, 64 at once", True, ("--at-once", 64)),
    Way("Redis, 512 at once", True, ("--at-once", 512)),
    Way("Redis, 2 workers, 64 at once each", True, ("--at-once", 64, "--threads", 2)),
)


class StoreRate:
    """Every way in every round, in an order of its own."""

    def __init__(self, bench, profile):
        self.bench = bench
        self.profile = profile

    def run(self):
        if not (self.bench.args.build / "bench_store_rate").exists():
            return self.bench.skipped(self.profile, "bench_store_rate is not built")
        ways = [way for way in WAYS if not way.redis or proxies.find_program("redis-server")]
        if len(ways) < len(WAYS):
            self.bench.note("store-rate is measured without Redis: redis-server is not installed")
        samples = []
        with contextlib.ExitStack() as running:
            redis = self.start_redis(running) if len(ways) == len(WAYS) else None
            for number, way in self.bench.interleaved(self.profile, ways):
                sample = self.sample(way, redis) | {"proxy": way.name, "round": number}
                samples.append(sample)
                self.bench.say_sample(sample, f"{sample['per_second']:,.0f} pairs a second, "
                                              f"{sample['cpu_us']:.2f} us of ours each")
        return {"title": self.profile.what, "profile": dataclasses.asdict(self.profile),
                "configs": {}, "samples": samples,
                "summary": [summary(samples, way.name) for way in ways]}

    def start_redis(self, running):
        directory = self.bench.args.out / self.profile.name
        directory.mkdir(parents=True, exist_ok=True)
        return running.enter_context(proxies.Redis(directory, self.bench.pins.upstream))

    def sample(self, way, redis):
        args = self.bench.args
        words = [args.build / "bench_store_rate", "--warmup", args.warmup, "--seconds",
                 args.seconds, *way.words, *(["--redis", redis.port] if way.redis else [])]
        before, busy_before = measure.machine_ticks(), self.busy(redis)
        ran = subprocess.run(proxies.pinned(words, self.cores(way)), capture_output=True,
                             text=True)
        after, busy_after = measure.machine_ticks(), self.busy(redis)
        if not ran.stdout.startswith("{"):
            raise SystemExit(f"bench: bench_store_rate failed: {ran.stderr}")
        sample = json.loads(ran.stdout)
        total = max(1, after[0] - before[0])
        sample["stolen"] = (after[2] - before[2]) / total
        sample["others_busy"] = max(0.0, after[1] - before[1] - (busy_after - busy_before)) / total
        sample["void"] = faults(sample, ran.returncode)
        if not way.redis:
            sample["redis_us"] = None
        return sample

    def cores(self, way):
        """Where Redis has a core of its own it is left to it."""
        pins = self.bench.pins
        if not way.redis or not pins.proxy:
            return []
        if "--threads" not in way.words:
            return pins.proxy
        return sorted(os.sched_getaffinity(0) - set(pins.upstream))

    @staticmethod
    def busy(redis):
        """Ticks of our own that have passed: of children that have ended, and of Redis."""
        ours = sum(measure.cpu_us([redis.pid])) if redis else 0
        return (ours + measure.children_us()) * measure.TICKS / 1e6

    @staticmethod
    def section(_, part):
        return tables(part)


def faults(sample, code):
    found = [f"{sample['refused']} were refused"] if sample["refused"] else []
    if sample["stolen"] > stage.STOLEN_MAX:
        found.append(f"{sample['stolen']:.1%} of the CPU was stolen")
    return found or (["nothing was measured"] if code else [])


def summary(samples, name):
    good = figures.valid(samples, name).values()
    return figures.counts(samples, name) | {
        key: figures.with_interval([s[key] for s in good if s[key] is not None])
        for key in FIGURES}


def tables(part):
    rows = [[each["proxy"], figures.interval(each["per_second"], "{:,.0f}"),
             figures.interval(each["cpu_us"]), figures.interval(each["redis_us"]),
             figures.interval(each["p50_us"], "{:,.1f}"),
             figures.interval(each["p99_us"], "{:,.1f}"), figures.rounds(each)]
            for each in part["summary"]]
    notes = figures.void_notes(part["samples"]) + figures.noise_note(part["samples"])
    return [figures.table(["store", "pairs/s", "our CPU us/pair", "redis-server's", "p50 us",
                           "p99 us", "rounds"], rows), *(["", *notes] if notes else [])]
