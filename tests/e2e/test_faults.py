"""The fault matrix: what can go wrong on the way to a provider, for each dialect, streamed or not.

For each: the right status or event, exactly one log line, nothing left in flight, no connection
left open.
"""

from __future__ import annotations

import json

import httpx
import pytest

import dialects
from faults import HEADERS, ask, config, first_words, refused_port, settled

pytestmark = pytest.mark.threads
PROVIDERS = sorted(dialects.SCRIPTS)


# --- what a provider can do wrong before the first byte ------------------------------------------


def reset(exchange):
    exchange.reset()


def closes(exchange):
    exchange.keep = False


def garbage(exchange):
    exchange.send("SSH-2.0-OpenSSH_9.2\r\n\r\n")


def not_json(exchange):
    exchange.send(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n<html/>"
    )


def empty(exchange):
    exchange.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n")


def cut_body(exchange):
    exchange.send(
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"id":'
    )


def cut_chunked(exchange):
    exchange.sse_head().send(b"fff\r\ndata: {")


def redirect(exchange):
    exchange.send(
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    )


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
    assert (
        reply.headers["x-should-retry"] == "false" and reply.headers["x-tollgate-attempts"] == "1"
    )
    line = settled(gate)[0]
    assert (line["status"], line["http_status"], line["attempts"], line["origin"]) == (
        "error",
        502,
        1,
        "upstream",
    )
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
    reply = httpx.post(
        gate.base_url + "/chat/completions",
        timeout=20,
        headers={**HEADERS, "x-tollgate-timeout": "100ms"},
        json={"model": "m", "messages": [{"role": "user", "content": "x"}]},
    )
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

ERROR_EVENTS = {
    "openai": (
        {"error": {"message": "it broke", "type": "server_error", "param": None, "code": None}},
        None,
    ),
    "anthropic": (
        {"type": "error", "error": {"type": "overloaded_error", "message": "it broke"}},
        "error",
    ),
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
