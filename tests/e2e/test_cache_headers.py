"""Headers of calls that the cache or a key may answer: said twice, as proxies do; their cost."""
from __future__ import annotations

import http.client
import json

import pytest

from caching import ASK, config
from gateway import key
from talker import Provider


@pytest.fixture
def provider():
    made = Provider()
    yield made
    made.server.close()
    assert not made.server.errors, made.server.errors


def ask(gate, *headers: tuple[str, str], **body):
    """(status, headers, JSON or text); a header may stand more than once."""
    link = http.client.HTTPConnection(gate.url.removeprefix("http://"), timeout=60)
    text = json.dumps({**ASK, **body}).encode()
    link.putrequest("POST", "/v1/chat/completions")
    for name, value in (("authorization", "Bearer " + key("acme")),
                        ("content-type", "application/json"),
                        ("content-length", str(len(text))), *headers):
        link.putheader(name, value)
    link.endheaders(text)
    reply = link.getresponse()
    out = reply.status, reply.headers, reply.read().decode()
    link.close()
    return out


def test_each_cache_control_counts(gateway, provider):
    gate = gateway(config(provider))
    assert ask(gate)[1]["x-tollgate-cache"] == "miss"
    for second, said in (("no-store", "bypass"), ("no-cache", "refresh"), ("max-age=0", "miss"),
                         ("private", "hit")):
        reply = ask(gate, ("cache-control", "max-age=60"), ("Cache-Control", second))
        assert reply[1]["x-tollgate-cache"] == said, second
    calls = provider.calls
    assert ask(gate, ("cache-control", "private"), ("cache-control", "only-if-cached"),
               seed=1)[0] == 504
    assert provider.calls == calls


def test_two_keys_are_none(gateway, provider):
    gate = gateway(config(provider))
    status, _, text = ask(gate, ("idempotency-key", "one"), ("Idempotency-Key", "two"))
    error = json.loads(text)["error"]
    assert (status, error["code"], error["param"]) == (
        400, "invalid_request_error", "Idempotency-Key")
    assert provider.calls == 0
    same = ask(gate, ("idempotency-key", "one"), ("idempotency-key", "one"))
    assert same[0] == 200 and ask(gate, ("idempotency-key", "one"))[1][
        "x-tollgate-idempotent"] == "replayed"


def test_a_replay_says_that_it_cost_nothing(gateway, provider):
    gate = gateway(config(provider))
    for stream in (False, True):
        first, again = (ask(gate, ("idempotency-key", f"k{stream}"), stream=stream, seed=1)
                        for _ in range(2))
        assert again[1]["x-tollgate-idempotent"] == "replayed" and again[2] == first[2]
        assert again[1]["x-tollgate-cost-usd"] == (None if stream else "0")
