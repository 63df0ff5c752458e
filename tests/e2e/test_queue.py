"""Calls that wait while every target is at its provider's limit."""
from __future__ import annotations

import json
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

import scripted
from gateway import key, key_yaml
from raw import Connection, Reply, chat_body, post, until


class Counter:
    """A provider that serves one request for each `let`; `served` are their prompts, in order."""

    def __init__(self):
        self.served: list[str] = []
        self.most = 0
        self._inside = 0
        self._changed = threading.Condition()
        self._allowed = threading.Semaphore(0)

    def __call__(self, exchange):
        with self._changed:
            self.served.append(exchange.request.json["messages"][0]["content"])
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._changed.notify_all()
        assert self._allowed.acquire(timeout=120)
        with self._changed:
            self._inside -= 1
        scripted.openai(exchange)

    def let(self, count: int = 1) -> None:
        self._allowed.release(count)

    def wait(self, count: int) -> list[str]:
        """The prompts, as soon as `count` have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.served) >= count, 60), self.served
            return list(self.served)


def config(url: str, queue: str = "{wait: 60s, max: 200}", more: str = "", limit: int = 1,
           tenant: str = "", top: str = "") -> str:
    return (f"version: 1\nlisten: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 2{top}}}\n"
            f"providers:\n  a: {{kind: openai, base_url: '{url}/v1', api_key: sk-a, "
            f"limits: {{concurrent: {limit}}}}}\n"
            f"  b: {{kind: demo}}\n"
            f"models:\n  m: {{targets: [{{provider: a, model: text}}], queue: {queue}{more}}}\n"
            f"  other: {{targets: [{{provider: b, model: demo}}]}}\n"
            f"tenants:\n  loud:\n    keys:\n      {key_yaml()}\n{tenant}"
            f"  quiet:\n    keys:\n      {key_yaml('quiet')}\n")


def request(text: str, who: str = "t-key", headers: str = "", **more) -> bytes:
    return post(chat_body("m", text, **more),
                headers=f"authorization: Bearer {key(who)}\r\n{headers}")


def ask(gate, data: bytes) -> Reply:
    """Waits for as long as a queue may take on a slow machine."""
    connection = Connection(gate, timeout=120)
    try:
        return connection.ask(data)
    finally:
        connection.close()


@pytest.fixture
def provider(upstream):
    counter = Counter()
    counter.url = upstream(counter).url
    return counter


@pytest.fixture
def pool():
    with ThreadPoolExecutor(80) as pool:
        yield pool


def waits(gate, count: int) -> None:
    until(lambda: gate.metric("tollgate_queue_waiting", model="m") == count, timeout=60)


def ended(gate, result: str) -> float:
    return gate.metric("tollgate_queue_calls_total", model="m", result=result)


def busy(gate, pool, provider):
    """One call has the only place."""
    running = pool.submit(ask, gate, request("first"))
    provider.wait(1)
    return running


@pytest.mark.threads
def test_a_burst_delays_only_itself(gateway, provider, pool):
    gate = gateway(config(provider.url))
    calls = [busy(gate, pool, provider)]
    calls += [pool.submit(ask, gate, request("loud")) for _ in range(40)]
    waits(gate, 40)
    calls.append(pool.submit(ask, gate, request("quiet", "quiet")))
    waits(gate, 41)
    provider.let(2)
    assert "quiet" in provider.wait(3)[:3]
    provider.let(40)
    assert [call.result().status for call in calls] == [200] * 42
    assert provider.most == 1 and len(provider.served) == 42
    waits(gate, 0)
    assert ended(gate, "admitted") == 41
    assert gate.metric("tollgate_queue_wait_seconds_total", model="m") > 0


def test_the_wait_and_the_queue_have_an_end(gateway, provider, pool):
    gate = gateway(config(provider.url, "{wait: 300ms, max: 1}"))
    running = busy(gate, pool, provider)
    late = ask(gate, request("late"))
    assert late.status == 429 and late.error["code"] == "queue_full"
    assert "300ms" in late.error["message"] and int(late["retry-after"]) >= 1
    assert ended(gate, "timeout") == 1
    assert late.error["type"] == "rate_limit_error"
    line = gate.line_of(late["x-request-id"])
    assert line["queue_ms"] >= 300 and line["error"] == "queue_full"
    assert line["origin"] == "gateway" and line["attempts"] == 0
    until(lambda: gate.metric("tollgate_errors_total", code="queue_full", origin="gateway") == 1)
    assert gate.metric("tollgate_errors_total", origin="upstream") == 0
    provider.let()
    first = running.result()
    assert first.status == 200 and "queue_ms" not in gate.line_of(first["x-request-id"])
    until(lambda: gate.metric("tollgate_upstream_attempts_total") == 1)

    gate = gateway(config(provider.url, "{wait: 60s, max: 1}"))
    provider.served.clear()
    running = busy(gate, pool, provider)
    waiting = pool.submit(ask, gate, request("second"))
    waits(gate, 1)
    full = ask(gate, request("third"))
    assert full.status == 429 and full.error["code"] == "queue_full"
    assert "max: 1" in full.error["message"] and int(full["retry-after"]) >= 1
    assert ended(gate, "full") == 1
    provider.let(2)
    assert running.result().status == waiting.result().status == 200


@pytest.mark.threads
def test_a_family_has_one_share(gateway, provider, pool):
    """Six tenants of one parent beside one that has none: each second place is the single one's."""
    members = [f"member{i}" for i in range(6)]
    tenants = "".join(f"  {name}:\n    parent: family\n    keys:\n      {key_yaml(name)}\n"
                      for name in members) + "  family: {}\n"
    gate = gateway(config(provider.url).replace("tenants:\n", "tenants:\n" + tenants))
    calls = [busy(gate, pool, provider)]
    for who in members * 3:
        calls.append(pool.submit(ask, gate, request("family", who)))
        waits(gate, len(calls) - 1)
    for _ in range(6):
        calls.append(pool.submit(ask, gate, request("single", "quiet")))
        waits(gate, len(calls) - 1)
    provider.let(len(calls))
    assert [call.result().status for call in calls] == [200] * 25
    assert provider.served[1:13].count("single") == 6


def test_after_the_wait_another_model_answers(gateway, provider, pool):
    gate = gateway(config(provider.url, "{wait: 200ms}", ", fallback: [other]"))
    running = busy(gate, pool, provider)
    reply = ask(gate, request("elsewhere"))
    assert reply.status == 200 and reply["x-tollgate-provider"] == "b"
    provider.let()
    assert running.result()["x-tollgate-provider"] == "a"


def test_who_hangs_up_or_runs_out_of_time_waits_no_longer(gateway, provider, pool):
    gate = gateway(config(provider.url))
    running = busy(gate, pool, provider)
    gone = Connection(gate).send(request("gone"))
    waits(gate, 1)
    gone.close()
    waits(gate, 0)
    assert ended(gate, "left") == 1
    slow = ask(gate, request("slow", headers="x-tollgate-timeout: 300ms\r\n"))
    assert slow.status == 504 and slow.error["code"] == "deadline_exceeded"
    provider.let(2)
    assert running.result().status == ask(gate, request("last")).status == 200
    assert provider.served == ["first", "last"]


def test_a_waiting_call_holds_its_place_among_its_tenants_own(gateway, provider, pool):
    gate = gateway(config(provider.url, tenant="    limits: {concurrent: 2}\n"))
    running = busy(gate, pool, provider)
    waiting = pool.submit(ask, gate, request("second"))
    waits(gate, 1)
    third = ask(gate, request("third"))
    assert third.status == 429 and third.json["error"]["code"] == "rate_limit_exceeded"
    provider.let(2)
    assert running.result().status == waiting.result().status == 200


@pytest.mark.threads
def test_sigterm_sends_those_away_that_wait(gateway, provider, pool):
    gate = gateway(config(provider.url))
    running = busy(gate, pool, provider)
    waiting = [pool.submit(ask, gate, request("waits")) for _ in range(6)]
    waits(gate, 6)
    gate.terminate()
    for call in waiting:
        reply = call.result()
        assert reply.status == 503 and reply.error["code"] == "draining"
    provider.let()
    assert running.result().status == 200
    gate.stop()
    assert provider.served == ["first"]


@pytest.mark.threads
def test_a_raised_limit_lets_in_those_that_wait(gateway, provider, pool):
    gate = gateway(config(provider.url))
    calls = [busy(gate, pool, provider)]
    calls += [pool.submit(ask, gate, request("waits")) for _ in range(3)]
    waits(gate, 3)
    with urllib.request.urlopen(gate.admin_url + "/admin/targets", timeout=10) as reply:
        assert json.loads(reply.read())["targets"][0]["waiting"] == 3
    gate.rewrite(config(provider.url, limit=3))
    provider.wait(3)
    waits(gate, 1)
    provider.let(4)
    assert [call.result().status for call in calls] == [200] * 4
    assert provider.most == 3


@pytest.mark.threads
def test_no_place_is_lost_between_workers(gateway, upstream, pool):
    """Calls come, are served and hang up at any moment; who stays is served, never too many."""
    inside, most, lock = [], [0], threading.Lock()

    def script(exchange):
        with lock:
            inside.append(1)
            most[0] = max(most[0], len(inside))
        with lock:  # before the reply: its end makes room
            inside.pop()
        scripted.openai(exchange)

    gate = gateway(config(upstream(script).url, limit=3))

    def call(number: int) -> int | None:
        who = ("t-key", "quiet")[number % 2]
        if number % 3:
            return ask(gate, request("stays", who, stream=number % 5 == 0)).status
        line = Connection(gate).send(request("goes", who))
        line.silent(0.001 * (1 + number % 7))
        line.close()
        return None

    statuses = list(pool.map(call, range(400)))
    assert {status for status in statuses if status} == {200}
    assert most[0] <= 3 and ended(gate, "admitted") > 0
    waits(gate, 0)
    until(lambda: gate.metric("tollgate_target_in_flight") == 0)


def test_a_stream_is_kept_alive_while_it_waits(gateway, provider, pool):
    gate = gateway(config(provider.url, more=", hold_back: 100ms", top=", heartbeat: 100ms"))
    running = busy(gate, pool, provider)
    line = Connection(gate).send(request("streams", stream=True))
    assert line.head().status == 200
    assert line.chunk().startswith(b":")
    assert gate.metric("tollgate_queue_waiting", model="m") == 1
    provider.let(2)
    rest = b""
    while piece := line.chunk():
        rest += piece
    assert b"[DONE]" in rest and b"error" not in rest
    assert running.result().status == 200


def test_an_emptied_minute_brings_the_next_by_time(gateway, upstream, pool):
    url = upstream(scripted.openai).url
    gate = gateway(config(url).replace("concurrent: 1", "requests_per_minute: 30"))
    calls = [pool.submit(ask, gate, request("one")) for _ in range(32)]
    assert [call.result().status for call in calls] == [200] * 32
