"""HTTP/1.1 by hand: what a client library would never send, and exactly what came back."""
from __future__ import annotations

import json
import socket
import time

from gateway import key

CHAT = "/v1/chat/completions"
AUTH = f"authorization: Bearer {key()}\r\n"


def chat_body(model: str = "demo", text: str = "x", **more) -> str:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **more})


def post(body: str | bytes, path: str = CHAT, headers: str = AUTH, version: str = "1.1") -> bytes:
    """A sized POST."""
    raw = body.encode() if isinstance(body, str) else body
    return (f"POST {path} HTTP/{version}\r\nhost: x\r\n{headers}"
            f"content-length: {len(raw)}\r\n\r\n").encode() + raw


def chunked(*pieces: str | bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    raw = [p.encode() if isinstance(p, str) else p for p in pieces]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in raw) + end


class Reply:
    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes):
        self.status, self.fields, self.body = status, headers, body

    def __getitem__(self, name: str) -> str | None:
        found = [value for field, value in self.fields if field == name]
        assert len(found) <= 1, f"{name} stands {len(found)} times"
        return found[0] if found else None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self) -> dict:
        """The error object; its shape is checked here, once for all."""
        assert self["content-type"] == "application/json", self.fields
        body = self.json
        assert set(body) == {"error"}, body
        assert set(body["error"]) == {"message", "type", "param", "code"}, body
        assert body["error"]["message"] and body["error"]["type"]
        return body["error"]


class Connection:
    def __init__(self, gate, timeout: float = 20, sock: socket.socket | None = None):
        host, port = gate.url.removeprefix("http://").removeprefix("https://").split(":")
        self.sock = sock or socket.create_connection((host, int(port)))
        self.sock.settimeout(timeout)
        self.buffer = b""

    def send(self, data: bytes | str) -> "Connection":
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def _more(self) -> bool:
        got = self.sock.recv(65536)
        self.buffer += got
        return bool(got)

    def until(self, mark: bytes) -> bytes:
        """What came up to and with `mark`; the rest stays."""
        while mark not in self.buffer:
            assert self._more(), f"closed before {mark!r}: {self.buffer[-300:]!r}"
        at = self.buffer.index(mark) + len(mark)
        out, self.buffer = self.buffer[:at], self.buffer[at:]
        return out

    def head(self) -> Reply:
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        assert lines[0].startswith("HTTP/1.1 "), lines[0]
        pairs = [line.partition(":") for line in lines[1:] if line]
        return Reply(int(lines[0][9:12]), [(n.lower(), v.strip()) for n, _, v in pairs], b"")

    def reply(self, head_only: bool = False) -> Reply:
        """The next reply, whole; chunks are joined."""
        reply = self.head()
        if head_only or reply.status in (100, 204, 304):
            return reply
        if reply["transfer-encoding"] == "chunked":
            while piece := self.chunk():
                reply.body += piece
        else:
            length = int(reply["content-length"])
            while len(self.buffer) < length:
                assert self._more(), "closed within a body"
            reply.body, self.buffer = self.buffer[:length], self.buffer[length:]
        return reply

    def chunk(self) -> bytes:
        """The data of the next chunk; empty at the end."""
        size = int(self.until(b"\r\n"), 16)
        while len(self.buffer) < size + 2:
            assert self._more(), "closed within a chunk"
        data, self.buffer = self.buffer[:size], self.buffer[size + 2:]
        return data

    def ask(self, data: bytes | str) -> Reply:
        return self.send(data).reply()

    def closed(self) -> bool:
        """True when the gateway ends the connection and sends nothing more."""
        try:
            return self.buffer == b"" and not self._more()
        except ConnectionError:
            return True

    def silent(self, seconds: float = 0.15) -> bool:
        """True when nothing comes for a while: the only way to see that nothing comes."""
        before = self.sock.gettimeout()
        self.sock.settimeout(seconds)
        try:
            return self.buffer == b"" and not self._more() and False
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(before)

    def close(self) -> None:
        self.sock.close()


def ask(gate, data: bytes | str) -> Reply:
    """One request on a connection of its own."""
    connection = Connection(gate)
    try:
        return connection.ask(data)
    finally:
        connection.close()


def until(what, timeout: float = 20):
    """Waits for a condition that has no event of its own (a metric, say)."""
    end = time.monotonic() + timeout
    while True:
        got = what()
        if got:
            return got
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
