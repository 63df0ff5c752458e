"""Every recorded Messages reply decodes to what the recording holds, at every cut.

The oracle below is written for this test alone: it reads the recording with Python's own JSON, by
the rules of the wire facts, and shares nothing with the decoder.
"""

import json

import pytest
import tools

# Surfaces that stand in the same folder and are not this codec's.
OTHER_SURFACES = {
    "batches": "message batches are no chat endpoint",
    "count-tokens": "token counting is no chat endpoint",
    "models": "the model list is no chat endpoint",
    "chat": "Anthropic's own OpenAI-compatible host: kind openai reads it",
}
FINISH = {"max_tokens": "length", "model_context_window_exceeded": "length",
          "tool_use": "tool_calls", "refusal": "content_filter"}
# What a client gets for a provider's status: its own 4xx stays, but a refused key is our fault.
STATUS = {401: 502, 403: 502, 402: 429, 529: 503}
USAGE = {
    "input": ("input_tokens",),
    "cache_read": ("cache_read_input_tokens",),
    "cache_write": ("cache_creation_input_tokens",),
    "cache_write_1h": ("cache_creation", "ephemeral_1h_input_tokens"),
    "output": ("output_tokens",),
    "reasoning": ("output_tokens_details", "thinking_tokens"),
}


def sse_data(text):
    for event in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line[5:].lstrip() for line in event.split("\n") if line.startswith("data:")]
        if lines:
            yield json.loads("\n".join(lines))


def whole_from_stream(text):
    """The message that a stream adds up to, as the same request would have got it whole."""
    message, blocks, inputs, ended = {}, {}, {}, False
    for event in sse_data(text):
        kind = event["type"]
        if kind == "message_start":
            message = event["message"]
        elif kind == "content_block_start":
            blocks[event["index"]] = dict(event["content_block"])
            inputs[event["index"]] = ""
        elif kind == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            if delta["type"] == "input_json_delta":
                inputs[event["index"]] += delta["partial_json"]
            elif delta["type"] == "text_delta":
                block["text"] += delta["text"]
            elif delta["type"] == "thinking_delta":
                block["thinking"] += delta["thinking"]
            elif delta["type"] == "signature_delta":
                block["signature"] = delta["signature"]
        elif kind == "message_delta":
            message["stop_reason"] = event["delta"]["stop_reason"]
            message["usage"] |= {k: v for k, v in event["usage"].items() if v is not None}
        elif kind == "message_stop":
            ended = True
    assert ended, "the recording itself is cut"
    for index, text_of_input in inputs.items():
        if text_of_input:
            blocks[index]["input"] = json.loads(text_of_input)
    message["content"] = [blocks[i] for i in sorted(blocks)]
    return message


def figure(usage, path):
    for name in path:
        usage = (usage or {}).get(name)
    return usage or 0


def expected(message):
    of = lambda kind: [b for b in message["content"] if b["type"] == kind]  # noqa: E731
    return {
        "id": message["id"],
        "model": message["model"],
        "text": "".join(b["text"] for b in of("text")),
        "reasoning": "".join(b["thinking"] for b in of("thinking")),
        "signatures": [b["signature"] for b in of("thinking") if b.get("signature")],
        "redacted": [b["data"] for b in of("redacted_thinking")],
        "calls": [(b["id"], b["name"], b["input"]) for b in of("tool_use")],
        "finish": FINISH.get(message["stop_reason"], "stop"),
        "usage": {name: figure(message["usage"], path) for name, path in USAGE.items()},
    }


def got(reply):
    choice = reply["choices"]["0"]
    usage = {name: reply["usage"][name] for name in USAGE}
    return {
        "id": reply["id"],
        "model": reply["model"],
        "text": choice["text"],
        "reasoning": choice["reasoning"],
        "signatures": choice["signatures"],
        "redacted": choice["redacted"],
        "calls": [(c["id"], c["name"], json.loads(c["arguments"])) for c in choice["tool_calls"]],
        "finish": choice["finish"],
        "usage": usage,
    }


def check_error(response, reply):
    body = response["body"]
    error = reply["error"]
    assert error["upstream_status"] == response["status"]
    assert error["status"] == STATUS.get(response["status"], response["status"])
    said = error["detail"] if response["status"] in (401, 403) else error["message"]
    assert body["error"]["message"] in said
    request_id = tools.header(response, "request-id") or body.get("request_id")
    if request_id:
        assert request_id in error["detail"]


@pytest.mark.parametrize("recording", tools.parameters("anthropic"))
def test_reply_decodes_to_what_was_recorded(recording):
    if recording["api"] in OTHER_SURFACES:
        pytest.skip(OTHER_SURFACES[recording["api"]])
    response = recording["response"]
    streams = bool(recording["request"]["body"].get("stream"))
    reply = tools.run_json("decode_reply", {
        "kind": "anthropic",
        "status": response["status"],
        "stream": streams,
        "headers": json.dumps({k: str(v) for k, v in response["headers"].items()}),
    }, tools.body_of(response))
    assert reply["broken_rules"] == []
    if response["status"] != 200:
        check_error(response, reply)
        return
    assert reply["error"] is None and reply["ended"]
    message = response["body"] if "body" in response else whole_from_stream(response["body_text"])
    assert got(reply) == expected(message)


def test_a_cut_stream_is_an_error():
    """Every recorded stream without its last event: the reply must not pass for a whole one."""
    cut = 0
    for _, recording in tools.recordings("anthropic"):
        text = recording["response"].get("body_text", "")
        if recording["api"] != "messages" or "event: message_stop" not in text:
            continue
        text = text[:text.index("event: message_stop")]
        reply = tools.run_json("decode_reply", {"kind": "anthropic", "stream": True},
                               text.encode())
        assert reply["error"]["code"] == "upstream_error" and not reply["ended"]
        assert all(c["finish"] == "" for c in reply["choices"].values())
        cut += 1
    if cut == 0:
        pytest.skip("no recordings here")
