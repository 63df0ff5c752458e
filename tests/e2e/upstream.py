"""Scripted providers on loopback: plain sockets, so that every fault can be played byte by byte."""

from __future__ import annotations

import json
import queue
import socket
import struct
import threading
import time


class Request:
    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes):
        self.method, self.target, self.headers, self.body = method, target, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Exchange:
    """One request and the means to answer it. Methods return self: scripts read as chains."""

    def __init__(self, sock: socket.socket, request: Request):
        self.sock, self.request = sock, request
        self.closed_by_peer = threading.Event()
        self.keep = False

    def send(self, data: bytes | str) -> "Exchange":
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def json(self, body, status: int = 200, headers: dict | None = None) -> "Exchange":
        text = json.dumps(body)
        lines = "".join(f"{k}: {v}\r\n" for k, v in (headers or {}).items())
        self.send(
            f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n"
            f"content-length: {len(text.encode())}\r\n{lines}\r\n{text}"
        )
        self.keep = True
        return self

    def sse_head(self, headers: dict | None = None) -> "Exchange":
        lines = "".join(f"{k}: {v}\r\n" for k, v in (headers or {}).items())
        return self.send(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            f"transfer-encoding: chunked\r\n{lines}\r\n"
        )

    def chunk(self, data: str) -> "Exchange":
        raw = data.encode()
        return self.send(b"%x\r\n%s\r\n" % (len(raw), raw))

    def event(self, body, name: str | None = None) -> "Exchange":
        text = body if isinstance(body, str) else json.dumps(body)
        return self.chunk((f"event: {name}\n" if name else "") + f"data: {text}\n\n")

    def end(self) -> "Exchange":
        self.keep = True
        return self.send("0\r\n\r\n")

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def wait_hang_up(self, timeout: float = 20) -> bool:
        """True when the gateway closes the connection within `timeout`."""
        self.sock.settimeout(timeout)
        try:
            return self.sock.recv(1) == b""
        except (ConnectionError, OSError) as error:
            return not isinstance(error, TimeoutError)


class Upstream:
    """Serves each request with `script(exchange)` on its own thread; `requests` holds what came."""

    def __init__(self, script):
        self.script = script
        self.requests: list[Request] = []
        self.arrived: queue.Queue[Exchange] = queue.Queue()
        self.errors: list[BaseException] = []
        self.open = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with self._lock:
            self.open += 1
        buffer = b""
        try:
            while True:
                request, buffer = read_request(sock, buffer)
                if request is None:
                    return
                with self._lock:
                    self.requests.append(request)
                exchange = Exchange(sock, request)
                self.arrived.put(exchange)
                self.script(exchange)
                if not exchange.keep:
                    return
        except (ConnectionError, OSError):
            pass
        except BaseException as error:  # noqa: BLE001 - shown by the fixture
            self.errors.append(error)
        finally:
            sock.close()
            with self._lock:
                self.open -= 1

    def wait_open(self, count: int, timeout: float = 20) -> None:
        """Waits until exactly `count` connections are open here."""
        end = time.monotonic() + timeout
        while self.open != count:
            assert time.monotonic() < end, f"{self.open} connections are open, not {count}"
            time.sleep(0.01)

    def close(self):
        # A close alone leaves `accept` waiting, with a number that the next listener may get.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def read_request(sock, buffer: bytes):
    while b"\r\n\r\n" not in buffer:
        more = sock.recv(65536)
        if not more:
            return None, b""
        buffer += more
    head, _, rest = buffer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    while len(rest) < length:
        more = sock.recv(65536)
        if not more:
            raise ConnectionError("request cut")
        rest += more
    return Request(method, target, headers, rest[:length]), rest[length:]
