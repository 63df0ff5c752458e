#!/usr/bin/env python3
"""The chaos run: calls, half of them streams, over three providers of which two are ill in turns.

    python3 tests/e2e/chaos.py --full              100,000 calls
    python3 tests/e2e/chaos.py --calls N --seed S  what a run printed, again
    ... --manner plain | deaths | continue | hedge what the model is told: see MANNERS

The run is cut into phases. In each of them one provider, drawn from the seed, is well; the others
are calm, flaky (one call in eight meets a fault) or dead in one way. Before a phase begins all are
well until no breaker is open, so that the one that stays is one that the gateway knows as well.
What is asserted stands in `Run.verdict` and in chaos_books.py. Exit status 1 when it does not hold.
"""
from __future__ import annotations

import argparse
import asyncio
import collections
import dataclasses
import json
import logging
import pathlib
import random
import sys
import tempfile
import time
import urllib.request

import chaos_books
from chaos_client import Client, Result
from chaos_providers import DEATHS, FAULTS, Provider, draw
from gateway import Gateway, key, tenant_yaml

DEADLINE = 60.0  # of a call, as the gateway is told; it must say so itself where it is passed
SICK = [fault for fault in FAULTS if fault != "stall"]  # a dead provider that answers, or refuses


@dataclasses.dataclass
class Manner:
    """What the model is told, and who its providers are. `dies`: how streams end too early."""

    kinds: tuple[str, str, str] = ("openai", "openai", "openai")
    dies: tuple[str, ...] = ("death",)
    settings: str = ""
    first_byte: float = 10  # seconds that providers have
    idle: float = 10

    @property
    def continues(self) -> bool:
        return "continue_streams: true" in self.settings


MIXED = ("openai", "anthropic", "gemini")
CONTINUED = "continue_streams: true"
HEDGED = "hedge: {after: 100ms, max_share: 0.05}"
MANNERS = {
    "plain": Manner(dies=()),
    "deaths": Manner(),
    "continue": Manner(MIXED, (*DEATHS, *DEATHS, *DEATHS), f"    {CONTINUED}\n"),
    "hedge": Manner(MIXED, (*DEATHS, *DEATHS, *DEATHS), f"    {CONTINUED}\n    {HEDGED}\n"),
}


def config(providers: list[Provider], manner: Manner) -> str:
    lines = "\n".join(
        f"  {p.name}: {{kind: {p.dialect.kind}, "
        f"base_url: 'http://127.0.0.1:{p.port}{p.dialect.suffix}', "
        f"api_key: sk-{p.name}, price: {{input: 1, output: 2}}, "
        f"timeouts: {{connect: 10s, first_byte: {manner.first_byte}s, idle: {manner.idle}s}}}}"
        for p in providers)
    targets = ", ".join(f"{{provider: {p.name}, model: {p.dialect.model}}}" for p in providers)
    return f"""providers:
{lines}
models:
  m:
    targets: [{targets}]
    strategy: weighted
    timeout: {DEADLINE:g}s
    retry: {{attempts: 6, base: 20ms, cap: 500ms}}
    breaker: {{failures: 5, open_for: 300ms, max_open_for: 1s, slow_start: 200ms}}
{manner.settings}{tenant_yaml("    budgets: [{usd: 100000, per: month}]")}
ledger: {{sqlite: {{path: books.db}}}}
"""


class Run:
    def __init__(self, seed: int, calls: int, parallel: int, manner: Manner):
        self.seed, self.calls, self.parallel = seed, calls, parallel
        self.manner = manner
        self.providers = [Provider(name, seed, list(manner.dies), kind)
                          for name, kind in zip("abc", manner.kinds)]
        self.results: collections.Counter = collections.Counter()
        self.wrong: list[str] = []
        self.seen: dict[int, Result] = {}
        self.next_call = 0
        self.phase_ends = 0
        self.slowest = 0.0
        self.until = float("inf")
        self.calm = False
        self.inquiring = 0  # calls under way
        self.phase = ""
        self.fine = ("ok",) if manner.continues else ("ok", "dead")

    # --- moods ---------------------------------------------------------------------------------

    async def begin_phase(self, number: int) -> None:
        lots = random.Random(draw(self.seed, "phase", number))
        well = lots.randrange(3)
        for i, provider in enumerate(self.providers):
            # However small the run, it meets faults.
            kinds = ["calm", "flaky", "flaky", "dead"] if number > 1 else ["flaky"]
            mood = "calm" if i == well else lots.choice(kinds)
            if mood == "dead":
                deaths = set(self.manner.dies) - {"hush"}
                mood = lots.choice([*SICK, "refuse", "refuse", *sorted(deaths)])
            await provider.set_mood(mood)
        self.phase_ends = self.next_call + max(200, self.calls // 40)
        self.calm = False
        self.phase = f"{number} ({' '.join(p.mood for p in self.providers)})"

    async def direct(self, gate: Gateway) -> None:
        """Ends a phase, waits for all to be well, begins the next."""
        for number in range(1, 1_000_000):
            await self.begin_phase(number)
            while self.next_call < self.phase_ends:
                await asyncio.sleep(0.02)
            for provider in self.providers:
                await provider.set_mood("calm")
            self.calm = True
            while await asyncio.to_thread(resting, gate):
                await asyncio.sleep(0.05)

    # --- calls ---------------------------------------------------------------------------------

    async def work(self, client: Client) -> None:
        while self.next_call < self.calls and time.monotonic() < self.until:
            while self.calm and self.inquiring >= 4:
                await asyncio.sleep(0.02)  # the calls between phases are few
            call = self.next_call
            self.next_call += 1
            stream = draw(self.seed, "stream", call) % 2 == 0
            begun = time.monotonic()
            self.inquiring += 1
            result = await client.ask(call, stream)
            if self.calm:
                await asyncio.sleep(0.05)
            self.inquiring -= 1
            took = time.monotonic() - begun
            self.slowest = max(self.slowest, took)
            if result.kind == "ok" and took > DEADLINE:
                result.kind = "late"
            self.results[result.kind] += 1
            self.seen[call] = result
            if result.kind not in self.fine:
                self.wrong.append(
                    f"call {call}: {result.kind} {result.detail} in phase {self.phase}")

    async def drive(self, gate: Gateway) -> None:
        host, port = gate.url.removeprefix("http://").split(":")
        clients = [Client(host, int(port), key()) for _ in range(self.parallel)]
        director = asyncio.create_task(self.direct(gate))
        try:
            await asyncio.gather(*(self.work(client) for client in clients))
        finally:
            director.cancel()
            for client in clients:
                client.close()

    async def go(self, directory: pathlib.Path) -> dict:
        for provider in self.providers:
            await provider.listen()
        gate = await asyncio.to_thread(
            Gateway, config(self.providers, self.manner), directory)
        begun = time.monotonic()
        try:
            await self.drive(gate)
            took = time.monotonic() - begun
            self.calls = self.next_call
            left = await asyncio.to_thread(chaos_books.left_behind, gate, self.providers)
        finally:
            await asyncio.to_thread(gate.stop)
            for provider in self.providers:
                await provider.close()
        (books,) = directory.rglob("books.db")
        found = chaos_books.compare(books, self.providers, self.seen)
        found.wrong += await asyncio.to_thread(chaos_books.verified, gate, directory)
        return self.verdict(took, left, found)

    def verdict(self, took: float, left: list[str], found: chaos_books.Found) -> dict:
        """What holds and what does not: `wrong` is empty when all is well."""
        counted = self.calls - (0 if self.manner.continues else self.results["dead"])
        share = self.results["ok"] / counted
        asked = sum(sum(p.played.values()) for p in self.providers)
        wrong = [*left, *found.wrong]
        wrong += [line for p in self.providers for line in p.wrong[:5]]
        if share < 0.9999:
            wrong.append(f"{share:.4%} of the calls succeeded; " + "; ".join(self.wrong[:10]))
        for kind in ("torn", "untyped"):
            if self.results[kind]:
                wrong.append(f"{self.results[kind]} replies were {kind}: " + "; ".join(
                    line for line in self.wrong if kind in line)[:2000])
        if found.attempts > 1.3 * self.calls:
            wrong.append(f"{found.attempts} attempts for {self.calls} calls")
        played: collections.Counter = collections.Counter()
        for provider in self.providers:
            played += provider.played
        return {"seed": self.seed, "calls": self.calls, "seconds": round(took, 1),
                "results": dict(self.results), "succeeded": f"{share:.4%}",
                "attempts_per_call": round(found.attempts / self.calls, 4),
                "seen_by_providers": asked, "played": dict(played.most_common()),
                "slowest": round(self.slowest, 2), "charged_usd": found.charged / 1e9,
                "failed": {str(k): v for k, v in list(found.failed.items())[:20]},
                "told": [line[:700] for line in self.wrong[:10]], "wrong": wrong}


def resting(gate: Gateway) -> bool:
    with urllib.request.urlopen(gate.admin_url + "/admin/targets", timeout=30) as reply:
        targets = json.loads(reply.read())["targets"]
    return any(t["breaker"] != "closed" or t["cooldown_ms"] > 0 for t in targets)


def run(seed: int, calls: int, parallel: int, directory: pathlib.Path, manner: Manner, *,
        minutes: float = float("inf")) -> dict:
    """One run; prints its seed first. After so many `minutes` no further call is begun."""
    print(f"chaos: seed {seed}, {calls} calls", flush=True)
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # providers write to who has let them go
    one = Run(seed, calls, parallel, manner)
    one.until = time.monotonic() + 60 * minutes
    return asyncio.run(one.go(directory))


def main() -> int:
    parser = argparse.ArgumentParser(description="Calls over providers that fail.")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--full", action="store_true", help="100,000 calls")
    parser.add_argument("--manner", choices=sorted(MANNERS), default="continue")
    parser.add_argument("--minutes", type=float, default=float("inf"),
                        help="begin no further call after so long")
    parser.add_argument("--parallel", type=int, default=48)
    options = parser.parse_args()
    calls = 100_000 if options.full else options.calls
    with tempfile.TemporaryDirectory() as directory:
        report = run(options.seed, calls, options.parallel, pathlib.Path(directory),
                     MANNERS[options.manner], minutes=options.minutes)
    print(json.dumps(report, indent=1))
    return 1 if report["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
