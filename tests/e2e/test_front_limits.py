"""The front's limits and times, what bodies it refuses and in which order, and CORS."""
from __future__ import annotations

import json
import pathlib

import pytest

from gateway import Gateway
from raw import AUTH, CHAT, Connection, ask, chat_body, post, until
from test_front import MODELS, demo

ORIGIN = "https://app.example"
PREFLIGHT = (f"OPTIONS {CHAT} HTTP/1.1\r\nhost: x\r\norigin: {{}}\r\n"
             "access-control-request-method: POST\r\n"
             "access-control-request-headers: authorization,content-type\r\n\r\n")


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """Small limits and times, one allowed origin."""
    listen = ("limits: {header_bytes: 4KiB, body_bytes: 16KiB, in_flight: 2}, "
              "timeouts: {header: 300ms, body_idle: 300ms, keep_alive: 600ms}, "
              f"cors: ['{ORIGIN}']")
    running = Gateway(demo(listen), pathlib.Path(tmp_path_factory.mktemp("limits")))
    yield running
    running.stop()


# --- times ----------------------------------------------------------------------------------------


def test_slow_head(gate):
    line = Connection(gate)
    reply = line.ask("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n")
    assert reply.status == 408 and reply.error["code"] == "request_timeout"
    assert reply["connection"] == "close" and line.closed()


def test_a_dripping_head_is_one_time_in_all(gate):
    line = Connection(gate)
    line.sock.settimeout(0.05)
    for _ in range(200):
        try:
            line.send("G")
            if line._more():
                break
        except TimeoutError:
            continue
    line.sock.settimeout(20)
    assert line.reply().status == 408 and line.closed()


@pytest.mark.parametrize("framing", ["content-length: 500\r\n\r\n{\"model\"",
                                     "transfer-encoding: chunked\r\n\r\n5\r\n{\"mod"])
def test_slow_body(gate, framing):
    line = Connection(gate)
    reply = line.ask(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\n{AUTH}{framing}")
    assert reply.status == 408 and reply.error["code"] == "request_timeout"
    assert reply["connection"] == "close" and line.closed()


def test_silent_connections_are_closed_without_a_word(gate):
    assert Connection(gate).closed()  # nothing at all was said: the header's time
    line = Connection(gate)
    assert line.ask(MODELS).status == 200
    assert line.closed()  # keep_alive


# --- limits ---------------------------------------------------------------------------------------


def test_in_flight(gate):
    slow = [Connection(gate).send(post(chat_body("slow"))) for _ in range(2)]
    until(lambda: gate.metric("tollgate_in_flight") == 2)
    line = Connection(gate)
    reply = line.ask(post(chat_body()))
    assert reply.status == 503 and reply.error["code"] == "overloaded"
    assert int(reply["retry-after"]) >= 1 and reply["x-should-retry"] is None
    assert line.ask(MODELS).status == 503
    [s.close() for s in slow]
    until(lambda: gate.metric("tollgate_in_flight") == 0)
    assert line.ask(post(chat_body())).status == 200


def test_connections(gateway):
    gate = gateway(demo("limits: {connections: 2}"))
    first, second = Connection(gate), Connection(gate)
    assert first.ask(MODELS).status == 200 and second.ask(MODELS).status == 200
    third = Connection(gate)
    reply = third.ask(MODELS)
    assert reply.status == 503 and reply.error["code"] == "overloaded"
    assert int(reply["retry-after"]) >= 1 and third.closed()
    assert first.ask(MODELS).status == 200
    first.close()
    until(lambda: gate.metric("tollgate_connections") == 1)
    assert ask(gate, MODELS).status == 200


# --- bodies ---------------------------------------------------------------------------------------


def deep(levels: int) -> str:
    """A request whose deepest value lies in `levels` containers."""
    inner = "[" * (levels - 1) + "]" * (levels - 1)
    return chat_body()[:-1] + f', "my_own": {inner}}}'


BAD_BODIES = {
    "empty": b"", "array": b"[]", "number": b"5", "text": b"hello", "null": b"null",
    "cut": chat_body().encode()[:-1], "trailing": chat_body().encode() + b"x",
    "two": chat_body().encode() * 2, "single-quotes": chat_body().replace('"', "'").encode(),
    "trailing-comma": chat_body().encode()[:-1] + b",}",
    "nan": chat_body().encode()[:-1] + b', "temperature": NaN}',
    "deep": deep(65).encode(), "very-deep": b"[" * 8000,
    "utf-8": chat_body(text="@").encode().replace(b"@", b"\xff"),
    "utf-8-long": chat_body(text="@").encode().replace(b"@", b"\xc0\xaf"),
    "utf-8-half": chat_body(text="@").encode().replace(b"@", b"\xed\xa0\x80"),
    "utf-8-name": chat_body().encode()[:-1] + b', "a\xff": 1}',
    "control": chat_body(text="@").encode().replace(b"@", b"\x01"),
    "bom-16": chat_body().encode("utf-16"),
    "duplicate": chat_body().encode()[:-1] + b', "model": "hidden"}',
    "duplicate-escaped": chat_body().encode()[:-1] + b', "mod\\u0065l": "hidden"}',
    "no-model": b'{"messages": [{"role": "user", "content": "x"}]}',
    "model-number": chat_body().replace('"demo"', "5").encode(),
    "model-empty": chat_body("").encode(), "model-long": chat_body("m" * 600).encode(),
    "no-messages": b'{"model": "demo"}', "messages-empty": b'{"model": "demo", "messages": []}',
    "messages-text": b'{"model": "demo", "messages": "x"}',
    "stream-text": chat_body(stream="yes").encode(),
}


@pytest.mark.parametrize("form", BAD_BODIES)
def test_bad_bodies(gate, form):
    reply = ask(gate, post(BAD_BODIES[form]))
    assert reply.status == 400, reply.body
    assert reply.error["code"] == "invalid_request_error"
    assert reply.error["type"] == "invalid_request_error"
    if form.startswith(("no-", "model", "messages")):
        assert reply.error["param"] in ("model", "messages")


def test_good_bodies(gate):
    for body in (deep(64), " \n" + chat_body() + "\r\n ", chat_body(text="wörld 👋 \x7f"),
                 chat_body().replace("demo", "d\\u0065mo"), chat_body(n=None, stream=None)):
        assert ask(gate, post(body)).status == 200, body[:80]


# --- order of refusals ----------------------------------------------------------------------------


def test_order_of_refusals(gate):
    """Framing, 404, 405, preflight, 401, in_flight, 413, body, model: what stands first is told."""
    framing = "transfer-encoding: gzip\r\n"
    wrong = "authorization: Bearer nonsense\r\n"

    def status(method="POST", path=CHAT, headers=AUTH, body=chat_body()):
        return ask(gate, f"{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}"
                         f"content-length: {len(body)}\r\n\r\n{body}").status
    large, bad = "y" * 20000, "{"
    assert status(path="/nothing", headers=framing) == 400
    assert status(method="PUT", path="/nothing", headers=wrong) == 404
    assert status(method="PUT", headers=wrong, body=large) == 405
    assert ask(gate, PREFLIGHT.format(ORIGIN)).status == 204
    assert status(headers=wrong, body=large) == 401
    assert status(body=large) == 413
    assert status(body=bad) == 400
    assert status(body=chat_body("nobody")[:-1] + ', "model": "demo"}') == 400
    assert status(body=chat_body("nobody")) == 404
    assert status(body=chat_body("hidden")) == 403
    slow = [Connection(gate).send(post(chat_body("slow"))) for _ in range(2)]
    until(lambda: gate.metric("tollgate_in_flight") == 2)
    assert status(headers=wrong) == 401
    assert status(body=large) == 503
    assert status(body=bad) == 503
    [s.close() for s in slow]
    until(lambda: gate.metric("tollgate_in_flight") == 0)


def test_refusals_count_and_are_logged(gate):
    """One line per authenticated POST, refused or not; none for what nobody authenticated."""
    replies = [ask(gate, post("{")), ask(gate, post(chat_body("hidden"))),
               ask(gate, post(chat_body(), headers="")), ask(gate, MODELS),
               ask(gate, post(chat_body()))]
    assert [r.status for r in replies] == [400, 403, 401, 200, 200]
    ids = [r["x-request-id"] for r in replies]
    lines = [gate.line_of(ids[i]) for i in (0, 1, 4)]
    logged = {json.loads(l)["request_id"] for l in gate.access.lines}
    assert not logged & {ids[2], ids[3]}
    assert [(l["http_status"], l["status"]) for l in lines] == [
        (400, "error"), (403, "denied"), (200, "ok")]
    assert [l["model_asked"] for l in lines] == [None, "hidden", "demo"]


# --- CORS -----------------------------------------------------------------------------------------


def test_cors_for_an_allowed_origin(gate):
    reply = ask(gate, PREFLIGHT.format(ORIGIN))
    assert reply.status == 204 and reply["access-control-allow-origin"] == ORIGIN
    assert "POST" in reply["access-control-allow-methods"]
    allowed = reply["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "x-api-key"} <= set(allowed)
    assert reply["vary"].lower() == "origin" and reply["access-control-allow-credentials"] is None
    for data in (post(chat_body(), headers=f"{AUTH}origin: {ORIGIN}\r\n"),
                 post(chat_body(), headers=f"origin: {ORIGIN}\r\n"),
                 post("{", headers=f"{AUTH}origin: {ORIGIN}\r\n")):
        reply = ask(gate, data)
        assert reply["access-control-allow-origin"] == ORIGIN, reply.status
        assert "x-request-id" in reply["access-control-expose-headers"]
    line = Connection(gate)
    head = line.send(post(chat_body(stream=True), headers=f"{AUTH}origin: {ORIGIN}\r\n")).head()
    assert head.status == 200 and head["access-control-allow-origin"] == ORIGIN


def test_no_cors_for_others(gate):
    for origin in ("https://evil.example", ORIGIN + ".evil.example", "null", "http://app.example"):
        reply = ask(gate, PREFLIGHT.format(origin))
        assert reply.status == 405 and reply["access-control-allow-origin"] is None
        reply = ask(gate, post(chat_body(), headers=f"{AUTH}origin: {origin}\r\n"))
        assert reply.status == 200 and reply["access-control-allow-origin"] is None


def test_cors_is_off_by_default(gateway):
    gate = gateway(demo())
    assert ask(gate, PREFLIGHT.format(ORIGIN)).status == 405
    reply = ask(gate, post(chat_body(), headers=f"{AUTH}origin: {ORIGIN}\r\n"))
    assert reply.status == 200
    assert not [name for name, _ in reply.fields if name.startswith("access-control")]
