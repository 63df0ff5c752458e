"""What the books say of a call's money once the process that spent it is gone."""
from __future__ import annotations

import sqlite3
import subprocess

import pytest

from gateway import BINARY
from test_money import COST, call, provider, rows, start  # noqa: F401


def test_each_model_bears_what_ran_under_it_after_a_restart_too(start, tmp_path):  # noqa: F811
    models = """
  first: {targets: [{provider: up, model: die}], fallback: [m], retry: {attempts: 1},
          budgets: [{usd: %s, per: day}]}"""
    gate = start("", models=models % 1)
    assert call(gate, "first").headers["x-tollgate-model"] == "m"
    gate.stop()
    row, = rows(tmp_path)
    found = sqlite3.connect(tmp_path / "books.db").execute(
        "SELECT model, sum(charged_nano_usd) FROM totals GROUP BY model")
    assert dict(found.fetchall()) == {"first": row["charged_nano_usd"] - COST, "m": COST}
    gate = start("", models=models % "0.000001")
    denied = call(gate, "first")
    assert denied.error["scope"] == "model:first"
    assert denied.error["spent_usd"] == pytest.approx((row["charged_nano_usd"] - COST) / 1e9)
    verify = subprocess.run([BINARY, "ledger", "verify", "--config", gate.file],
                            capture_output=True, text=True, timeout=60)
    assert "agree" in verify.stdout, verify.stdout + verify.stderr
