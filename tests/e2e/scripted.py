"""Providers that speak OpenAI's dialect and are steered by the upstream model's name.

`SCRIPTS[name](exchange)` answers a request for that model; a test may put its own there. What
follows an "@" only tells models apart.
"""
from __future__ import annotations

import threading

# Bytes that no serialiser would write: spaces, unknown fields, escapes, a filter chunk.
CHUNKS = [
    'data: {"id" :"c1","object":"chat.completion.chunk","created":17,"model":"up-1",'
    '"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],'
    '"usage":null}\n\n',
    'data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}],"model":""}\n\n',
    'data: { "choices" : [ {"delta":{"content":"Hel\\u006co"},"index":0,"x_new":{"a":[1,2]} } ],'
    ' "id":"c1", "model":"up-1" }\n\n',
    'data: {"id":"c1","model":"up-1","choices":[{"index":0,"delta":{"content":" wörld 👋"},'
    '"logprobs":null,"finish_reason":null}],"obfuscation":"zz"}\n\n',
    'data: {"id":"c1","model":"up-1",'
    '"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
]
USAGE = ('data: {"id":"c1","model":"up-1","choices":[],"usage":{"prompt_tokens":3,'
         '"completion_tokens":4,"total_tokens":7}}\n\n')
DONE = "data: [DONE]\n\n"
WHOLE = ('{ "id":"c1","object":"chat.completion", "created":17,"model":"up-1","x_new":[1, 2],\n'
         '"choices":[{"index":0,"message":{"role":"assistant","content":"Hel\\u006co wörld 👋"},'
         '"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4,'
         '"total_tokens":7}}\n')
COMPLETION = ('{"id":"cmpl-1","object":"text_completion","created":17,"model":"up-1","choices":'
              '[{"text":"Hello","index":0,"logprobs":null,"finish_reason":"length"}],'
              '"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}')
COMPLETION_CHUNKS = [
    'data: {"id":"cmpl-1","object":"text_completion","choices":[{"text":"Hel","index":0}]}\n\n',
    'data: {"id":"cmpl-1","object":"text_completion","choices":[{"text":"lo","index":0,'
    '"finish_reason":"stop"}]}\n\n']


def whole(exchange, text: str) -> None:
    raw = text.encode()
    exchange.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                  b"content-length: %d\r\n\r\n%s" % (len(raw), raw))
    exchange.keep = True


def text(exchange) -> None:
    """The chunks above, cut where no event ends."""
    completions = exchange.request.target.endswith("/v1/completions")
    if not exchange.request.json.get("stream"):
        return whole(exchange, COMPLETION if completions else WHOLE)
    chunks = COMPLETION_CHUNKS if completions else CHUNKS
    raw = "".join([*chunks, USAGE, DONE]).encode()
    exchange.sse_head()
    for at in range(0, len(raw), 37):
        piece = raw[at:at + 37]
        exchange.send(b"%x\r\n%s\r\n" % (len(piece), piece))
    exchange.end()


def status(code: int):
    def answer(exchange):
        exchange.json({"error": {"message": f"it is {code}", "type": "t", "param": None,
                                 "code": None}}, code)
    return answer


SCRIPTS = {"text": text, **{f"err-{code}": status(code) for code in (400, 429, 500, 503)}}


def openai(exchange) -> None:
    model = exchange.request.json["model"].split("@")[0]
    SCRIPTS.get(model, text)(exchange)


class Stepped:
    """A stream that a test lets go on: `go()` plays the next step of `steps`."""

    def __init__(self, *steps):
        self.steps = steps
        self._allowed = threading.Semaphore(0)
        self.begun = threading.Event()

    def go(self) -> None:
        self._allowed.release()

    def __call__(self, exchange) -> None:
        exchange.sse_head()
        self.begun.set()
        for step in self.steps:
            assert self._allowed.acquire(timeout=20), "the test forgot this stream"
            if step == "die":
                exchange.keep = False
                return
            exchange.chunk(step)
        exchange.end()
