"""How a target is chosen: affinity, price, calls in flight, and what a provider allows us."""
from __future__ import annotations

import json
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

import scripted
from gateway import tenant_yaml
from raw import AUTH, Connection, chat_body, post

HEAD = "version: 1\nlisten: {http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 2}\n"


def config(urls: list[str], model: str = "", **providers: str) -> str:
    names = "abcd"[:len(urls)]
    lines = "\n".join(
        f"  {name}: {{kind: openai, base_url: '{url}/v1', api_key: sk-{name}"
        f"{providers.get(name, '')}}}" for name, url in zip(names, urls))
    targets = ", ".join(f"{{provider: {name}, model: text}}" for name in names)
    return (f"{HEAD}providers:\n{lines}\nmodels:\n  m: {{targets: [{targets}]{model}}}\n"
            + tenant_yaml())


def call(gate, **more):
    connection = Connection(gate, timeout=120)
    try:
        return connection.ask(post(chat_body("m", **more), headers=AUTH))
    finally:
        connection.close()


def provider_of(gate, **more) -> str:
    reply = call(gate, **more)
    assert reply.status == 200
    return reply["x-tollgate-provider"]


@pytest.fixture
def four(upstream):
    return [upstream(scripted.openai).url for _ in range(4)]


def turns(topic: int, count: int) -> list[dict]:
    said = [{"role": "system", "content": "Be brief."},
            {"role": "user", "content": f"Tell me about {topic}."}]
    for i in range(count):
        said += [{"role": "assistant", "content": f"Well, {i}."},
                 {"role": "user", "content": f"And {i}?"}]
    return said


def test_a_conversation_stays_and_conversations_spread(gateway, four):
    gate = gateway(config(four, ", affinity: prefix"))
    homes = [{provider_of(gate, messages=turns(topic, n)) for n in range(4)}
             for topic in range(24)]
    assert all(len(home) == 1 for home in homes)
    assert set.union(*homes) == set("abcd")
    keyed = {provider_of(gate, messages=turns(t, 0), prompt_cache_key="mine") for t in range(12)}
    assert len(keyed) == 1


def test_a_user_stays(gateway, four):
    gate = gateway(config(four, ", affinity: user"))
    homes = [{provider_of(gate, messages=turns(n, 0), user=f"user-{u}") for n in range(3)}
             for u in range(24)]
    assert all(len(home) == 1 for home in homes) and set.union(*homes) == set("abcd")


def test_the_cheapest_is_first_and_the_next_when_it_fails(gateway, upstream):
    cheap = upstream(scripted.status(503))
    dear, middle = upstream(scripted.openai), upstream(scripted.openai)
    gate = gateway(config(
        [dear.url, middle.url, cheap.url], ", strategy: cheapest",
        a=", price: {input: 9, output: 9}", b=", price: {input: 1, output: 4}",
        c=", price: {input: 1, output: 3}"))
    assert [provider_of(gate) for _ in range(8)] == ["b"] * 8
    assert len(cheap.requests) == 5  # until its breaker opened


def test_least_busy_goes_where_nobody_waits(gateway, upstream):
    held, go = threading.Event(), threading.Event()

    def slow(exchange):
        held.set()
        assert go.wait(120)
        scripted.openai(exchange)

    urls = [upstream(slow).url, upstream(scripted.openai).url]
    gate = gateway(config(urls, ", strategy: least_busy"))
    with ThreadPoolExecutor(8) as pool:
        running = []
        while not held.is_set():  # by lot while nobody waits anywhere
            running.append(pool.submit(provider_of, gate))
            held.wait(1)
        assert [provider_of(gate) for _ in range(6)] == ["b"] * 6
        go.set()
        assert [one.result() for one in running][-1] == "a"


def test_a_providers_limits_are_kept(gateway, four):
    limits = ", limits: {requests_per_minute: 3}"
    gate = gateway(config(four[:2], a=limits))
    assert [provider_of(gate) for _ in range(6)] == ["a"] * 3 + ["b"] * 3
    alone = gateway(config(four[:1], a=limits))
    assert [call(alone).status for _ in range(3)] == [200] * 3
    denied = call(alone)
    assert denied.status == 429 and denied.error["code"] == "upstream_rate_limited"
    assert 1 <= int(denied["retry-after"]) <= 20


def test_concurrent_attempts_are_kept_and_given_back(gateway, upstream):
    held, go = threading.Event(), threading.Event()

    def slow(exchange):
        held.set()
        assert go.wait(120)
        scripted.openai(exchange)

    urls = [upstream(slow).url, upstream(scripted.openai).url]
    gate = gateway(config(urls, a=", limits: {concurrent: 1}"))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(provider_of, gate)
        assert held.wait(30)
        assert provider_of(gate) == "b"
        go.set()
        assert first.result() == "a"
    assert provider_of(gate) == "a"


def test_who_says_that_nothing_is_left_is_asked_last(gateway, upstream):
    def last_one(exchange):
        raw = scripted.WHOLE.encode()
        exchange.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                      b"x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 6m0s\r\n"
                      b"content-length: %d\r\n\r\n%s" % (len(raw), raw))
        exchange.keep = True

    a, b = upstream(last_one), upstream(scripted.openai)
    gate = gateway(config([a.url, b.url]))
    assert [provider_of(gate) for _ in range(4)] == ["a", "b", "b", "b"]
    alone = gateway(config([a.url]))
    assert [provider_of(alone) for _ in range(3)] == ["a"] * 3


def test_a_probe_finds_a_provider_well_again(gateway, upstream):
    well, probed = threading.Event(), threading.Event()

    def script(exchange):
        if exchange.request.method == "GET":
            assert exchange.request.target == "/v1/models"
            assert exchange.request.headers["authorization"] == "Bearer sk-a"
            probed.set()
            return exchange.json({"data": []}, 200 if well.is_set() else 500)
        (scripted.openai if well.is_set() else scripted.status(503))(exchange)

    a, b = upstream(script), upstream(scripted.openai)
    gate = gateway(config([a.url, b.url], ", breaker: {failures: 1, open_for: 5m, slow_start: 0}",
                          a=", probe: 1s"))
    assert provider_of(gate) == "b" and provider_of(gate) == "b"
    assert probed.wait(30)
    assert provider_of(gate) == "b"
    well.set()
    gate.log.wait(lambda line: "answers again" in line)
    assert provider_of(gate) == "a"
    with urllib.request.urlopen(gate.admin_url + "/admin/targets", timeout=10) as reply:
        seen = json.loads(reply.read())["targets"]
    assert [t["breaker"] for t in seen] == ["closed", "closed"]
