"""How the providers of a chaos run speak: what each kind reads of a request, and what it writes.

A request is for an answer from its beginning, or for the rest of one: behind an `assistant`
message that the provider takes for its own (a prefill), or with an instruction behind that, which
quotes the last words to begin with.
"""
from __future__ import annotations

import dataclasses
import json
import re

CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "text"}
QUOTED = re.compile(r'repeating its last words, "(.*?)", exactly', re.S)
BEGINS, PREFILL, INSTRUCTED = "begins", "prefill", "instructed"


@dataclasses.dataclass
class Asked:
    """`so_far`: what the answer begins with; `size`: of the request's body, in bytes."""

    call: int
    stream: bool
    limit: int
    size: int
    how: str = BEGINS
    so_far: str = ""
    last_words: str = ""


@dataclasses.dataclass
class Tokens:
    prompt: int
    completion: int


def understand(turns: list[tuple[str, str]], stream: bool, limit: int, size: int) -> Asked:
    """`turns`: the conversation as (role, text); roles other than `user` are the model's."""
    asked = Asked(int(turns[0][1].split()[-1]), stream, limit, size)
    if len(turns) == 1:
        return asked
    assert turns[1][0] != "user" and len(turns) <= 3, turns
    asked.how, asked.so_far = PREFILL, turns[1][1]
    if len(turns) == 3:
        asked.how = INSTRUCTED
        asked.last_words = QUOTED.search(turns[2][1]).group(1)
        assert asked.so_far.endswith(asked.last_words), turns
    return asked


def words_of(call: int) -> list[str]:
    """What every provider answers to that call."""
    return [f"{call}.{i} " for i in range(3 + call % 17)]


def usage_of(call: int) -> Tokens:
    """What an answer from its beginning to its end takes."""
    return Tokens(5 + call % 40, len(words_of(call)))


def data(body: dict, name: str = "") -> str:
    return (f"event: {name}\n" if name else "") + "data: " + json.dumps(body) + "\n\n"


class OpenAi:
    kind, model, suffix = "openai", "text", "/v1"

    def read(self, _path: str, raw: bytes) -> Asked:
        body = json.loads(raw)
        turns = [(m["role"], m["content"]) for m in body["messages"]]
        limit = body.get("max_completion_tokens") or body["max_tokens"]
        return understand(turns, bool(body.get("stream")), limit, len(raw))

    def head(self, _tokens: Tokens) -> str:
        return self._event({"role": "assistant", "content": ""})

    def text(self, text: str) -> str:
        return self._event({"content": text})

    def end(self, tokens: Tokens) -> str:
        usage = data({**CHUNK, "choices": [], "usage": self._usage(tokens)})
        return self._event({}, "stop") + usage + "data: [DONE]\n\n"

    def error(self) -> str:
        return data({"error": {"message": "busy", "type": "server_error"}})

    def whole(self, text: str, tokens: Tokens) -> str:
        message = {"role": "assistant", "content": text}
        return json.dumps({**CHUNK, "object": "chat.completion", "usage": self._usage(tokens),
                           "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    def _usage(self, tokens: Tokens) -> dict:
        return {"prompt_tokens": tokens.prompt, "completion_tokens": tokens.completion,
                "total_tokens": tokens.prompt + tokens.completion}

    def _event(self, delta: dict, finish: str | None = None) -> str:
        return data({**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


class Anthropic:
    kind, model, suffix = "anthropic", "claude-3-5-haiku-latest", ""

    def read(self, _path: str, raw: bytes) -> Asked:
        body = json.loads(raw)
        turns = [(m["role"], m["content"] if isinstance(m["content"], str) else
                  "".join(block["text"] for block in m["content"])) for m in body["messages"]]
        return understand(turns, bool(body.get("stream")), body["max_tokens"], len(raw))

    def head(self, tokens: Tokens) -> str:
        return self._event("message_start", message={
            **self._message([], None), "usage": self._usage(Tokens(tokens.prompt, 1))}
        ) + self._event("content_block_start", index=0, content_block={"type": "text", "text": ""})

    def text(self, text: str) -> str:
        return self._event("content_block_delta", index=0,
                           delta={"type": "text_delta", "text": text})

    def end(self, tokens: Tokens) -> str:
        delta = {"stop_reason": "end_turn", "stop_sequence": None}
        return (self._event("content_block_stop", index=0)
                + self._event("message_delta", delta=delta,
                              usage={"output_tokens": tokens.completion})
                + self._event("message_stop"))

    def error(self) -> str:
        return self._event("error", error={"type": "overloaded_error", "message": "busy"})

    def whole(self, text: str, tokens: Tokens) -> str:
        return json.dumps({**self._message([{"type": "text", "text": text}], "end_turn"),
                           "usage": self._usage(tokens)})

    def _message(self, content: list, stop: str | None) -> dict:
        return {"id": "m", "type": "message", "role": "assistant", "model": self.model,
                "content": content, "stop_reason": stop, "stop_sequence": None}

    def _usage(self, tokens: Tokens) -> dict:
        return {"input_tokens": tokens.prompt, "output_tokens": tokens.completion}

    def _event(self, name: str, **body) -> str:
        return data({"type": name, **body}, name)


class Gemini:
    kind, model, suffix = "gemini", "gemini-2.0-flash", ""

    def read(self, path: str, raw: bytes) -> Asked:
        body = json.loads(raw)
        turns = [(c["role"], "".join(part["text"] for part in c["parts"]))
                 for c in body["contents"]]
        limit = body["generationConfig"]["maxOutputTokens"]
        return understand(turns, ":streamGenerateContent" in path, limit, len(raw))

    def head(self, _tokens: Tokens) -> str:
        return ""

    def text(self, text: str) -> str:
        return data(self._reply(text))

    def end(self, tokens: Tokens) -> str:
        return data({**self._reply("", "STOP"), "usageMetadata": self._usage(tokens)})

    def error(self) -> str:
        return data({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}})

    def whole(self, text: str, tokens: Tokens) -> str:
        return json.dumps({**self._reply(text, "STOP"), "usageMetadata": self._usage(tokens)})

    def _usage(self, tokens: Tokens) -> dict:
        return {"promptTokenCount": tokens.prompt, "candidatesTokenCount": tokens.completion,
                "totalTokenCount": tokens.prompt + tokens.completion}

    def _reply(self, text: str, finish: str | None = None) -> dict:
        candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "modelVersion": self.model, "responseId": "r"}


DIALECTS = {one.kind: one for one in (OpenAi(), Anthropic(), Gemini())}
