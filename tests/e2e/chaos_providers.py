"""The providers of the chaos run: three of them, whose faults are drawn from a seed.

What a provider does with a call depends on the seed, the call's number, the provider and how often
that call was there before, never on timing: the same seed asks for the same faults. All run in one
asyncio loop; what each call met is kept for the comparison with the gateway's books. How they speak
stands in chaos_dialects.py.
"""
from __future__ import annotations

import asyncio
import collections
import dataclasses
import hashlib
import json
import re
import socket
import struct

from chaos_dialects import Asked, BEGINS, DIALECTS, INSTRUCTED, Tokens, usage_of, words_of

STALL = 600  # seconds: longer than any patience
SLOW = 0.15

# Before any content: the client must never notice. `refuse` shuts the whole provider's door.
STATUSES = {"429": (429, ""), "429-after": (429, "retry-after: 0.3\r\n"),
            "429-ms": (429, "retry-after-ms: 250\r\nx-ratelimit-remaining-requests: 0\r\n"),
            "500": (500, ""), "503": (503, ""), "529": (529, "")}
BROKEN = ["reset", "garbage", "garbage-200", "empty", "stall", "cut", "error-inside"]
FAULTS = [*STATUSES, *BROKEN]
# Behind some content: the end of the stream, or silence, or an error event.
DEATHS = ["death", "hush", "error-behind"]
UNHEARD = {"reset", "garbage", "stall"}  # no status ever comes


def draw(*what) -> int:
    text = ":".join(str(part) for part in what)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


@dataclasses.dataclass
class Seen:
    """A request and what became of it. `said`: text of the reply that was sent."""

    fate: str
    asked: Asked
    tokens: Tokens
    said: str = ""


def answer_to(asked: Asked, lot: int) -> str:
    """The rest of the answer, begun as the provider was told to, or from the start."""
    whole = "".join(words_of(asked.call))
    assert whole.startswith(asked.so_far), (asked, whole)
    if asked.how == INSTRUCTED:
        begin = ("", "\n", " ")[lot % 3] + asked.last_words
        return (asked.so_far if lot % 4 == 0 else begin) + whole[len(asked.so_far):]
    return whole[len(asked.so_far):]


def pieces_of(text: str) -> list[str]:
    return re.findall(r"\s*\S+\s?|\s+$", text)


class Provider:
    """One of them. `mood`: calm, flaky (one call in `one_in` meets a fault), refuse, or one of
    FAULTS and DEATHS (every call does). `deaths`: how a stream of a flaky one may end too early."""

    def __init__(self, name: str, seed: int, deaths: list[str], kind: str = "openai",
                 one_in: int = 8):
        self.name, self.seed, self.deaths, self.one_in = name, seed, deaths, one_in
        self.dialect = DIALECTS[kind]
        self.mood = "calm"
        self.usual, self.slow = 0.0, SLOW  # seconds that a good answer takes, and a slow one
        self.wrong: list[str] = []  # requests that it could not make sense of
        self.port = 0
        self.played: collections.Counter = collections.Counter()
        self.by_call: dict[int, list[Seen]] = collections.defaultdict(list)
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
            fates = [*FAULTS, *self.deaths]
            return fates[(lot >> 16) % len(fates)]
        if self.mood in FAULTS or self.mood in DEATHS:
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
        body, self.buffer = rest[:length], rest[length:]
        try:
            self.answer(self.provider.dialect.read(head.split(b" ", 2)[1].decode(), body))
        except Exception as error:  # whatever it is, the run tells of it
            self.provider.wrong.append(f"{self.provider.name}: {error!r} at {body!r}")
            self.reset()

    def answer(self, asked: Asked) -> None:
        call, provider = asked.call, self.provider
        fate = provider.fate(call)
        if not asked.stream and fate in ("stall", *DEATHS):
            fate = "cut"  # silence before a reply that is no stream is a model at work
        text = answer_to(asked, draw(provider.seed, "answer", call, len(provider.by_call[call])))
        pieces = pieces_of(text)
        tokens = usage_of(call)
        if asked.how != BEGINS:
            tokens = Tokens(tokens.prompt + len(asked.so_far.split()), len(pieces))
        assert len(pieces) <= asked.limit, "it has no room for the rest"
        seen = Seen(fate, asked, tokens)
        provider.by_call[call].append(seen)
        provider.played[fate if asked.how == BEGINS else asked.how + " " + fate] += 1
        if fate == "good" and not provider.usual:
            return self.whole_answer(seen, pieces)
        provider.idle.discard(self.transport)
        if fate in STATUSES:
            status, headers = STATUSES[fate]
            error = {"message": f"it is {status}", "type": "t"}
            return self.json(json.dumps({"error": error}), status, headers)
        if fate in ("good", "slow", "stall"):
            self.task = asyncio.create_task(self.later(seen, pieces))
            return None
        return self.break_off(seen, pieces)

    async def later(self, seen: Seen, pieces: list[str]) -> None:
        provider = self.provider
        patience = {"good": provider.usual, "slow": provider.slow, "stall": STALL}
        try:
            await asyncio.sleep(patience[seen.fate])
        except asyncio.CancelledError:
            if seen.fate != "stall":
                seen.fate = "left"  # the gateway did not wait
            raise
        self.whole_answer(seen, pieces)

    def break_off(self, seen: Seen, pieces: list[str]) -> None:
        fate, stream, dialect = seen.fate, seen.asked.stream, self.provider.dialect
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
            self.send(200, "text/event-stream", dialect.error()) if stream else (
                self.json(json.dumps({"error": {"message": "busy"}}), 500))
        elif stream:
            self.end_early(seen, pieces)
        else:
            raw = dialect.whole("".join(pieces), seen.tokens).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                                 b"content-length: %d\r\n\r\n" % len(raw) + raw[:len(raw) // 2])
            self.transport.close()

    def end_early(self, seen: Seen, pieces: list[str]) -> None:
        """Cut before the first content, or dead behind some of it, perhaps within a word."""
        dialect = self.provider.dialect
        self.stream_head()
        self.chunk(dialect.head(seen.tokens))
        lot = draw(self.provider.seed, "end", seen.asked.call, seen.asked.how)
        shown = pieces[:1 + lot % max(1, len(pieces) - 1)] if seen.fate in DEATHS else []
        if shown and lot % 3 == 0:
            shown[-1] = shown[-1][:1 + (lot >> 8) % len(shown[-1])]
        for piece in shown:
            self.chunk(dialect.text(piece))
        seen.said = "".join(shown)
        if seen.fate == "error-behind":
            self.chunk(dialect.error())
            self.transport.write(b"0\r\n\r\n")
            self.rest()
        elif seen.fate != "hush":
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
        if raw:
            self.transport.write(b"%x\r\n%s\r\n" % (len(raw), raw))

    def whole_answer(self, seen: Seen, pieces: list[str]) -> None:
        dialect = self.provider.dialect
        seen.said = "".join(pieces)
        if not seen.asked.stream:
            return self.json(dialect.whole(seen.said, seen.tokens))
        events = [dialect.head(seen.tokens), *(dialect.text(piece) for piece in pieces),
                  dialect.end(seen.tokens)]
        self.stream_head()
        half = seen.asked.call % len(events)
        for piece in ("".join(events[:half]), "".join(events[half:])):
            self.chunk(piece)
        self.transport.write(b"0\r\n\r\n")
        return self.rest()
