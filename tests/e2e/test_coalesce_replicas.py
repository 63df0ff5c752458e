"""Equal calls at the same time over gateways that share the cache's Redis: one asks the provider,
all get its reply; whatever dies meanwhile costs them no more than a call of their own."""

from __future__ import annotations

import concurrent.futures
import contextlib
import shutil
import signal
import threading

import httpx
import pytest

from gateway import Gateway
from raw import until
from redis_servers import Redis
from steps import CHUNK, COST, USAGE, Steps, choice, fails_first, words
from test_coalesce import ask, config, cut_call
from test_store_redis import redis  # noqa: F401

pytestmark = [pytest.mark.threads,
              pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server")]


def shared(url: str, redis: Redis, lease: str = "60s", more: str = "", **rest) -> str:
    store = (f'store: {{redis: {{url: "redis://127.0.0.1:{redis.port}/0", connect: 5s, '
             f'command: 20s}}, lease: {lease}, on_error: {{limits: local, idempotency: local}}}}\n')
    cache = f"{{when: always, store: redis{more}}}"
    return config(url, cache=cache, **rest) + store


def said(gate, outcome: str) -> float:
    return gate.metric("tollgate_coalesce_shared_total", outcome=outcome)


def waiting(gate, count: int) -> None:
    """Until so many calls wait for a reply that they did not ask for."""
    until(lambda: gate.metric("tollgate_coalesce_followers") == count, 120)


@contextlib.contextmanager
def at_once():
    """Threads for calls that wait; those that are left end with the test's gateways."""
    pool = concurrent.futures.ThreadPoolExecutor(128)
    yield lambda gate, count, *how, **more: [pool.submit(ask, gate, *how, **more)
                                             for _ in range(count)]
    pool.shutdown(wait=True)


def test_a_hundred_at_two_gateways_are_one_call(gateway, upstream, redis):
    steps = Steps()
    provider = upstream(steps)
    one, two = (gateway(shared(provider.url, redis)) for _ in range(2))
    with at_once() as start:
        calls = start(one, 25) + start(two, 25, True) + start(one, 25, True) + start(two, 25)
        until(lambda: sum(g.metric("tollgate_coalesce_followers") for g in (one, two)) == 99, 120)
        steps.release()
        replies = [c.result(120) for c in calls]
    assert {r.status_code for r in replies} == {200}
    assert {words("event-stream" in r.headers["content-type"], r.text) for r in replies} == {
        "onetwo"}
    assert sorted(r.headers["x-tollgate-cache"] for r in replies) == ["coalesced"] * 99 + ["miss"]
    assert len(provider.requests) == 1
    lines = one.access_lines(50, 120) + two.access_lines(50, 120)
    (paid,) = [line for line in lines if line["attempts"] == 1]
    assert paid["charged_nano_usd"] == COST
    others = [line for line in lines if line is not paid]
    assert {line["status"] for line in lines} == {"ok"}
    assert {line["tags"]["tollgate:leader"] for line in others} == {paid["request_id"]}
    assert {(line["cache"], line["charged_nano_usd"], line["avoided_nano_usd"])
            for line in others} == {("coalesced", 0, COST)}
    assert said(one, "led") + said(two, "led") == 1
    assert said(one, "given") + said(two, "given") == 1
    assert ask(one).headers["x-tollgate-cache"] == ask(two).headers["x-tollgate-cache"] == "hit"


@pytest.mark.parametrize("status", [503, 400])
def test_a_failure_reaches_all_replicas(gateway, upstream, redis, status):
    """What the provider refuses as such it is not asked again, by nobody; else each may once."""
    steps = Steps()
    provider = upstream(fails_first(steps, status))
    one, two = (gateway(shared(provider.url, redis)) for _ in range(2))
    with at_once() as start:
        (leader,) = start(one, 1)
        assert steps.at.get(timeout=120) == "head"
        others = start(two, 3)
        waiting(two, 3)
        steps.release()
        assert leader.result(120).status_code == status
        replies = [c.result(120) for c in others]
    if status == 400:
        assert {(r.status_code, r.json()["error"]["message"], r.json()["error"]["code"])
                for r in replies} == {(400, "no", "y")}
        assert len(provider.requests) == 1 and said(two, "refused") == 1
        # Who did not wait for that call asks for himself.
        assert ask(two).status_code == 200 and len(provider.requests) == 2
    else:
        assert {r.status_code for r in replies} == {200}
        assert said(two, "lost") == 1 and 2 <= len(provider.requests) <= 4
        asked = [r for r in replies if r.headers["x-tollgate-cache"] == "miss"]
        assert len(provider.requests) == 1 + len(asked)


def test_a_gateway_that_dies_while_it_leads(gateway, upstream, redis, tmp_path):
    steps, alone = Steps(), Steps(held=False)
    provider = upstream(lambda call: (steps if len(provider.requests) == 1 else alone)(call))
    folder = tmp_path / "dead"
    folder.mkdir()
    dead = Gateway(shared(provider.url, redis, lease="3s"), folder)
    alive = gateway(shared(provider.url, redis, lease="3s"))
    with at_once() as start:
        (leader,) = start(dead, 1)
        steps.reach("head")
        # Its lease is renewed while it runs.
        (name,) = redis.all("KEYS", "*:flight:*")
        left = [int(redis.all("PTTL", name.decode())[0])]

        def rises():
            left.append(int(redis.all("PTTL", name.decode())[0]))
            return left[-1] > left[-2]

        until(rises, 60)
        others = start(alive, 3)
        waiting(alive, 3)
        dead.process.send_signal(signal.SIGKILL)
        dead.process.wait(30)
        with pytest.raises(httpx.HTTPError):
            leader.result(120)
        replies = [c.result(120) for c in others]
    assert {r.status_code for r in replies} == {200}
    assert {words(False, r.text) for r in replies} == {"onetwo"}
    assert said(alive, "lost") == 1
    assert ask(alive).headers["x-tollgate-cache"] == "hit"
    steps.release()


def test_redis_dies_while_one_leads(gateway, upstream, redis):
    steps, alone = Steps(), Steps(held=False)
    provider = upstream(lambda call: (steps if len(provider.requests) == 1 else alone)(call))
    one, two = (gateway(shared(provider.url, redis)) for _ in range(2))
    with at_once() as start:
        (leader,) = start(one, 1)
        steps.reach("head")
        others = start(two, 2)
        waiting(two, 2)
        redis.kill()
        assert {c.result(120).status_code for c in others} == {200}
        assert {c.result().headers["x-tollgate-cache"] for c in others} == {"bypass"}
        steps.release()
        assert leader.result(120).status_code == 200
    assert len(provider.requests) == 3
    assert ask(one).status_code == 200


def test_the_leader_hangs_up_while_another_gateway_waits(gateway, upstream, redis):
    """So much follows that its gateway sees that it has gone; the call is read to its end."""
    go, text = threading.Event(), "y" * 30000

    def script(exchange):
        exchange.sse_head().event(choice({"content": "one"}))
        assert go.wait(180)
        for _ in range(30):
            exchange.event(choice({"content": text}))
        exchange.event(choice({}, "stop")).event({**CHUNK, "choices": [], "usage": USAGE})
        exchange.event("[DONE]").end()

    provider = upstream(script)
    one, two = (gateway(shared(provider.url, redis)) for _ in range(2))
    leader = cut_call(one, True)
    while b"one" not in leader.recv(1 << 16):
        pass
    with at_once() as start:
        calls = start(two, 2) + start(two, 1, True)
        waiting(two, 3)
        leader.close()
        go.set()
        replies = [c.result(120) for c in calls]
    assert {words("event-stream" in r.headers["content-type"], r.text) for r in replies} == {
        "one" + 30 * text}
    assert {r.headers["x-tollgate-cache"] for r in replies} == {"coalesced"}
    assert len(provider.requests) == 1
    (line,) = one.access_lines(1, 120)
    assert (line["status"], line["charged_nano_usd"]) == ("client_abort", COST)


def test_the_leader_hangs_up_and_nobody_waits_any_more(gateway, upstream, redis):
    steps = Steps()
    provider = upstream(steps)
    one, two = (gateway(shared(provider.url, redis)) for _ in range(2))
    leader = cut_call(one, True)
    steps.reach("one")
    waits = [cut_call(two, True) for _ in range(2)]
    waiting(two, 2)
    (name,) = redis.all("KEYS", "*:flight:*")
    assert redis.all("HGET", name.decode(), "waiting") == [b"1"]  # its gateway, for both
    for sock in waits:
        sock.close()
    until(lambda: redis.all("HGET", name.decode(), "waiting") == [b"0"], 120)
    leader.close()
    until(lambda: one.metric("tollgate_in_flight") == 0, 120)
    steps.release()
    assert one.access_lines(1, 120)[0]["status"] == "client_abort"


def test_who_wants_a_new_reply_waits_for_nobody(gateway, upstream, redis):
    steps = Steps()
    provider = upstream(steps)
    one, two = (gateway(shared(provider.url, redis)) for _ in range(2))
    with at_once() as start:
        calls = start(one, 1)
        provider.arrived.get(timeout=120)
        calls += start(two, 1, **{"cache-control": "no-cache"})
        provider.arrived.get(timeout=120)
        steps.release()
        assert {c.result(120).status_code for c in calls} == {200}
    assert len(provider.requests) == 2


def test_a_keyed_call_follows_another_gateway(gateway, upstream, redis):
    """And a retry with its key gets the same bytes at either."""
    steps = Steps()
    provider = upstream(steps)
    one, two = (gateway(shared(provider.url, redis)) for _ in range(2))
    keyed = {"idempotency-key": "k"}
    with at_once() as start:
        (leader,) = start(one, 1)
        steps.reach("one")
        (follower,) = start(two, 1, **keyed)
        waiting(two, 1)
        (retry,) = start(one, 1, **keyed)
        until(lambda: one.metric("tollgate_idempotency_shared_total", outcome="joined") == 1, 120)
        steps.release()
        leader, follower, retry = (c.result(120) for c in (leader, follower, retry))
    assert leader.headers["x-tollgate-cache"] == "miss"
    assert follower.headers["x-tollgate-cache"] == "coalesced"
    assert words(False, leader.text) == words(False, follower.text) == "onetwo"
    assert follower.content == retry.content == ask(one, **keyed).content
    assert len(provider.requests) == 1
