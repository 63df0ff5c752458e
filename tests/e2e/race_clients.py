"""What races for a ceiling: a provider that counts what it delivers, and clients that call until
the budget is gone. All of it runs in one asyncio loop; what a call does follows from its seed."""
from __future__ import annotations

import asyncio
import json
import random

from gateway import key

PROMPT, PIECES, WORDS = 10, 5, 10  # a reply: 5 pieces of 10 tokens
NANO_INPUT, NANO_OUTPUT = 1000, 2000  # a token, at 1 and 2 US dollars a million
COST = PROMPT * NANO_INPUT + PIECES * WORDS * NANO_OUTPUT
LIMIT = 60  # max_tokens
USAGE = {"prompt_tokens": PROMPT, "completion_tokens": PIECES * WORDS,
         "total_tokens": PROMPT + PIECES * WORDS}
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "u"}
TEXT = "word " * WORDS
KINDS = {"whole": 50, "stream": 38, "hang-up": 6, "die-late": 4, "die-early": 2}


def chunk(body) -> bytes:
    raw = b"data: " + (body if isinstance(body, bytes) else json.dumps(body).encode()) + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(raw), raw)


class Provider:
    """`delivered[call]`: nano-dollars' worth of tokens that left for the gateway."""

    def __init__(self, pause: float = 0.004):
        self.pause = pause
        self.delivered: dict[str, int] = {}
        self.arrived = 0

    async def open(self) -> None:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=512)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def serve(self, reader, writer) -> None:
        try:
            while await self.answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def answer(self, reader, writer) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        call, kind = body["messages"][0]["content"].split(" ")
        self.arrived += 1
        await asyncio.sleep(self.pause)
        if kind == "die-early":
            writer.transport.abort()
            return False
        if body.get("stream"):
            return await self.stream(writer, call, kind)
        reply = json.dumps({**CHUNK, "object": "chat.completion", "usage": USAGE, "choices": [
            {"index": 0, "message": {"role": "assistant", "content": TEXT * PIECES},
             "finish_reason": "stop"}]}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                     b"content-length: %d\r\n\r\n%s" % (len(reply), reply))
        self.count(call, COST)
        await writer.drain()
        return True

    async def stream(self, writer, call: str, kind: str) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                     b"transfer-encoding: chunked\r\n\r\n")
        self.count(call, PROMPT * NANO_INPUT)
        for piece in range(PIECES):
            if kind == "die-late" and piece == 2:
                writer.transport.abort()
                return False
            writer.write(chunk({**CHUNK, "choices": [
                {"index": 0, "delta": {"content": TEXT}, "finish_reason": None}]}))
            await writer.drain()
            self.count(call, WORDS * NANO_OUTPUT)
            await asyncio.sleep(self.pause)
        for body in ({**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
                     {**CHUNK, "choices": [], "usage": USAGE}, b"[DONE]"):
            writer.write(chunk(body))
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    def count(self, call: str, nano: int) -> None:
        self.delivered[call] = self.delivered.get(call, 0) + nano


class Call:
    """One call of a client: what was asked, and what came of it as the client saw it."""

    def __init__(self, id: str, kind: str):
        self.id, self.kind = id, kind
        self.code = ""  # of an error; "ok" where the reply came whole, "cut" where it broke off

    def request(self) -> bytes:
        body = json.dumps({"model": "m", "max_tokens": LIMIT, "stream": self.kind in (
            "stream", "hang-up", "die-late"), "messages": [
                {"role": "user", "content": f"{self.id} {self.kind}"}]}).encode()
        return (f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                f"authorization: Bearer {key()}\r\nx-request-id: {self.id}\r\n"
                f"content-length: {len(body)}\r\n\r\n").encode() + body

    async def run(self, url: str, patience: float) -> None:
        """`patience`: seconds after which one that hangs up does so."""
        host, port = url.removeprefix("http://").split(":")
        self.code = "cut"
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            self.code = "refused"
            return
        try:
            writer.write(self.request())
            if self.kind == "hang-up":
                await asyncio.wait_for(reader.read(), patience)
            else:
                self.take(await asyncio.wait_for(reader.read(), 60))
        except (asyncio.TimeoutError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    def take(self, raw: bytes) -> None:
        head, _, body = raw.partition(b"\r\n\r\n")
        if b" 200 " in head[:20]:
            whole = b"[DONE]" in body if self.kind != "whole" else body.endswith(b"}")
            self.code = "ok" if whole else "cut"
        elif body.strip().startswith(b"{"):
            self.code = json.loads(body)["error"]["code"]


class Clients:
    """`count` clients that call until each was told that the budget is gone."""

    def __init__(self, seed: int, count: int, urls):
        self.seed, self.count, self.urls = seed, count, urls
        self.calls: list[Call] = []

    async def client(self, number: int) -> None:
        chance = random.Random(f"{self.seed} {number}")
        for turn in range(10_000):
            kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
            call = Call(f"c{number}-{turn}", kind)
            self.calls.append(call)
            await call.run(self.urls[(number + turn) % len(self.urls)], chance.uniform(0, 0.03))
            if call.code == "budget_exceeded":
                return
            if call.code not in ("ok", "cut"):
                await asyncio.sleep(chance.uniform(0.05, 0.15))
        raise AssertionError("the budget is never gone")

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(self.count):
                group.create_task(self.client(number))
