#!/usr/bin/env python3
"""Counts what the gateway executes under the benchmark's loads, for the optimiser.

The training build (build/training) runs every load in which a worker is busy; what beside it runs
is the release build's. Of its counts, bench/training.proftext keeps the functions that were busy:
text that any compiler since clang 19 can read. `./dev profile` builds what is needed and calls
this; bench/profile.cmake says how it is used."""

import argparse
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TRAINING, RELEASE = ROOT / "build/training", ROOT / "build/release"
LOADS = ("relay", "relay-100k", "sse", "translate", "translate-sse", "cache-hit",
         "cache-hit-redis", "cache-miss", "tls-upstream", "books")
# Tens of thousands of requests run: what ran less often than this is no hot path.
BUSY_FROM = 5_000
DIGITS = 2  # of a count; more would only differ from run to run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="./dev profile")
    parser.add_argument("--profdata", default="llvm-profdata-19", help="the compiler's own")
    asked = parser.parse_args()
    counts = TRAINING / "counts"
    shutil.rmtree(counts, ignore_errors=True)
    run(sys.executable, ROOT / "bench/bench.py", "--quick", "--build", programs(), "--out",
        TRAINING / "bench", "--proxy", "tollgate", *(f"--profile={load}" for load in LOADS))
    text = run(asked.profdata, "merge", "--sparse", "--text", "-o", "-",
               *sorted(counts.glob("*.profraw")), stdout=subprocess.PIPE).stdout
    kept = busy(text)
    path = ROOT / "bench/training.proftext"
    path.write_text(kept)
    print(f"training: {path.relative_to(ROOT)}: {kept.count(chr(10) * 2)} functions")


def programs():
    """A folder with the gateway that counts, and beside it what does not."""
    folder = TRAINING / "programs"
    folder.mkdir(exist_ok=True)
    for build, names in ((TRAINING, ["tollgate"]),
                         (RELEASE, [each.name for each in RELEASE.glob("bench_*")])):
        for name in names:
            shutil.copy2(build / name, folder / name)
    return folder


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, text=True, **options)


def busy(text):
    """The functions of a profile that ran often, their counts rounded."""
    functions = text.split("\n\n")
    return "\n\n".join(kept for kept in map(function_of, functions) if kept) + "\n\n"


def function_of(block):
    """One function: name, hash, number of counters, the counters, and the values that it saw
    (callees, sizes). The first one stands behind the file's head."""
    lines = [line for line in block.splitlines() if line and not line.startswith("#")]
    head = [line for line in lines if line.startswith(":")]
    lines = lines[len(head):]
    if len(lines) < 3:
        return "\n".join(head)
    first, last = 3, 3 + int(lines[2])
    counters = [int(line) for line in lines[first:last]]
    if max(counters) < BUSY_FROM:
        return "\n".join(head)
    return "\n".join([*head, *lines[:first], *map(rounded, counters), *lines[last:]])


def rounded(count):
    return str(int(float(f"{count:.{DIGITS}g}")))


if __name__ == "__main__":
    main()
