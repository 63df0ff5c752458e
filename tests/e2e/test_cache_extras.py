"""What a provider says beside what Tollgate knows reaches who gets its reply another way too: in
the other form, a few words at a time, or from a call that it shares."""
from __future__ import annotations

import concurrent.futures
import json
import threading

import pytest

from caching import post
from gateway import key_yaml
from raw import until

HEAD = {"id": "up-1", "created": 17, "model": "u-2024", "system_fingerprint": "fp_1"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "queue_time": 0.25,
         "cost": 0.5}
SAID = {"system_fingerprint": "fp_1", "citations": ["https://a", "https://b"], "note": "one two",
        "details": [{"a": 1}, {"b": 2}], "stop_reason": "eos", "queue_time": 0.25,
        "text": "Hello!"}


class Provider:
    def __init__(self, held: bool = False):
        self.calls = 0
        self.go = threading.Event()
        if not held:
            self.go.set()

    def __call__(self, exchange):
        self.calls += 1
        if not exchange.request.json.get("stream"):
            assert self.go.wait(120)
            return exchange.json(
                {**HEAD, "object": "chat.completion", "citations": SAID["citations"],
                 "usage": USAGE, "choices": [{
                     "index": 0, "finish_reason": "stop", "stop_reason": "eos", "message": {
                         "role": "assistant", "content": "Hello!", "x_note": "one two",
                         "x_details": SAID["details"]}}]})
        exchange.sse_head()
        self.chunk(exchange, {"role": "assistant", "content": "", "x_note": "one "})
        self.chunk(exchange, {"content": "Hel", "x_details": [{"a": 1}]}, obfuscation="zz")
        assert self.go.wait(120)
        self.chunk(exchange, {"content": "lo!", "x_details": [{"b": 2}]}, citations=["https://a"])
        self.chunk(exchange, {"x_note": "two"}, citations=SAID["citations"])
        exchange.event({**HEAD, "choices": [
            {"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": "eos"}]})
        exchange.event({**HEAD, "choices": [], "usage": USAGE}).event("[DONE]").end()

    def chunk(self, exchange, delta, **more):
        exchange.event({**HEAD, **more, "object": "chat.completion.chunk", "choices": [
            {"index": 0, "delta": delta, "finish_reason": None, "stop_reason": None}]})


def config(server, cache="{}"):
    return f"""
providers:
  p: {{kind: openai, base_url: "{server.url}/v1", api_key: k}}
models:
  m: {{targets: [{{provider: p, model: u}}]}}
cache: {cache}
tenants:
  acme: {{keys: [{key_yaml("acme")[2:]}]}}
"""


def body(stream: bool) -> dict:
    return {"stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})}


def of_whole(text: str) -> dict:
    reply = json.loads(text)
    choice, message = reply["choices"][0], reply["choices"][0]["message"]
    return {"system_fingerprint": reply["system_fingerprint"], "citations": reply["citations"],
            "note": message["x_note"], "details": message["x_details"], "text": message["content"],
            "stop_reason": choice["stop_reason"], "queue_time": reply["usage"]["queue_time"]}


def of_stream(text: str) -> dict:
    out = {"note": "", "details": [], "text": ""}
    for line in text.splitlines():
        if not line.startswith("data: {"):
            continue
        chunk = json.loads(line[6:])
        for name in ("system_fingerprint", "citations"):
            out[name] = chunk.get(name, out.get(name))
        if chunk.get("usage"):
            out["queue_time"] = chunk["usage"]["queue_time"]
        for choice in chunk["choices"]:
            out["text"] += choice["delta"].get("content") or ""
            out["note"] += choice["delta"].get("x_note", "")
            out["details"] += choice["delta"].get("x_details", [])
            out["stop_reason"] = choice.get("stop_reason") or out.get("stop_reason")
    return out


def said_in(reply, stream: bool) -> dict:
    assert reply[0] == 200, reply[2]
    return (of_stream if stream else of_whole)(reply[2])


@pytest.mark.parametrize("first", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("replay", ["instant", "paced"])
def test_a_hit_in_the_other_form(gateway, upstream, first, replay):
    provider = Provider()
    gate = gateway(config(upstream(provider), f"{{replay: {replay}}}"))
    assert said_in(post(gate, body(first)), first) == SAID
    for stream in (not first, first):
        again = post(gate, body(stream))
        assert again[1]["x-tollgate-cache"] == "hit"
        assert said_in(again, stream) == SAID
    # Not what somebody else paid.
    assert '"cost":0.5' not in post(gate, body(not first))[2].replace(" ", "")
    assert provider.calls == 1


@pytest.mark.threads
@pytest.mark.parametrize("leader", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("follower", [False, True], ids=["whole", "stream"])
def test_who_shares_a_call(gateway, upstream, leader, follower):
    provider = Provider(held=True)
    gate = gateway(config(upstream(provider)))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(post, gate, body(leader))
        until(lambda: provider.calls == 1, timeout=60)
        second = pool.submit(post, gate, body(follower))
        until(lambda: gate.metric("tollgate_coalesce_followers") == 1, timeout=60)
        provider.go.set()
        assert said_in(first.result(60), leader) == SAID
        assert second.result(60)[1]["x-tollgate-cache"] == "coalesced"
        assert said_in(second.result(), follower) == SAID


def test_a_reply_whose_extras_are_too_large_is_not_kept(gateway, upstream):
    """Half of what the provider said would be another reply."""
    def answer(exchange):
        exchange.json({**HEAD, "x_big": "x" * 5000, "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hi"},
             "finish_reason": "stop"}]})
    gate = gateway(config(upstream(answer), "{max_entry: 4KiB}"))
    assert [post(gate)[1]["x-tollgate-cache"] for _ in range(2)] == ["miss", "miss"]


def test_logprobs_of_completions(gateway, upstream):
    probs = {"tokens": ["Hi"], "token_logprobs": [-0.5], "top_logprobs": None, "text_offset": [0]}

    def answer(exchange):
        exchange.json({**HEAD, "object": "text_completion", "usage": USAGE, "choices": [
            {"index": 0, "text": "Hi", "logprobs": probs, "finish_reason": "stop",
             "stop_reason": "eos"}]})
    gate = gateway(config(upstream(answer)))
    ask = {"model": "m", "prompt": "x", "temperature": 0, "logprobs": 1}
    assert json.loads(post(gate, path="/completions", only=ask)[2])["choices"][0][
        "logprobs"] == probs
    chunks = [json.loads(line[6:]) for line in
              post(gate, path="/completions", only={**ask, "stream": True})[2].splitlines()
              if line.startswith("data: {")]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert "".join(choice["text"] for choice in choices) == "Hi"
    assert [c["logprobs"] for c in choices if c["logprobs"]] == [probs]
    assert [c["stop_reason"] for c in choices if "stop_reason" in c] == ["eos"]
    assert chunks[-1]["system_fingerprint"] == "fp_1"
