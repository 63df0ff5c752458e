"""A stream that dies in the middle goes on at the next target."""
from __future__ import annotations

import json
import threading

import httpx

from faults import HEADERS, settled
from gateway import tenant_yaml

WORDS = ["The", " quick", " brown"]


def config(first: str, second: str, more: str = "", kind: str = "openai") -> str:
    suffix = "/v1" if kind == "openai" else ""
    return f"""
providers:
  p: {{kind: openai, base_url: "{first}/v1", api_key: sk-p, timeouts: {{idle: 1s}}}}
  q: {{kind: {kind}, base_url: "{second}{suffix}", api_key: sk-q}}
models:
  m:
    targets: [{{provider: p, model: up}}, {{provider: q, model: claude-3-5-haiku-latest}}]
    continue_streams: true{more}
{tenant_yaml()}"""


def chunk(delta: dict, finish: str | None = None) -> str:
    return "data: " + json.dumps({
        "id": "c1", "object": "chat.completion.chunk", "created": 17, "model": "up-1",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}) + "\n\n"


def begin(exchange) -> None:
    exchange.sse_head()
    exchange.chunk(chunk({"role": "assistant", "content": ""}))
    for word in WORDS:
        exchange.chunk(chunk({"content": word}))


def dies(exchange) -> None:
    begin(exchange)
    exchange.keep = False


def stalls(exchange) -> None:
    begin(exchange)
    assert exchange.wait_hang_up(60)


def goes_on(exchange) -> None:
    exchange.sse_head()
    for word in ("quick br", "own fox"):
        exchange.chunk(chunk({"content": word}))
    exchange.chunk(chunk({}, "stop"))
    exchange.chunk("data: [DONE]\n\n")
    exchange.end()


def claude(exchange) -> None:
    def event(body: dict) -> None:
        exchange.chunk(f"event: {body['type']}\ndata: {json.dumps(body)}\n\n")
    exchange.sse_head()
    event({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "content": [],
        "model": "claude-3-5-haiku-20241022", "usage": {"input_tokens": 12, "output_tokens": 1}}})
    event({"type": "content_block_start", "index": 0,
           "content_block": {"type": "text", "text": ""}})
    event({"type": "content_block_delta", "index": 0,
           "delta": {"type": "text_delta", "text": " fox"}})
    event({"type": "content_block_stop", "index": 0})
    event({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
           "usage": {"output_tokens": 2}})
    event({"type": "message_stop"})
    exchange.end()


def stream(gate):
    return httpx.stream(
        "POST", gate.base_url + "/chat/completions", headers=HEADERS, timeout=60,
        json={"model": "m", "stream": True, "max_tokens": 50,
              "messages": [{"role": "user", "content": "x"}]})


def chunks(body: str) -> list[dict]:
    frames = [line[6:] for line in body.splitlines() if line.startswith("data: ")]
    assert frames[-1] == "[DONE]", body
    return [json.loads(frame) for frame in frames[:-1]]


def text(parts: list[dict]) -> str:
    return "".join(c["delta"].get("content") or "" for part in parts for c in part["choices"])


def check_whole(gate) -> None:
    with stream(gate) as reply:
        parts = chunks(reply.read().decode())
    assert text(parts) == "The quick brown fox"
    assert {part["id"] for part in parts} == {"c1"}
    assert sum("role" in c["delta"] for part in parts for c in part["choices"]) == 1
    assert parts[-1]["x-tollgate"] == {"continued": 1, "providers": ["q"]}
    assert parts[-1]["choices"][0]["finish_reason"] == "stop"
    line, = settled(gate)
    assert line["status"] == "ok" and line["provider"] == "q"
    assert line["attempts"] == 2 and [e["provider"] for e in line["attempt_errors"]] == ["p"]


def test_a_dead_stream_goes_on_elsewhere(upstream, gateway):
    first, second = upstream(dies), upstream(goes_on)
    gate = gateway(config(first.url, second.url))
    check_whole(gate)
    request = second.requests[0].json
    assert request["messages"][1] == {"role": "assistant", "content": "The quick brown"}
    assert request["messages"][2]["role"] == "user" and len(request["messages"]) == 3
    assert request["max_tokens"] == 45
    assert gate.metric("tollgate_continuations_total", model="m") == 1


def test_a_silent_one_too(upstream, gateway):
    check_whole(gateway(config(upstream(stalls).url, upstream(goes_on).url)))


def test_a_model_that_takes_a_prefill_gets_one(upstream, gateway):
    first, second = upstream(dies), upstream(claude)
    check_whole(gateway(config(first.url, second.url, kind="anthropic")))
    request = second.requests[0].json
    assert [m["role"] for m in request["messages"]] == ["user", "assistant"]
    assert request["max_tokens"] == 45


def test_without_the_setting_it_ends(upstream, gateway):
    first, second = upstream(dies), upstream(goes_on)
    gate = gateway(config(first.url, second.url).replace("streams: true", "streams: false"))
    with stream(gate) as reply:
        body = reply.read().decode()
    assert '"error"' in body and "[DONE]" not in body and not second.requests
    settled(gate)


def test_who_hangs_up_during_the_continuation_ends_it(upstream, gateway):
    hung_up = threading.Event()

    def holds(exchange):
        exchange.sse_head()
        exchange.chunk(chunk({"content": "brown fox"}))
        if exchange.wait_hang_up(60):
            hung_up.set()
    first, second = upstream(dies), upstream(holds)
    gate = gateway(config(first.url, second.url))
    with stream(gate) as reply:
        body = ""
        for piece in reply.iter_text():
            body += piece
            if " fox" in body:
                break
    assert hung_up.wait(60)
    line, = settled(gate)
    assert line["status"] == "client_abort"
    assert [e["error"] for e in line["attempt_errors"]] == ["upstream_error", "client_gone"]
    assert len(first.requests) == len(second.requests) == 1


def test_the_demo_dies_and_goes_on_by_itself(gateway):
    quick = "demo,rate=100000"

    def config_of(target: str, more: str = "") -> str:
        return f"""
providers: {{d: {{kind: demo}}, e: {{kind: demo}}}}
models:
  m: {{targets: [{{provider: d, model: "{target}"}}, {{provider: e, model: "{quick}"}}]{more}}}
{tenant_yaml()}"""
    texts = []
    for target, more in ((quick, ""),
                         (f"{quick},die_after=10", ", continue_streams: true")):
        gate = gateway(config_of(target, more))
        with stream(gate) as reply:
            texts.append(text(chunks(reply.read().decode())))
    assert texts[0] == texts[1]
