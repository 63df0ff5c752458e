"""A call that leads others while it still waits for a place at its provider."""
from __future__ import annotations

import concurrent.futures
import json
import socket

import httpx
import pytest

from gateway import key, key_yaml
from raw import until
from steps import COST, Steps

pytestmark = pytest.mark.threads


def config(url: str) -> str:
    return f"""
listen: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1}}
providers:
  p: {{kind: openai, base_url: "{url}/v1", api_key: k, price: {{input: 1, output: 2}},
      limits: {{concurrent: 1}}}}
models:
  m: {{targets: [{{provider: p, model: u}}], retry: {{attempts: 1}}, queue: {{wait: 600s, max: 9}}}}
cache: {{}}
tenants:
  t: {{keys: [{key_yaml()[2:]}]}}
"""


def body(text: str) -> bytes:
    return json.dumps({"model": "m", "temperature": 0, "max_tokens": 50,
                       "messages": [{"role": "user", "content": text}]}).encode()


def ask(gate, text: str):
    return httpx.post(gate.base_url + "/chat/completions", content=body(text), timeout=120,
                      headers={"authorization": "Bearer " + key()})


def cut_call(gate, text: str) -> socket.socket:
    host, port = gate.url.removeprefix("http://").split(":")
    sock = socket.create_connection((host, int(port)))
    sock.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
                 f"authorization: Bearer {key()}\r\n"
                 f"content-length: {len(body(text))}\r\n\r\n".encode() + body(text))
    return sock


@pytest.mark.parametrize("followers", [0, 2])
def test_a_leader_that_hangs_up_keeps_its_place_for_the_others(gateway, upstream, followers):
    steps = Steps()
    one = upstream(steps)
    gate = gateway(config(one.url))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        first = pool.submit(ask, gate, "first")
        steps.reach("head")
        leader = cut_call(gate, "shared")
        until(lambda: gate.metric("tollgate_queue_waiting") == 1, timeout=60)
        others = [pool.submit(ask, gate, "shared") for _ in range(followers)]
        until(lambda: gate.metric("tollgate_coalesce_followers") == followers, timeout=60)
        leader.close()
        # The worker has seen it once it has answered another call.
        httpx.get(gate.base_url + "/models", headers={"authorization": "Bearer " + key()},
                  timeout=60).raise_for_status()
        until(lambda: gate.metric("tollgate_queue_waiting") == (1 if followers else 0), timeout=60)
        steps.release()
        assert first.result(120).status_code == 200
        for each in others:
            reply = each.result(120)
            assert reply.headers["x-tollgate-cache"] == "coalesced"
            assert reply.json()["choices"][0]["message"]["content"] == "onetwo"
    assert len(one.requests) == (2 if followers else 1)
    gone = json.loads(gate.access.wait(lambda line: '"client_abort"' in line)[0])
    assert gone["charged_nano_usd"] == (COST if followers else 0)
