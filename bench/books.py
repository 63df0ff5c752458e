"""What limits, budgets and the ledger cost: the same gateway without and with each of them, under
the same load, in interleaved rounds. What a call leaves to be done behind it counts too: a round's
CPU is read when every row is in the database."""

import contextlib
import dataclasses
import time
import urllib.request

import figures
import measure
import proxies
import stage

DRAIN_SECONDS = 60  # for the rows of one round


class Bare(proxies.Bare):
    """Neither limits, budgets and prices nor books."""

    name = "bare"
    booked = False

    def binary(self):
        return self.build / ("tollgate" if self.booked else "bench_unbooked")


class Limits(Bare):
    name = "limits"
    price, limits = proxies.Tollgate.price, proxies.Tollgate.limits


class Ledger(Limits):
    name = "ledger"
    booked = True


class Redis(Limits):
    name = "redis"


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing that is added: `proxy` has it, `base` has not."""

    what: str
    proxy: str
    base: str


STEPS = (
    Step("limits and budgets in the process", Limits.name, Bare.name),
    Step("the ledger in SQLite, every row stored", Ledger.name, Limits.name),
    Step("limits and budgets in Redis", Redis.name, Bare.name),
)


class Books:
    """Variants of the gateway, all running throughout."""

    def __init__(self, bench, profile):
        self.bench = bench
        self.profile = profile

    def run(self):
        build, kinds = self.bench.args.build, [Bare, Limits, Ledger]
        if not (build / "bench_unbooked").exists():
            return self.bench.skipped(self.profile, "bench_unbooked is not built")
        if proxies.find_program("redis-server"):
            kinds.append(Redis)
        else:
            self.bench.note("books is measured without Redis: redis-server is not installed")
        return self.compare([kind(build) for kind in kinds])

    def compare(self, servers):
        samples = []
        with contextlib.ExitStack() as running:
            redis = self.start_redis(running, servers)
            on = running.enter_context(stage.Stage(self.bench, self.profile, servers))
            for number, server in self.bench.interleaved(self.profile, servers):
                sample = self.sample(on, server, redis)
                samples.append(sample | {"proxy": server.name, "round": number})
                self.bench.say_sample(samples[-1], f"{sample['cpu_us']:.1f} us of CPU per request")
            configs = on.configs()
        return {"title": self.profile.title, "profile": dataclasses.asdict(self.profile),
                "configs": configs, "samples": samples,
                "summary": [summary(samples, server.name) for server in servers]}

    def start_redis(self, running, servers):
        """One that the server over Redis is told of; nothing where there is none."""
        over = [server for server in servers if server.name == Redis.name]
        if not over:
            return None
        directory = self.bench.args.out / self.profile.name
        directory.mkdir(parents=True, exist_ok=True)
        redis = running.enter_context(proxies.Redis(directory, self.bench.pins.upstream))
        over[0].store = (f'store: {{redis: {{url: "redis://127.0.0.1:{redis.port}/0", '
                         "persistent: true, connect: 5s, command: 5s}}\n")
        return redis

    def sample(self, on, server, redis):
        """As many requests as take the window's time, and all that they leave behind."""
        args, looks = self.bench.args, []
        warm = on.load(server.port, ["--warmup", args.warmup, "--seconds",
                                     max(0.3, args.seconds / 5), *self.profile.load_arguments()])
        settled, rows = self.drained(server, None)
        count = max(2000, int(args.seconds * warm["requests"] / warm["window_s"]))

        def look(load):
            looks.append(Look(server, [load.pid, on.upstream.pid], redis))

        load = on.load(server.port, ["--requests", count, "--seconds", 20 * args.seconds + 60,
                                     *self.profile.load_arguments()], look=look)
        began = time.monotonic()
        drained, rows_after = self.drained(server, rows + count)
        drain_s = time.monotonic() - began
        after, during = Look(server, [], redis), looks[1].gateway.since(looks[0].gateway)
        sample = sample_of(load, during, after.since(looks[0]))
        if server.booked:
            sample |= {"rows": rows_after - rows, "drain_s": drain_s}
            if not (settled and drained) or rows_after - rows != count:
                sample["void"].append(f"{rows_after - rows} rows were stored of {count} requests")
        return sample

    @staticmethod
    def drained(server, rows):
        """Waits until no row waits, and `rows` have been stored. Whether that came about, and how
        many have been."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while server.booked:
            stored, waiting = counted(server)
            if waiting == 0 and (rows is None or stored >= rows):
                return True, stored
            if time.monotonic() > deadline:
                return False, stored
            time.sleep(0.1)
        return True, 0

    @staticmethod
    def section(_, part):
        return tables(part)


class Look:
    """At the gateway and at Redis, at one moment."""

    def __init__(self, server, helpers, redis):
        pids = helpers + ([redis.pid] if redis else [])
        self.gateway = measure.Snapshot(server.process.pid, pids)
        self.redis = measure.Snapshot(redis.pid, []) if redis and server.store else None

    def since(self, before):
        """CPU in microseconds: the gateway's, and that of Redis where it has one."""
        used = self.gateway.since(before.gateway)
        return used | {"redis_us": self.redis and self.redis.since(before.redis)["cpu_us"]}


def counted(server):
    """Rows that its database has, and rows that wait."""
    url = f"http://127.0.0.1:{server.admin_port}/metrics"
    with urllib.request.urlopen(url, timeout=30) as reply:
        lines = reply.read().decode().splitlines()
    values = {name: float(line.rpartition(" ")[2]) for line in lines
              for name in ("tollgate_ledger_rows_total", "tollgate_ledger_queue")
              if line.startswith((name + " ", name + "{"))}
    return int(values["tollgate_ledger_rows_total"]), int(values["tollgate_ledger_queue"])


def sample_of(load, during, used):
    """`during` the load: what makes a round void; `used`: until all was done."""
    each = max(load["requests"], 1)
    return {
        "void": stage.faults(load, during, load["requests"]), "units": load["requests"],
        "per_second": load["requests"] / max(load["window_s"], 1e-9),
        "cpu_us": used["cpu_us"] / each,
        "cpu_user_us": used["cpu_user_us"] / each,
        "cpu_system_us": used["cpu_system_us"] / each,
        "redis_us": None if used["redis_us"] is None else used["redis_us"] / each,
        "others_busy": during["others_busy"], "stolen": during["stolen"], "load": load,
    }


def summary(samples, name):
    good = list(figures.valid(samples, name).values())
    found = figures.counts(samples, name)
    found |= {key: figures.middle(s.get(key) for s in good) for key in
              ("cpu_us", "cpu_user_us", "cpu_system_us", "redis_us", "per_second", "rows",
               "drain_s")}
    step = next((step for step in STEPS if step.proxy == name), None)
    found["added"] = figures.with_interval(
        figures.paired_differences(samples, name, step.base, "cpu_us") if step else [])
    return found


def tables(part):
    number, found = figures.number, {each["proxy"]: each for each in part["summary"]}
    rows = [[each["proxy"], number(each["cpu_us"]), number(each["cpu_user_us"]),
             number(each["cpu_system_us"]), number(each["redis_us"]),
             number(each["per_second"], "{:,.0f}"), number(each["rows"], "{:,.0f}"),
             number(each["drain_s"], "{:.2f}"), figures.rounds(each)] for each in part["summary"]]
    steps = [[step.what, step.base, figures.interval(found[step.proxy]["added"], "{:+.2f}")]
             for step in STEPS if step.proxy in found]
    notes = figures.void_notes(part["samples"]) + figures.noise_note(part["samples"])
    return [figures.table(["gateway", "CPU us/request", "user", "system", "redis-server us",
                           "requests/s", "rows stored", "s behind the last reply", "rounds"], rows),
            "", figures.table(["what is added", "to", "CPU us/request"], steps),
            *(["", *notes] if notes else [])]
