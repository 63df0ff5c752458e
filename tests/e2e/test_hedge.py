"""A slow first target is raced by a second one."""
from __future__ import annotations

import threading

import pytest

from faults import ask, settled
from gateway import tenant_yaml
from scripted import text


def config(first: str, second: str, hedge: str) -> str:
    return f"""
providers:
  p: {{kind: openai, base_url: "{first}/v1", api_key: sk-p}}
  q: {{kind: openai, base_url: "{second}/v1", api_key: sk-q}}
models:
  m: {{targets: [{{provider: p, model: text}}, {{provider: q, model: text}}], hedge: {hedge}}}
{tenant_yaml()}"""


@pytest.mark.parametrize("stream", [False, True])
def test_the_second_target_answers_and_the_first_one_is_let_go(upstream, gateway, stream):
    let_go = threading.Event()

    def silent(exchange):
        if exchange.wait_hang_up(60):
            let_go.set()
    first, second = upstream(silent), upstream(text)
    gate = gateway(config(first.url, second.url, "{after: 50ms, max_share: 1}"))
    reply = ask(gate, stream)
    assert reply.status_code == 200 and "w\u00f6rld" in reply.text
    assert let_go.wait(60)
    line, = settled(gate)
    assert line["status"] == "ok" and line["provider"] == "q"
    assert line["attempts"] == 2 and [e["error"] for e in line["attempt_errors"]] == ["hedge_lost"]
    assert 0 <= int(reply.headers["x-tollgate-overhead-us"]) and 0 <= line["overhead_us"]
    assert gate.metric("tollgate_hedges_total", model="m", winner="second") == 1


def test_no_more_than_its_share_of_calls_is_hedged(upstream, gateway):
    """Every call is slower than 1 ms: what holds the second requests down is the share."""
    first, second = upstream(text), upstream(text)
    gate = gateway(config(first.url, second.url, "{after: 1ms, max_share: 0.1}"))
    for _ in range(50):
        assert ask(gate).status_code == 200
    settled(gate, 50)
    assert len(first.requests) == 50 and len(second.requests) <= 5
