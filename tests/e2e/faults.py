"""What the fault tests share: one model over scripted providers, a call, the books afterwards."""

from __future__ import annotations

import socket
import time

import httpx

from gateway import key, tenant_yaml

HEADERS = {"authorization": f"Bearer {key()}"}


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def config(kind: str, *urls: str, model: str = "", provider: str = "") -> str:
    suffix = "/v1" if kind == "openai" else ""
    lines = ["providers:"]
    for i, url in enumerate(urls):
        lines.append(
            f"  p{i}: {{kind: {kind}, base_url: '{url}{suffix}', "
            f"api_key: sk-upstream-{kind}{provider}}}"
        )
    targets = ", ".join(f"{{provider: p{i}, model: text}}" for i in range(len(urls)))
    # Each target once: what a repeat does is told by the tests of repeats.
    once = "" if "retry:" in model else f", retry: {{attempts: {len(urls)}}}"
    lines += ["models:", f"  m: {{targets: [{targets}]{once}{model}}}"]
    return "\n".join(lines) + "\n" + tenant_yaml()


def ask(gate, stream=False, **more):
    return httpx.post(
        gate.base_url + "/chat/completions",
        headers=HEADERS,
        timeout=30,
        json={
            "model": "m",
            "messages": [{"role": "user", "content": "x"}],
            "stream": stream,
            **more,
        },
    )


def settled(gate, count=1) -> list[dict]:
    """The log lines, when there are exactly `count` and nothing is in flight."""
    lines = gate.access_lines(count)
    end = time.monotonic() + 20
    while gate.metric("tollgate_in_flight") != 0:
        assert time.monotonic() < end, "a call is still in flight"
        time.sleep(0.02)
    # A line too many could still be on its way: lines are written in batches. Its call is counted.
    assert gate.metric("tollgate_requests_total") == count == len(gate.access.lines)
    return lines


def first_words(kind, exchange):
    """The head and one word of a stream in that dialect."""
    exchange.sse_head()
    if kind == "openai":
        exchange.event(
            {
                "id": "c",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "text",
                "choices": [
                    {
                        "index": 0,
                        "delta": {"role": "assistant", "content": "Hel"},
                        "finish_reason": None,
                    }
                ],
            }
        )
    elif kind == "anthropic":
        exchange.event(
            {
                "type": "message_start",
                "message": {
                    "id": "m",
                    "type": "message",
                    "role": "assistant",
                    "model": "t",
                    "content": [],
                    "usage": {"input_tokens": 3, "output_tokens": 1},
                },
            },
            "message_start",
        )
        exchange.event(
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": ""},
            },
            "content_block_start",
        )
        exchange.event(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": "Hel"},
            },
            "content_block_delta",
        )
    else:
        exchange.event(
            {
                "candidates": [
                    {"index": 0, "content": {"role": "model", "parts": [{"text": "Hel"}]}}
                ]
            }
        )
