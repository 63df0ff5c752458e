"""The front as raw bytes see it: connections, framing, refusals and their order."""
from __future__ import annotations

import pathlib

import pytest

from gateway import Gateway, tenant_yaml
from raw import AUTH, CHAT, Connection, ask, chat_body, chunked, post

LIMITS = "limits: {header_bytes: 4KiB, body_bytes: 16KiB}"
MODELS = f"GET /v1/models HTTP/1.1\r\nhost: x\r\n{AUTH}\r\n"
DEMO = """
providers: {demo: {kind: demo}}
models:
  demo: {targets: [{provider: demo, model: "rate=100000"}]}
  slow: {targets: [{provider: demo, model: "delay=30s"}]}
  hidden: {targets: [{provider: demo, model: demo}]}
"""


def demo(listen: str = LIMITS) -> str:
    return ("listen: {http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1, "
            f"{listen}}}\n{DEMO}{tenant_yaml('    models: [demo, slow]' + chr(10))}")


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    running = Gateway(demo(), pathlib.Path(tmp_path_factory.mktemp("front")))
    yield running
    running.stop()


@pytest.fixture
def line(gate):
    connection = Connection(gate)
    yield connection
    connection.close()


# --- connections and framing ----------------------------------------------------------------------


@pytest.mark.smoke
def test_keep_alive(line):
    ids = set()
    for _ in range(3):
        reply = line.ask(post(chat_body()))
        assert reply.status == 200 and reply["connection"] in (None, "keep-alive")
        assert reply.json["choices"][0]["message"]["content"]
        ids.add(reply["x-request-id"])
    assert len(ids) == 3
    last = line.ask(post(chat_body(), headers=AUTH + "connection: close\r\n"))
    assert last["connection"] == "close"
    assert line.closed()


def test_http_1_0(line):
    assert line.ask(post(chat_body(), version="1.0")).status == 200
    assert line.closed()


def test_http_1_0_stream_has_no_chunks(line):
    line.send(post(chat_body(stream=True), version="1.0"))
    head = line.head()
    assert head.status == 200 and head["transfer-encoding"] is None
    assert line.until(b"data: [DONE]\n\n").startswith(b"data: {")
    assert line.closed()


def test_pipelining(line):
    """Three requests in one write: three answers, in order; streams among them."""
    bodies = [chat_body(user="one"), chat_body(stream=True), chat_body("nobody")]
    line.send(b"".join(post(b) for b in bodies))
    assert line.reply().json["object"] == "chat.completion"
    assert line.reply().body.endswith(b"data: [DONE]\n\n")
    assert line.reply().error["code"] == "model_not_found"
    assert line.ask(MODELS).status == 200


def test_request_byte_by_byte(line):
    raw = post(chat_body())
    for at in range(len(raw)):
        line.send(raw[at:at + 1])
    assert line.reply().status == 200


@pytest.mark.parametrize("framing", ["content-length: {}\r\n", "transfer-encoding: chunked\r\n"])
def test_expect_continue(line, framing):
    body = chat_body()
    line.send(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\n{AUTH}expect: 100-continue\r\n"
              + framing.format(len(body)) + "\r\n")
    assert line.reply().status == 100
    assert line.ask(body if "length" in framing else chunked(body)).status == 200


@pytest.mark.parametrize("headers,path,status", [
    ("", CHAT, 401), (AUTH, "/v1/nothing", 404), (AUTH, "/v1/models", 405), (AUTH, CHAT, 413)])
def test_refused_without_a_100(line, headers, path, status):
    """A refusal on the head comes before the body is asked for, and the body is never awaited."""
    reply = line.ask(f"POST {path} HTTP/1.1\r\nhost: x\r\n{headers}expect: 100-continue\r\n"
                     "content-length: 50000\r\n\r\n")
    assert reply.status == status and reply.error
    assert reply["connection"] == "close" and line.closed()


def test_chunked_body(line):
    body = chat_body()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\n{AUTH}transfer-encoding: chunked\r\n\r\n".encode()
    assert line.ask(head + chunked(body[:5], body[5:6], body[6:])).status == 200
    one_by_one = chunked(*body)
    for at in range(0, len(one_by_one), 7):
        line.send((head if at == 0 else b"") + one_by_one[at:at + 7])
    assert line.reply().status == 200
    odd = b"%X;name=\"value\"\r\n%s\r\n" % (len(body), body.encode())
    assert line.ask(head + odd + b"0\r\nx-trailer: 1\r\n\r\n").status == 200
    assert line.ask(MODELS).status == 200


def smuggle(line: str, version: str = "1.1", host: str = "host: x\r\n") -> bytes:
    inner = "GET /v1/smuggled HTTP/1.1\r\nhost: x\r\n\r\n"
    return (f"POST {CHAT} HTTP/{version}\r\n{host}{AUTH}{line}\r\n{inner}").encode()


SMUGGLING = {
    "te-and-cl": smuggle("transfer-encoding: chunked\r\ncontent-length: 5\r\n"),
    "cl-and-te": smuggle("content-length: 5\r\ntransfer-encoding: chunked\r\n"),
    "te-gzip-cl": smuggle("transfer-encoding: gzip\r\ncontent-length: 5\r\n"),
    "te-chunked-gzip": smuggle("transfer-encoding: chunked, gzip\r\n"),
    "te-gzip-chunked": smuggle("transfer-encoding: gzip, chunked\r\n"),
    "te-identity": smuggle("transfer-encoding: identity\r\n"),
    "te-xchunked": smuggle("transfer-encoding: xchunked\r\n"),
    "te-quoted": smuggle('transfer-encoding: "chunked"\r\n'),
    "te-empty": smuggle("transfer-encoding:\r\n"),
    "te-twice": smuggle("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"),
    "te-1.0": smuggle("transfer-encoding: chunked\r\n", "1.0"),
    "te-space-colon": smuggle("transfer-encoding : chunked\r\n"),
    "te-vtab": smuggle("transfer-encoding: \x0bchunked\r\n"),
    "te-folded": smuggle("transfer-encoding:\r\n chunked\r\n"),
    "cl-twice": smuggle("content-length: 5\r\ncontent-length: 6\r\n"),
    "cl-twice-equal": smuggle("content-length: 5\r\ncontent-length: 5\r\n"),
    "cl-list": smuggle("content-length: 5, 5\r\n"),
    "cl-plus": smuggle("content-length: +5\r\n"),
    "cl-minus": smuggle("content-length: -5\r\n"),
    "cl-hex": smuggle("content-length: 0x5\r\n"),
    "cl-empty": smuggle("content-length:\r\n"),
    "cl-huge": smuggle("content-length: 99999999999999999999\r\n"),
    "no-host": smuggle("content-length: 0\r\n", host=""),
    "two-hosts": smuggle("content-length: 0\r\n", host="host: a\r\nhost: a\r\n"),
    "host-list": smuggle("content-length: 0\r\n", host="host: a, b\r\n"),
    "obs-fold": smuggle("x-a: b\r\n c\r\ncontent-length: 0\r\n"),
    "bare-lf": smuggle("x-a: b\ncontent-length: 0\r\n"),
    "bare-cr": smuggle("x-a: b\rcontent-length: 0\r\n"),
    "nul": smuggle("x-a: b\0c\r\n"),
    "no-colon": smuggle("nonsense\r\n"),
    "empty-name": smuggle(": b\r\n"),
    "expect-else": smuggle("expect: a-miracle\r\ncontent-length: 0\r\n"),
    "version-2": smuggle("content-length: 0\r\n", "2.0"),
    "version-3-digits": smuggle("content-length: 0\r\n", "1.10"),
    "h2-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "tls-hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no-version": b"GET /v1/models\r\nhost: x\r\n\r\n",
    "tab-line": b"GET\t/v1/models\tHTTP/1.1\r\nhost: x\r\n\r\n",
    "space-target": b"GET /v1/models x HTTP/1.1\r\nhost: x\r\n\r\n",
    "connect": b"CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n",
}


@pytest.mark.parametrize("form", SMUGGLING)
def test_smuggling(line, form):
    """One 400, then the end: what follows in the bytes is never read as a request."""
    reply = line.ask(SMUGGLING[form])
    assert reply.status == 400 and reply.error["code"] == "invalid_request_error"
    assert reply["connection"] == "close" and line.closed()


BAD_CHUNKS = {
    "no-hex": b"xyz\r\n", "minus": b"-5\r\nhello\r\n", "prefix": b"0x5\r\nhello\r\n",
    "space": b" 5\r\nhello\r\n", "wide": b"00000000000000005\r\nhello\r\n",
    "overflow": b"ffffffffffffffff\r\n", "bare-lf": b"5\nhello\r\n", "no-crlf": b"5\r\nhelloX\r\n",
    "long-extension": b"5;" + b"e" * 2000 + b"\r\nhello\r\n",
    "lf-extension": b"5;a\nb\r\nhello\r\n",
    "long-trailers": b"0\r\n" + b"t: x\r\n" * 3000 + b"\r\n", "empty": b"\r\n"}


@pytest.mark.parametrize("form", BAD_CHUNKS)
def test_bad_chunks(line, form):
    reply = line.ask(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\n{AUTH}transfer-encoding: chunked\r\n\r\n"
                     .encode() + BAD_CHUNKS[form])
    assert reply.status == 400 and reply.error["code"] == "invalid_request_error"
    assert reply["connection"] == "close" and line.closed()


# --- routes and sizes -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/chat", "/v2/models", "/v1/chat/completions/",
                                  "/v1/models/", "/metrics", "/healthz", "/admin/config"])
def test_unknown_routes(line, path):
    reply = line.ask(f"GET {path} HTTP/1.1\r\nhost: x\r\n{AUTH}\r\n")
    assert reply.status == 404 and reply.error["code"] == "not_found"
    assert line.ask(MODELS).status == 200


@pytest.mark.parametrize("method,path,allow", [
    ("GET", CHAT, "POST"), ("DELETE", "/v1/completions", "POST"), ("PUT", "/v1/embeddings", "POST"),
    ("POST", "/v1/models", "GET, HEAD"), ("DELETE", "/v1/models/demo", "GET, HEAD"),
    ("OPTIONS", CHAT, "POST")])
def test_other_methods(line, method, path, allow):
    reply = line.ask(f"{method} {path} HTTP/1.1\r\nhost: x\r\n{AUTH}content-length: 0\r\n\r\n")
    assert reply.status == 405 and reply["allow"] == allow
    assert reply.error["code"] == "method_not_allowed"
    assert line.ask(MODELS).status == 200


def test_head(line):
    """As GET without the body; the connection goes on."""
    whole = line.ask(MODELS)
    head = line.send(MODELS.replace("GET", "HEAD")).reply(head_only=True)
    assert head.status == 200 and head["content-length"] == str(len(whole.body))
    missing = line.send("HEAD /nothing HTTP/1.1\r\nhost: x\r\n\r\n").reply(head_only=True)
    assert missing.status == 404
    assert line.ask(MODELS).body == whole.body


def test_query_and_absolute_form(line):
    assert line.ask(MODELS.replace("/v1/models", "/v1/models?x=1")).status == 200
    assert line.ask(MODELS.replace("/v1/models", "http://gateway/v1/models")).status == 200


def test_too_large(gate):
    just = chat_body(text="y" * 16000)
    assert len(just) < 16 * 1024 and ask(gate, post(just)).status == 200
    large = chat_body(text="y" * 17000)
    for data in (post(large), f"POST {CHAT} HTTP/1.1\r\nhost: x\r\n{AUTH}".encode()
                 + b"transfer-encoding: chunked\r\n\r\n" + chunked(large[:9000], large[9000:])):
        line = Connection(gate)
        reply = line.ask(data)
        assert reply.status == 413 and reply.error["code"] == "request_too_large"
        assert reply["connection"] == "close" and line.closed()


def test_large_heads(gate):
    for many in ("x-a: " + "b" * 5000 + "\r\n", "x-a: b\r\n" * 300):
        line = Connection(gate)
        reply = line.ask(f"GET /v1/models HTTP/1.1\r\nhost: x\r\n{AUTH}{many}\r\n")
        assert reply.status == 431 and reply.error["code"] == "headers_too_large"
        assert reply["connection"] == "close" and line.closed()
    line = Connection(gate)
    reply = line.ask("GET /" + "a" * 5000)  # without any end
    assert reply.status == 431 and line.closed()
