"""Idempotency-Key from outside: a retry never calls, and is never charged, a second time."""

from __future__ import annotations

import concurrent.futures
import json
import queue
import socket
import threading

import httpx
import pytest

from gateway import Gateway, key, key_yaml
from raw import until
from steps import CHUNK, COST, USAGE, Steps, choice, words

pytestmark = pytest.mark.threads


def config(url: str, workers: int = 2, more: str = "", model: str = "", tenant: str = "") -> str:
    return f"""
listen: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: {workers}}}
providers:
  p: {{kind: openai, base_url: '{url}/v1', api_key: sk-x, price: {{input: 1, output: 2}}}}
models:
  m: {{targets: [{{provider: p, model: u}}], retry: {{attempts: 1}}{model}}}
tenants:
  t: {{keys: [{key_yaml().removeprefix("- ")}]{tenant}}}
  other: {{keys: [{key_yaml("o-key").removeprefix("- ")}]}}
{more}
"""


def body(stream: bool, content: str = "x") -> bytes:
    return json.dumps({"model": "m", "stream": stream, "max_tokens": 99,
                       "messages": [{"role": "user", "content": content}]}).encode()


def headers(idempotency_key: str | None = "k1", who: str = "t-key") -> dict:
    out = {"authorization": f"Bearer {key(who)}", "content-type": "application/json"}
    return out | ({"idempotency-key": idempotency_key} if idempotency_key else {})


def ask(gate, stream=False, content="x", timeout=30, **who):
    return httpx.post(gate.base_url + "/chat/completions", content=body(stream, content),
                      headers=headers(**who), timeout=timeout)


def cut_call(gate, stream: bool) -> socket.socket:
    host, port = gate.url.removeprefix("http://").split(":")
    sock = socket.create_connection((host, int(port)))
    text = body(stream)
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers().items())
    sock.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n{lines}"
                 f"content-length: {len(text)}\r\n\r\n".encode() + text)
    return sock


def wait_metric(gate, name: str, value: float, **labels):
    until(lambda: gate.metric(name, **labels) == value)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.smoke
def test_the_stored_reply_is_replayed(gateway, upstream, stream):
    provider = upstream(Steps(held=False))
    gate = gateway(config(provider.url))
    first, second = ask(gate, stream), ask(gate, stream)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content and words(stream, first.text) == "onetwo"
    assert "x-tollgate-idempotent" not in first.headers
    assert second.headers["x-tollgate-idempotent"] == "replayed"
    assert second.headers["content-type"] == first.headers["content-type"]
    assert second.headers["x-tollgate-provider"] == "p"
    assert second.headers.get("x-tollgate-cost-usd") == (None if stream else "0")
    assert second.headers["x-request-id"] != first.headers["x-request-id"]
    assert len(provider.requests) == 1
    paid, replayed = (gate.line_of(r.headers["x-request-id"]) for r in (first, second))
    assert paid["charged_nano_usd"] == COST and "cache" not in paid
    assert replayed["charged_nano_usd"] == 0 and replayed["cost_nano_usd"] == 0
    assert replayed["cache"] == "replayed" and replayed["status"] == "ok"
    assert replayed["output_tokens"] == 0 and replayed["attempts"] == 0


@pytest.mark.parametrize("step", Steps.NAMES)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_client_that_is_cut_off_retries(gateway, upstream, stream, step):
    """One call upstream, one charge, the right reply: for the retry that comes while the call runs
    and for the one that comes later."""
    steps = Steps()
    provider = upstream(steps)
    gate = gateway(config(provider.url, workers=1))
    client = cut_call(gate, stream)
    steps.reach(step)
    client.close()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        retry = pool.submit(ask, gate, stream)
        wait_metric(gate, "tollgate_idempotency_calls_total", 1, outcome="joined")
        steps.release()
        joined = retry.result(30)
    assert joined.status_code == 200 and words(stream, joined.text) == "onetwo"
    assert joined.headers["x-tollgate-idempotent"] == "joined"
    later = ask(gate, stream)
    assert later.content == joined.content
    assert later.headers["x-tollgate-idempotent"] == "replayed"
    lines = gate.access_lines(3)
    assert sorted(line["charged_nano_usd"] for line in lines) == [0, 0, COST]
    by_cache = {line.get("cache", "none"): line for line in lines}
    assert (by_cache["none"]["status"], by_cache["none"]["http_status"]) == ("client_abort", 499)
    assert by_cache["coalesced"]["status"] == by_cache["replayed"]["status"] == "ok"
    assert len(provider.requests) == 1


def test_a_stream_is_followed_live(gateway, upstream):
    """Who joins late gets what it missed at once, and the rest as it comes."""
    steps = Steps()
    provider = upstream(steps)
    gate = gateway(config(provider.url))
    seen: queue.Queue[str] = queue.Queue()

    def follow():
        with httpx.stream("POST", gate.base_url + "/chat/completions", content=body(True),
                          headers=headers(), timeout=30) as reply:
            for line in reply.iter_lines():
                if line.startswith("data: {"):
                    choices = json.loads(line[6:])["choices"]
                    seen.put("".join(c["delta"].get("content", "") for c in choices))

    client = cut_call(gate, True)
    steps.reach("one")
    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert [seen.get(timeout=20) for _ in threads] == ["one"] * 3
    steps.go["one"].set()
    assert [seen.get(timeout=20) for _ in threads] == ["two"] * 3
    steps.release()
    for thread in threads:
        thread.join(30)
    client.close()
    assert len(provider.requests) == 1


def test_a_follower_that_does_not_read_slows_nobody(gateway, upstream):
    """The paying call ends while its follower has taken nothing; that one then finds all of it."""
    begun, chunks = threading.Event(), 600

    def script(exchange):
        exchange.sse_head().event(choice({"content": "one"}))
        assert begun.wait(30)
        for _ in range(chunks):
            exchange.event(choice({"content": "y" * 30000}))
        exchange.event(choice({}, "stop")).event({**CHUNK, "choices": [], "usage": USAGE})
        exchange.event("[DONE]").end()

    provider = upstream(script)
    gate = gateway(config(provider.url))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        leader = pool.submit(ask, gate, stream=True)
        provider.arrived.get(timeout=20)
        idle = cut_call(gate, True)
        wait_metric(gate, "tollgate_idempotency_calls_total", 1, outcome="joined")
        begun.set()
        paid = leader.result(60)
    assert words(True, paid.text) == "one" + "y" * 30000 * chunks
    taken = b""
    while not taken.endswith(b"0\r\n\r\n"):
        more = idle.recv(1 << 20)
        assert more, "the follower's stream was cut"
        taken += more
    assert taken.count(b"y" * 30000) == chunks and b"[DONE]" in taken
    # A third that leaves in the middle is its own affair.
    third = cut_call(gate, True)
    assert third.recv(1000)
    third.close()
    assert ask(gate, stream=True).content == paid.content
    assert len(provider.requests) == 1


def test_many_at_once_are_one_call(gateway, upstream):
    provider = upstream(Steps(held=False))
    gate = gateway(config(provider.url))
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        replies = list(pool.map(lambda _: ask(gate, stream=True), range(24)))
    assert {r.status_code for r in replies} == {200}
    assert len({r.content for r in replies}) == 1
    assert sum("x-tollgate-idempotent" not in r.headers for r in replies) == 1
    assert len(provider.requests) == 1
    assert sum(line["charged_nano_usd"] for line in gate.access_lines(24)) == COST


def test_another_body_another_tenant_no_key(gateway, upstream):
    provider = upstream(Steps(held=False))
    gate = gateway(config(provider.url))
    assert ask(gate).status_code == 200
    other = ask(gate, content="y")
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert len(provider.requests) == 1
    for free in (ask(gate, who="o-key"), ask(gate, idempotency_key=None),
                 ask(gate, idempotency_key="k2")):
        assert free.status_code == 200 and "x-tollgate-idempotent" not in free.headers
    assert len(provider.requests) == 4
    long = ask(gate, idempotency_key="k" * 256)
    assert long.status_code == 400 and "255" in long.json()["error"]["message"]


def test_what_failed_unpaid_may_run_again(gateway, upstream):
    replies = iter([503, 200, 200])

    def script(exchange):
        if next(replies) == 503:
            exchange.json({"error": {"message": "busy", "type": "x", "code": "x"}}, 503)
        else:
            Steps(held=False)(exchange)

    provider = upstream(script)
    gate = gateway(config(provider.url))
    assert ask(gate).status_code == 503
    assert ask(gate, content="y").status_code == 200  # even with another body
    assert ask(gate, content="y").headers["x-tollgate-idempotent"] == "replayed"
    assert len(provider.requests) == 2


def test_who_waits_for_a_call_that_fails_unpaid_calls_itself(gateway, upstream):
    first = threading.Event()
    calls = []

    def script(exchange):
        calls.append(exchange)
        if len(calls) == 1:
            assert first.wait(30)
            exchange.json({"error": {"message": "busy", "type": "x", "code": "x"}}, 503)
        else:
            Steps(held=False)(exchange)

    provider = upstream(script)
    gate = gateway(config(provider.url, tenant=", limits: {requests_per_minute: 4}"))  # few: slow
    with concurrent.futures.ThreadPoolExecutor() as pool:
        leader = pool.submit(ask, gate)
        provider.arrived.get(timeout=20)
        followers = [pool.submit(ask, gate) for _ in range(3)]
        wait_metric(gate, "tollgate_idempotency_calls_total", 3, outcome="joined")
        first.set()
        assert leader.result(30).status_code == 503
        replies = [f.result(30) for f in followers]
    assert {r.status_code for r in replies} == {200}
    assert len({r.content for r in replies}) == 1
    assert len(provider.requests) == 2
    lines = gate.access_lines(4)
    assert sorted(line["charged_nano_usd"] for line in lines) == [0, 0, 0, COST]
    # Each counts one request, whatever it was at first.
    left = [int(r.headers["x-ratelimit-remaining-requests"]) for r in replies]
    assert min(left) == 0


def test_a_reply_that_broke_off_paid_is_not_asked_for_again(gateway, upstream):
    def script(exchange):
        exchange.sse_head().event(choice({"content": "half"}))
        exchange.reset()

    provider = upstream(script)
    gate = gateway(config(provider.url))
    first, second = ask(gate, True), ask(gate, True)
    assert "half" in first.text and '"error"' in first.text
    assert second.content == first.content
    assert second.headers["x-tollgate-idempotent"] == "replayed"
    assert len(provider.requests) == 1
    assert [line["status"] for line in gate.access_lines(2)] == ["error", "error"]


def test_followers_and_replays_spend_no_budget(gateway, upstream):
    """A spent budget does not stand between a client and what it has paid for."""
    provider = upstream(Steps(held=False))
    gate = gateway(config(provider.url, tenant=", budgets: [{usd: 0.003, per: total}]"))
    keys = [f"k{i}" for i in range(12)]
    status = [ask(gate, idempotency_key=k).status_code for k in keys]
    paid = status.count(200)
    assert 1 <= paid < 12 and status == [200] * paid + [429] * (12 - paid)
    # Each has its reply still, and what was denied has not used up its key.
    assert [ask(gate, idempotency_key=k).status_code for k in keys] == status
    assert len(provider.requests) == paid


def test_off_means_that_the_header_is_ignored(gateway, upstream):
    provider = upstream(Steps(held=False))
    gate = gateway(config(provider.url, more="idempotency: off"))
    assert ask(gate).status_code == ask(gate, content="y").status_code == 200
    assert len(provider.requests) == 2


def test_after_a_crash_nothing_is_paid_for_twice(gateway, upstream, tmp_path):
    """What ran and what was done are unknown, what failed unpaid may run: the file outlives -9."""
    steps = Steps(held=False)
    busy = threading.Event()

    def script(exchange):
        content = exchange.request.json["messages"][0]["content"]
        if content == "hold":
            busy.wait(30)
        elif content == "busy" and not busy.is_set():
            exchange.json({"error": {"message": "busy", "type": "x", "code": "x"}}, 503)
        else:
            steps(exchange)

    provider = upstream(script)
    text = config(provider.url, more=f"ledger: {{sqlite: {{path: '{tmp_path}/l.db'}}}}")
    first = Gateway(text, tmp_path)
    assert ask(first, idempotency_key="done").status_code == 200
    assert ask(first, content="busy", idempotency_key="failed").status_code == 503
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(ask, first, content="hold", idempotency_key="running")
        while provider.arrived.get(timeout=20).request.json["messages"][0]["content"] != "hold":
            pass
        first.process.kill()
        first.process.wait(20)
        with pytest.raises(httpx.HTTPError):
            running.result(30)
    busy.set()
    calls = len(provider.requests)
    gate = gateway(text)
    for body_of, known in (("x", "done"), ("hold", "running")):
        reply = ask(gate, content=body_of, idempotency_key=known)
        assert reply.status_code == 409
        assert reply.json()["error"]["code"] == "idempotency_unknown"
        assert reply.headers["x-should-retry"] == "false"
        assert ask(gate, content="z", idempotency_key=known).status_code == 422
    assert len(provider.requests) == calls
    assert ask(gate, content="busy", idempotency_key="failed").status_code == 200
    assert ask(gate, idempotency_key="new").status_code == 200
