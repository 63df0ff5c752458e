"""Vectors of embeddings calls in a real Redis: what one gateway has asked for another finds, and a
Redis that is dead, silent or full of rubbish makes no difference but that everything is asked."""
from __future__ import annotations

import shutil
import signal

import pytest

from raw import until
from redis_servers import Cluster
from test_cache_embeddings import Provider, ask, by_index, config, vector, vectors
from test_store_redis import redis  # noqa: F401

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server")


def shared(url: str, port: int, more: str = "connect: 5s, command: 20s") -> str:
    place = f'{{url: "redis://127.0.0.1:{port}/0", {more}}}'
    return config(url, cache=f"{{store: redis, redis: {place}}}")


def said(reply) -> str:
    assert reply.status_code == 200, reply.text
    return reply.headers["x-tollgate-cache"]


def test_another_gateway_asks_for_the_missing_inputs_only(gateway, upstream, redis):
    provider = Provider()
    url = upstream(provider).url
    one, two = (gateway(shared(url, redis.port)) for _ in range(2))
    items = [f"text {i}" for i in range(10, 70)]  # of one length: they share a cost alike
    assert said(ask(one, items[:50])) == "miss"
    assert len(redis.all("KEYS", "*:cache:*")) == 50
    mixed = [items[i] for i in (55, 3, 51, 17, 3)]
    reply = ask(two, mixed)
    assert vectors(reply) == [vector(x, "u") for x in mixed]
    assert provider.bodies[1:] == [{**provider.bodies[1], "input": [items[55], items[51]]}]
    assert reply.json()["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
    line = two.line_of(reply.headers["x-request-id"])
    assert (line["input_tokens"], line["charged_nano_usd"]) == (2, 2000)
    assert line["avoided_nano_usd"] == pytest.approx(3000, abs=3)
    hit = ask(one, mixed[::-1])
    assert vectors(hit) == [vector(x, "u") for x in mixed[::-1]]
    assert said(hit) == "hit" and int(hit.headers["age"]) >= 0
    assert said(ask(one, mixed, headers={"cache-control": "no-cache"})) == "refresh"
    assert len(provider.bodies) == 3
    for name in redis.all("KEYS", "*:cache:*"):
        assert 0 < int(redis.all("PTTL", name.decode())[0]) <= 600_000


def test_rubbish_is_asked_for_again(gateway, upstream, redis):
    provider = Provider()
    gate = gateway(shared(upstream(provider).url, redis.port))
    items = ["text 1", "text 2", "text 3"]
    assert said(ask(gate, items)) == "miss"
    name, other = (each.decode() for each in redis.all("KEYS", "*:cache:*")[:2])
    redis.all("SET", name, "rubbish")
    redis.all("DEL", other)
    redis.all("LPUSH", other, "a list")
    reply = ask(gate, items)
    assert vectors(reply) == [vector(x, "u") for x in items]
    assert len(provider.bodies[1]["input"]) == 2
    assert said(ask(gate, items)) == "hit"
    assert gate.metric("tollgate_cache_unreadable_total") == 2


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_without_redis_everything_is_asked(gateway, upstream, redis, how):
    provider = Provider()
    gate = gateway(shared(upstream(provider).url, redis.port, "connect: 5s, command: 500ms"))
    until(lambda: said(ask(gate, ["text 1", "text 2"])) == "hit", 60)
    before = len(provider.bodies)
    redis.process.send_signal(how)
    for _ in range(3):
        reply = ask(gate, ["text 1", "text 2"])
        assert said(reply) == "bypass"
        assert by_index(reply) == [vector(x, "u") for x in ("text 1", "text 2")]
    assert len(provider.bodies) == before + 3
    assert gate.metric("tollgate_cache_store_up") == 0


def test_in_a_cluster_inputs_stand_on_all_nodes(gateway, upstream, tmp_path):
    cluster = Cluster(tmp_path / "cluster")
    try:
        provider = Provider()
        url = upstream(provider).url
        one, two = (gateway(shared(url, cluster.nodes[0].port,
                                   "mode: cluster, connect: 5s, command: 20s")) for _ in range(2))
        items = [f"text {i}" for i in range(40)]
        assert said(ask(one, items)) == "miss"
        assert min(len(node.all("KEYS", "*:cache:*")) for node in cluster.nodes) > 0
        reply = ask(two, items[::-1])
        assert said(reply) == "hit" and len(provider.bodies) == 1
        assert vectors(reply) == [vector(x, "u") for x in items[::-1]]
    finally:
        cluster.kill()
