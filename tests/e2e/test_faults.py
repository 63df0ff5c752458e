"""The fault matrix: everything that can go wrong on the way to a provider, for each dialect, streamed or not.

For each: the right status or event, exactly one log line, nothing left in flight, no connection left open.
"""
from __future__ import annotations

import json
import socket
import time

import httpx
import pytest

import dialects
from gateway import key, tenant_yaml

pytestmark = pytest.mark.threads
PROVIDERS = sorted(dialects.SCRIPTS)
HEADERS = {"authorization": f"Bearer {key()}"}


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def config(kind: str, *urls: str, model: str = "", provider: str = "") -> str:
    suffix = "/v1" if kind == "openai" else ""
    lines = ["providers:"]
    for i, url in enumerate(urls):
        lines.append(f"  p{i}: {{kind: {kind}, base_url: '{url}{suffix}', api_key: sk-upstream-{kind}{provider}}}")
    targets = ", ".join(f"{{provider: p{i}, model: text}}" for i in range(len(urls)))
    lines += ["models:", f"  m: {{targets: [{targets}]{model}}}"]
    return "\n".join(lines) + "\n" + tenant_yaml()


def ask(gate, stream=False, **more):
    return httpx.post(gate.base_url + "/chat/completions", headers=HEADERS, timeout=30,
                      json={"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": stream, **more})


def settled(gate, count=1) -> list[dict]:
    """The log lines, when there are exactly `count` and nothing is in flight."""
    lines = gate.access_lines(count)
    end = time.monotonic() + 20
    while gate.metric("tollgate_in_flight") != 0:
        assert time.monotonic() < end, "a call is still in flight"
        time.sleep(0.02)
    assert len(gate.access.lines) == count
    return lines


# --- what a provider can do wrong before the first byte ------------------------------------------


def reset(exchange):
    exchange.reset()


def closes(exchange):
    exchange.keep = False


def garbage(exchange):
    exchange.send("SSH-2.0-OpenSSH_9.2\r\n\r\n")


def not_json(exchange):
    exchange.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n<html/>")


def empty(exchange):
    exchange.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n")


def cut_body(exchange):
    exchange.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{\"id\":")


def cut_chunked(exchange):
    exchange.sse_head().send(b"fff\r\ndata: {")


def redirect(exchange):
    exchange.send("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")


FAULTS = [reset, closes, garbage, not_json, empty, cut_body, cut_chunked, redirect]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("kind", PROVIDERS)
def test_before_the_first_byte(gateway, upstream, kind, fault, stream):
    bad, good = upstream(fault), upstream(dialects.SCRIPTS[kind])
    gate = gateway(config(kind, bad.url))
    reply = ask(gate, stream)
    assert reply.status_code == 502, reply.text
    assert reply.headers["content-type"] == "application/json"
    error = reply.json()["error"]
    assert error["code"] == "upstream_error" and set(error) == {"message", "type", "param", "code"}
    assert reply.headers["x-should-retry"] == "false" and reply.headers["x-tollgate-attempts"] == "1"
    line = settled(gate)[0]
    assert (line["status"], line["http_status"], line["attempts"], line["origin"]) == ("error", 502, 1, "upstream")
    bad.wait_open(0)

    # The same fault at the first of two targets: nobody sees it.
    gate = gateway(config(kind, bad.url, good.url))
    reply = ask(gate, stream)
    assert reply.status_code == 200 and reply.headers["x-tollgate-provider"] == "p1"
    assert reply.headers["x-tollgate-attempts"] == "2"
    line = settled(gate)[0]
    assert line["status"] == "ok" and line["attempts"] == 2
    assert [a["provider"] for a in line["attempt_errors"]] == ["p0"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_connect_refused(gateway, stream):
    gate = gateway(config("openai", f"http://127.0.0.1:{refused_port()}"))
    reply = ask(gate, stream)
    assert reply.status_code == 502 and reply.json()["error"]["code"] == "upstream_error"
    assert str(settled(gate)[0]["http_status"]) == "502"


def test_unknown_host(gateway):
    gate = gateway(config("openai", "http://no-such-host.invalid"))
    assert ask(gate).status_code == 502
    settled(gate)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_deadline(gateway, upstream, kind):
    silent = upstream(dialects.hang)
    gate = gateway(config(kind, silent.url, model=", timeout: 300ms"))
    reply = ask(gate)
    assert reply.status_code == 504 and reply.json()["error"]["code"] == "deadline_exceeded"
    assert reply.headers["x-should-retry"] == "false"
    reply = httpx.post(gate.base_url + "/chat/completions", timeout=20,
                       headers={**HEADERS, "x-tollgate-timeout": "100ms"},
                       json={"model": "m", "messages": [{"role": "user", "content": "x"}]})
    assert reply.status_code == 504
    settled(gate, 2)
    silent.wait_open(0)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_first_byte_timeout(gateway, upstream, kind):
    silent, good = upstream(dialects.hang), upstream(dialects.SCRIPTS[kind])
    gate = gateway(config(kind, silent.url, provider=", timeouts: {first_byte: 200ms}"))
    reply = ask(gate, True)
    assert reply.status_code == 504 and reply.json()["error"]["code"] == "upstream_timeout"
    settled(gate)
    gate = gateway(config(kind, silent.url, good.url, provider=", timeouts: {first_byte: 200ms}"))
    assert ask(gate, True).headers["x-tollgate-provider"] == "p1"
    silent.wait_open(0)


# --- after the first byte -------------------------------------------------------------------------


def first_words(kind, exchange):
    """The head and one word of a stream in that dialect."""
    exchange.sse_head()
    if kind == "openai":
        exchange.event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "text",
                        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}, "finish_reason": None}]})
    elif kind == "anthropic":
        exchange.event({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "t",
                        "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}}}, "message_start")
        exchange.event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                       "content_block_start")
        exchange.event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
                       "content_block_delta")
    else:
        exchange.event({"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": "Hel"}]}}]})


ERROR_EVENTS = {
    "openai": ({"error": {"message": "it broke", "type": "server_error", "param": None, "code": None}}, None),
    "anthropic": ({"type": "error", "error": {"type": "overloaded_error", "message": "it broke"}}, "error"),
    "gemini": ({"error": {"code": 503, "message": "it broke", "status": "UNAVAILABLE"}}, None),
}
ENDINGS = ["dies", "resets", "ends_early", "error_event", "stalls", "garbage_event"]


def ending(kind, how, exchange):
    if how == "resets":
        exchange.reset()
    elif how == "ends_early":
        exchange.end()
    elif how == "error_event":
        exchange.event(*ERROR_EVENTS[kind])
        exchange.wait_hang_up()
    elif how == "stalls":
        assert exchange.wait_hang_up()
    elif how == "garbage_event":
        exchange.event("{nonsense")
        exchange.wait_hang_up()


@pytest.mark.parametrize("how", ENDINGS)
@pytest.mark.parametrize("kind", PROVIDERS)
def test_death_in_mid_stream(gateway, upstream, kind, how):
    def script(exchange):
        first_words(kind, exchange)
        ending(kind, how, exchange)
    provider = upstream(script)
    gate = gateway(config(kind, provider.url, provider=", timeouts: {idle: 300ms}"))
    reply = ask(gate, True)
    assert reply.status_code == 200
    events = [e[6:] for e in reply.text.split("\n\n") if e.startswith("data: ")]
    text = "".join(json.loads(e)["choices"][0]["delta"].get("content") or "" for e in events[:-1])
    assert text == "Hel"
    error = json.loads(events[-1])["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["message"]
    if how == "error_event":
        assert "it broke" in error["message"]
    assert "[DONE]" not in reply.text and '"usage":{' not in reply.text
    line = settled(gate)[0]
    assert (line["status"], line["http_status"]) == ("error", 200) and line["error"]
    assert gate.metric("tollgate_streams_active") == 0
    if how != "ends_early":  # that one ended as HTTP wants it: its connection may be kept
        provider.wait_open(0)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_error_event_before_content_is_a_status(gateway, upstream, kind):
    def script(exchange):
        exchange.sse_head().event(*ERROR_EVENTS[kind])
        exchange.wait_hang_up()
    provider, good = upstream(script), upstream(dialects.SCRIPTS[kind])
    gate = gateway(config(kind, provider.url))
    reply = ask(gate, True)
    assert reply.status_code in (500, 502, 503) and "it broke" in reply.json()["error"]["message"]
    gate = gateway(config(kind, provider.url, good.url))
    reply = ask(gate, True)
    assert reply.status_code == 200 and reply.headers["x-tollgate-provider"] == "p1"


# --- the client hangs up --------------------------------------------------------------------------


def raw_call(gate, stream: bool, body: str | None = None) -> socket.socket:
    host, port = gate.url.removeprefix("http://").split(":")
    sock = socket.create_connection((host, int(port)))
    text = body or json.dumps({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "x"}]})
    sock.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key()}\r\n"
                 f"content-length: {len(text)}\r\n\r\n{text}".encode())
    return sock


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("kind", PROVIDERS)
def test_hang_up_before_the_head(gateway, upstream, kind, stream):
    provider = upstream(dialects.hang)  # fails the test unless its connection is closed
    gate = gateway(config(kind, provider.url))
    sock = raw_call(gate, stream)
    provider.arrived.get(timeout=20)
    sock.close()
    line = settled(gate)[0]
    assert (line["status"], line["http_status"]) == ("client_abort", 499)
    provider.wait_open(0)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_hang_up_in_mid_stream(gateway, upstream, kind):
    def script(exchange):
        first_words(kind, exchange)
        assert exchange.wait_hang_up()
    provider = upstream(script)
    gate = gateway(config(kind, provider.url))
    sock = raw_call(gate, True)
    while b"Hel" not in sock.recv(65536):
        pass
    sock.close()
    line = settled(gate)[0]
    assert (line["status"], line["http_status"]) == ("client_abort", 499)
    assert line["ttft_us"] is not None and gate.metric("tollgate_streams_active") == 0
    provider.wait_open(0)


def test_hang_up_in_the_request_body(gateway, upstream):
    provider = upstream(dialects.hang)
    gate = gateway(config("openai", provider.url))
    host, port = gate.url.removeprefix("http://").split(":")
    sock = socket.create_connection((host, int(port)))
    sock.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key()}\r\n"
                 "content-length: 500\r\n\r\n{\"model\"".encode())
    sock.close()
    assert settled(gate)[0]["status"] == "client_abort"
    assert not provider.requests


def test_a_client_that_does_not_read_stops_the_provider(gateway, upstream):
    """Backpressure: the provider can only send what the sockets' buffers hold."""
    sent = {"bytes": 0}

    def script(exchange):
        first_words("openai", exchange)
        piece = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "text",
                 "choices": [{"index": 0, "delta": {"content": "y" * 30000}, "finish_reason": None}]}
        exchange.sock.settimeout(2)
        try:
            while sent["bytes"] < 400_000_000:
                exchange.event(piece)
                sent["bytes"] += 30000
        except TimeoutError:
            pass
        exchange.wait_hang_up()
    provider = upstream(script)
    gate = gateway(config("openai", provider.url))
    sock = raw_call(gate, True)
    provider.arrived.get(timeout=20)
    before = -1
    while before != sent["bytes"]:
        before = sent["bytes"]
        time.sleep(0.5)
    assert 0 < sent["bytes"] < 60_000_000
    sock.close()
    assert settled(gate)[0]["status"] == "client_abort"


def test_a_stale_connection_is_replaced(gateway, upstream):
    """A kept connection that the provider has closed: the next call goes over a fresh one, as one attempt."""
    def script(exchange):
        dialects.openai(exchange)
        exchange.keep = False  # answered as keep-alive, closed all the same
    provider = upstream(script)
    gate = gateway("listen: {http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1}\n" + config("openai", provider.url))
    for _ in range(6):
        reply = ask(gate)
        assert reply.status_code == 200 and reply.headers["x-tollgate-attempts"] == "1"
    settled(gate, 6)


def test_keep_alive_is_used(gateway, upstream):
    provider = upstream(dialects.openai)
    gate = gateway("listen: {http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1}\n" + config("openai", provider.url))
    for stream in (False, True) * 5:
        assert ask(gate, stream).status_code == 200
    assert gate.metric("tollgate_upstream_connects_total") == 1
    assert gate.metric("tollgate_upstream_reused_total") == 9
