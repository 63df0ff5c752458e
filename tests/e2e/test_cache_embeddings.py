"""Embeddings in the cache from outside: each input by itself, whatever batch it stands in."""

from __future__ import annotations

import base64
import concurrent.futures
import random
import struct
import threading

import httpx
import pytest

from gateway import key, key_yaml
from raw import until


def vector(item, model: str) -> list[float]:
    """Another for each input; every figure is a float32 without rest."""
    number = int(item.split()[-1]) if isinstance(item, str) else 10_000 + sum(item)
    return [float(number), number / 4, {"u": 1.0, "other": 2.0}[model]]


class Provider:
    """Bills a token an input."""

    def __init__(self):
        self.bodies: list[dict] = []

    def __call__(self, exchange):
        body = exchange.request.json
        self.bodies.append(body)
        items = body["input"]
        items = items if isinstance(items, list) and not isinstance(items[0], int) else [items]
        data = [{"object": "embedding", "index": i, "embedding": vector(x, body["model"])}
                for i, x in enumerate(items)]
        if body.get("encoding_format") == "base64":
            for one in data:
                floats = struct.pack("<3f", *one["embedding"])
                one["embedding"] = base64.b64encode(floats).decode()
        random.Random(3).shuffle(data)  # the index says which is which
        exchange.json({"object": "list", "model": "u-1", "data": data,
                       "usage": {"prompt_tokens": len(items), "total_tokens": len(items)}})


def config(url: str, more: str = "", cache: str = "{}") -> str:
    return f"""
providers:
  p: {{kind: openai, base_url: '{url}/v1', api_key: k, price: {{input: 1}}}}
  q: {{kind: openai, base_url: '{url}/v1', api_key: k, price: {{input: 1}}}}
models:
  e: {{targets: [{{provider: p, model: u}}]{more}}}
  spare: {{targets: [{{provider: q, model: other}}]}}
cache: {cache}
tenants:
  t: {{keys: [{key_yaml().removeprefix("- ")}]}}
"""


def ask(gate, items, headers=None, **more):
    return httpx.post(gate.base_url + "/embeddings", timeout=120,
                      json={"model": "e", "input": items, **more},
                      headers={"authorization": f"Bearer {key()}", **(headers or {})})


def vectors(reply) -> list:
    assert reply.status_code == 200, reply.text
    data = reply.json()["data"]
    assert [d["index"] for d in data] == list(range(len(data)))
    return [d["embedding"] for d in data]


def by_index(reply) -> list:
    return [d["embedding"] for d in sorted(reply.json()["data"], key=lambda d: d["index"])]


def test_of_a_thousand_inputs_only_the_missing_hundred_go_upstream(gateway, upstream):
    provider = Provider()
    gate = gateway(config(upstream(provider).url))
    items = [f"text \u00e4 {i}" for i in range(1000)]
    missing = set(random.Random(5).sample(range(1000), 100))
    first = ask(gate, [x for i, x in enumerate(items) if i not in missing])
    assert first.headers["x-tollgate-cache"] == "miss"
    second = ask(gate, items)
    assert vectors(second) == [vector(x, "u") for x in items]
    assert provider.bodies[1]["input"] == [items[i] for i in sorted(missing)]
    assert len(provider.bodies) == 2
    assert second.json()["usage"] == {"prompt_tokens": 100, "total_tokens": 100}
    assert second.headers["x-tollgate-cache"] == "miss"
    line = gate.line_of(second.headers["x-request-id"])
    assert (line["input_tokens"], line["charged_nano_usd"]) == (100, 100 * 1000)
    assert line["avoided_nano_usd"] == pytest.approx(900 * 1000, abs=900)
    third = ask(gate, items[::-1])
    assert vectors(third) == [vector(x, "u") for x in items[::-1]]
    assert third.headers["x-tollgate-cache"] == "hit" and int(third.headers["age"]) >= 0
    assert third.json()["usage"] == {"prompt_tokens": 0, "total_tokens": 0}
    line = gate.line_of(third.headers["x-request-id"])
    assert (line["status"], line["charged_nano_usd"], line["attempts"]) == ("cache_hit", 0, 0)
    assert line["avoided_nano_usd"] == pytest.approx(1000 * 1000, abs=1000)
    assert len(provider.bodies) == 2


def test_one_text_many_texts_and_tokens(gateway, upstream):
    provider = Provider()
    gate = gateway(config(upstream(provider).url))
    assert by_index(ask(gate, "text 1")) == [vector("text 1", "u")]
    assert by_index(ask(gate, ["text 1"])) == [vector("text 1", "u")]
    assert by_index(ask(gate, ["text 1", "text 1", "text 2"])) == [
        vector(x, "u") for x in ("text 1", "text 1", "text 2")]
    assert provider.bodies[-1]["input"] == ["text 2"]
    assert by_index(ask(gate, [1, 2, 3])) == [vector([1, 2, 3], "u")]
    assert by_index(ask(gate, [[1, 2, 3], [4]])) == [vector([1, 2, 3], "u"), vector([4], "u")]
    assert provider.bodies[-1]["input"] == [[4]]
    assert len(provider.bodies) == 4


def test_format_and_dimensions_are_part_of_the_key(gateway, upstream):
    provider = Provider()
    gate = gateway(config(upstream(provider).url))
    shapes = [{}, {"encoding_format": "base64"}, {"dimensions": 3}]
    for calls, shape in enumerate(shapes, 1):
        assert ask(gate, ["text 1"], **shape).headers["x-tollgate-cache"] == "miss"
        hit = ask(gate, ["text 1"], **shape)
        assert hit.headers["x-tollgate-cache"] == "hit" and len(provider.bodies) == calls
        (got,) = vectors(hit)
        if shape.get("encoding_format"):
            got = list(struct.unpack("<3f", base64.b64decode(got)))
        assert got == vector("text 1", "u")
        mixed = by_index(ask(gate, ["text 9", "text 1"], headers={"cache-control": "no-cache"},
                             **shape))
        assert len(mixed) == 2
        provider.bodies.pop()
    assert ask(gate, ["text 1", "text 7"],
               headers={"cache-control": "only-if-cached"}).status_code == 504


def test_off_and_no_store(gateway, upstream):
    provider = Provider()
    url = upstream(provider).url
    off = gateway(config(url, cache="{embeddings: false}"))
    on = gateway(config(url))
    assert [ask(off, "text 1").headers["x-tollgate-cache"] for _ in range(2)] == ["bypass"] * 2
    assert [ask(on, "text 1", headers={"cache-control": "no-store"}).headers["x-tollgate-cache"]
            for _ in range(2)] == ["bypass"] * 2
    assert len(provider.bodies) == 4


def test_another_models_vectors_are_never_mixed_in(gateway, upstream):
    """A fallback is asked for all inputs, and what it says is not kept."""
    provider, down = Provider(), threading.Event()

    def script(exchange):
        if down.is_set() and exchange.request.json["model"] == "u":
            exchange.json({"error": {"message": "busy"}}, 503)
        else:
            provider(exchange)

    gate = gateway(config(upstream(script).url, ", retry: {attempts: 1}, fallback: [spare]"))
    ask(gate, ["text 1", "text 2"])
    down.set()
    reply = ask(gate, ["text 1", "text 2", "text 3"])
    assert by_index(reply) == [vector(f"text {i}", "other") for i in (1, 2, 3)]
    assert provider.bodies[-1]["input"] == ["text 1", "text 2", "text 3"]
    assert gate.line_of(reply.headers["x-request-id"]).get("avoided_nano_usd", 0) == 0
    down.clear()
    reply = ask(gate, ["text 3", "text 1"])
    assert vectors(reply) == [vector("text 3", "u"), vector("text 1", "u")]
    assert provider.bodies[-1]["input"] == ["text 3"]


def test_too_few_vectors_are_an_error_and_not_kept(gateway, upstream):
    provider, short = Provider(), threading.Event()

    def script(exchange):
        if short.is_set():
            exchange.json({"object": "list", "model": "u-1", "data": [], "usage": {
                "prompt_tokens": 1, "total_tokens": 1}})
        else:
            provider(exchange)

    gate = gateway(config(upstream(script).url, ", retry: {attempts: 1}"))
    ask(gate, ["text 1"])
    short.set()
    assert ask(gate, ["text 1", "text 2"]).status_code == 502
    short.clear()
    both = ["text 1", "text 2"]
    assert vectors(ask(gate, both)) == [vector(x, "u") for x in both]


def test_equal_calls_at_once_share_one(gateway, upstream):
    provider, go = Provider(), threading.Event()

    def script(exchange):
        assert go.wait(120)
        provider(exchange)

    gate = gateway(config(upstream(script).url))
    items = [f"text {i}" for i in range(20)]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(ask, gate, items) for _ in range(20)]
        until(lambda: gate.metric("tollgate_coalesce_followers") == 19, 120)
        go.set()
        replies = [c.result(120) for c in calls]
    assert len(provider.bodies) == 1
    assert all(by_index(r) == [vector(x, "u") for x in items] for r in replies)
    assert sorted(r.headers["x-tollgate-cache"] for r in replies) == ["coalesced"] * 19 + ["miss"]
