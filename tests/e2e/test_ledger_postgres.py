"""The ledger in a real PostgreSQL that goes away under load: calls succeed meanwhile, and when it
is back every call has its row, once."""
from __future__ import annotations

import concurrent.futures
import threading

import pytest

from gateway import Gateway, key_yaml
from postgres_server import PRESENT, Postgres
from raw import until
from test_money import COST, call, provider, usage_of  # noqa: F401

pytestmark = pytest.mark.skipif(not PRESENT, reason="needs PostgreSQL")


@pytest.fixture
def postgres():
    server = Postgres()
    yield server
    server.close()


CONFIG = """
providers:
  up: {{kind: openai, base_url: "{up}/v1", api_key: k, price: {{input: 1, output: 2}}}}
models: {{m: {{targets: [{{provider: up, model: u}}]}}}}
tenants:
  t:
    keys: [{key}]
    budgets: [{{usd: 100, per: total}}]
ledger: {{postgres: {{url: "{postgres}"}}}}
"""


@pytest.mark.parametrize("go, come, times", [(Postgres.kill, Postgres.start, 2),
                                             (Postgres.freeze, Postgres.thaw, 1)],
                         ids=["dead", "hangs"])
def test_a_database_that_is_away_costs_no_call_and_no_row(go, come, times, postgres, provider,
                                                          tmp_path):
    gate = Gateway(CONFIG.format(up=provider.server.url, key=key_yaml("t-key")[2:],
                                 postgres=postgres.url), tmp_path)
    done, statuses = threading.Event(), []

    def load():
        while not done.is_set():
            statuses.append(call(gate).status)

    waiting = lambda: gate.metric("tollgate_ledger_queue")  # noqa: E731
    with concurrent.futures.ThreadPoolExecutor() as pool:
        clients = [pool.submit(load) for _ in range(4)]
        try:
            for _ in range(times):
                before = gate.metric("tollgate_ledger_rows_total")
                until(lambda: gate.metric("tollgate_ledger_rows_total") > before, 60)
                go(postgres)
                until(lambda: waiting() >= 100, 60)
                # A write that is given up may still be carried out when a hanging one goes on.
                until(lambda: gate.metric("tollgate_ledger_write_failures_total") > 0, 60)
                come(postgres)
                until(lambda: waiting() < 100, 120)
        finally:
            done.set()
        for client in clients:
            client.result()
    until(lambda: waiting() == 0, 60)
    assert set(statuses) == {200}
    assert gate.metric("tollgate_ledger_dropped_total") == 0
    spent = round(usage_of(gate)["scopes"][-1]["used"] * 1e9)
    assert spent == len(statuses) * COST
    calls = "count(*), count(DISTINCT request_id), sum(charged_nano_usd) FROM tollgate.calls"
    many = str(len(statuses))
    assert postgres.ask("SELECT " + calls) == [[many, many, str(spent)]]
    totals = "SELECT sum(calls), sum(charged_nano_usd) FROM tollgate.totals"
    assert postgres.ask(totals) == [[many, str(spent)]]
    gate.stop()
