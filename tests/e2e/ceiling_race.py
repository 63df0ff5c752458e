#!/usr/bin/env python3
"""The proof of the ceiling: two gateways on one Redis, hundreds of clients at once, whole replies
and streams, clients that hang up and providers that die, until the budget is gone; and meanwhile
what can befall a store or a gateway. Then the books are checked to the nano-dollar.

By hand: ceiling_race.py [--full] [--seed N] [SCENARIO ...]; tests run the small size.
"""
from __future__ import annotations

import argparse
import asyncio
import json
import pathlib
import signal
import sqlite3
import sys
import tempfile
import urllib.request

from gateway import Gateway, key, key_yaml
from race_clients import COST, Clients, Provider
from raw import until
from redis_servers import Cluster, Redis, Sentinel

SMALL, FULL = (200, 600), (200, 20_000)  # clients; the budget in calls

BOOK = """prices:
  - {provider: up, model: u, from: 2020-01-01, input: 1, output: 2, overhead: 0}
"""


class Race:
    def __init__(self, folder: pathlib.Path, seed: int, size: tuple[int, int]):
        self.folder, self.size = folder, size
        self.ceiling = size[1] * COST
        self.provider = Provider()
        self.urls: list[str] = []
        self.clients = Clients(seed, size[0], self.urls)
        self.gates: list[Gateway] = []
        self.servers: list = []  # what is to be ended
        self.store, self.lease = "", "60s"
        self.may_leave_unknown = False
        self.may_see = {"ok", "cut", "budget_exceeded", "budget_reserved", "upstream_unavailable",
                        "upstream_error", "no_healthy_target", "refused"}

    # What the two gateways stand on ------------------------------------------------------------

    def redis(self) -> Redis:
        self.servers.append(Redis(self._new("redis")))
        self.store = f'url: "redis://127.0.0.1:{self.servers[-1].port}/0"'
        return self.servers[-1]

    def pair(self) -> tuple[Redis, Redis, Sentinel]:
        master = Redis(self._new("master"))
        replica = Redis(self._new("replica"), "--replicaof", "127.0.0.1", str(master.port))
        replica.says(b"master_link_status:up", "INFO", "replication")
        sentinel = Sentinel(master)
        self.servers += [master, replica]
        self.store = (f'url: "redis://127.0.0.1:{master.port}/0", mode: sentinel, master: m, '
                      f'nodes: ["127.0.0.1:{sentinel.port}"]')
        return master, replica, sentinel

    def cluster(self) -> Cluster:
        self.servers.append(Cluster(self._new("cluster")))
        nodes = ", ".join(f'"127.0.0.1:{node.port}"' for node in self.servers[-1].nodes)
        url = f"redis://127.0.0.1:{self.servers[-1].nodes[0].port}"
        self.store = f'url: "{url}", mode: cluster, nodes: [{nodes}]'
        return self.servers[-1]

    def _new(self, name: str) -> pathlib.Path:
        made = self.folder / name
        made.mkdir()
        return made

    def config(self) -> str:
        return f"""
providers:
  up: {{kind: openai, base_url: "{self.provider.url}/v1", api_key: k}}
prices: {{files: [book.yaml]}}
models:
  m:
    targets: [{{provider: up, model: u}}]
    breaker: {{failures: 1000000, error_rate: 1}}
tenants:
  t:
    keys: [{key_yaml("t-key")[2:]}]
    clip_min_tokens: 0
    budgets: [{{usd: {self.ceiling / 1e9:.9f}, per: total}}]
store:
  redis: {{{self.store}, connect: 5s, command: 20s, persistent: true}}
  lease: {self.lease}
ledger: {{sqlite: {{path: books.db}}}}
"""

    def start_gates(self) -> None:
        for number in range(2):
            folder = self._new(f"g{number}")
            (folder / "book.yaml").write_text(BOOK)
            self.gates.append(Gateway(self.config(), folder))
            self.gates[-1].folder = folder
        self.urls[:] = [gate.url for gate in self.gates]

    def restart_gate(self, number: int) -> None:
        old = self.gates[number]
        old.process.send_signal(signal.SIGKILL)
        old.process.wait()
        self.gates[number] = Gateway(self.config(), old.folder)
        self.gates[number].folder = old.folder
        self.urls[number] = self.gates[number].url

    # The race ----------------------------------------------------------------------------------

    async def run(self, prepare, disturb) -> None:
        await self.provider.open()
        self.provider.server.get_loop().set_debug(False)
        stands_on = await asyncio.to_thread(prepare, self)
        await asyncio.to_thread(self.start_gates)
        racing = asyncio.create_task(self.clients.run())
        if disturb:
            while self.provider.arrived < self.size[1] // 3 and not racing.done():
                await asyncio.sleep(0.005)
            await asyncio.to_thread(disturb, self, stands_on)
        await racing
        await asyncio.to_thread(self.settle_down)

    def budget(self, gate: Gateway) -> dict:
        request = urllib.request.Request(gate.url + "/v1/usage",
                                         headers={"authorization": f"Bearer {key()}"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            scopes = json.load(reply)["scopes"]
        return next(line for line in scopes if line["kind"] == "budget")

    def settle_down(self) -> None:
        """Nothing runs and nothing is held any more, of whoever was killed neither."""
        for gate in self.gates:
            until(lambda: gate.metric("tollgate_in_flight") == 0, 60)
            until(lambda: gate.metric("tollgate_store_unfinished") == 0, 60)
        until(lambda: self.budget(self.gates[0])["reserved"] == 0, 60)
        self.settled = round(self.budget(self.gates[0])["used"] * 1e9)
        assert self.settled == round(self.budget(self.gates[1])["used"] * 1e9)
        # A row of a lease that ran out waits for the gateway whose ledger is to have it.
        until(lambda: sum(row["charged_nano_usd"] for row in self.rows()) == self.settled, 60)
        for gate in self.gates:
            gate.stop()

    def end(self) -> None:
        for gate in self.gates:
            if gate.process.poll() is None:
                gate.process.kill()
                gate.process.wait()
        for server in self.servers:
            server.kill()

    # The books ---------------------------------------------------------------------------------

    def rows(self) -> list[dict]:
        found = []
        for gate in self.gates:
            with sqlite3.connect(gate.folder / "books.db") as books:
                books.row_factory = sqlite3.Row
                found += [dict(row) for row in books.execute("SELECT * FROM calls")]
        return found

    def verify(self) -> str:
        rows, delivered = self.rows(), self.provider.delivered
        booked = sum(row["charged_nano_usd"] for row in rows)
        by_call = self.by_call([row for row in rows if row["client_request_id"]])
        # Of a killed gateway: reserved, but its intent was not in the journal yet.
        nameless = [row for row in rows if not row["client_request_id"] and row["admitted_at"]]
        assert all(row["status"] == "unknown" for row in nameless), nameless
        certain, guessed = 0, sum(row["charged_nano_usd"] for row in nameless)
        unknown = sum(row["status"] == "unknown" for row in rows)
        assert not unknown or self.may_leave_unknown, unknown
        for call in self.clients.calls:
            assert call.code in self.may_see, (call.code, call.kind, [
                gate.log.lines[-30:] for gate in self.gates])
            row = by_call.pop(call.id, None)
            had = delivered.get(call.id, 0)
            charged = row["charged_nano_usd"] if row else 0
            assert charged >= had, (call.id, call.kind, call.code, had, row)
            if row and row["usage_source"] == "provider" or not charged:
                assert charged == had or not charged, (call.id, had, row)
                certain += charged
            else:
                # Only where somebody hung up or died, a killed gateway too.
                assert call.code != "ok" or row["status"] == "unknown", (call.id, row)
                guessed += charged
        assert not by_call, list(by_call)[:5]
        assert booked == certain + guessed
        text = (f"ceiling {self.ceiling}, delivered {sum(delivered.values())}, booked {booked} "
                f"({guessed} guessed), settled {self.settled}, {len(self.clients.calls)} calls")
        assert sum(delivered.values()) <= self.ceiling, text
        assert booked == self.settled, text
        assert 0.99 * self.ceiling <= booked <= self.ceiling, text
        return text

    def by_call(self, rows: list[dict]) -> dict[str, dict]:
        """One row of each call; denials may share theirs."""
        found = {}
        for row in rows:
            if row["count"] > 1 or row["admitted_at"] == 0:
                assert row["charged_nano_usd"] == 0, row
                continue
            assert row["client_request_id"] not in found, row
            found[row["client_request_id"]] = row
        return found


# What may befall them --------------------------------------------------------------------------


def restart_redis(race: Race, redis: Redis) -> None:
    redis.kill()
    redis.start()


def promote(race: Race, servers) -> None:
    """The replica takes over without the last writes: they went to the old master alone."""
    master, replica, sentinel = servers
    replica.ask("REPLICAOF", "NO", "ONE")
    before = race.provider.arrived
    until(lambda: race.provider.arrived > before + 20, 60)
    master.kill()
    sentinel.master = replica


def move_slot(race: Race, cluster: Cluster) -> None:
    cluster.move("tollgate:1:{t}:tenant:t")


def with_short_leases(race: Race) -> Redis:
    race.lease, race.may_leave_unknown = "5s", True
    return race.redis()


def kill_gateway(race: Race, redis: Redis) -> None:
    race.restart_gate(1)


SCENARIOS = {"quiet": (Race.redis, None), "redis-restarts": (Race.redis, restart_redis),
             "failover": (Race.pair, promote), "slot-moves": (Race.cluster, move_slot),
             "gateway-killed": (with_short_leases, kill_gateway)}


def race(name: str, folder: pathlib.Path, seed: int = 1, size: tuple[int, int] = SMALL) -> str:
    """Runs one scenario; what it proves is asserted. Returns a line of figures."""
    prepare, disturb = SCENARIOS[name]
    made = Race(folder, seed, size)
    if disturb:
        made.may_see.add("store_unavailable")
    try:
        asyncio.run(made.run(prepare, disturb))
        return made.verify()
    finally:
        made.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="20,000 calls instead of 600")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("scenario", nargs="*", choices=[[], *SCENARIOS])
    asked = parser.parse_args()
    for name in asked.scenario or SCENARIOS:
        with tempfile.TemporaryDirectory() as folder:
            figures = race(name, pathlib.Path(folder), asked.seed, FULL if asked.full else SMALL)
            print(f"{name}: {figures}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
