#!/usr/bin/env python3
"""What hedging does to slow replies, measured on the wire.

    python3 tests/e2e/hedging.py                  4,000 calls with hedging, and as many without
    python3 tests/e2e/hedging.py --calls N --seed S

Two providers take 200 ms for most replies and twenty times as long for three of a hundred, drawn
from the seed. Prints p50 and p99 and the attempts beyond one a call; what must hold is in `wrong`.
"""
from __future__ import annotations

import argparse
import asyncio
import collections
import dataclasses
import json
import pathlib
import random
import sqlite3
import sys
import tempfile
import time

import chaos_books
import chaos_prices
from chaos_client import Client
from chaos_providers import Provider, draw
from gateway import Gateway, key, tenant_yaml

USUAL, TIMES, SLOW_IN_A_HUNDRED = 0.2, 20, 3
SHARE = 0.05


class Slow(Provider):
    """Good but slow by chance; `fate` is of the call and the provider alone."""

    def fate(self, call: int) -> str:
        return "slow" if draw(self.seed, self.name, call) % 100 < SLOW_IN_A_HUNDRED else "good"


@dataclasses.dataclass
class Trial:
    seed: int
    calls: int
    hedge: str  # its line in the file; empty: none
    usual: float = USUAL
    slow: float = USUAL * TIMES
    parallel: int = 64


def config(providers: list[Provider], trial: Trial) -> str:
    lines = "\n".join(
        f"  {p.name}: {{kind: openai, base_url: 'http://127.0.0.1:{p.port}/v1', "
        f"api_key: sk-x, price: {{input: 1, output: 2}}}}" for p in providers)
    targets = ", ".join(f"{{provider: {p.name}, model: text}}" for p in providers)
    return f"""providers:
{lines}
models:
  m:
    targets: [{targets}]
    strategy: ordered
{f"    hedge: {trial.hedge}" if trial.hedge else ""}
{tenant_yaml("    budgets: [{usd: 1000, per: month}]")}
ledger: {{sqlite: {{path: books.db}}}}
"""


async def ask_all(gate: Gateway, trial: Trial) -> tuple[list[float], collections.Counter]:
    host, port = gate.url.removeprefix("http://").split(":")
    times: list[float] = []
    kinds: collections.Counter = collections.Counter()
    numbers = iter(range(trial.calls))

    async def work() -> None:
        client = Client(host, int(port), key())
        for call in numbers:
            begun = time.monotonic()
            kinds[(await client.ask(call, call % 2 == 0)).kind] += 1
            times.append(time.monotonic() - begun)
        client.close()
    await asyncio.gather(*(work() for _ in range(trial.parallel)))
    return times, kinds


async def measure(trial: Trial, directory: pathlib.Path) -> dict:
    providers: list[Provider] = [Slow(name, trial.seed, []) for name in "ab"]
    for provider in providers:
        provider.usual, provider.slow = trial.usual, trial.slow
        await provider.listen()
    gate = await asyncio.to_thread(Gateway, config(providers, trial), directory)
    try:
        times, kinds = await ask_all(gate, trial)
        left = await asyncio.to_thread(chaos_books.left_behind, gate, providers)
        won = {winner: int(gate.metric("tollgate_hedges_total", model="m", winner=winner))
               for winner in ("first", "second", "none")} if trial.hedge else {}
    finally:
        await asyncio.to_thread(gate.stop)
        for provider in providers:
            await provider.close()
    (books,) = directory.rglob("books.db")
    times.sort()
    asked = sum(len(seen) for p in providers for seen in p.by_call.values())
    report = {"calls": trial.calls, "p50_ms": round(1000 * times[len(times) // 2], 1),
              "p99_ms": round(1000 * times[len(times) * 99 // 100], 1),
              "extra_attempts": asked - trial.calls, "won": won, "results": dict(kinds)}
    wrong = [*left, *(line for p in providers for line in p.wrong)]
    if kinds["ok"] != trial.calls:
        wrong.append(f"not all of the calls are fine: {dict(kinds)}")
    if asked > trial.calls * (1 + SHARE):
        wrong.append(f"{asked} requests for {trial.calls} calls")
    if sum(won.values()) != asked - trial.calls:
        wrong.append(f"{asked - trial.calls} second requests, {won}")
    return {**report, "wrong": wrong + books_problems(books, providers, trial)}


def books_problems(books: pathlib.Path, providers: list[Provider], trial: Trial) -> list[str]:
    """One row a call; of two attempts one is fine and the other was let go, at its price."""
    rows = sqlite3.connect(books)
    rows.row_factory = sqlite3.Row
    found = []
    numbers = {row["request_id"]: int(row["client_request_id"].removeprefix("call-"))
               for row in rows.execute("SELECT request_id, client_request_id FROM calls")}
    if sorted(numbers.values()) != list(range(trial.calls)):
        found.append(f"{len(numbers)} rows for {trial.calls} calls")
    attempts = collections.defaultdict(list)
    for row in rows.execute("SELECT * FROM attempt_rows ORDER BY attempt"):
        attempts[numbers[row["request_id"]]].append(row)
    for call, own in attempts.items():
        ends = sorted(a["error"] or a["status"] for a in own)
        if ends not in (["ok"], [chaos_prices.LET_GO, "ok"]):
            found.append(f"call {call}: {ends}")
        for provider in providers:
            told = [a for a in own if a["provider"] == provider.name]
            fates = [seen.fate for seen in provider.by_call.get(call, [])]
            if len(told) != len(fates):
                found.append(f"call {call}: {len(told)} rows for {fates} of {provider.name}")
            elif told and told[0]["status"] != "ok" and fates == ["slow"]:
                found.append(f"call {call}: {provider.name} was not let go")
            wrong = chaos_prices.problem(call, told, provider)
            found += [f"call {call}: {provider.name}: {wrong}"] if wrong else []
    return found[:10]


def run(trial: Trial, directory: pathlib.Path) -> dict:
    print(f"hedging: seed {trial.seed}, {trial.calls} calls, {trial.hedge or 'none'}", flush=True)
    directory.mkdir(exist_ok=True)
    return asyncio.run(measure(trial, directory))


def main() -> int:
    parser = argparse.ArgumentParser(description="Slow replies with hedging and without.")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--after", default="p95", help="as in the file's hedge.after")
    options = parser.parse_args()
    reports = {}
    with tempfile.TemporaryDirectory() as directory:
        for name, hedge in (("without", ""),
                            ("with", f"{{after: {options.after}, max_share: {SHARE}}}")):
            reports[name] = run(Trial(options.seed, options.calls, hedge),
                                pathlib.Path(directory) / name)
    print(json.dumps(reports, indent=1))
    on = reports["with"]
    if on["p99_ms"] > 3.5 * on["p50_ms"]:
        on["wrong"].append(f"p99 is {on['p99_ms'] / on['p50_ms']:.1f} times p50")
        print(on["wrong"][-1])
    return 1 if any(report["wrong"] for report in reports.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
