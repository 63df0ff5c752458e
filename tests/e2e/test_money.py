"""Limits and budgets from outside: what is admitted, what is charged, what the books say."""
from __future__ import annotations

import concurrent.futures
import http.server
import json
import signal
import socket
import sqlite3
import threading
import time
import urllib.error
import urllib.request

import pytest

from gateway import Gateway, key, key_yaml
from raw import until
from upstream import Upstream

NANO_INPUT, NANO_OUTPUT = 1000, 2000  # a token, at 1 and 2 US dollars a million
PROMPT, COMPLETION = 10, 50
COST = PROMPT * NANO_INPUT + COMPLETION * NANO_OUTPUT
USAGE = {"prompt_tokens": PROMPT, "completion_tokens": COMPLETION,
         "total_tokens": PROMPT + COMPLETION}
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "u"}


def choice(delta, finish=None):
    return {**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


class Provider:
    """Answers with 50 tokens; counts what it delivered in full."""

    def __init__(self):
        self.delivered = 0
        self.bodies: list[dict] = []
        self.hold = threading.Event()
        self.lock = threading.Lock()
        self.server = Upstream(self.answer)

    def answer(self, exchange):
        body = exchange.request.json
        with self.lock:
            self.bodies.append(body)
        if body["model"] == "die":
            exchange.sse_head().event(choice({"content": "half"}))
            return exchange.reset()
        if body["model"] == "wait":
            self.hold.wait(30)
        if body.get("stream"):
            exchange.sse_head().event(choice({"content": "ok"})).event(choice({}, "stop"))
            exchange.event({**CHUNK, "choices": [], "usage": USAGE}).event("[DONE]").end()
        else:
            exchange.json({**CHUNK, "object": "chat.completion", "usage": USAGE, "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "ok"},
                 "finish_reason": "stop"}]})
        with self.lock:
            self.delivered += 1


@pytest.fixture
def provider():
    made = Provider()
    yield made
    made.hold.set()
    made.server.close()
    assert not made.server.errors, made.server.errors


def config(provider, tenant: str, more: str = "", models: str = "") -> str:
    url = provider.server.url + "/v1"
    return f"""
providers:
  up: {{kind: openai, base_url: "{url}", api_key: k, price: {{input: 1, output: 2}}}}
  free: {{kind: openai, base_url: "{url}", api_key: k, price: {{input: 0, output: 0}}}}
  odd: {{kind: openai, base_url: "{url}", api_key: k}}
models:
  m: {{targets: [{{provider: up, model: u}}]}}
  die: {{targets: [{{provider: up, model: die}}]}}
  wait: {{targets: [{{provider: up, model: wait}}]}}
  cheap: {{targets: [{{provider: free, model: u}}]}}
  unpriced: {{targets: [{{provider: odd, model: no-such-model}}]}}
{models}
tenants:
  t:
    keys:
      {key_yaml("t-key")}
      {key_yaml("t-two", ", limits: {requests_per_minute: 2}")}
    {tenant}
{more}
ledger: {{sqlite: {{path: books.db}}}}
"""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def error(self):
        return json.loads(self.body)["error"]


def call(gate, model="m", *, id="t-key", path="/v1/chat/completions", **fields) -> Answer:
    fields = {"max_tokens": 100, **fields}
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}],
            **{k: v for k, v in fields.items() if v is not None}}
    request = urllib.request.Request(gate.url + path, json.dumps(body).encode(), {
        "authorization": f"Bearer {key(id)}", "content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return Answer(reply.status, reply.headers, reply.read())
    except urllib.error.HTTPError as refused:
        return Answer(refused.code, refused.headers, refused.read())


def usage_of(gate, id="t-key") -> dict:
    request = urllib.request.Request(gate.url + "/v1/usage",
                                     headers={"authorization": f"Bearer {key(id)}"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)


def rows(folder) -> list[dict]:
    found = sqlite3.connect(folder / "books.db")
    found.row_factory = sqlite3.Row
    return [dict(row) for row in found.execute("SELECT * FROM calls ORDER BY started_at")]


@pytest.fixture
def start(tmp_path, provider):
    gates = []

    def begin(*args, **named):
        gates.append(Gateway(config(provider, *args, **named), tmp_path))
        return gates[-1]

    yield begin
    for gate in gates:
        if gate.process.poll() is None:
            gate.stop()


def test_requests_per_minute_denies_with_what_a_client_needs(start):
    gate = start("limits: {requests_per_minute: 3}")
    answers = [call(gate) for _ in range(4)]
    assert [a.status for a in answers] == [200, 200, 200, 429]
    assert [a.headers["x-ratelimit-remaining-requests"] for a in answers[:3]] == ["2", "1", "0"]
    denied = answers[3]
    assert denied.error["code"] == "rate_limit_exceeded"
    assert denied.error["scope"] == "tenant:t" and denied.error["limit"] == 3
    assert denied.headers["x-tollgate-limit-scope"] == "tenant:t"
    assert 1 <= int(denied.headers["retry-after"]) <= 20
    until(lambda: gate.metric("tollgate_limit_decisions_total", decision="denied",
                              limit="rate") == 1)


def test_a_key_only_narrows_its_tenant_and_users_have_buckets(start):
    gate = start("limits: {requests_per_minute: 100}\n    per_user: {requests_per_minute: 1}")
    assert [call(gate, id="t-two", user=f"u{i}").status for i in range(3)] == [200, 200, 429]
    assert call(gate, user="anna").status == 200
    second = call(gate, user="anna")
    assert second.status == 429 and second.error["scope"] == "user:anna"
    assert call(gate, user="bert").status == 200


def test_concurrent_calls_are_counted_and_their_places_come_back(start, provider):
    gate = start("limits: {concurrent: 1}")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(call, gate, "wait")
        provider.server.arrived.get(timeout=20)
        assert call(gate).error["code"] == "rate_limit_exceeded"
        provider.hold.set()
        assert running.result().status == 200
    assert call(gate).status == 200


def test_enforce_false_only_tells(start):
    gate = start("limits: {requests_per_minute: 1, enforce: false}")
    assert call(gate).headers["x-tollgate-would-deny"] is None
    second = call(gate)
    assert second.status == 200 and second.headers["x-tollgate-would-deny"] == "tenant:t"


def test_a_call_is_charged_what_the_provider_says(start, tmp_path):
    gate = start("budgets: [{usd: 1, per: day}]")
    assert call(gate).headers["x-tollgate-cost-usd"] == "0.00011"
    streamed = call(gate, stream=True, stream_options={"include_usage": True})
    assert b'{"cost":0.00011,"prompt_tokens"' in streamed.body
    silent = call(gate, stream=True)
    assert b"cost" not in silent.body and b"usage" not in silent.body
    budget = usage_of(gate)["scopes"][-1]
    assert budget["used"] == 0.00033 and budget["reserved"] == 0
    gate.stop()
    assert [row["charged_nano_usd"] for row in rows(tmp_path)] == [COST] * 3
    assert {row["usage_source"] for row in rows(tmp_path)} == {"provider"}


def test_the_limit_is_always_sent_under_a_budget(start, provider):
    gate = start("budgets: [{usd: 1, per: day}]")
    assert call(gate, max_tokens=None).status == 400
    refused = call(gate, max_tokens=None)
    assert refused.error["param"] == "max_tokens"
    assert call(gate, max_tokens=77).status == 200
    assert provider.bodies[-1]["max_tokens"] == 77


def test_an_unknown_price_is_refused_under_a_budget_and_nowhere_else(start, tmp_path):
    gate = start("budgets: [{usd: 1, per: day}]")
    assert call(gate, "unpriced").error["code"] == "model_unpriced"
    gate.stop()
    gate = start("")
    free = call(gate, "unpriced")
    assert free.status == 200 and free.headers["x-tollgate-cost-usd"] is None
    gate.stop()
    assert rows(tmp_path)[-1]["cost_nano_usd"] is None


def test_a_spent_budget_cuts_then_denies(start, provider):
    # Room for one call and a part of another.
    gate = start("budgets: [{usd: 0.003, per: day}]")
    assert call(gate, max_tokens=1000).status == 200
    cut = call(gate, max_tokens=5000)
    assert cut.status == 200
    limit = int(cut.headers["x-tollgate-max-tokens"])
    assert 256 <= limit < 5000 and provider.bodies[-1]["max_tokens"] == limit
    denied = call(gate, max_tokens=5000, tools=[{"type": "function", "function": {"name": "f"}}])
    assert denied.status == 429 and denied.error["code"] == "budget_exceeded"
    assert denied.error["type"] == "insufficient_quota"
    assert denied.error["spent_usd"] == 0.00022
    assert denied.headers["x-should-retry"] == "false"
    assert int(denied.headers["retry-after"]) <= 86400


def test_money_that_is_only_held_says_so(start, provider):
    gate = start("clip_min_tokens: 0\n    budgets: [{usd: 0.003, per: total}]")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(call, gate, "wait", max_tokens=300)
        provider.server.arrived.get(timeout=20)
        held = call(gate, max_tokens=300)
        assert held.error["code"] == "budget_reserved" and held.error["reserved_usd"] > 0.002
        assert 1 <= int(held.headers["retry-after"]) <= 5
        gone = call(gate, max_tokens=2000)
        assert gone.error["code"] == "budget_exceeded" and gone.headers["retry-after"] is None
        provider.hold.set()
        assert running.result().status == 200
    assert call(gate, max_tokens=300).status == 200


def test_downgrade(start):
    gate = start("budgets: [{usd: 0.000001, per: day}]\n    on_budget_exceeded: {downgrade: cheap}")
    answer = call(gate)
    assert answer.status == 200 and answer.headers["x-tollgate-model"] == "cheap"


def test_the_ceiling_holds_against_many_clients(start, provider, tmp_path):
    ceiling, dearest = 0.05, 0.0025  # what a call of 100 tokens may cost at a host nobody knows
    gate = start(f"clip_min_tokens: 0\n    budgets: [{{usd: {ceiling}, per: total}}]")

    def one(i):
        if i % 10 == 3:
            return call(gate, "die", stream=True).status
        return call(gate, stream=i % 2 == 0).status

    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        statuses = list(pool.map(one, range(200)))
        while (budget := usage_of(gate)["scopes"][-1])["remaining"] > dearest:
            statuses += pool.map(one, range(40))
    assert statuses.count(429) > 0 and statuses.count(200) > 0
    assert provider.delivered * COST <= ceiling * 1e9
    admitted = len(provider.bodies)
    gate.stop()
    books = rows(tmp_path)
    charged = sum(row["charged_nano_usd"] for row in books)
    assert charged == round(budget["used"] * 1e9)
    assert 0.95 * ceiling * 1e9 <= charged <= ceiling * 1e9
    assert charged >= provider.delivered * COST
    # Not those that no target was asked for: its breaker opens now and then.
    sent = [row for row in books if row["attempts"]]
    assert len(sent) == admitted and len({row["request_id"] for row in sent}) == admitted


def test_a_restart_gives_no_money_back(start, provider, tmp_path):
    gate = start("budgets: [{usd: 0.003, per: day}]")
    assert call(gate).status == 200
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(lambda: pytest.raises(Exception, call, gate, "wait"))
        provider.server.arrived.get(timeout=20)
        provider.server.arrived.get(timeout=20)
        held = usage_of(gate)["scopes"][-1]["reserved"]
        assert held > 0.0002
        gate.process.send_signal(signal.SIGKILL)
        gate.process.wait(10)
        running.result()
    gate = start("budgets: [{usd: 0.003, per: day}]")
    budget = usage_of(gate)["scopes"][-1]
    assert budget["used"] == pytest.approx(0.00011 + held, abs=1e-9) and budget["reserved"] == 0
    gate.stop()
    assert [row["status"] for row in rows(tmp_path)] == ["ok", "unknown"]


def test_a_reload_changes_limits_of_running_balances(start, provider):
    gate = start("")
    assert call(gate).status == 200
    gate.rewrite("listen: {http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 2}\nversion: 1\n" +
                 config(provider, "budgets: [{usd: 1, per: day}]"))
    end = time.monotonic() + 20
    while not (scopes := usage_of(gate)["scopes"]):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert scopes[-1]["used"] == 0.00011


def test_warnings_reach_the_webhook_once(start):
    got, arrived = [], threading.Event()

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook = f"http://127.0.0.1:{server.server_port}/budget"
    gate = start(f'budgets: [{{usd: 0.01, per: day, warn_at: [0.01, 0.99], webhook: "{hook}"}}]')
    assert call(gate).status == 200 and call(gate).status == 200
    assert arrived.wait(20)
    gate.stop()
    server.shutdown()
    assert [w["warn_at"] for w in got] == [0.01]
    assert got[0]["scope"] == "tenant:t" and got[0]["spent_usd"] == 0.00011


def test_drain_reads_the_true_usage(start, provider, tmp_path):
    drains = "{targets: [{provider: up, model: wait}], on_disconnect: drain}"
    gate = start("", models=f"  slow: {drains}")
    body = json.dumps({"model": "slow", "stream": True, "max_tokens": 9,
                       "messages": [{"role": "user", "content": "x"}]})
    host, port = gate.url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)))
    client.sendall((f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
                    f"authorization: Bearer {key()}\r\n"
                    f"content-length: {len(body)}\r\n\r\n{body}").encode())
    provider.server.arrived.get(timeout=20)
    client.close()
    provider.hold.set()
    line = gate.access_lines(1)[0]
    assert line["status"] == "client_abort" and line["usage_source"] == "provider"
    gate.stop()
    assert rows(tmp_path)[0]["charged_nano_usd"] == COST


def test_refusals_beyond_ten_a_second_share_a_row(start, tmp_path):
    gate = start("limits: {requests_per_minute: 1}")
    assert call(gate).status == 200
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        refused = list(pool.map(lambda _: call(gate).status, range(200)))
    assert refused == [429] * 200
    gate.stop()
    denied = [row for row in rows(tmp_path) if row["status"] == "denied"]
    assert sum(row["count"] for row in denied) == 200
    assert {row["cost_nano_usd"] for row in denied} == {0}  # null would mean an unknown price
    seconds = {row["ended_at"] // 1_000_000 for row in denied}
    assert len(denied) <= 11 * (len(seconds) + 1) and max(row["count"] for row in denied) > 1
    logged = [line for line in gate.access_lines(1 + len(denied)) if line["status"] == "denied"]
    assert sorted(line["count"] for line in logged) == sorted(row["count"] for row in denied)


def test_a_reply_that_names_a_dearer_model_is_charged_at_its_price(start, tmp_path):
    (tmp_path / "book.yaml").write_text("""
prices:
  - {provider: odd, model: small, from: 2020-01-01, input: 1, output: 2}
  - {provider: odd, model: u, from: 2020-01-01, input: 10, output: 20}
  - {provider: odd, model: large, from: 2020-01-01, input: 50, output: 100}
""")
    gate = start("budgets: [{usd: 1, per: day}]", "prices: {files: [book.yaml]}", """
  small: {targets: [{provider: odd, model: small}]}
  large: {targets: [{provider: odd, model: large}]}""")
    assert call(gate, "small").status == call(gate, "large").status == 200
    gate.stop()
    assert [row["charged_nano_usd"] for row in rows(tmp_path)] == [10 * COST, 50 * COST]
