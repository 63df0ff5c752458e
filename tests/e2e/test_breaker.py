"""Targets that fail: left alone, tried again one call at a time, and back when they are well."""
from __future__ import annotations

import concurrent.futures
import json
import threading
import time
import urllib.request

import pytest

import scripted
from gateway import tenant_yaml
from raw import AUTH, ask, chat_body, post


class Patient:
    """A provider that answers with `code` until it is told otherwise."""

    def __init__(self, code: int = 503, headers: dict | None = None):
        self.code, self.headers = code, headers or {}

    def __call__(self, exchange):
        if self.code == 200:
            return scripted.openai(exchange)
        exchange.json({"error": {"message": f"it is {self.code}", "type": "t", "param": None,
                                 "code": None}}, self.code, headers=self.headers)


def config(urls: list[str], model: str, keys: str = "api_key: sk-a") -> str:
    names = "abc"[:len(urls)]
    providers = "\n".join(
        f"  {name}: {{kind: openai, base_url: '{url}/v1', "
        f"{keys if name == 'a' else 'api_key: sk-' + name}}}" for name, url in zip(names, urls))
    targets = ", ".join(f"{{provider: {name}, model: text}}" for name in names)
    return (f"version: 1\nlisten: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 2}}\n"
            f"providers:\n{providers}\nmodels:\n  m: {{targets: [{targets}], {model}}}\n"
            + tenant_yaml())


def call(gate, **more):
    return ask(gate, post(chat_body("m", **more), headers=AUTH))


def target(gate, provider: str) -> dict:
    with urllib.request.urlopen(gate.admin_url + "/admin/targets", timeout=10) as reply:
        targets = json.loads(reply.read())["targets"]
    return next(t for t in targets if t["provider"] == provider)


def test_a_dead_target_costs_a_few_attempts_once(gateway, upstream):
    a, b = upstream(Patient()), upstream(scripted.openai)
    gate = gateway(config([a.url, b.url], "breaker: {failures: 3, open_for: 5m}"))
    attempts = [call(gate, stream=i % 2 == 0)["x-tollgate-attempts"] for i in range(30)]
    assert attempts == ["2"] * 3 + ["1"] * 27
    assert len(a.requests) == 3
    seen = target(gate, "a")
    assert seen["breaker"] == "open" and seen["model"] == "m" and seen["target"] == "text"
    assert 0 < seen["retry_in_ms"] <= 300000
    assert seen["last_error"]["code"] == seen["reason"]
    assert target(gate, "b")["breaker"] == "closed" and target(gate, "b")["latency_ms"] > 0
    assert len(gate.log.wait(lambda l: 'provider \\"a\\"' in l and "opens for 5m" in l)) == 1
    assert gate.metric("tollgate_breaker_state", provider="a", upstream_model="text") == 2
    assert gate.metric("tollgate_breaker_state", provider="b") == 0
    assert gate.metric("tollgate_breaker_opened_total", provider="a") == 1
    assert gate.metric("tollgate_target_in_flight") == 0


def test_one_probe_an_interval_and_back_within_one(gateway, upstream):
    script = Patient()
    a, b = upstream(script), upstream(scripted.openai)
    interval = 0.3
    gate = gateway(config([a.url, b.url], "breaker: {failures: 1, open_for: 300ms, "
                          "max_open_for: 300ms, slow_start: 0}"))
    begun = time.monotonic()
    while len(a.requests) < 4:
        assert call(gate).status == 200
        assert time.monotonic() - begun < 30
    # One failure opened it; each further one was the probe of another interval.
    assert len(a.requests) <= 1 + (time.monotonic() - begun) / interval
    script.code = 200
    while call(gate)["x-tollgate-provider"] != "a":
        assert time.monotonic() - begun < 60
    assert target(gate, "a")["breaker"] == "closed"
    assert all(call(gate)["x-tollgate-provider"] == "a" for _ in range(5))


def test_half_open_lets_one_call_through_and_no_herd(gateway, upstream):
    probed, go_on = threading.Event(), threading.Event()

    def script(exchange):
        if len(a.requests) == 1:
            return Patient()(exchange)
        probed.set()
        assert go_on.wait(60)
        return scripted.openai(exchange)

    a, b = upstream(script), upstream(scripted.openai)
    gate = gateway(config([a.url, b.url], "strategy: ordered, breaker: {failures: 1, "
                          "open_for: 200ms, slow_start: 0}"))
    assert call(gate)["x-tollgate-attempts"] == "2"
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        while not probed.is_set():
            probe = pool.submit(call, gate)
            while not probe.done() and not probed.wait(0.01):
                pass
        others = list(pool.map(lambda _: call(gate), range(48)))
        met = {(reply["x-tollgate-provider"], reply["x-tollgate-attempts"]) for reply in others}
        assert met == {("b", "1")}
        assert len(a.requests) == 2 and target(gate, "a")["breaker"] == "half_open"
        go_on.set()
        assert probe.result()["x-tollgate-provider"] == "a"
        after = list(pool.map(lambda _: call(gate), range(16)))
        assert {reply["x-tollgate-provider"] for reply in after} == {"a"}


def test_all_targets_open_is_503_with_retry_after(gateway, upstream):
    a, b = upstream(Patient()), upstream(Patient(500))
    gate = gateway(config([a.url, b.url], "breaker: {failures: 1, open_for: 90s}"))
    assert call(gate).status in (500, 503)
    asked = len(a.requests) + len(b.requests)
    reply = call(gate)
    assert reply.status == 503 and reply.error["code"] == "no_healthy_target"
    assert 60 <= int(reply["retry-after"]) <= 90
    assert reply["x-tollgate-attempts"] in (None, "0")
    assert len(a.requests) + len(b.requests) == asked


def test_429_rests_the_key_alone(gateway, upstream):
    """Of two keys one is at its limit; it is not used again before the provider said."""
    limited = threading.Event()

    def script(exchange):
        if exchange.request.headers["authorization"] == "Bearer sk-1" and not limited.is_set():
            limited.set()
            return Patient(429, {"retry-after": "120"})(exchange)
        scripted.openai(exchange)

    a = upstream(script)
    gate = gateway(config([a.url], "retry: {attempts: 2}", keys="api_keys: [sk-1, sk-2]"))
    for _ in range(8):
        assert call(gate).status == 200
    used = [r.headers["authorization"] for r in a.requests]
    assert used.count("Bearer sk-1") == 1 and used.count("Bearer sk-2") == 8
    seen = target(gate, "a")
    assert seen["breaker"] == "closed" and seen["cooldown_ms"] == 0
    assert sorted(ms > 60000 for ms in seen["keys_cooldown_ms"]) == [False, True]


def test_every_target_at_its_limit_is_429(gateway, upstream):
    a = upstream(Patient(429, {"retry-after": "77"}))
    gate = gateway(config([a.url], "retry: {attempts: 1}"))
    first, second = call(gate), call(gate)
    for reply in (first, second):
        assert reply.status == 429 and reply.error["code"] == "upstream_rate_limited"
    assert 60 < int(second["retry-after"]) <= 77 and len(a.requests) == 1


@pytest.mark.parametrize("code", [401, 403, 402])
def test_a_refused_key_opens_at_once_and_a_reload_with_another_closes(gateway, upstream, code):
    script = Patient(code)
    a, b = upstream(script), upstream(scripted.openai)
    text = config([a.url, b.url], "strategy: ordered")
    gate = gateway(text)
    for _ in range(4):
        assert call(gate).status == 200
    assert len(a.requests) == 1 and target(gate, "a")["breaker"] == "open"
    script.code = 200
    gate.rewrite(text.replace("sk-a", "sk-new"))
    gate.log.wait(lambda line: "configuration reloaded" in line)
    assert target(gate, "a")["breaker"] == "closed"
    while call(gate)["x-tollgate-provider"] != "a":  # the workers take the plan one by one
        pass


def test_health_outlives_a_reload(gateway, upstream):
    a, b = upstream(Patient()), upstream(scripted.openai)
    text = config([a.url, b.url], "breaker: {failures: 2, open_for: 5m}")
    gate = gateway(text)
    call(gate), call(gate)
    gate.rewrite(text.replace("failures: 2", "failures: 4"))
    gate.log.wait(lambda line: "configuration reloaded" in line)
    assert target(gate, "a")["breaker"] == "open"
    assert call(gate)["x-tollgate-attempts"] == "1" and len(a.requests) == 2


def test_a_clients_errors_and_hang_ups_open_nothing(gateway, upstream):
    a, b = upstream(Patient(400)), upstream(scripted.openai)
    gate = gateway(config([a.url, b.url], "breaker: {failures: 1}"))
    for _ in range(5):
        assert call(gate).status == 400
    assert target(gate, "a")["breaker"] == "closed" and len(b.requests) == 0


def test_names_under_a_wildcard_have_a_breaker_each(gateway, upstream):
    a = upstream(scripted.openai)
    gate = gateway(f"""
providers:
  a: {{kind: openai, base_url: '{a.url}/v1', api_key: sk-a}}
models:
  "w/*": {{targets: [{{provider: a, model: "*"}}], breaker: {{failures: 1}},
          retry: {{attempts: 1}}}}
{tenant_yaml()}""")

    def code(model):
        return ask(gate, post(chat_body(model), headers=AUTH)).error["code"]

    assert [code("w/err-503"), code("w/err-503")] == ["upstream_error", "no_healthy_target"]
    assert ask(gate, post(chat_body("w/text"), headers=AUTH)).status == 200
    assert gate.metric("tollgate_breaker_state", upstream_model="*") == 2
