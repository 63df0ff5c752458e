"""The ledger in a real PostgreSQL that goes away under load: calls succeed meanwhile, and when it
is back every call has its row, once."""
from __future__ import annotations

import concurrent.futures
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import threading

import pytest

from gateway import Gateway, key_yaml
from raw import until
from redis_servers import free_port
from test_money import COST, call, provider, usage_of  # noqa: F401

PROGRAMS = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1:] or [""]
pytestmark = pytest.mark.skipif(not shutil.which("postgres", path=PROGRAMS[0]),
                                reason="needs PostgreSQL")
NOBODY = 65534  # it does not run as root


class Postgres:
    """A server on loopback; `kill` ends it as a crash does, `start` begins it again."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        self.user = {"user": NOBODY, "group": NOBODY} if os.getuid() == 0 else {}
        if self.user:
            os.chown(self.folder, NOBODY, NOBODY)
        self.data = self.folder + "/data"
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        subprocess.run([PROGRAMS[0] + "/initdb", "-D", self.data, "-U", "postgres", "-A", "trust",
                        "--no-sync"], check=True, stdout=subprocess.DEVNULL, **self.user,
                       cwd=self.folder)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [PROGRAMS[0] + "/postgres", "-D", self.data, "-p", str(self.port), "-F",
             "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}"],
            stderr=subprocess.DEVNULL, cwd=self.folder, **self.user)
        until(lambda: self.ask("SELECT 1", check=False) == [["1"]], 60)

    def ask(self, sql: str, check: bool = True) -> list[list[str]]:
        ran = subprocess.run(["psql", "-XAtq", "-F", "\t", self.url, "-c", sql],
                             capture_output=True, text=True)
        assert ran.returncode == 0 or not check, ran.stderr
        return [line.split("\t") for line in ran.stdout.splitlines()]

    def kill(self):
        """At once: what was committed stays, nobody is told."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(60)

    def close(self):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def postgres():
    server = Postgres()
    yield server
    server.close()


def test_a_database_that_is_away_costs_no_call_and_no_row(postgres, provider, tmp_path):
    gate = Gateway(f"""
providers:
  up: {{kind: openai, base_url: "{provider.server.url}/v1", api_key: k,
       price: {{input: 1, output: 2}}}}
models: {{m: {{targets: [{{provider: up, model: u}}]}}}}
tenants:
  t:
    keys: [{key_yaml("t-key")[2:]}]
    budgets: [{{usd: 100, per: total}}]
ledger: {{postgres: {{url: "{postgres.url}"}}}}
""", tmp_path)
    done, statuses = threading.Event(), []

    def load():
        while not done.is_set():
            statuses.append(call(gate).status)

    waiting = lambda: gate.metric("tollgate_ledger_queue")  # noqa: E731
    with concurrent.futures.ThreadPoolExecutor() as pool:
        clients = [pool.submit(load) for _ in range(4)]
        try:
            for _ in range(2):
                before = gate.metric("tollgate_ledger_rows_total")
                until(lambda: gate.metric("tollgate_ledger_rows_total") > before, 60)
                postgres.kill()
                until(lambda: waiting() >= 100, 60)
                postgres.start()
                until(lambda: waiting() < 100, 60)
        finally:
            done.set()
        for client in clients:
            client.result()
    until(lambda: waiting() == 0, 60)
    assert set(statuses) == {200}
    assert gate.metric("tollgate_ledger_write_failures_total") > 0
    assert gate.metric("tollgate_ledger_dropped_total") == 0
    spent = round(usage_of(gate)["scopes"][-1]["used"] * 1e9)
    assert spent == len(statuses) * COST
    calls = "count(*), count(DISTINCT request_id), sum(charged_nano_usd) FROM tollgate.calls"
    many = str(len(statuses))
    assert postgres.ask("SELECT " + calls) == [[many, many, str(spent)]]
    totals = "SELECT sum(calls), sum(charged_nano_usd) FROM tollgate.totals"
    assert postgres.ask(totals) == [[many, str(spent)]]
    gate.stop()
