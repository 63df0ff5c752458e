"""The retry matrix from outside, for each dialect: what an error at the first target costs, how
many attempts follow, and that the books tell of one call, settled once."""
from __future__ import annotations

import json
import re
import sqlite3
import urllib.request

import pytest

import dialects
from faults import settled
from gateway import ROOT, key, tenant_yaml
from raw import ask, chat_body, post

CLIENTS_OWN = [400, 413, 422]
PASSES_ON = [401, 402, 403, 404, 408, 409, 424, 429, 498, 500, 501, 502, 503, 504, 529]


def refuse(exchange):
    """Answers with the status that the model's name wants, in words that every dialect reads."""
    asked = exchange.request.target + exchange.request.body.decode()
    status = int(re.search(r"err-(\d+)", asked).group(1))
    exchange.json({"type": "error", "error": {"message": "so it is", "type": "t"}}, status)


def config(kind: str, bad: str, good: str) -> str:
    """`bad` and `good`: where they listen; of the demo, which is within the gateway, nothing."""
    suffix = "/v1" if kind == "openai" else ""
    at = [f"base_url: '{url}{suffix}', api_key: sk-upstream-{kind}, " if url else ""
          for url in (bad, good)]
    ill, well = ("err-{}", "text") if bad else ("demo,status={}", "demo,rate=100000,words=3")
    lines = ["providers:"]
    lines += [f"  {name}: {{{where}kind: {kind}, price: {{input: 1, output: 2}}}}"
              for name, where in zip("ab", at)]
    lines.append("models:")
    lines += [f"  m{status}: {{strategy: ordered, retry: {{attempts: 2}}, targets: ["
              f"{{provider: a, model: \"{ill.format(status)}\"}}, "
              f"{{provider: b, model: \"{well}\"}}]}}"
              for status in CLIENTS_OWN + PASSES_ON]
    return "\n".join(lines) + "\n" + tenant_yaml(
        "    budgets: [{usd: 1000, per: month}]\n") + "ledger: {sqlite: {path: books.db}}\n"


def kinds() -> list[str]:
    registry = (ROOT / "routing/providers/registry.hpp").read_text()
    return re.findall(r"^  X\((\w+)\)", registry, re.M)


def reserved(gate) -> float:
    request = urllib.request.Request(gate.url + "/v1/usage",
                                     headers={"authorization": f"Bearer {key()}"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return sum(float(scope["reserved"]) for scope in json.load(reply)["scopes"])


def status_of(line: dict) -> int:
    return int(line["model"].removeprefix("m"))


@pytest.mark.parametrize("kind", kinds())
def test_every_row_of_the_matrix(gateway, upstream, tmp_path, kind):
    remote = kind != "demo"
    bad, good = (upstream(refuse), upstream(dialects.SCRIPTS[kind])) if remote else (None, None)
    gate = gateway(config(kind, bad.url if bad else "", good.url if good else ""))
    for status in CLIENTS_OWN + PASSES_ON:
        reply = ask(gate, post(chat_body(f"m{status}", max_tokens=50)))
        own = status in CLIENTS_OWN
        assert reply.status == (status if own else 200), (status, reply.body)
        assert reply["x-tollgate-attempts"] == ("1" if own else "2"), status
    calls = len(CLIENTS_OWN + PASSES_ON)
    if remote:
        assert (len(bad.requests), len(good.requests)) == (calls, len(PASSES_ON))
    for line in settled(gate, calls):
        assert [e["http_status"] for e in line["attempt_errors"]] == [status_of(line)]
    assert reserved(gate) == 0
    gate.stop()
    (books,) = tmp_path.rglob("books.db")
    rows = sqlite3.connect(books)
    assert rows.execute("SELECT count(*) FROM calls").fetchone() == (calls,)
    attempts = rows.execute("SELECT attempt, http_status, charged_nano_usd FROM attempt_rows "
                            "ORDER BY started_at").fetchall()
    assert len(attempts) == calls + len(PASSES_ON)
    # What a provider refused is free, whatever it says: only Azure bills a 408.
    assert all(charged == 0 for _, status, charged in attempts if status != 200)
    assert all(charged > 0 for _, status, charged in attempts if status == 200)
