"""Streams and relays, byte by byte: what goes upstream, what comes back, and when."""
from __future__ import annotations

import json
import pathlib

import pytest

import scripted
from gateway import Gateway, tenant_yaml
from raw import Connection, ask, chat_body, post
from scripted import CHUNKS, COMPLETION, COMPLETION_CHUNKS, DONE, SCRIPTS, USAGE, WHOLE, Stepped
from upstream import Upstream

PING = b": ping\n"
USAGE_ASKED = {"stream_options": {"include_usage": True}}


def config(url: str, heartbeat: str = "100ms") -> str:
    return f"""
listen: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1, heartbeat: {heartbeat}}}
providers:
  a: {{kind: openai, base_url: "{url}/v1", api_key: sk-a, timeouts: {{idle: 5s}}}}
  demo: {{kind: demo}}
models:
  up/*: {{targets: [{{provider: a, model: "*"}}]}}
  held: {{targets: [{{provider: a, model: first}}, {{provider: a, model: text}}], hold_back: 100ms}}
  alone: {{targets: [{{provider: a, model: first}}], hold_back: 100ms, retry: {{attempts: 1}}}}
  demo: {{targets: [{{provider: demo, model: "rate=100000"}}]}}
{tenant_yaml()}"""


@pytest.fixture(scope="module")
def provider():
    running = Upstream(scripted.openai)
    yield running
    running.close()
    assert not running.errors, running.errors


@pytest.fixture(scope="module")
def gate(provider, tmp_path_factory):
    running = Gateway(config(provider.url), pathlib.Path(tmp_path_factory.mktemp("streams")))
    yield running
    running.stop()


@pytest.fixture
def first(monkeypatch):
    """first(*steps): what the upstream model `first` plays, step by step."""
    def make(*steps):
        stepped = Stepped(*steps)
        monkeypatch.setitem(SCRIPTS, "first", stepped)
        return stepped
    return make


def stream(gate, model: str, **more) -> Connection:
    return Connection(gate).send(post(chat_body(model, stream=True, **more)))


def error_event(body: bytes) -> dict:
    """The error in the last event of a stream, which must be its end."""
    last = body.decode().removesuffix("\n\n").split("\n\n")[-1].replace(": ping\n", "")
    assert last.startswith("data: ") and body.endswith(b"\n\n")
    error = json.loads(last[6:])
    assert set(error) == {"error"} and set(error["error"]) == {"message", "type", "param", "code"}
    return error["error"]


# --- the relay ------------------------------------------------------------------------------------


def test_stream_bytes(gate):
    """As they came, but for the usage chunk that nobody asked for."""
    reply = ask(gate, post(chat_body("up/text", stream=True)))
    assert reply.body.decode() == "".join(CHUNKS) + DONE
    for no in ({"stream_options": None}, {"stream_options": {"include_usage": False}}):
        assert ask(gate, post(chat_body("up/text", stream=True, **no))).body == reply.body
    reply = ask(gate, post(chat_body("up/text", stream=True, **USAGE_ASKED)))
    assert reply.body.decode() == "".join(CHUNKS) + USAGE + DONE


def test_whole_bytes(gate):
    reply = ask(gate, post(chat_body("up/text")))
    assert reply.body.decode() == WHOLE and reply["content-length"] == str(len(WHOLE.encode()))


def test_usage_is_read_from_the_side(gate):
    for streamed in (False, True):
        reply = ask(gate, post(chat_body("up/text", stream=streamed)))
        row = gate.line_of(reply["x-request-id"])
        assert (row["input_tokens"], row["output_tokens"], row["finish"]) == (3, 4, "stop")
        assert row["usage_source"] == "provider" and row["ttft_us"] > 0


def test_completions(gate, provider):
    body = json.dumps({"model": "up/text", "prompt": "Once", "max_tokens": 5, "suffix": "."})
    assert ask(gate, post(body, "/v1/completions")).body.decode() == COMPLETION
    assert provider.requests[-1].target == "/v1/completions"
    assert provider.requests[-1].body.decode() == body.replace("up/text", "text")
    reply = ask(gate, post(body[:-1] + ', "stream": true}', "/v1/completions"))
    assert reply.body.decode() == "".join(COMPLETION_CHUNKS) + DONE


def test_request_bytes(gate, provider):
    """Only the model is spliced; spaces, order, escapes and unknown fields go through."""
    body = ('{ "x_new" : [1.0, 1e3,-0.0] ,\n'
            '"messages":[ {"role":"user","content":"\\u00fc wörld"} ],\n'
            '\t"model" : "up/text" , "temperature":0.70,"user":"u" }  ')
    assert ask(gate, post(body)).status == 200
    assert provider.requests[-1].body.decode() == body.replace("up/text", "text")
    escaped = body.replace('"model"', '"mod\\u0065l"')
    assert ask(gate, post(escaped)).status == 200
    assert provider.requests[-1].json["model"] == "text"


@pytest.mark.parametrize("given", ["", ', "stream_options": null', ', "stream_options": {}',
                                   ', "stream_options": {"include_usage": false, "x": 1}',
                                   ', "stream_options": {"include_usage": true}'])
def test_usage_is_always_asked_for(gate, provider, given):
    assert ask(gate, post(chat_body("up/text", stream=True)[:-1] + given + "}")).status == 200
    sent = provider.requests[-1].json
    assert sent["stream_options"]["include_usage"] is True
    assert ("x" in sent["stream_options"]) == ('"x"' in given)
    assert provider.requests[-1].body.count(b"stream_options") == 1
    assert ask(gate, post(chat_body("up/text"))).status == 200
    assert "stream_options" not in provider.requests[-1].json


def test_headers(gate):
    reply = ask(gate, post(chat_body("up/text", stream=True)))
    assert reply["content-type"].startswith("text/event-stream")
    assert reply["cache-control"] == "no-cache" and reply["x-accel-buffering"] == "no"
    assert reply["transfer-encoding"] == "chunked" and reply["content-length"] is None
    whole = ask(gate, post(chat_body("up/text")))
    assert whole["content-type"].startswith("application/json")
    for one in (reply, whole):
        assert one["x-tollgate-provider"] == "a" and one["x-tollgate-model"] == "up/*"
        assert one["x-tollgate-attempts"] == "1" and int(one["x-tollgate-overhead-us"]) >= 0
        assert one["x-request-id"] and one["date"] and one["x-tollgate-dropped-params"] is None


@pytest.mark.smoke
def test_demo_stream(gate):
    reply = ask(gate, post(chat_body(stream=True, **USAGE_ASKED)))
    *events, done, rest = reply.body.decode().split("\n\n")
    assert done == "data: [DONE]" and rest == ""
    chunks = [json.loads(e.removeprefix("data: ")) for e in events]
    roles = [c for c in chunks if c["choices"] and "role" in c["choices"][0]["delta"]]
    assert roles == chunks[:1] and len({c["id"] for c in chunks}) == 1
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["total_tokens"] > 0
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert ask(gate, post(chat_body(stream=True))).body.count(b'"usage":{') == 0


# --- when bytes are sent --------------------------------------------------------------------------


def test_nothing_before_the_first_content(gate, first):
    script = first(CHUNKS[0], CHUNKS[2], "".join(CHUNKS[3:]) + DONE)
    line = stream(gate, "up/first")
    script.go()
    assert script.begun.wait(20) and line.silent()
    script.go()
    assert line.head().status == 200
    assert line.chunk().decode() == CHUNKS[0] + CHUNKS[2]
    script.go()
    rest = b""
    while piece := line.chunk():
        rest += piece
    assert rest.decode() == "".join(CHUNKS[3:]) + DONE


def test_tokens_are_not_held(gate, first):
    """Each token is with the client before the provider sends the next one."""
    script = first(*CHUNKS, DONE)
    line = stream(gate, "up/first")
    [script.go() for _ in range(3)]
    assert line.head().status == 200
    assert line.until(b"x_new")
    script.go()
    assert line.until("👋".encode())
    script.go()
    script.go()
    assert line.until(DONE.encode())


def test_hold_back_and_heartbeats(gate, first):
    script = first(CHUNKS[2], DONE)
    line = stream(gate, "held")
    assert line.head().status == 200
    assert [line.chunk() for _ in range(3)] == [PING] * 3
    script.go()
    while (piece := line.chunk()) == PING:
        pass
    assert piece.decode() == CHUNKS[2]
    assert line.chunk() == PING  # in the middle too, between events
    script.go()
    rest = b""
    while piece := line.chunk():
        rest += piece
    assert rest.replace(PING, b"").decode() == DONE


def test_heartbeats_can_be_off(gateway, provider, first):
    gate = gateway(config(provider.url, "0"))
    script = first(CHUNKS[2] + DONE)
    line = stream(gate, "held")
    assert line.head().status == 200 and line.silent(0.3)
    script.go()
    assert line.chunk().decode() == CHUNKS[2] + DONE and line.chunk() == b""


@pytest.mark.parametrize("role", [True, False])
def test_failover_after_hold_back(gate, first, role):
    """200 and heartbeats are out; the first target dies, the second one answers, unseen."""
    script = first(CHUNKS[0], "die") if role else first("die")
    line = stream(gate, "held")
    head = line.head()
    assert head.status == 200 and head["x-tollgate-attempts"] == "1"
    assert line.chunk() == PING
    [script.go() for _ in script.steps]
    body = b""
    while piece := line.chunk():
        body += piece
    assert body.replace(PING, b"").decode() == "".join(CHUNKS) + DONE
    assert body.count(b'"role"') == 1 and body.count(b"[DONE]") == 1
    row = gate.line_of(head["x-request-id"])
    assert (row["status"], row["attempts"], row["upstream_model"]) == ("ok", 2, "text")


def test_failure_after_hold_back(gate, first):
    script = first("die")
    line = stream(gate, "alone")
    head = line.head()
    assert head.status == 200
    script.go()
    body = b""
    while piece := line.chunk():
        body += piece
    assert error_event(body)["code"] == "upstream_error" and b"[DONE]" not in body
    row = gate.line_of(head["x-request-id"])
    assert (row["status"], row["http_status"]) == ("error", 200)


def test_failure_before_hold_back_is_a_status(gate):
    reply = ask(gate, post(chat_body("up/err-503", stream=True)))
    assert reply.status == 503 and "it is 503" in reply.error["message"]


def test_failure_after_content(gate, first):
    script = first("".join(CHUNKS[:3]), "die")
    line = stream(gate, "up/first")
    script.go()
    assert line.head().status == 200
    assert line.chunk().decode() == "".join(CHUNKS[:3])
    script.go()
    body = b""
    while piece := line.chunk():
        body += piece
    assert error_event(body)["code"] == "upstream_error" and b"[DONE]" not in body
    assert line.ask(post(chat_body("up/text"))).status == 200
