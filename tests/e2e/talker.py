"""A provider that says the same to everybody, whole or as a stream."""
from __future__ import annotations

from upstream import Upstream

USAGE = {"prompt_tokens": 10, "completion_tokens": 50, "total_tokens": 60}
COST = 10 * 1000 + 50 * 2000  # nano-dollars, at 1 and 2 US dollars a million
HEAD = {"id": "up-1", "created": 17, "model": "u-2024"}
TEXT = ["Hel", "lo \"wör", "ld\"\n👋"]
CALL = {"id": "call_7", "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Os\\u006co"}'}}


class Provider:
    """Says the same to everybody; what it says depends on the upstream model's name."""

    def __init__(self):
        self.bodies: list[dict] = []
        self.server = Upstream(self.answer)

    @property
    def calls(self) -> int:
        return len(self.bodies)

    def answer(self, exchange):
        body = exchange.request.json
        self.bodies.append(body)
        if body["model"] == "fails":
            return exchange.json({"error": {"message": "no"}}, 400)
        tool = body["model"] == "tool"
        finish = {"tool": "tool_calls", "cut": "length"}.get(body["model"], "stop")
        if body.get("stream"):
            self.stream(exchange, tool, finish)
        else:
            message = {"role": "assistant", "content": None if tool else "".join(TEXT)}
            if tool:
                message["tool_calls"] = [CALL]
            exchange.json({**HEAD, "object": "chat.completion", "usage": USAGE, "choices": [
                {"index": 0, "message": message, "finish_reason": finish}]})

    def stream(self, exchange, tool, finish):
        def chunk(delta, end=None):
            exchange.event({**HEAD, "object": "chat.completion.chunk", "choices": [
                {"index": 0, "delta": delta, "finish_reason": end}]})
        exchange.sse_head()
        chunk({"role": "assistant", "content": ""})
        if tool:
            chunk({"tool_calls": [{"index": 0, **CALL, "function": {"name": "weather",
                                                                    "arguments": ""}}]})
            for piece in (CALL["function"]["arguments"][:7], CALL["function"]["arguments"][7:]):
                chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        else:
            for piece in TEXT:
                chunk({"content": piece})
        chunk({}, finish)
        exchange.event({**HEAD, "object": "chat.completion.chunk", "choices": [], "usage": USAGE})
        exchange.event("[DONE]").end()
