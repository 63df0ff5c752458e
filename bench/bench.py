#!/usr/bin/env python3
"""The benchmark: the gateway beside nginx and HAProxy, in the same run, on the same load.

Each profile names its kind of measurement (KINDS); a kind starts the mock provider and the proxies
and measures them in interleaved rounds of random order. Results go to build/bench/report.md,
report.json and report.svg; `./dev bench` builds what is needed and calls this."""

import argparse
import dataclasses
import json
import os
import pathlib
import random
import resource
import subprocess
import sys

import books
import certificates
import cost
import idle
import latency
import measure
import peer
import picture
import profiles
import proxies
import report
import store_rate
import syscalls
import verdict
import workers

ROOT = pathlib.Path(__file__).resolve().parents[1]
KINDS = {"cost": cost.Cost, "latency": latency.Latency, "idle": idle.Idle,
         "workers": workers.Workers, "syscalls": syscalls.Syscalls,
         "books": books.Books, "store-rate": store_rate.StoreRate}


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    names = [profile.name for profile in profiles.ALL]
    parser.add_argument("--quick", action="store_true", help="short rounds, small loads: a trial")
    parser.add_argument("--seconds", type=float, help="of a measured window (5; quick: 0.6)")
    parser.add_argument("--rounds", type=int, help="per profile (7; quick: 2; fewer for memory)")
    parser.add_argument("--profile", action="append", choices=names, help="all by default")
    parser.add_argument("--proxy", action="append", choices=[each.name for each in proxies.ALL],
                        help="all by default")
    parser.add_argument("--peer", action="append", default=[], choices=peer.names(),
                        help="another gateway that joins; may be repeated; none by default")
    parser.add_argument("--connections", type=int,
                        help="in place of each profile's own, for peers that carry less")
    parser.add_argument("--seed", type=int, default=None, help="of the order of the rounds")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench")
    args = parser.parse_args()
    args.seconds = args.seconds or (0.6 if args.quick else 5)
    args.warmup = 0.3 if args.quick else 1.5
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
        self.made = None  # certificates
        self.order = random.Random(args.seed)
        self.proxies = self.find_proxies()
        if args.connections:
            self.note(f"{args.connections} connections in place of each profile's own: the verdict "
                      "is on another load than the one it is for")

    def note(self, text):
        say(f"bench: {text}")
        self.notes.append(text)

    def find_proxies(self):
        found = []
        for kind in proxies.ALL:
            proxy = kind(self.args.build)
            wanted = kind.name in self.args.proxy if self.args.proxy else not kind.asked_for
            if not wanted:
                continue
            if proxy.present():
                found.append(proxy)
            elif kind is proxies.Tollgate:
                raise SystemExit(f"bench: {proxy.binary()} is not built; ./dev bench builds it")
            else:
                self.note(f"{kind.name.upper()} IS NOT INSTALLED AND LEFT OUT "
                          f"(apt-get install {kind.name})")
        return found + self.find_peers()

    def find_peers(self):
        """Those that were asked for: one that is not installed ends the run."""
        found = [peer.Peer(self.args.build, name) for name in dict.fromkeys(self.args.peer)]
        for each in found:
            if not each.present():
                raise SystemExit(f"bench: {each.name} {each.version()} is not installed; "
                                 f"./dev peer {each.name} installs it")
        return found

    def run(self):
        chosen = [self.adapt(p) for p in profiles.ALL
                  if not self.args.profile or p.name in self.args.profile]
        self.args.out.mkdir(parents=True, exist_ok=True)
        kinds = {profile.name: self.kind(profile) for profile in chosen}
        parts = {}
        for name, kind in kinds.items():
            say(f"bench: {kind.profile.title} ({name})")
            why = self.why_not(kind.profile)
            parts[name] = self.skipped(kind.profile, why) if why else kind.run()
        result = self.result(parts)
        self.write(result, {name: self.section(kind, parts[name]) for name, kind in kinds.items()})
        return 0 if all(has_figures(part) for part in parts.values()) else 1

    def kind(self, profile):
        return KINDS[profile.measure](self, profile)

    @staticmethod
    def why_not(profile):
        """What this machine lacks for a profile; nothing: it lacks nothing."""
        if (profile.upstream_tls or profile.client_tls) and not certificates.possible():
            return "the openssl program, which makes certificates, is not installed"
        if profile.cache == "redis" and not proxies.find_program("redis-server"):
            return "redis-server is not installed"
        return None

    def adapt(self, profile):
        changes = dict(profile.quick) if self.args.quick else {}
        if self.args.connections:
            changes["connections"] = self.args.connections
        return dataclasses.replace(profile, **changes)

    @staticmethod
    def section(kind, part):
        if "skipped" in part:
            return [f"Not measured: {part['skipped']}."]
        return kind.section(kind.profile, part)

    def result(self, parts):
        commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT,
                                capture_output=True, text=True).stdout.strip()
        result = {
            "machine": measure.machine(), "commit": commit or "unknown",
            "versions": {proxy.name: proxy.version() for proxy in self.proxies},
            "pinning": self.pins.text, "seed": self.args.seed,
            "seconds": self.args.seconds, "warmup": self.args.warmup, "quick": self.args.quick,
            "notes": self.notes, "profiles": parts,
        }
        return {"verdicts": verdict.verdicts(result)} | result

    def write(self, result, sections):
        drawn = picture.draw(result)
        text = report.markdown(result, sections, "report.svg" if drawn else None)
        (self.args.out / "report.json").write_text(json.dumps(result, indent=1) + "\n")
        (self.args.out / "report.md").write_text(text)
        if drawn:
            (self.args.out / "report.svg").write_text(drawn)
        print(text)
        say(f"bench: written to {self.args.out}: report.md, report.json"
            f"{', report.svg' if drawn else ''}")

    # --- what kinds of measurement ask for ---

    def say(self, text):
        say(f"bench: {text}")

    def say_sample(self, sample, figures):
        state = "VOID: " + "; ".join(sample["void"]) if sample["void"] else figures
        say(f"bench:   round {sample['round']}, {sample['proxy']}: {state}")

    def rounds(self, profile):
        return self.args.rounds or profile.rounds or (2 if self.args.quick else 7)

    def interleaved(self, profile, servers):
        """(number of the round, server): all of them in every round, in an order of its own."""
        for number in range(1, self.rounds(profile) + 1):
            for server in self.order.sample(servers, len(servers)):
                yield number, server

    def servers_for(self, profile):
        """The proxies that can be measured in this profile; the others are said aloud."""
        able = []
        for proxy in self.proxies:
            if (profile.upstream_tls or profile.client_tls) and not proxy.speaks_tls:
                self.note(f"{proxy.name} is left out of {profile.name}: it is not set up for TLS")
            elif not proxy.carries(profile):
                self.note(f"{proxy.name} is left out of {profile.name}: its entry has no model "
                          f"{profile.model}")
            else:
                able.append(proxy)
        return able

    def skipped(self, profile, why):
        self.note(f"{profile.name} IS NOT MEASURED: {why}")
        return {"title": profile.what, "profile": dataclasses.asdict(profile), "configs": {},
                "summary": [], "samples": [], "skipped": why}

    def certificates(self):
        """Made once in a run, when first asked for."""
        if self.made is None:
            self.made = certificates.make(self.args.out / "certificates")
        return self.made


def has_figures(part):
    """At least one valid round of every proxy."""
    return all(each["void"] < each["rounds"] for each in part["summary"])


def raise_descriptor_limit():
    """Takes as many descriptors as the system allows; what is started here inherits them."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main():
    raise_descriptor_limit()
    return Bench(parse()).run()


if __name__ == "__main__":
    sys.exit(main())
