"""What the three scripted providers say: the same conversation, each in its own dialect.

Every provider answers by the model's name: text, tools, two-tools, json, slow, hang, err-<status>
(whatever follows the status).
It checks that what reached it is a request of its own dialect.
"""

from __future__ import annotations

import json
import time

WORDS = ["Hello", ", ", "wörld", " 👋", "!"]
TEXT = "".join(WORDS)
ARGUMENTS = {"city": "Zürich", "days": 3}
PERSON = {"name": "Ada", "age": 36}


def hang(exchange):
    """Answers nothing until the gateway has hung up."""
    assert exchange.wait_hang_up(), "the gateway kept the connection of a client that had gone"


ERRORS = {
    400: "bad thing",
    401: "no such key",
    403: "not for you",
    404: "no such model",
    409: "conflict",
    422: "unprocessable",
    429: "slow down",
    500: "broken",
    503: "too busy",
    529: "overloaded",
}


def plan(model: str) -> list:
    """The reply as (kind, value) parts."""
    arguments = json.dumps(ARGUMENTS, ensure_ascii=False)
    if model == "tools":
        return [("tool", ("call_a", "weather", arguments))]
    if model == "two-tools":
        return [
            ("text", "Looking."),
            ("tool", ("call_a", "weather", arguments)),
            ("tool", ("call_b", "time", '{"zone": "UTC"}')),
        ]
    if model == "json":
        return [("text", part) for part in (json.dumps(PERSON)[:7], json.dumps(PERSON)[7:])]
    return [("text", word) for word in WORDS]


# --- OpenAI -------------------------------------------------------------------------------------


def openai(exchange):
    request = exchange.request
    assert request.headers["authorization"] == "Bearer sk-upstream-openai", request.headers
    body = request.json
    model = body["model"]
    if model == "hang":
        return hang(exchange)
    if model.startswith("err-"):
        status = int(model[4:7])
        return exchange.json(
            {
                "error": {
                    "message": ERRORS[status],
                    "type": "some_type",
                    "param": "p",
                    "code": "some_code",
                }
            },
            status,
            {"retry-after": "7"} if status == 429 else {},
        )
    if request.target.endswith("/embeddings"):
        assert body.get("encoding_format", "float") == "float", body
        inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
        return exchange.json(
            {
                "object": "list",
                "model": model,
                "usage": {"prompt_tokens": 5, "total_tokens": 5},
                "data": [
                    {"object": "embedding", "index": i, "embedding": [0.5, -0.25, 1.0 + i]}
                    for i in range(len(inputs))
                ],
            }
        )
    assert request.target.endswith("/chat/completions"), request.target
    parts = plan(model)
    finish = "tool_calls" if parts[-1][0] == "tool" else "stop"
    usage = {
        "prompt_tokens": 11,
        "completion_tokens": 7,
        "total_tokens": 18,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    if body.get("stream"):
        assert body["stream_options"]["include_usage"] is True
        return openai_stream(exchange, model, parts, finish, usage)
    calls = [
        {"id": i, "type": "function", "function": {"name": n, "arguments": a}}
        for kind, value in parts
        if kind == "tool"
        for i, n, a in [value]
    ]
    message = {"role": "assistant", "content": "".join(v for k, v in parts if k == "text") or None}
    if calls:
        message["tool_calls"] = calls
    exchange.json(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": model + "-2024",
            "choices": [
                {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
            ],
            "usage": usage,
        }
    )


def openai_stream(exchange, model, parts, finish, usage):
    def chunk(delta, reason=None, **more):
        exchange.event(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1700000000,
                "model": model,
                "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
                **more,
            }
        )

    exchange.sse_head()
    chunk({"role": "assistant", "content": ""})
    index = 0
    for kind, value in parts:
        if kind == "text":
            chunk({"content": value})
            if model == "slow":
                time.sleep(0.2)
        else:
            call_id, name, arguments = value
            chunk(
                {
                    "tool_calls": [
                        {
                            "index": index,
                            "id": call_id,
                            "type": "function",
                            "function": {"name": name, "arguments": ""},
                        }
                    ]
                }
            )
            for piece in (arguments[:5], arguments[5:]):
                chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
            index += 1
    chunk({}, finish)
    exchange.event(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1700000000,
            "model": model,
            "choices": [],
            "usage": usage,
        }
    )
    exchange.event("[DONE]").end()


# --- Anthropic ----------------------------------------------------------------------------------


def anthropic(exchange):
    request = exchange.request
    assert (
        request.headers["x-api-key"] == "sk-upstream-anthropic"
        and "authorization" not in request.headers
    )
    assert request.target == "/v1/messages" and "anthropic-version" in request.headers
    body = request.json
    model = body["model"]
    assert body["max_tokens"] > 0 and all(
        m["role"] in ("user", "assistant") for m in body["messages"]
    )
    if model == "hang":
        return hang(exchange)
    if model.startswith("err-"):
        status = int(model[4:7])
        return exchange.json(
            {"type": "error", "error": {"type": "some_error", "message": ERRORS[status]}},
            status,
            {"retry-after": "7"} if status == 429 else {},
        )
    parts = plan(model)
    forced = (body.get("tool_choice") or {}).get("name")
    if model == "json" and forced:
        parts = [("tool", ("call_j", forced, json.dumps(PERSON)))]
    stop = "tool_use" if parts[-1][0] == "tool" else "end_turn"
    usage = {
        "input_tokens": 7,
        "cache_read_input_tokens": 4,
        "cache_creation_input_tokens": 0,
        "output_tokens": 7,
    }
    if body.get("stream"):
        return anthropic_stream(exchange, model, parts, stop, usage)
    content = []
    for kind, value in parts:
        if kind == "tool":
            content.append(
                {
                    "type": "tool_use",
                    "id": value[0],
                    "name": value[1],
                    "input": json.loads(value[2]),
                }
            )
        elif content and content[-1]["type"] == "text":
            content[-1]["text"] += value
        else:
            content.append({"type": "text", "text": value})
    exchange.json(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage,
        }
    )


def anthropic_stream(exchange, model, parts, stop, usage):
    def event(name, **body):
        exchange.event({"type": name, **body}, name)

    exchange.sse_head()
    event(
        "message_start",
        message={
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**usage, "output_tokens": 1},
        },
    )
    event("ping")
    index, open_text = -1, False
    for kind, value in parts:
        if kind == "text":
            if not open_text:
                index, open_text = index + 1, True
                event(
                    "content_block_start", index=index, content_block={"type": "text", "text": ""}
                )
            event("content_block_delta", index=index, delta={"type": "text_delta", "text": value})
            if model == "slow":
                time.sleep(0.2)
            continue
        if open_text:
            event("content_block_stop", index=index)
        index, open_text = index + 1, False
        event(
            "content_block_start",
            index=index,
            content_block={"type": "tool_use", "id": value[0], "name": value[1], "input": {}},
        )
        for piece in (value[2][:5], value[2][5:]):
            event(
                "content_block_delta",
                index=index,
                delta={"type": "input_json_delta", "partial_json": piece},
            )
        event("content_block_stop", index=index)
    if open_text:
        event("content_block_stop", index=index)
    event(
        "message_delta",
        delta={"stop_reason": stop, "stop_sequence": None},
        usage={"output_tokens": 7},
    )
    event("message_stop")
    exchange.end()


# --- Gemini -------------------------------------------------------------------------------------


def gemini(exchange):
    request = exchange.request
    assert (
        request.headers["x-goog-api-key"] == "sk-upstream-gemini" and "key=" not in request.target
    )
    assert request.target.startswith("/v1beta/models/"), request.target
    model, method = request.target.split("?")[0].removeprefix("/v1beta/models/").split(":")
    body = request.json
    if model == "hang":
        return hang(exchange)
    if model.startswith("err-"):
        status = int(model[4:7])
        details = (
            [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]
            if status == 429
            else []
        )
        return exchange.json(
            {
                "error": {
                    "code": status,
                    "message": ERRORS[status],
                    "status": "SOME",
                    "details": details,
                }
            },
            status,
        )
    if method == "batchEmbedContents":
        return exchange.json(
            {
                "embeddings": [
                    {"values": [0.5, -0.25, 1.0 + i]} for i in range(len(body["requests"]))
                ]
            }
        )
    assert body["contents"], body
    parts = plan(model)
    usage = {
        "promptTokenCount": 11,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 2,
        "totalTokenCount": 18,
    }

    def part(kind, value):
        if kind == "text":
            return {"text": value}
        return {"functionCall": {"name": value[1], "args": json.loads(value[2])}}

    def reply(some, finish=None, **more):
        candidate = {"index": 0, "content": {"role": "model", "parts": [part(*p) for p in some]}}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "modelVersion": model, "responseId": "r1", **more}

    if method == "generateContent":
        return exchange.json(reply(parts, "STOP", usageMetadata=usage))
    assert method == "streamGenerateContent" and "alt=sse" in request.target
    exchange.sse_head()
    for one in parts:
        exchange.event(reply([one]))
        if model == "slow":
            time.sleep(0.2)
    exchange.event(reply([], "STOP", usageMetadata=usage)).end()


SCRIPTS = {"openai": openai, "anthropic": anthropic, "gemini": gemini}


def config(urls: dict[str, str], tenant: str) -> str:
    """A file with one wildcard model for each scripted provider: openai/text, gemini/tools ..."""
    lines = ["providers:"]
    for name, url in urls.items():
        base = url + "/v1" if name == "openai" else url
        lines.append(
            f"  {name}: {{kind: {name}, base_url: '{base}', api_key: sk-upstream-{name}}}"
        )
    lines.append("models:")
    for name in urls:
        lines.append(f"  {name}/*: {{targets: [{{provider: {name}, model: '*'}}], "
                     "retry: {attempts: 1}}")
        lines.append(f"  {name}-text: {{targets: [{{provider: {name}, model: text}}]}}")
    return "\n".join(lines) + "\n" + tenant
