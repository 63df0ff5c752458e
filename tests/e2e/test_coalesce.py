"""Equal calls at the same time from outside: one asks the provider, all get its reply."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import queue
import random
import resource
import socket
import threading

import httpx
import pytest

from gateway import key, key_yaml
from raw import until
from steps import CHUNK, COST, USAGE, Steps, choice, words

pytestmark = pytest.mark.threads


def config(url: str, model: str = "", tenant: str = "", cache: str = "{when: always}") -> str:
    return f"""
listen: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 2}}
providers:
  p: {{kind: openai, base_url: '{url}/v1', api_key: sk-x, price: {{input: 1, output: 2}}}}
models:
  m: {{targets: [{{provider: p, model: u}}], retry: {{attempts: 1}}{model}}}
cache: {cache}
tenants:
  t: {{keys: [{key_yaml().removeprefix("- ")}]{tenant}}}
"""


def body(stream: bool, **more) -> bytes:
    return json.dumps({"model": "m", "stream": stream, "max_tokens": 99,
                       "messages": [{"role": "user", "content": "x"}], **more}).encode()


def headers(**more) -> dict:
    return {"authorization": f"Bearer {key()}", "content-type": "application/json", **more}


def ask(gate, stream=False, more=None, **fields):
    return httpx.post(gate.base_url + "/chat/completions", content=body(stream, **(more or {})),
                      headers=headers(**fields), timeout=120)


def raw_call(gate, stream: bool, **more) -> bytes:
    text = body(stream)
    more = {name.replace("_", "-"): value for name, value in more.items()}
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers(connection="close", **more).items())
    return (f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n{lines}"
            f"content-length: {len(text)}\r\n\r\n").encode() + text


def cut_call(gate, stream: bool, **more) -> socket.socket:
    host, port = gate.url.removeprefix("http://").split(":")
    sock = socket.create_connection((host, int(port)))
    sock.settimeout(120)
    sock.sendall(raw_call(gate, stream, **more))
    return sock


def followers(gate, count: int, timeout: float = 120) -> None:
    """Waits until so many calls read another's reply."""
    until(lambda: gate.metric("tollgate_coalesce_followers") == count, timeout)


def lead_and_follow(pool, gate, provider) -> list:
    """A call that the provider has, and three that wait for its reply."""
    leader = pool.submit(ask, gate)
    provider.arrived.get(timeout=120)
    others = [pool.submit(ask, gate) for _ in range(3)]
    followers(gate, 3)
    return [leader, *others]


def own_parts(text: str) -> str:
    """A whole reply without what is every call's own."""
    reply = json.loads(text)
    del reply["id"], reply["created"]
    return json.dumps(reply, sort_keys=True)


def test_a_thousand_at_once_are_one_call(gateway, upstream):
    steps = Steps()
    provider = upstream(steps)
    gate = gateway(config(provider.url))
    count = 1000
    host, port = gate.url.removeprefix("http://").split(":")

    async def one(go: asyncio.Semaphore):
        async with go:
            reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(raw_call(gate, False))
        reply = await reader.read()
        writer.close()
        return reply

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def everybody():
        go = asyncio.Semaphore(100)  # the listener's backlog
        return await asyncio.gather(*(one(go) for _ in range(count)))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        replies = pool.submit(asyncio.run, everybody())
        followers(gate, count - 1)
        steps.release()
        replies = replies.result(300)
    heads, texts = zip(*(r.split(b"\r\n\r\n", 1) for r in replies))
    assert {h.split(b"\r\n", 1)[0] for h in heads} == {b"HTTP/1.1 200 OK"}
    assert {words(False, t.decode()) for t in texts} == {"onetwo"}
    assert {json.loads(t)["usage"]["total_tokens"] for t in texts} == {60}
    # The leader's is the provider's own bytes, the others' are rendered.
    shared = [t for h, t in zip(heads, texts) if b"x-tollgate-cache: coalesced\r\n" in h]
    assert len({own_parts(t) for t in shared}) == 1
    assert len({json.loads(t)["id"] for t in texts}) == count
    assert sum(b"x-tollgate-cache: coalesced\r\n" in h for h in heads) == count - 1
    assert sum(b"x-tollgate-cache: miss\r\n" in h for h in heads) == 1
    assert len(provider.requests) == 1
    lines = gate.access_lines(count, 120)
    paid = [line for line in lines if line["attempts"] == 1]
    shared = [line for line in lines if line.get("cache") == "coalesced"]
    assert len(paid) == 1 and paid[0]["charged_nano_usd"] == COST
    assert len(shared) == count - 1 and {line["status"] for line in lines} == {"ok"}
    for line in shared:
        assert line["charged_nano_usd"] == line["cost_nano_usd"] == line["output_tokens"] == 0
        assert line["avoided_nano_usd"] == COST
        assert line["tags"]["tollgate:leader"] == paid[0]["request_id"]
    assert gate.metric("tollgate_cost_usd_total") == pytest.approx(COST / 1e9)
    assert gate.metric("tollgate_coalesce_bytes") == 0
    assert ask(gate).headers["x-tollgate-cache"] == "hit"


@pytest.mark.parametrize("leader", [False, True], ids=["whole-leads", "stream-leads"])
def test_streams_and_whole_replies_share_a_call(gateway, upstream, leader):
    steps = Steps()
    provider = upstream(steps)
    gate = gateway(config(provider.url))
    usage = {"stream_options": {"include_usage": True}}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(ask, gate, leader)
        steps.reach("one")
        stream = pool.submit(ask, gate, True, usage)
        whole = pool.submit(ask, gate, False)
        followers(gate, 2)
        steps.release()
        first, stream, whole = (r.result(120) for r in (first, stream, whole))
    assert words(leader, first.text) == words(True, stream.text) == words(False, whole.text)
    assert whole.json()["usage"]["total_tokens"] == 60
    assert '"cost":0' in stream.text.replace(" ", "")
    assert stream.headers["content-type"].startswith("text/event-stream")
    for shared in (stream, whole):
        assert shared.headers["x-tollgate-cache"] == "coalesced"
        assert shared.headers["x-tollgate-provider"] == "p"
        assert shared.headers["x-tollgate-attempts"] == "0"
    assert whole.headers["x-tollgate-cost-usd"] == "0"
    assert len(provider.requests) == 1


def test_streams_join_live_at_any_time_and_the_leader_may_leave(gateway, upstream):
    """The leader hangs up after its first word; who is there goes on, who comes joins; those that
    do not read hold nobody up."""
    go, count = threading.Semaphore(0), 300
    said = queue.Queue()

    def script(exchange):
        exchange.sse_head()
        for i in range(count):
            assert go.acquire(timeout=120)
            exchange.event(choice({"content": f"<{i}>" + "y" * 30000}))
            said.put(i)
        exchange.event(choice({}, "stop")).event({**CHUNK, "choices": [], "usage": USAGE})
        exchange.event("[DONE]").end()

    provider = upstream(script)
    gate = gateway(config(provider.url))
    everything = "".join(f"<{i}>" + "y" * 30000 for i in range(count))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        leader = cut_call(gate, True)
        go.release()
        head = b""
        while b"<0>" not in head:
            head += leader.recv(1 << 20)
        readers = [pool.submit(ask, gate, True)]
        idle = [cut_call(gate, True), cut_call(gate, True)]
        followers(gate, 3)
        leader.close()
        left = random.Random(7)
        given = 1
        while given < count:
            step = min(left.randrange(1, 40), count - given)
            for _ in range(step):
                go.release()
            given += step
            while said.get(timeout=120) != given - 1:
                pass
            if len(readers) < 8 and given < count:
                readers.append(pool.submit(ask, gate, True))
                followers(gate, len(readers) + len(idle))
        texts = [r.result(120) for r in readers]
        assert len(texts) == 8
        assert {t.headers["x-tollgate-cache"] for t in texts} == {"coalesced"}
        assert all(words(True, t.text) == everything for t in texts)
        for sock in idle:
            taken = b""
            while more := sock.recv(1 << 20):
                taken += more
            assert taken.count(b"y" * 30000) == count and b"[DONE]" in taken
    assert len(provider.requests) == 1
    (paid,) = [line for line in gate.access_lines(11, 120) if line["attempts"] == 1]
    assert (paid["status"], paid["http_status"]) == ("client_abort", 499)
    assert paid["charged_nano_usd"] == COST


def test_a_call_that_everybody_left_ends(gateway, upstream):
    steps = Steps()
    provider = upstream(steps)
    gate = gateway(config(provider.url))
    leader = cut_call(gate, True)
    steps.reach("one")
    others = [cut_call(gate, True) for _ in range(2)]
    followers(gate, 2)
    leader.close()
    others[0].close()
    followers(gate, 1)
    assert gate.metric("tollgate_coalesce_running") == 1
    others[1].close()
    until(lambda: gate.metric("tollgate_in_flight") == 0, 120)
    assert gate.metric("tollgate_coalesce_running") == 0
    steps.release()
    assert {line["status"] for line in gate.access_lines(3)} == {"client_abort"}


def test_without_followers_a_hang_up_ends_the_call(gateway, upstream):
    steps = Steps()
    provider = upstream(steps)
    gate = gateway(config(provider.url))
    leader = cut_call(gate, True)
    steps.reach("one")
    leader.close()
    until(lambda: gate.metric("tollgate_in_flight") == 0, 120)
    steps.release()
    assert len(provider.requests) == 1


@pytest.mark.parametrize("status,calls", [(503, 4), (400, 1)])
def test_a_failure_reaches_all_and_each_may_try_once(gateway, upstream, status, calls):
    """What another try may mend is tried; what the provider would refuse again is not. Each counts
    one request, whatever it was at first: there is room for four."""
    first, made = threading.Event(), []
    together = threading.Barrier(3)  # so that none finds another's reply in the cache

    def script(exchange):
        made.append(exchange)
        if len(made) == 1:
            assert first.wait(120)
            exchange.json({"error": {"message": "no", "type": "x", "code": "x"}}, status)
        else:
            together.wait(120)
            Steps(held=False)(exchange)

    provider = upstream(script)
    gate = gateway(config(provider.url, tenant=", limits: {requests_per_minute: 4}"))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        leader, *others = lead_and_follow(pool, gate, provider)
        first.set()
        assert leader.result(120).status_code == status
        replies = [f.result(120) for f in others]
    assert len(provider.requests) == calls
    if status == 400:
        assert {(r.status_code, r.json()["error"]["message"]) for r in replies} == {(400, "no")}
    else:
        assert {r.status_code for r in replies} == {200}
        assert {r.headers["x-tollgate-cache"] for r in replies} == {"miss"}
        assert all(words(False, r.text) == "onetwo" for r in replies)
    lines = gate.access_lines(4)
    charged = sorted(line["charged_nano_usd"] for line in lines)
    assert charged == ([0, 0, 0, 0] if status == 400 else [0, COST, COST, COST])
    assert all("tollgate:leader" not in line.get("tags", {}) for line in lines
               if line["attempts"] == 1)


def test_who_tries_alone_reserves_first(gateway, upstream):
    """The budget holds two such calls: of three that the leader failed one at least is refused, and
    the provider hears nothing of it."""
    first, refused, made = threading.Event(), threading.Event(), []

    def script(exchange):
        made.append(exchange)
        if len(made) == 1:
            assert first.wait(120)
            exchange.json({"error": {"message": "no", "type": "x", "code": "x"}}, 503)
        else:
            assert refused.wait(120)
            Steps(held=False)(exchange)

    provider = upstream(script)
    gate = gateway(config(provider.url, tenant=", budgets: [{usd: 0.006, per: total}]"))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        leader, *others = lead_and_follow(pool, gate, provider)
        first.set()
        assert leader.result(120).status_code == 503
        next(concurrent.futures.as_completed(others, 120))
        refused.set()
        replies = [c.result(120) for c in others]
    assert {r.status_code for r in replies} == {200, 429}
    assert {r.json()["error"]["code"] for r in replies if r.status_code == 429} == {
        "budget_reserved"}
    assert len(provider.requests) == 1 + sum(r.status_code == 200 for r in replies)


def test_what_every_target_refuses_is_refused_to_all(gateway, upstream):
    """Too long for this model: another target might do, but there is none left."""
    first = threading.Event()

    def script(exchange):
        assert first.wait(120)
        exchange.json({"error": {"message": "too long", "type": "invalid_request_error",
                                 "code": "context_length_exceeded"}}, 400)

    provider = upstream(script)
    gate = gateway(config(provider.url))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        leader, *others = lead_and_follow(pool, gate, provider)
        first.set()
        replies = [c.result(120) for c in (leader, *others)]
    assert {(r.status_code, r.json()["error"]["code"]) for r in replies} == {
        (400, "context_length_exceeded")}
    assert len(provider.requests) == 1


def test_a_reply_that_breaks_off_breaks_off_for_all(gateway, upstream):
    die = threading.Event()

    def script(exchange):
        exchange.sse_head().event(choice({"content": "half"}))
        assert die.wait(120)
        exchange.reset()

    provider = upstream(script)
    gate = gateway(config(provider.url))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        leader = pool.submit(ask, gate, True)
        provider.arrived.get(timeout=120)
        sock = cut_call(gate, True)
        taken = b""
        while b"half" not in taken:
            taken += sock.recv(1 << 16)
        die.set()
        assert "half" in leader.result(120).text
        while more := sock.recv(1 << 16):
            taken += more
    assert b'"error"' in taken and b"[DONE]" not in taken
    assert len(provider.requests) == 1


def test_who_shares_nothing(gateway, upstream):
    """Off; not for the cache; a reply from before the call is not wanted."""
    steps = Steps()
    provider = upstream(steps)
    gates = [gateway(config(provider.url, cache=c))
             for c in ("{when: always, coalesce: false}", "{when: deterministic}",
                       "{when: always}")]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        calls = []
        for gate, more in zip(gates, ({}, {}, {"cache-control": "no-cache"})):
            for _ in range(2):
                calls.append(pool.submit(ask, gate, **more))
                provider.arrived.get(timeout=120)
        steps.release()
        assert {c.result(120).status_code for c in calls} == {200}
    assert len(provider.requests) == 6
