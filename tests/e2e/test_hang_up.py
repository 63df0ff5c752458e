"""The client hangs up at each step, or does not read; and how connections to providers are kept."""

from __future__ import annotations

import json
import socket
import time

import pytest

import dialects
from faults import ask, config, first_words, settled
from gateway import key

pytestmark = pytest.mark.threads
PROVIDERS = sorted(dialects.SCRIPTS)


def raw_call(gate, stream: bool, body: str | None = None) -> socket.socket:
    host, port = gate.url.removeprefix("http://").split(":")
    sock = socket.create_connection((host, int(port)))
    text = body or json.dumps(
        {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "x"}]}
    )
    sock.sendall(
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key()}\r\n"
        f"content-length: {len(text)}\r\n\r\n{text}".encode()
    )
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
    sock.sendall(
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key()}\r\n"
        'content-length: 500\r\n\r\n{"model"'.encode()
    )
    sock.close()
    assert settled(gate)[0]["status"] == "client_abort"
    assert not provider.requests


def test_a_client_that_does_not_read_stops_the_provider(gateway, upstream):
    """Backpressure: the provider can only send what the sockets' buffers hold."""
    sent = {"bytes": 0}

    def script(exchange):
        first_words("openai", exchange)
        piece = {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "text",
            "choices": [{"index": 0, "delta": {"content": "y" * 30000}, "finish_reason": None}],
        }
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
    """A kept connection that the provider has closed is replaced, within the same attempt."""

    def script(exchange):
        dialects.openai(exchange)
        exchange.keep = False  # answered as keep-alive, closed all the same

    provider = upstream(script)
    gate = gateway(
        "listen: {http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1}\n"
        + config("openai", provider.url)
    )
    for _ in range(6):
        reply = ask(gate)
        assert reply.status_code == 200 and reply.headers["x-tollgate-attempts"] == "1"
    settled(gate, 6)


def test_keep_alive_is_used(gateway, upstream):
    provider = upstream(dialects.openai)
    gate = gateway(
        "listen: {http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1}\n"
        + config("openai", provider.url)
    )
    for stream in (False, True) * 5:
        assert ask(gate, stream).status_code == 200
    assert gate.metric("tollgate_upstream_connects_total") == 1
    assert gate.metric("tollgate_upstream_reused_total") == 9
