#!/usr/bin/env python3
"""PostgreSQL goes away for a minute while calls come at a steady rate: it hangs, or it is shut down
and started again. Afterwards every call has its row, once; what the calls' latency was before,
meanwhile and after stands side by side.

By hand: postgres_stop.py [--full] [--rate N] [hangs | is-shut-down ...], with a build directory
($TOLLGATE_BUILD) in which tollgate, bench_load and bench_upstream are.
"""
from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from gateway import BUILD, Gateway, key, key_yaml
from postgres_server import PRESENT, Postgres
from raw import until

WAYS = {"hangs": (Postgres.freeze, Postgres.thaw), "is-shut-down": (Postgres.kill, Postgres.start)}
PROGRAMS = ("tollgate", "bench_load", "bench_upstream")
PHASES = ("before", "away", "after")
SHOWN = ("p50", "p99", "p999", "max")


class Upstream:
    """The benchmark's mock provider, which is quick enough not to be what is measured."""

    def __init__(self):
        self.process = subprocess.Popen([BUILD / "bench_upstream", "--reply-bytes", "1024"],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def close(self):
        self.process.kill()
        self.process.wait()


def config(upstream: Upstream, postgres: Postgres) -> str:
    return f"""
providers:
  up: {{kind: openai, base_url: "http://127.0.0.1:{upstream.port}/v1", api_key: k,
       price: {{input: 1, output: 2}}}}
models: {{m: {{targets: [{{provider: up, model: u}}]}}}}
tenants:
  t:
    keys: [{key_yaml("t-key")[2:]}]
    budgets: [{{usd: 100000, per: total}}]
ledger: {{postgres: {{url: "{postgres.url}"}}}}
"""


def load(gate: Gateway, seconds: float, rate: float, begun) -> dict:
    """Calls that are due by a fixed schedule, for so long; `begun` is called when they begin."""
    command = [BUILD / "bench_load", "--port", gate.url.rsplit(":", 1)[1], "--key", key(),
               "--model", "m", "--connections", "64", "--rate", rate, "--warmup", 0,
               "--seconds", seconds, "--drain", 300]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "measuring\n"
        begun()
        said = process.stdout.read().splitlines()
    assert process.returncode == 0
    return json.loads(said[-1])


def run(way: str, seconds: float, rate: float, folder: pathlib.Path) -> dict:
    """One way of being away. What the load generator said of each phase; the books are asserted."""
    go, come = WAYS[way]
    postgres = Postgres()
    upstream = Upstream()
    gate = None
    try:
        gate = Gateway(config(upstream, postgres), folder)
        said = {"before": load(gate, seconds, rate, lambda: None)}
        said["away"] = load(gate, seconds, rate, lambda: go(postgres))
        said["away"]["waiting"] = gate.metric("tollgate_ledger_queue")
        said["after"] = load(gate, seconds, rate, lambda: come(postgres))
        until(lambda: gate.metric("tollgate_ledger_queue") == 0, 600)
        verify(said, gate, postgres)
        gate.stop()
        return said
    finally:
        if gate and gate.process.poll() is None:
            gate.process.kill()
            gate.process.wait()
        upstream.close()
        postgres.close()


def verify(said: dict, gate: Gateway, postgres: Postgres) -> None:
    """Nothing is lost and nothing doubled."""
    for phase in PHASES:
        assert not said[phase]["errors"] and not said[phase]["unfinished"], (phase, said[phase])
    calls = sum(said[phase]["answered"] for phase in PHASES)
    assert said["away"]["waiting"] >= said["away"]["answered"] * 0.9, said["away"]
    assert gate.metric("tollgate_ledger_dropped_total") == 0
    found = postgres.ask("SELECT count(*), count(DISTINCT request_id), sum(charged_nano_usd), "
                         "min(charged_nano_usd), max(charged_nano_usd) FROM tollgate.calls")[0]
    rows, different, charged, least, most = map(int, found)
    assert rows == different == calls, (rows, different, calls)
    assert 0 < least == most and charged == calls * most
    totals = postgres.ask("SELECT sum(calls), sum(charged_nano_usd) FROM tollgate.totals")[0]
    assert totals == [str(calls), str(charged)], totals


def table(way: str, said: dict) -> str:
    lines = [f"PostgreSQL {way}: {sum(said[p]['answered'] for p in PHASES):,} calls, as many rows; "
             f"{said['away']['waiting']:,.0f} waited when it came back",
             f"{'latency us':12}" + "".join(f"{name:>12}" for name in ("calls", *SHOWN))]
    lines += [f"{phase:12}{said[phase]['answered']:12,}" +
              "".join(f"{said[phase]['latency_us'][name]:12,.0f}" for name in SHOWN)
              for phase in PHASES]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--full", action="store_true", help="a minute each instead of 5 seconds")
    parser.add_argument("--rate", type=float, default=500, help="calls a second")
    parser.add_argument("way", nargs="*", choices=[[], *WAYS])
    asked = parser.parse_args()
    missing = [name for name in PROGRAMS if not (BUILD / name).exists()]
    if missing or not PRESENT:
        raise SystemExit(f"{BUILD}: {' '.join(missing)} not built" if missing else
                         "PostgreSQL is not installed")
    for way in asked.way or WAYS:
        with tempfile.TemporaryDirectory() as folder:
            said = run(way, 60 if asked.full else 5, asked.rate, pathlib.Path(folder))
            print(table(way, said), flush=True)


if __name__ == "__main__":
    sys.exit(main())
