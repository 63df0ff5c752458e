#!/usr/bin/env python3
"""Instructions per request: what the gateway executes in user space, counted by callgrind.

Each profile runs the release build under valgrind with one connection, twice with a different
number of requests; the difference of instructions by the difference of numbers is what one request
(or one streamed event) costs. Start, connections and idle time fall out. The figure does not
depend on the machine's speed or load, so that commits can be compared by it."""

import argparse
import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time

import caches
import callgrind
import instructions_accepted as accepted_file
import measure
import profiles
import proxies

ROOT = pathlib.Path(__file__).resolve().parents[1]
ACCEPTED = ROOT / "bench/instructions.txt"
HOW = "accept these counts with ./dev instructions --accept"
LIMIT_SECONDS = 120  # of one load: it hangs
TRIES = 4  # each with twice the time between two events
RECOUNTS = 2  # of a count that is too high
TOGETHER_MAX = 0.005
SETTLE_SECONDS = 0.3  # after the last reply the access log and the metrics are still written


@dataclasses.dataclass(frozen=True)
class Case:
    """How a profile of the benchmark is counted: requests of the two loads, and for streams the
    time between two events, long enough that each is relayed alone even under valgrind."""

    name: str
    warmup: int
    few: int
    many: int
    interval_ms: float = 0

    def profile(self):
        found = next(each for each in profiles.ALL if each.name == self.name)
        return dataclasses.replace(found, connections=1, interval_ms=self.interval_ms)


CASES = (
    Case("relay", 50, 50, 450),
    Case("relay-100k", 50, 50, 250),
    Case("sse", 1, 1, 5, interval_ms=8),
    Case("translate", 50, 50, 450),
    Case("translate-sse", 1, 1, 5, interval_ms=8),
    Case("cache-hit", 50, 50, 450),
)


def say(text):
    print(text, flush=True)


def compiler(build):
    """Name and major version of the compiler that made `build`."""
    text = next(build.glob("CMakeFiles/*/CMakeCXXCompiler.cmake")).read_text()
    found = [re.search(rf'CMAKE_CXX_COMPILER_{key} "([^"]*)"', text)[1]
             for key in ("ID", "VERSION")]
    return f"{found[0]} {found[1].split('.')[0]}"


def cpu():
    """The architecture, and of its features those by which libraries choose their loops; valgrind
    passes them on, and none beyond AVX2."""
    line = next((line for line in (measure.PROC / "cpuinfo").read_text().splitlines()
                 if line.startswith("flags")), "")
    known = [flag for flag in ("sse4_2", "avx", "avx2", "bmi2") if flag in line.split()]
    return " ".join([platform.machine(), *known])


def machine(build):
    """What an instruction count depends on beside the source."""
    return {"compiler": compiler(build), "libc": os.confstr("CS_GNU_LIBC_VERSION"), "cpu": cpu()}


def load(build, gateway, profile, requests):
    """`requests` requests over one connection, one after another; any error ends the run. Returns
    the share of a stream's events that were not relayed alone."""
    done = subprocess.run(
        [str(word) for word in (
            build / "bench_load", "--port", gateway.port, "--key", proxies.KEY, "--model",
            profile.model, "--connections", 1, "--body-bytes", profile.request_bytes,
            "--requests", requests, "--seconds", LIMIT_SECONDS,
            *(word for line in profile.headers for word in ("--header", line)),
            *(["--stream", "--events", profile.events] if profile.stream else []))],
        capture_output=True, text=True, timeout=LIMIT_SECONDS + 10)
    said = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
    streams = said.get("streams", {})
    faults = [streams.get(what, 0) for what in ("lost", "reordered", "merged")]
    if said.get("requests") != requests or said["errors"] or any(faults):
        raise SystemExit(f"instructions: the load did not go through: {done.stdout}{done.stderr}")
    time.sleep(SETTLE_SECONDS)
    return streams["together"] / max(1, streams["frames"])


def count(case, build, out):
    """Runs one profile; returns what its phases of few and of many executed.

    Where the machine is so busy that the gateway falls behind, it relays several events at once
    and looks cheaper than it is: then once more, slower."""
    for _ in range(TRIES):
        dumps, together = run(case, build, out)
        if together <= TOGETHER_MAX:
            return dumps
        case = dataclasses.replace(case, interval_ms=2 * case.interval_ms)
    raise SystemExit(f"instructions: {case.name}: {together:.1%} of the events were relayed "
                     "together with others, however slowly they came: this machine is too busy")


def run(case, build, out):
    """One run of a profile: what its phases of few and of many requests executed, as dumps, and
    the share of events that were relayed together."""
    directory = out / case.name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    profile, gateway = case.profile(), callgrind.Counted(build)
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(
            proxies.Upstream(build, directory, profile.upstream_arguments(), []))
        try:
            cache = caches.section(profile, stack, directory, [])
            gateway.start(directory, upstream.port, [], proxies.Options(cache=cache))
            gateway.count()
            dumps, together = [], 0
            for requests in (case.warmup, case.few, case.many):
                together = load(build, gateway, profile, requests)
                dumps.append(gateway.dump(len(dumps) + 1))
        finally:
            gateway.stop()
    return dumps[1:], together


def per_unit(case, dumps, inclusive=False):
    """The difference of the two phases for one request, or one event of a stream."""
    profile = case.profile()
    (few, few_by), (many, many_by) = (callgrind.annotate(dump, inclusive) for dump in dumps)
    units = (case.many - case.few) * (profile.events if profile.stream else 1)
    functions = collections.Counter(many_by)
    functions.subtract(few_by)
    return accepted_file.Count(profile.unit, (many - few) / units,
                               {name: each / units for name, each in functions.items()})


def confirmed(case, args, accepted, counted):
    """A count that is too high is taken again, and the lowest holds: the ledger's writer takes its
    turns by the clock, so that a run can have some more of them than another."""
    for _ in range(RECOUNTS):
        if accepted_file.judge(case.name, accepted.counts.get(case.name), counted).passed:
            break
        again = per_unit(case, count(case, args.build, args.out))
        counted = min(counted, again, key=lambda one: one.total)
    return counted


def print_top(name, title, counted, top):
    say(f"\n{name}, {title}: {counted.total:,.0f} instructions per {counted.unit}")
    heavy = sorted(counted.functions.items(), key=lambda pair: -pair[1])[:top]
    for function, each in heavy:
        say(f"  {each:>10,.0f}  {each / counted.total:6.1%}  {function}")


def print_growth(accepted, counted):
    say("  the functions that grew (instructions of their own, accepted and counted):")
    for function, before, now in accepted_file.growth(accepted, counted):
        known = f"{before:,.0f}" if before is not None else "not listed"
        say(f"  {known:>12} -> {now:>10,.0f}  {function}")


def check(counts, accepted):
    """Prints every verdict; the number of profiles that failed."""
    failed = 0
    for name, counted in counts.items():
        known = accepted.counts.get(name)
        verdict = accepted_file.judge(name, known, counted)
        failed += not verdict.passed
        mark = "NOTE: " if verdict.state == "fell" else "FAILED " if not verdict.passed else ""
        say(mark + verdict.text + ("" if verdict.state == "held" else f"; {HOW}"))
        if verdict.state == "grew":
            print_growth(known, counted)
    return failed


def parse():
    parser = argparse.ArgumentParser(prog="./dev instructions",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when a count has grown by 3 %%")
    parser.add_argument("--accept", action="store_true", help=f"write {ACCEPTED.name}")
    parser.add_argument("--profile", action="append", choices=[case.name for case in CASES],
                        help="all by default")
    parser.add_argument("--top", type=int, metavar="N", help="show the N heaviest functions")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench/instructions")
    args = parser.parse_args()
    args.build, args.out = args.build.resolve(), args.out.resolve()
    if args.check and args.accept:
        parser.error("--check and --accept exclude one another")
    return args


def read_accepted():
    try:
        return accepted_file.read(ACCEPTED.read_text())
    except FileNotFoundError:
        return accepted_file.Accepted({}, {})
    except ValueError as error:
        raise SystemExit(f"{ACCEPTED}: {error}; remove the file and {HOW}") from error


def accept(counts, accepted, here):
    """Writes the file; profiles that were not counted stay, unless they are another machine's."""
    kept = accepted.counts if accepted.machine == here else {}
    merged = {case.name: (kept | counts)[case.name] for case in CASES
              if case.name in kept | counts}
    ACCEPTED.write_text(accepted_file.written(accepted_file.Accepted(here, merged)))
    say(f"written to {ACCEPTED}")


def main():
    args, began = parse(), time.monotonic()
    missing = callgrind.missing_tools()
    if missing:
        raise SystemExit(f"instructions: no {', '.join(missing)} here: apt-get install valgrind")
    accepted, here = read_accepted(), machine(args.build)
    other = accepted_file.strangers(accepted, here)
    if args.check and other:
        say(f"SKIPPED bench/instructions.txt is another machine's: {'; '.join(other)}; {HOW}")
        return 0
    counts = {}
    for case in CASES:
        if args.profile and case.name not in args.profile:
            continue
        dumps = count(case, args.build, args.out)
        counts[case.name] = per_unit(case, dumps)
        if args.check:
            counts[case.name] = confirmed(case, args, accepted, counts[case.name])
        if not args.check:
            say(f"{case.name}: {counts[case.name].total:,.0f} instructions per "
                f"{counts[case.name].unit}")
        if args.top:
            print_top(case.name, "inclusive", per_unit(case, dumps, inclusive=True), args.top)
            print_top(case.name, "self", counts[case.name], args.top)
    if args.accept:
        accept(counts, accepted, here)
    failed = check(counts, accepted) if args.check else 0
    if args.check:
        say(f"{len(counts) - failed} passed, {failed} failed in {time.monotonic() - began:.1f}s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
