"""`tollgate ledger export|summary|verify` over the books of real calls."""
from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import urllib.error
import urllib.request
from decimal import Decimal

import pytest

from gateway import Gateway, key, tenant_yaml
from raw import until
from test_commands import run

CONFIG = """providers: {{demo: {{kind: demo, price: {{input: 1, output: 2}}}}}}
models:
  demo/*: {{targets: [{{provider: demo, model: "*"}}], retry: {{attempts: 1}}}}
ledger: {{sqlite: {{path: {path}}}}}
""" + tenant_yaml().replace("{", "{{").replace("}", "}}")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def call(gateway, model, stream=False):
    body = {"model": model, "max_tokens": 20, "stream": stream,
            "messages": [{"role": "user", "content": 'a "word", and more'}]}
    request = urllib.request.Request(
        gateway.base_url + "/chat/completions", json.dumps(body).encode(),
        {"authorization": "Bearer " + key(), "content-type": "application/json",
         "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    try:
        return urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        return error


@pytest.fixture
def books(tmp_path):
    """Two calls that went well and one that failed; the gateway has stopped."""
    gateway = Gateway(CONFIG.format(path=tmp_path / "t.db"), tmp_path)
    for model in ("demo/words=9", "demo/words=9", "demo/status=503"):
        call(gateway, model).read()
    gateway.stop()
    return tmp_path


def ledger(folder, *args):
    return run("ledger", *args, "--config", folder / "tollgate.yaml")


def test_export_jsonl_and_csv_say_the_same(books):
    shown = ledger(books, "export", "--format", "jsonl")
    assert (shown.returncode, shown.stderr) == (0, "")
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [row["kind"] for row in rows] == ["call", "attempt"] * 3
    for row in rows:
        assert TIME.fullmatch(row["started_at"]) and row["tenant"] == "t"
        assert row["key_id"] == "t-key" and row["provider"] == "demo"
        assert row["trace_id"] == TRACE
        assert isinstance(row["cost_nano_usd"], int)
    good = rows[0]
    assert good["status"] == "ok" and good["usage_source"] == "provider"
    assert good["charged_nano_usd"] == good["cost_nano_usd"] == (
        1000 * good["input_tokens"] + 2000 * good["output_tokens"]) > 0
    assert rows[4]["status"] == "error" and rows[4]["http_status"] == 503
    assert rows[4]["usage_source"] == rows[5]["usage_source"] == "estimated"
    text = ledger(books, "export", "--format", "csv").stdout
    table = list(csv.DictReader(io.StringIO(text)))
    assert list(table[0]) == list(good)
    assert [row["cost_nano_usd"] for row in table] == [str(r["cost_nano_usd"]) for r in rows]
    assert json.loads(table[0]["cost_by_kind"]) == good["cost_by_kind"]


def test_the_views_hold_what_an_export_shows(books):
    exported = ledger(books, "export", "--format", "jsonl").stdout
    rows = [json.loads(line) for line in exported.splitlines()]
    database = sqlite3.connect(books / "t.db")
    for kind, view in (("call", "call_rows"), ("attempt", "attempt_rows")):
        assert database.execute(
            f"SELECT request_id, status, http_status, charged_nano_usd FROM {view}"
            " ORDER BY booked_at").fetchall() == [
                (row["request_id"], row["status"], row["http_status"], row["charged_nano_usd"])
                for row in rows if row["kind"] == kind]
    assert database.execute("SELECT sum(charged_nano_usd), sum(calls) FROM spend_by_hour"
                            ).fetchone() == (sum(row["charged_nano_usd"] for row in rows
                                                 if row["kind"] == "call"), 3)


def test_focus_adds_up_to_what_was_charged(books):
    rows = list(csv.DictReader(io.StringIO(ledger(books, "export", "--format", "focus").stdout)))
    assert {row["SkuMeter"] for row in rows} == {"Input Tokens", "Output Tokens"}
    database = sqlite3.connect(books / "t.db")
    charged, = database.execute("SELECT sum(charged_nano_usd) FROM calls").fetchone()
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal(charged) / 10**9
    assert all(json.loads(row["Tags"])["tollgate:key"] == "t-key" for row in rows)


def test_a_period_and_an_unreadable_place(books):
    assert ledger(books, "export", "--to", "2020-01-01").stdout == ""
    assert ledger(books, "export", "--from", "2020-01-01").stdout.count("\n") == 6
    assert "no calls" in ledger(books, "summary", "--since", "2100-01-01").stdout
    turned = ledger(books, "export", "--from", "2020-01-02", "--to", "2020-01-01")
    assert turned.returncode == 2 and "--to must not be before --from" in turned.stderr
    (books / "t.db").rename(books / "away.db")
    gone = ledger(books, "summary")
    assert gone.returncode == 1 and "t.db" in gone.stderr


def test_summary(books):
    lines = ledger(books, "summary", "--by", "tenant,key,status").stdout.splitlines()
    assert lines[0].split()[:4] == ["tenant", "key", "status", "calls"]
    assert lines[1].split()[:4] == ["t", "t-key", "ok", "2"]
    assert lines[2].split()[:4] == ["t", "t-key", "error", "1"]
    assert lines[3].split()[:2] == ["(all)", "3"]
    assert len({len(line) for line in lines}) == 1


def test_verify_agrees_until_somebody_changes_a_row(books):
    good = ledger(books, "verify")
    assert good.returncode == 0 and "3 calls" in good.stdout
    database = sqlite3.connect(books / "t.db")
    database.execute("UPDATE call_packs SET packed = json_set(packed, '$[0][28]', "
                     "(packed ->> '$[0][28]') + 1) WHERE id = (SELECT min(id) FROM call_packs)")
    database.commit()
    database.close()
    bad = ledger(books, "verify")
    assert bad.returncode == 1 and "sums say" in bad.stdout and "1 differences" in bad.stderr


def test_a_killed_gateway_s_calls_are_counted_from_the_journal(tmp_path):
    gateway = Gateway(CONFIG.format(path=tmp_path / "t.db"), tmp_path)
    reply = call(gateway, "demo/rate=1,words=90", stream=True)
    until(lambda: reply.readline())
    running = ledger(tmp_path, "verify")
    assert running.returncode == 0 and "another process" in running.stderr
    gateway.process.kill()
    gateway.process.wait(30)
    shown = ledger(tmp_path, "summary", "--by", "status")
    assert "unknown" in shown.stdout and "1 calls wait" in shown.stderr
    again = Gateway(CONFIG.format(path=tmp_path / "t.db"), tmp_path)
    again.stop()
    after = ledger(tmp_path, "summary", "--by", "status")
    assert after.stdout == shown.stdout and after.stderr == ""
