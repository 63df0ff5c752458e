"""What a chaos run leaves behind, and whether the gateway's books tell what the providers saw."""
from __future__ import annotations

import collections
import dataclasses
import json
import pathlib
import sqlite3
import subprocess
import time
import urllib.request

import chaos_prices
from chaos_client import Result
from chaos_providers import Provider, STATUSES
from gateway import BINARY, Gateway, key

GAUGES = ["tollgate_in_flight", "tollgate_target_in_flight", "tollgate_streams_active",
          "tollgate_connections", "tollgate_ledger_intents", "tollgate_store_unfinished",
          "tollgate_reserved_usd"]
ANSWERED = {"good", "slow"}


def left_behind(gate: Gateway, providers: list[Provider]) -> list[str]:
    """What is still held once nothing runs: nothing, or it is told here."""
    end = time.monotonic() + 60
    while True:
        held = [f"{name} is {gate.metric(name):g}" for name in GAUGES if gate.metric(name)]
        kept = gate.metric("tollgate_upstream_connections")
        idle = sum(len(p.idle) for p in providers)
        if not kept == idle == sum(len(p.open) for p in providers):
            held.append(f"{kept:g} connections to providers, {idle} are idle")
        request = urllib.request.Request(gate.url + "/v1/usage",
                                         headers={"authorization": f"Bearer {key()}"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            held += [f"reserved in {scope['scope']}: {scope['reserved']}"
                     for scope in json.load(reply)["scopes"] if float(scope["reserved"])]
        if not held or time.monotonic() > end:
            return held
        time.sleep(0.05)


@dataclasses.dataclass
class Found:
    attempts: int = 0
    charged: int = 0
    failed: dict[int, str] = dataclasses.field(default_factory=dict)  # what their attempts met
    wrong: list[str] = dataclasses.field(default_factory=list)


def compare(books: pathlib.Path, providers: list[Provider], results: dict[int, Result]) -> Found:
    """Each call has one row; each attempt has one that a provider confirms, at the right price."""
    rows = sqlite3.connect(books)
    rows.row_factory = sqlite3.Row
    found = Found()
    calls = {int(row["client_request_id"].removeprefix("call-")): row for row in rows.execute(
        "SELECT * FROM calls WHERE client_request_id LIKE 'call-%'")}
    count = rows.execute("SELECT count(*) FROM calls").fetchone()[0]
    if count != len(results) or set(calls) != set(results):
        found.wrong.append(f"{count} rows of {len(calls)} calls, {len(results)} were made")
    attempts = collections.defaultdict(list)
    for row in rows.execute("SELECT * FROM attempt_rows ORDER BY attempt"):
        attempts[row["request_id"]].append(row)
    for number, row in calls.items():
        own = attempts[row["request_id"]]
        found.attempts += len(own)
        found.charged += row["charged_nano_usd"]
        wrong = call_problem(number, row, own, providers, results[number])
        if wrong and len(found.wrong) < 20:
            found.wrong.append(f"call {number}: {wrong}")
        if results[number].kind != "ok":
            found.failed[number] = " ".join(
                f"{a['provider']}:{a['http_status']}:{a['error'] or a['status']}" for a in own)
    return found


def call_problem(number, row, attempts, providers, result: Result) -> str:
    if row["attempts"] != len(attempts):
        return f"{row['attempts']} attempts in the call's row, {len(attempts)} rows"
    if row["charged_nano_usd"] != sum(a["charged_nano_usd"] for a in attempts):
        return "the call's charge is not that of its attempts"
    if (row["status"] == "ok") != (result.kind == "ok"):
        return f"the row says {row['status']}, the client saw {result.kind}"
    fine = [i for i, a in enumerate(attempts) if a["status"] == "ok"]
    if len(fine) != (result.kind == "ok"):
        return f"{len(fine)} attempts were fine"
    if any(a["started_at"] > attempts[i]["ended_at"] for i in fine for a in attempts):
        return "an attempt follows one that was fine"
    if result.tokens and result.tokens != (row["input_tokens"], row["output_tokens"]):
        return f"{row['input_tokens']}, {row['output_tokens']} tokens, client: {result.tokens}"
    for provider in providers:
        own = [a for a in attempts if a["provider"] == provider.name]
        seen = [one.fate for one in provider.by_call.get(number, [])]
        wrong = (counts_problem(own, seen, provider.refused)
                 or chaos_prices.problem(number, own, provider))
        if wrong:
            return f"{provider.name}: {wrong}"
    return ""


def counts_problem(rows, seen, ever_refused) -> str:
    """A connection that dies before a byte of a reply may be asked once more over a fresh one: the
    same attempt. What a shut door refused no provider saw."""
    resets = seen.count("reset")
    least, most = max(len(seen) - resets, bool(seen)), len(seen)
    refused = sum(1 for a in rows if a["http_status"] == 0 and a["status"] != "ok")
    told = f"{len(rows)} rows for {seen}"
    if len(rows) < least or len(rows) - (refused if ever_refused else 0) > most:
        return told
    good = sum(1 for fate in seen if fate in ANSWERED)
    fine = sum(1 for a in rows if a["status"] == "ok")
    # A good answer may be let go, and one of this process come too late, where it got no time.
    late = sum(1 for a in rows if a["error"] in ("upstream_timeout", chaos_prices.LET_GO))
    if not good - late <= fine <= good:
        return f"{good} good answers, but {told}"
    wanted = collections.Counter(STATUSES[fate][0] for fate in seen if fate in STATUSES)
    booked = collections.Counter(a["http_status"] for a in rows
                                 if a["http_status"] in wanted or a["http_status"] in (429, 529))
    unread = sum(1 for a in rows if a["error"] == chaos_prices.LET_GO and a["http_status"] == 0)
    if any(not count - unread <= booked[status] <= count
           for status, count in wanted.items() if status != 500):
        return f"statuses {dict(booked)}, but {told}"
    return ""


def verified(gate: Gateway, directory: pathlib.Path) -> list[str]:
    """What `tollgate ledger verify` finds."""
    done = subprocess.run([str(BINARY), "ledger", "verify", "--config", str(gate.file)],
                          cwd=directory, capture_output=True, text=True, timeout=120)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]
