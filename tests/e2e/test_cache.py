"""The response cache from outside: what is answered twice from one reply, and what never is."""
from __future__ import annotations

import json
import re
import urllib.request

import httpx
import pytest

import dialects
import scripted
from caching import ASK, admin, client, collect, config, post, said
from gateway import key, key_yaml
from talker import CALL, COST, HEAD, TEXT, Provider


@pytest.fixture
def provider():
    made = Provider()
    yield made
    made.server.close()
    assert not made.server.errors, made.server.errors


@pytest.mark.parametrize("first", ["whole", "stream"])
@pytest.mark.parametrize("model", ["m", "tool"])
def test_a_stream_and_a_whole_reply_answer_each_other(gateway, provider, first, model):
    one = gateway(config(provider))
    sdk = client(one)
    ask = {**ASK, "model": model}
    options = {"stream": True, "stream_options": {"include_usage": True}}
    if first == "whole":
        sdk.chat.completions.create(**ask)
    else:
        collect(sdk.chat.completions.create(**ask, **options))
    assert provider.calls == 1
    whole = sdk.chat.completions.with_raw_response.create(**ask)
    stream = sdk.chat.completions.with_raw_response.create(**ask, **options)
    assert provider.calls == 1
    for raw in (whole, stream):
        assert raw.headers["x-tollgate-cache"] == "hit"
        assert int(raw.headers["age"]) >= 0
        assert raw.headers["x-tollgate-provider"] == "up"
        assert raw.headers["x-tollgate-attempts"] == "0"
    assert whole.headers["x-tollgate-cost-usd"] == "0"
    reply, pieces = whole.parse(), collect(stream.parse())
    message = reply.choices[0].message
    if model == "tool":
        assert message.tool_calls[0].model_dump() == CALL
        assert pieces["calls"] == {0: {"id": "call_7", **CALL["function"]}}
        assert pieces["finish"] == reply.choices[0].finish_reason == "tool_calls"
    else:
        assert message.content == pieces["text"] == "".join(TEXT)
        assert pieces["finish"] == reply.choices[0].finish_reason == "stop"
    for usage in (reply.usage, pieces["usage"]):
        assert (usage.prompt_tokens, usage.completion_tokens) == (10, 50)
    assert pieces["usage"].cost == 0
    assert reply.model == "u-2024"
    # Each has an id and a time of its own.
    assert len(pieces["ids"]) == 1 and reply.id not in pieces["ids"] and reply.id != "up-1"
    assert reply.created != 17 and 17 not in pieces["created"]


@pytest.mark.parametrize("kind", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("name", ["text", "tools", "two-tools"])
def test_a_reply_of_any_provider_is_given_again_in_either_form(gateway, upstream, kind, name):
    one = upstream(dialects.SCRIPTS[kind])
    base = one.url + {"openai": "/v1", "anthropic": "", "gemini": "/v1beta"}[kind]
    gate = gateway(f"""
providers:
  p: {{kind: {kind}, base_url: "{base}", api_key: sk-upstream-{kind}}}
models:
  "*": {{targets: [{{provider: p, model: "*"}}]}}
cache: {{when: always}}
tenants:
  acme:
    keys: [{key_yaml("acme")[2:]}]
""")
    sdk = client(gate)
    ask = {"model": name, "messages": [{"role": "user", "content": "Hello?"}], "max_tokens": 99,
           "tools": [{"type": "function", "function": {
               "name": n, "parameters": {"type": "object", "properties": {}}}}
               for n in ("weather", "time")]}
    fresh = sdk.chat.completions.create(**ask)
    raw = sdk.chat.completions.with_raw_response.create(**ask)
    again = raw.parse()
    pieces = collect(sdk.chat.completions.create(**ask, stream=True))
    assert raw.headers["x-tollgate-cache"] == "hit"
    mine, theirs = again.choices[0], fresh.choices[0]
    assert mine.message == theirs.message and mine.finish_reason == theirs.finish_reason
    counts = [(u.prompt_tokens, u.completion_tokens, u.prompt_tokens_details.cached_tokens,
               u.completion_tokens_details.reasoning_tokens) for u in (again.usage, fresh.usage)]
    assert counts[0] == counts[1]
    assert pieces["text"] == (theirs.message.content or "")
    assert [(c["name"], json.loads(c["arguments"])) for c in pieces["calls"].values()] == [
        (c.function.name, json.loads(c.function.arguments))
        for c in theirs.message.tool_calls or []]


def test_what_passes_by_the_cache_is_what_the_provider_sent(gateway, upstream):
    one = upstream(scripted.text)
    def ask(cache, stream):
        gate = gateway(f"""
providers:
  p: {{kind: openai, base_url: "{one.url}/v1", api_key: k}}
models:
  m: {{targets: [{{provider: p, model: text}}]}}
{cache}
tenants:
  acme:
    keys: [{key_yaml("acme")[2:]}]
""")
        return post(gate, {"stream": stream})[2]
    for stream in (False, True):
        assert ask("cache: {}", stream) == ask("", stream)


@pytest.mark.parametrize("usage", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_a_hit_is_what_the_provider_sent_but_for_its_name(gateway, upstream, stream, usage):
    one = upstream(scripted.text)
    gate = gateway(f"""
providers:
  p: {{kind: openai, base_url: "{one.url}/v1", api_key: k}}
models:
  m: {{targets: [{{provider: p, model: text}}]}}
cache: {{}}
tenants:
  acme:
    keys: [{key_yaml("acme")[2:]}]
""")
    body = {"stream": stream, **({"stream_options": {"include_usage": True}} if usage else {})}
    fresh, again = post(gate, body), post(gate, body)
    assert (fresh[1]["x-tollgate-cache"], again[1]["x-tollgate-cache"]) == ("miss", "hit")
    text = again[2].replace("chatcmpl-" + again[1]["x-request-id"], "c1")
    text = re.sub(r'"created":\d{10}', '"created":17', text)
    # What a stream costs stands in it, where that is known: a hit costs nothing.
    assert text.replace('"cost":0,', "", 1 if stream and usage else 0) == fresh[2]
    assert '"c1"' not in again[2]


@pytest.mark.parametrize("stream", [False, True])
def test_half_a_reply_is_not_kept(gateway, upstream, stream):
    def die(exchange):
        if exchange.request.json.get("stream"):
            exchange.sse_head().event({**HEAD, "choices": [
                {"index": 0, "delta": {"content": "half"}, "finish_reason": None}]})
        else:
            exchange.send("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{")
        exchange.reset()
    one = upstream(die)
    gate = gateway(f"""
providers:
  p: {{kind: openai, base_url: "{one.url}/v1", api_key: k}}
models:
  m: {{targets: [{{provider: p, model: u}}]}}
cache: {{}}
tenants:
  acme:
    keys: [{key_yaml("acme")[2:]}]
""")
    assert [said(gate, {"stream": stream}) for _ in range(2)] == ["miss", "miss"]
    assert gate.metric("tollgate_cache_entries") == 0


def test_paced_streams_a_few_words_at_a_time(gateway, provider):
    one = gateway(config(provider, "{replay: paced}"))
    sdk = client(one)
    for model in ("m", "tool"):
        ask = {**ASK, "model": model}
        fresh = sdk.chat.completions.create(**ask).choices[0].message
        chunks = list(sdk.chat.completions.create(**ask, stream=True))
        out = collect(chunks)
        if model == "m":
            assert out["text"] == fresh.content
            pieces = [c.choices[0].delta.content for c in chunks if c.choices[0].delta.content]
            assert len(pieces) >= 2 and all(len(p.encode()) <= 12 for p in pieces)
        else:
            assert out["calls"] == {0: {"id": "call_7", **CALL["function"]}}
    assert provider.calls == 2


def test_a_client_that_leaves_a_paced_reply_is_let_go(gateway, provider):
    one = gateway(config(provider, "{replay: paced}"))
    TEXT.append("x" * 200_000)  # minutes
    try:
        assert said(one) == "miss"
    finally:
        TEXT.pop()
    with httpx.stream("POST", one.base_url + "/chat/completions", json={**ASK, "stream": True},
                      headers={"authorization": "Bearer " + key("acme")}) as reply:
        assert reply.headers["x-tollgate-cache"] == "hit"
        next(reply.iter_raw())
        id = reply.headers["x-request-id"]
    line = one.line_of(id)
    assert line["status"] == "client_abort" and line["cache"] == "hit"


def test_tenants_are_apart_unless_they_share(gateway, provider):
    one = gateway(config(provider, tenants={
        "acme": "", "globex": "", "s1": "    cache: shared\n", "s2": "    cache: shared\n",
        "none": "    cache: off\n"}))
    assert [said(one, tenant=t) for t in ("acme", "globex", "acme", "globex")] == [
        "miss", "miss", "hit", "hit"]
    assert [said(one, tenant=t) for t in ("s1", "s2", "s1")] == ["miss", "hit", "hit"]
    assert [said(one, tenant="none") for _ in range(2)] == ["bypass", "bypass"]
    assert provider.calls == 5


def test_spelling_and_who_asks_do_not_count(gateway, provider):
    one = gateway(config(provider))
    assert said(one) == "miss"
    assert said(one, {"temperature": 0.0, "user": "bob", "metadata": {"a": "b"}}) == "hit"
    assert said(one, {"temperature": 0, "max_tokens": 7}) == "miss"
    assert said(one, {"messages": [{"content": "Hello?", "role": "user"}]}) == "hit"
    assert said(one, {"messages": [{"role": "user", "content": "hello?"}]}) == "miss"
    assert said(one, {"model": "any/a"}) == "miss"
    assert said(one, {"model": "any/b"}) == "miss"
    assert said(one, {"model": "any/a"}) == "hit"


@pytest.mark.parametrize("when,body,headers,expected", [
    ("deterministic", {}, {}, "hit"),
    ("deterministic", {"temperature": 0.1}, {}, "bypass"),
    ("deterministic", {"temperature": 1, "seed": 5}, {}, "hit"),
    ("always", {"temperature": 1}, {}, "hit"),
    ("always", {"n": 2}, {}, "bypass"),
    ("always", {"store": True}, {}, "bypass"),
    ("always", {"tools": [{"type": "web_search"}]}, {}, "bypass"),
    ("always", {"tools": [{"type": "function", "function": {"name": "f"}}]}, {}, "hit"),
    ("on_request", {}, {}, "bypass"),
    ("on_request", {"temperature": 1}, {"cache_control": "max-age=60"}, "hit"),
    ("always", {}, {"cache_control": "no-store"}, "bypass"),
    ("always", {}, {"cache_control": "No-Cache, max-age=60"}, "refresh"),
])
def test_when(gateway, provider, when, body, headers, expected):
    one = gateway(config(provider, f"{{when: {when}}}"))
    post(one, body, **headers)
    assert said(one, body, **headers) == expected
    assert provider.calls == (1 if expected == "hit" else 2)


def test_what_did_not_end_well_is_asked_for_again(gateway, provider):
    one = gateway(config(provider, "{max_entry: 1KiB}"))
    for model in ("cut", "fails"):
        assert [said(one, {"model": model}) for _ in range(2)] == ["miss", "miss"]
    TEXT.append("x" * 1100)
    try:
        assert [said(one) for _ in range(2)] == ["miss", "miss"]
    finally:
        TEXT.pop()


def test_only_if_cached_never_calls(gateway, provider):
    one = gateway(config(provider))
    status, headers, body = post(one, cache_control="only-if-cached")
    assert status == 504 and json.loads(body)["error"]["code"] == "cache_miss"
    assert headers["x-should-retry"] == "false" and headers["x-tollgate-cache"] == "miss"
    assert provider.calls == 0
    assert said(one) == "miss"
    assert post(one, cache_control="only-if-cached")[0] == 200
    assert provider.calls == 1


def test_only_if_cached_never_calls_without_a_cache(gateway, provider):
    one = gateway(config(provider).replace("cache: {}\n", ""))
    for more in ({}, {"idempotency_key": "k-1"}):
        status, headers, body = post(one, cache_control="max-age=9, only-if-cached", **more)
        assert status == 504 and json.loads(body)["error"]["code"] == "cache_miss"
        assert headers["x-should-retry"] == "false"
    assert provider.calls == 0
    assert post(one, cache_control="max-age=9")[0] == 200
    assert provider.calls == 1


def test_no_cache_brings_a_new_reply(gateway, provider):
    one = gateway(config(provider))
    assert said(one) == "miss"
    assert said(one, cache_control="no-cache") == "refresh"
    assert said(one) == "hit"
    assert said(one, cache_control="max-age=3600") == "hit"
    assert provider.calls == 2


def test_a_hit_counts_a_request_and_costs_nothing(gateway, provider):
    limits = ("    limits: {requests_per_minute: 3, tokens_per_minute: 2000}\n"
              "    budgets: [{usd: 1, per: total}]\n")
    one = gateway(config(provider, tenants={"acme": limits}))
    first = post(one, {"max_tokens": 100})
    tokens = first[1]["x-ratelimit-remaining-tokens"]
    hit = post(one, {"max_tokens": 100})
    assert hit[1]["x-ratelimit-remaining-requests"] == "1"
    assert int(hit[1]["x-ratelimit-remaining-tokens"]) >= int(tokens)
    assert said(one, {"max_tokens": 100}) == "hit"
    status, headers, body = post(one, {"max_tokens": 100})
    assert status == 429 and json.loads(body)["error"]["code"] == "rate_limit_exceeded"
    line = one.line_of(hit[1]["x-request-id"])
    assert line["status"] == "cache_hit" and line["cache"] == "hit"
    assert (line["cost_nano_usd"], line["charged_nano_usd"]) == (0, 0)
    assert line["avoided_nano_usd"] == COST
    assert line["attempts"] == 0 and line["output_tokens"] == 0
    assert one.metric("tollgate_cost_usd_total") == pytest.approx(COST / 1e9)
    assert one.metric("tollgate_cache_requests_total", result="hit") == 3  # one was refused
    assert one.metric("tollgate_cache_requests_total", result="miss") == 1
    assert one.metric("tollgate_cache_avoided_usd_total") == pytest.approx(2 * COST / 1e9)
    assert one.metric("tollgate_cache_entries") == 1


def test_a_spent_budget_still_allows_what_is_there(gateway, provider):
    one = gateway(config(provider, tenants={
        "acme": "    budgets: [{usd: 0.003, per: total}]\n"}))
    replies = [post(one, {"max_tokens": 50, "seed": i}) for i in range(20)]
    status, _, text = replies[-1]
    assert replies[0][0] == 200, replies[0][2]
    assert status == 429 and json.loads(text)["error"]["code"] == "budget_exceeded"
    assert said(one, {"max_tokens": 50, "seed": 0}) == "hit"


def test_purge(gateway, provider):
    one = gateway(config(provider, tenants={"acme": "", "globex": ""}))
    def fill():
        for tenant in ("acme", "globex"):
            for model in ("m", "any/a"):
                said(one, {"model": model}, tenant=tenant)
    def kept():
        return [said(one, {"model": m}, tenant=t, cache_control="only-if-cached")
                for t in ("acme", "globex") for m in ("m", "any/a")]
    fill()
    assert kept() == ["hit"] * 4
    assert admin(one, {"tenant": "acme"}) == (200, {"purged": 2})
    assert kept() == ["miss", "miss", "hit", "hit"]
    fill()
    assert admin(one, {"model": "any/*"}) == (200, {"purged": 2})
    assert kept() == ["hit", "miss", "hit", "miss"]
    fill()
    assert admin(one, {"tenant": "globex", "model": "m"}) == (200, {"purged": 1})
    assert admin(one, {"all": True}) == (200, {"purged": 3})
    for wrong in ({}, {"all": False}, {"tenants": "acme"}, {"tenant": 5}, {"tenant": ""}, b"x",
                  {"all": True, "tenant": "acme"}):
        assert admin(one, wrong)[0] == 400


def test_a_reload_changes_the_rules_and_drops_what_was_kept(gateway, provider):
    text = config(provider)
    one = gateway(text)
    listen = "version: 1\nlisten: {http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 2}\n"
    def reload(config):
        one.rewrite(listen + config)
        request = urllib.request.Request(one.admin_url + "/admin/reload", b"", method="POST")
        return json.loads(urllib.request.urlopen(request, timeout=30).read())
    assert [said(one), said(one)] == ["miss", "hit"]
    assert reload(config(provider, "{when: on_request, max_bytes: 4MiB}"))[
        "restart_required"] == ["cache.max_bytes"]
    assert said(one) == "bypass"
    reload(text.replace("cache: {}", ""))
    assert said(one) is None
    reload(text)
    assert said(one) == "miss"
