"""A client of the chaos run: one kept connection, and a close look at every reply."""
from __future__ import annotations

import asyncio
import dataclasses
import json

from chaos_dialects import words_of

LIMIT = 300  # tokens; enough for every answer, though it is interrupted more than once


@dataclasses.dataclass
class Result:
    """`kind`: ok; dead (a stream that ended with a typed error behind some content); failed; torn
    (words doubled, lost or in another order); untyped (an end that is neither)."""

    kind: str
    detail: str = ""
    tokens: tuple[int, int] | None = None  # of prompt and answer, as the client was told


class Client:
    def __init__(self, host: str, port: int, key: str):
        self.host, self.port, self.key = host, port, key
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None

    async def ask(self, call: int, stream: bool) -> Result:
        try:
            return await self._ask(call, stream)
        except (ConnectionError, asyncio.IncompleteReadError, OSError) as error:
            self.close()
            return Result("failed", f"the gateway broke off: {error!r}")

    async def _ask(self, call: int, stream: bool) -> Result:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        body = json.dumps({"model": "m", "stream": stream, "max_tokens": LIMIT,
                           "stream_options": {"include_usage": True} if stream else None,
                           "messages": [{"role": "user", "content": f"call {call}"}]}).encode()
        self.writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer %s\r\nx-request-id: call-%d\r\ncontent-length: %d\r\n\r\n"
            % (self.key.encode(), call, len(body)) + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        text = (await self._body(head)).decode()
        if "connection: close" in head:
            self.close()
        if status != 200:
            return Result("failed", f"{status} {text[:300]}")
        return judge_stream(call, text) if stream else judge_whole(call, text)

    async def _body(self, head: str) -> bytes:
        if "content-length:" in head:
            length = int(head.split("content-length:")[1].split("\r\n")[0])
            return await self.reader.readexactly(length)
        body = b""
        while True:
            size = int((await self.reader.readline()).split(b";")[0], 16)
            body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
            if size == 0:
                return body


def told(usage: dict) -> tuple[int, int]:
    return usage["prompt_tokens"], usage["completion_tokens"]


def judge_whole(call: int, text: str) -> Result:
    reply = json.loads(text)
    said = reply["choices"][0]["message"]["content"]
    if said != "".join(words_of(call)):
        return Result("torn", said)
    return Result("ok", tokens=told(reply["usage"]))


def judge_stream(call: int, text: str) -> Result:
    events = [part[6:] for part in text.split("\n\n") if part.startswith("data: ")]
    wanted = "".join(words_of(call))
    said, error, finished, usages, ids, roles = "", None, 0, [], set(), 0
    for raw in events:
        if raw == "[DONE]":
            continue
        event = json.loads(raw)
        if error is not None:
            return Result("untyped", "something follows the error: " + text[-500:])
        if "error" in event:
            error = event["error"]
            continue
        ids.add(event["id"])
        usages += [event["usage"]] if event.get("usage") else []
        for choice in event["choices"]:
            said += choice["delta"].get("content") or ""
            roles += 1 if choice["delta"].get("role") else 0
            finished += 1 if choice.get("finish_reason") else 0
    if error is not None:
        if not said:
            return Result("failed", "an error though nothing was shown: " + text[-500:])
        typed = error.get("code") and error.get("type") and error.get("message")
        if not typed or finished:
            return Result("untyped", text[-500:])
        return Result("dead", text[-500:]) if wanted.startswith(said) else Result("torn", said)
    if said != wanted:
        return Result("torn", said)
    if (finished, len(usages), len(ids), roles, events[-1]) != (1, 1, 1, 1, "[DONE]"):
        return Result("untyped", text)
    return Result("ok", tokens=told(usages[0]))
