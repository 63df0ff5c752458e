#!/usr/bin/env python3
"""The benchmark: the gateway beside nginx and HAProxy, in the same run, on the same load.

Each profile starts the mock provider and every proxy, then measures them in interleaved rounds of
random order. A round with an error, or with stolen CPU, is void and said so. Results go to
build/bench/report.md and report.json; `./dev bench` builds what is needed and calls this."""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import random
import subprocess
import sys

import measure
import profiles
import proxies
import report

ROOT = pathlib.Path(__file__).resolve().parents[1]
STOLEN_MAX = 0.01


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    names = [profile.name for profile in profiles.ALL]
    parser.add_argument("--quick", action="store_true", help="short rounds, small loads: a trial")
    parser.add_argument("--seconds", type=float, help="of a measured window (5; quick: 1)")
    parser.add_argument("--rounds", type=int, help="per profile (7; quick: 3)")
    parser.add_argument("--profile", action="append", choices=names, help="all by default")
    parser.add_argument("--proxy", action="append", choices=[each.name for each in proxies.ALL],
                        help="all by default")
    parser.add_argument("--seed", type=int, default=None, help="of the order of the rounds")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench")
    args = parser.parse_args()
    args.seconds = args.seconds or (1 if args.quick else 5)
    args.rounds = args.rounds or (3 if args.quick else 7)
    args.warmup = 0.5 if args.quick else 1.5
    args.seed = random.randrange(2**32) if args.seed is None else args.seed
    args.build, args.out = args.build.resolve(), args.out.resolve()
    return args


@dataclasses.dataclass
class Pins:
    """Which core each side is held to; nothing where there is one core only."""

    proxy: list
    load: list
    upstream: list
    text: str


def pins():
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return Pins([], [], [], "one core only: nothing is pinned")
    load, upstream = cores[0], cores[1] if len(cores) > 2 else cores[0]
    text = f"proxies on core {cores[-1]}, load on {load}, mock provider on {upstream}"
    return Pins([cores[-1]], [load], [upstream], text)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """One run over all chosen profiles."""

    def __init__(self, args):
        self.args = args
        self.pins = pins()
        self.notes = []
        self.order = random.Random(args.seed)
        self.proxies = self.find_proxies()

    def note(self, text):
        say(f"bench: {text}")
        self.notes.append(text)

    def find_proxies(self):
        found = []
        for kind in proxies.ALL:
            proxy = kind(self.args.build)
            if self.args.proxy and kind.name not in self.args.proxy:
                continue
            if proxy.present():
                found.append(proxy)
            elif kind is proxies.Tollgate:
                raise SystemExit(f"bench: {proxy.binary()} is not built; ./dev bench builds it")
            else:
                self.note(f"{kind.name.upper()} IS NOT INSTALLED AND LEFT OUT "
                          f"(apt-get install {kind.name})")
        return found

    def run(self):
        chosen = [self.adapt(p) for p in profiles.ALL
                  if not self.args.profile or p.name in self.args.profile]
        self.args.out.mkdir(parents=True, exist_ok=True)
        parts = {profile.name: self.run_profile(profile) for profile in chosen}
        result = self.result(parts)
        text = report.markdown(result, chosen)
        (self.args.out / "report.json").write_text(json.dumps(result, indent=1) + "\n")
        (self.args.out / "report.md").write_text(text)
        print(text)
        say(f"bench: written to {self.args.out}/report.md and report.json")
        return 0 if all(self.has_figures(part) for part in parts.values()) else 1

    def adapt(self, profile):
        return dataclasses.replace(profile, **profile.quick) if self.args.quick else profile

    def has_figures(self, part):
        """At least one valid round of every proxy."""
        return all(each["void"] < each["rounds"] for each in part["summary"])

    def result(self, parts):
        commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT,
                                capture_output=True, text=True).stdout.strip()
        return {
            "machine": measure.machine(), "commit": commit or "unknown",
            "versions": {proxy.name: proxy.version() for proxy in self.proxies},
            "pinning": self.pins.text, "seed": self.args.seed, "rounds": self.args.rounds,
            "seconds": self.args.seconds, "warmup": self.args.warmup, "quick": self.args.quick,
            "notes": self.notes, "profiles": parts,
        }

    def run_profile(self, profile):
        say(f"bench: {profile.title}")
        directory = self.args.out / profile.name
        directory.mkdir(parents=True, exist_ok=True)
        samples = []
        with contextlib.ExitStack() as stack:
            upstream = stack.enter_context(proxies.Upstream(
                self.args.build, directory, profile.upstream_arguments(), self.pins.upstream))
            for proxy in self.proxies:
                stack.callback(proxy.stop)
                proxy.start(directory, upstream.port, self.pins.proxy)
            for number in range(1, self.args.rounds + 1):
                for proxy in self.order.sample(self.proxies, len(self.proxies)):
                    samples.append(self.measure(profile, proxy, upstream, number))
            configs = {proxy.name: proxy.config for proxy in self.proxies}
        for proxy in self.proxies:  # access logs of a long run fill disks
            (directory / f"{proxy.name}-access.log").unlink(missing_ok=True)
        (directory / "haproxy.out").unlink(missing_ok=True)
        return {"title": profile.title, "profile": dataclasses.asdict(profile), "configs": configs,
                "summary": [report.summary(samples, proxy.name) for proxy in self.proxies],
                "samples": samples}

    def measure(self, profile, proxy, upstream, number):
        """One proxy under load in one round."""
        model = profile.model if proxy.name == "tollgate" else "bench"
        command = proxies.pinned([
            self.args.build / "bench_load", "--port", proxy.port, "--key", proxies.KEY, "--model",
            model, "--warmup", self.args.warmup + profile.ramp(), "--seconds", self.args.seconds,
            *profile.load_arguments()], self.pins.load)
        load = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        looks, pss, last = [], None, ""
        for line in load.stdout:
            if line.startswith(("measuring", "measured")):
                looks.append(measure.Snapshot(proxy.process.pid, [load.pid, upstream.pid]))
                pss = measure.pss_bytes(proxy.process.pid)
            last = line
        if load.wait() != 0 or len(looks) != 2:
            raise SystemExit(f"bench: the load generator failed: {command}")
        sample = sample_of(profile, json.loads(last), looks[1].since(looks[0]), pss)
        sample |= {"proxy": proxy.name, "round": number}
        state = "VOID: " + "; ".join(sample["void"]) if sample["void"] else \
            f"{sample['cpu_us']:.1f} us of CPU per {profile.unit}"
        say(f"bench:   round {number}, {proxy.name}: {state}")
        return sample


def sample_of(profile, load, used, pss):
    """One round's figures, and why it is void, if it is."""
    streams = load["streams"]
    units = streams["frames"] if profile.stream else load["requests"]
    times = streams["delay_us"] if profile.stream else load["latency_us"]
    each = max(units, 1)
    return {
        "void": faults(load, used, units),
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


def faults(load, used, units):
    found = [f"{count} x {what}" for what, count in load["errors"].items()]
    found += [f"{load['streams'][what]} frames {what}" for what in ("lost", "reordered", "merged")
              if load["streams"][what]]
    if load["unfinished"]:
        found.append(f"{load['unfinished']} requests without a reply")
    if units == 0:
        found.append("nothing was measured")
    if used["stolen"] > STOLEN_MAX:
        found.append(f"{used['stolen']:.1%} of the CPU was stolen")
    return found


if __name__ == "__main__":
    sys.exit(Bench(parse()).run())
