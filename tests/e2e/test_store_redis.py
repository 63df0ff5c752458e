"""Limits and budgets over a real Redis, shared by two gateways: ceilings hold, an outage denies
what must be denied and nothing else, and what was lost comes back from the ledger."""
from __future__ import annotations

import concurrent.futures
import shutil
import signal
import sqlite3
import subprocess

import pytest

from gateway import BINARY, Gateway, key_yaml
from raw import until
from redis_servers import Redis
from test_money import COST, call, provider, usage_of  # noqa: F401

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server")


@pytest.fixture
def redis(tmp_path):
    folder = tmp_path / "redis"
    folder.mkdir()
    server = Redis(folder)
    yield server
    server.kill()


def config(provider, redis, tenant: str, lease: str = "60s") -> str:
    url = provider.server.url + "/v1"
    return f"""
providers:
  up: {{kind: openai, base_url: "{url}", api_key: k, price: {{input: 1, output: 2}}}}
models:
  m: {{targets: [{{provider: up, model: u}}]}}
  wait: {{targets: [{{provider: up, model: wait}}]}}
tenants:
  t:
    keys: [{key_yaml("t-key")[2:]}]
    {tenant}
  free:
    keys: [{key_yaml("f-key")[2:]}]
    limits: {{requests_per_minute: 1000}}
store:
  redis: {{url: "redis://127.0.0.1:{redis.port}/0", connect: 5s, command: 20s, persistent: true}}
  lease: {lease}
ledger: {{sqlite: {{path: books.db}}}}
"""


@pytest.fixture
def start(tmp_path, provider, redis):
    gates = []

    def begin(tenant: str, **more):
        folder = tmp_path / f"g{len(gates)}"
        folder.mkdir()
        gates.append(Gateway(config(provider, redis, tenant, **more), folder))
        gates[-1].folder = folder
        return gates[-1]

    yield begin
    for gate in gates:
        if gate.process.poll() is None:
            gate.stop()


def spent(gate) -> float:
    lines = [line for line in usage_of(gate)["scopes"] if line["kind"] == "budget"]
    assert len(lines) == 1 and lines[0]["reserved"] == 0
    return lines[0]["used"]


def charged(gate) -> int:
    with sqlite3.connect(gate.folder / "books.db") as books:
        return books.execute("SELECT coalesce(sum(charged_nano_usd), 0) FROM calls").fetchone()[0]


def test_two_gateways_keep_one_ceiling(start):
    ceiling = 100 * COST
    gates = [start(f"budgets: [{{usd: {ceiling / 1e9:.9f}, per: total}}]") for _ in range(2)]
    seen = set()

    def spend(gate):
        while True:
            answer = call(gate)
            if answer.status == 200:
                continue
            seen.add(answer.error["code"])
            if answer.error["code"] == "budget_exceeded":
                return

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(spend, gates * 4))
    assert seen <= {"budget_exceeded", "budget_reserved"}, [g.log.lines[-40:] for g in gates]
    used = spent(gates[0])
    assert used == spent(gates[1])
    assert ceiling / 2e9 < used <= ceiling / 1e9
    for gate in gates:
        gate.stop()
    assert sum(charged(gate) for gate in gates) == round(used * 1e9)


def test_two_gateways_keep_one_rate(start):
    gates = [start("limits: {requests_per_minute: 4}") for _ in range(2)]
    answers = [call(gates[i % 2]) for i in range(5)]
    assert [a.status for a in answers] == [200, 200, 200, 200, 429]
    left = [a.headers["x-ratelimit-remaining-requests"] for a in answers[:4]]
    assert left == ["3", "2", "1", "0"]


def test_an_outage_denies_callers_under_a_budget_and_nobody_else(start, redis, provider):
    gate = start("budgets: [{usd: 10, per: day}]")
    assert call(gate).status == 200
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(call, gate, "wait")
        until(lambda: any(body["model"] == "wait" for body in provider.bodies), 30)
        redis.kill()
        denied = call(gate)
        assert denied.status == 503 and denied.error["code"] == "store_unavailable"
        assert denied.headers["retry-after"] == "1"
        passes = call(gate, id="f-key")
        assert passes.status == 200 and passes.headers["x-tollgate-degraded"] == "limits"
        provider.hold.set()
        assert running.result().status == 200
    assert gate.metric("tollgate_store_up") == 0
    assert gate.metric("tollgate_store_degraded_total") == 2
    redis.start()
    until(lambda: call(gate).status == 200, 30)
    # What ended meanwhile reaches Redis, once.
    until(lambda: gate.metric("tollgate_store_unfinished") == 0, 30)
    until(lambda: gate.metric("tollgate_store_up") == 1, 30)
    gate.log.wait(lambda line: "the store answers again" in line)
    before = spent(gate)
    assert round(before * 1e9) % COST == 0
    gate.stop()
    assert charged(gate) - COST == round(before * 1e9)  # but the call of the other tenant


def test_lost_data_come_back_from_the_ledger(start, redis):
    gate = start("budgets: [{usd: 10, per: total}]")
    for _ in range(3):
        assert call(gate).status == 200
    assert spent(gate) == 3 * COST / 1e9
    redis.ask("FLUSHALL")
    lost = call(gate)
    assert lost.status == 503 and lost.error["code"] == "store_unavailable"
    until(lambda: call(gate).status == 200, 30)
    assert spent(gate) == 4 * COST / 1e9
    gate.stop()
    # A new process finds its ledger's sums there, and does not add them again.
    again = start("budgets: [{usd: 10, per: total}]")
    assert spent(again) == 4 * COST / 1e9


def test_the_lease_of_a_dead_gateway_runs_out(start, provider):
    dead, alive = (start("limits: {concurrent: 1}\n    budgets: [{usd: 10, per: day}]", lease="1s")
                   for _ in range(2))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(call, dead, "wait")
        until(lambda: provider.bodies, 30)
        assert call(alive).error["code"] == "rate_limit_exceeded"
        held = usage_of(alive)["scopes"]
        dead.process.send_signal(signal.SIGKILL)
        dead.process.wait()
        with pytest.raises(Exception):
            running.result()
        alive.log.wait(lambda line: "ran out" in line)
    after = {(line["kind"], line["per"]): line for line in usage_of(alive)["scopes"]}
    reserved = next(line["reserved"] for line in held if line["kind"] == "budget")
    assert reserved > 0
    assert after["budget", "day"]["used"] == reserved
    assert after["budget", "day"]["reserved"] == 0
    assert until(lambda: call(alive).status == 200, 30)


def test_data_of_another_version_are_not_touched(redis, provider, tmp_path):
    redis.ask("SET", "tollgate:schema", "99")
    file = tmp_path / "tollgate.yaml"
    listen = "version: 1\nlisten: {http: 127.0.0.1:0, admin: 127.0.0.1:0}\n"
    file.write_text(listen + config(provider, redis, "tags: {}"))
    ran = subprocess.run([BINARY, "serve", "--config", file], cwd=tmp_path, timeout=30,
                         capture_output=True, text=True)
    assert ran.returncode == 1
    assert "version 99" in ran.stderr


def test_a_gateway_stops_while_redis_owes_it_an_answer(provider, redis, tmp_path):  # noqa: F811
    gate = Gateway(config(provider, redis, "budgets: [{usd: 1, per: day}]"), tmp_path)
    redis.process.send_signal(signal.SIGSTOP)
    try:
        until(redis.unread, 30)
        gate.stop()
    finally:
        redis.process.send_signal(signal.SIGCONT)
