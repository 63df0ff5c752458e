"""The providers of the chaos run: three of them, whose faults are drawn from a seed.

What a provider does with a call depends on the seed, the call's number, the provider and how often
that call was there before, never on timing: the same seed asks for the same faults. All run in one
asyncio loop; what each call met is kept for the comparison with the gateway's books.
"""
from __future__ import annotations

import asyncio
import collections
import hashlib
import json
import socket
import struct

CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "text"}
STALL = 600  # seconds: longer than any patience
SLOW = 0.15

# Before any content: the client must never notice. `refuse` shuts the whole provider's door.
STATUSES = {"429": (429, ""), "429-after": (429, "retry-after: 0.3\r\n"),
            "429-ms": (429, "retry-after-ms: 250\r\nx-ratelimit-remaining-requests: 0\r\n"),
            "500": (500, ""), "503": (503, ""), "529": (529, "")}
BROKEN = ["reset", "garbage", "garbage-200", "empty", "stall", "cut", "error-inside"]
FAULTS = [*STATUSES, *BROKEN]


def draw(*what) -> int:
    text = ":".join(str(part) for part in what)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def words_of(call: int) -> list[str]:
    """What every provider answers to that call."""
    return [f"{call}.{i} " for i in range(3 + call % 17)]


def usage_of(call: int) -> dict:
    prompt, completion = 5 + call % 40, len(words_of(call))
    return {"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion}


def number_of(body: dict) -> int:
    return int(body["messages"][-1]["content"].split()[-1])


class Provider:
    """One of them. `mood`: calm, flaky (one call in `one_in` meets a fault), refuse, or one of
    FAULTS (every call does)."""

    def __init__(self, name: str, seed: int, deaths: bool, one_in: int = 8):
        self.name, self.seed, self.deaths, self.one_in = name, seed, deaths, one_in
        self.mood = "calm"
        self.port = 0
        self.played: collections.Counter = collections.Counter()
        self.by_call: dict[int, list[str]] = collections.defaultdict(list)
        self.open: set[asyncio.Transport] = set()
        self.idle: set[asyncio.Transport] = set()
        self.server: asyncio.Server | None = None
        self.refused = False

    async def listen(self) -> None:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: Line(self), "127.0.0.1", self.port,
                                               backlog=1024, reuse_address=True)
        self.port = self.server.sockets[0].getsockname()[1]

    async def set_mood(self, mood: str) -> None:
        if mood == "refuse" and self.server is not None:
            self.refused = True
            self.server.close()
            self.server = None
            for line in list(self.idle):
                line.close()
        elif mood != "refuse" and self.server is None:
            await self.listen()
        self.mood = mood

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
        for line in list(self.open):
            line.abort()

    def fate(self, call: int) -> str:
        again = len(self.by_call[call])
        lot = draw(self.seed, self.name, call, again)
        if self.mood == "flaky" and lot % self.one_in == 0:
            fates = [*FAULTS, *(["death"] if self.deaths else [])]
            return fates[(lot >> 16) % len(fates)]
        if self.mood in FAULTS:
            return self.mood
        return "slow" if (lot >> 16) % 50 == 0 else "good"


class Line(asyncio.Protocol):
    """A connection from the gateway."""

    def __init__(self, provider: Provider):
        self.provider = provider
        self.buffer = b""
        self.task: asyncio.Task | None = None

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.provider.open.add(transport)
        self.provider.idle.add(transport)

    def connection_lost(self, _):
        self.provider.open.discard(self.transport)
        self.provider.idle.discard(self.transport)
        if self.task is not None:
            self.task.cancel()

    def data_received(self, data: bytes):
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        at = lower.index(b"content-length:") + 15
        length = int(lower[at:].split(b"\r\n")[0])
        if len(rest) < length:
            return
        body, self.buffer = json.loads(rest[:length]), rest[length:]
        self.answer(number_of(body), bool(body.get("stream")))

    def answer(self, call: int, stream: bool) -> None:
        fate = self.provider.fate(call)
        if not stream and fate in ("death", "stall"):
            fate = "cut"  # silence before a reply that is no stream is a model at work
        self.provider.by_call[call].append(fate)
        self.provider.played[fate] += 1
        if fate == "good":
            return self.whole_answer(call, stream)
        self.provider.idle.discard(self.transport)
        if fate in STATUSES:
            status, headers = STATUSES[fate]
            return self.json(json.dumps({"error": {"message": f"it is {status}", "type": "t"}}),
                             status, headers)
        if fate in ("slow", "stall"):
            self.task = asyncio.create_task(self.later(fate, call, stream))
            return None
        return self.break_off(fate, call, stream)

    async def later(self, fate: str, call: int, stream: bool) -> None:
        place = len(self.provider.by_call[call]) - 1
        try:
            await asyncio.sleep(SLOW if fate == "slow" else STALL)
        except asyncio.CancelledError:
            self.provider.by_call[call][place] = "left"  # the gateway did not wait
            raise
        self.whole_answer(call, stream)

    def break_off(self, fate: str, call: int, stream: bool) -> None:
        words = words_of(call)
        if fate == "reset":
            self.reset()
        elif fate == "garbage":
            self.transport.write(b"\x16\x03\x01 what is this\r\n\r\n")
            self.transport.close()
        elif fate == "garbage-200":
            kind = "text/event-stream" if stream else "application/json"
            self.send(200, kind, "data: {]}\n\n" if stream else "<html>never mind</html>")
        elif fate == "empty":
            self.send(200, "text/event-stream" if stream else "application/json", "")
        elif fate == "error-inside":
            error = json.dumps({"error": {"message": "busy", "type": "server_error"}})
            self.send(200, "text/event-stream", f"data: {error}\n\n") if stream else (
                self.json(error, 500))
        elif stream:  # cut before the first content, or dead behind some of it
            self.stream_head()
            self.chunk(event({"role": "assistant", "content": ""}))
            for word in words[:1 + call % (len(words) - 1)] if fate == "death" else []:
                self.chunk(event({"content": word}))
            self.transport.close()
        else:
            raw = completion(call).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                                 b"content-length: %d\r\n\r\n" % len(raw) + raw[:len(raw) // 2])
            self.transport.close()

    def reset(self) -> None:
        self.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def send(self, status: int, kind: str, text: str, headers: str = "") -> None:
        raw = text.encode()
        self.transport.write(f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{headers}"
                             f"content-length: {len(raw)}\r\n\r\n".encode() + raw)
        self.rest()

    def json(self, text: str, status: int = 200, headers: str = "") -> None:
        self.send(status, "application/json", text, headers)

    def rest(self) -> None:
        """The reply is over; a provider that has shut its door keeps no connection."""
        self.provider.idle.add(self.transport)
        if self.provider.server is None:
            self.transport.close()

    def stream_head(self) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                             b"transfer-encoding: chunked\r\n\r\n")

    def chunk(self, text: str) -> None:
        raw = text.encode()
        self.transport.write(b"%x\r\n%s\r\n" % (len(raw), raw))

    def whole_answer(self, call: int, stream: bool) -> None:
        if not stream:
            return self.json(completion(call))
        events = [event({"role": "assistant", "content": ""}),
                  *(event({"content": word}) for word in words_of(call)),
                  event({}, "stop"),
                  "data: " + json.dumps({**CHUNK, "choices": [], "usage": usage_of(call)}) + "\n\n",
                  "data: [DONE]\n\n"]
        self.stream_head()
        half = call % len(events)
        for piece in ("".join(events[:half]), "".join(events[half:])):
            if piece:
                self.chunk(piece)
        self.transport.write(b"0\r\n\r\n")
        return self.rest()


def event(delta: dict, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return "data: " + json.dumps({**CHUNK, "choices": [choice]}) + "\n\n"


def completion(call: int) -> str:
    message = {"role": "assistant", "content": "".join(words_of(call))}
    return json.dumps({**CHUNK, "object": "chat.completion", "usage": usage_of(call),
                       "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
