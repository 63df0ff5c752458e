"""Calls with an Idempotency-Key among equal ones: answered from the cache, leading and following,
each with a reply of its own that a retry gets again."""

from __future__ import annotations

import concurrent.futures
import threading

import pytest

from raw import until
from steps import COST, Steps, choice, fails_first, words
from test_coalesce import ask, config, cut_call, followers

pytestmark = pytest.mark.threads


def keyed(name: str) -> dict:
    return {"idempotency-key": name}


def by_cache(lines: list[dict]) -> list[tuple]:
    return sorted((line.get("cache", "none"), line["status"], line["charged_nano_usd"])
                  for line in lines)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_keyed_call_is_answered_from_the_cache(gateway, upstream, stream):
    """And its key is known from then on, whatever becomes of the entry."""
    provider = upstream(Steps(held=False))
    gate = gateway(config(provider.url))
    assert ask(gate).headers["x-tollgate-cache"] == "miss"
    first = ask(gate, stream, **keyed("k"))
    assert first.headers["x-tollgate-cache"] == "hit" and "age" in first.headers
    assert "x-tollgate-idempotent" not in first.headers
    again = ask(gate, stream, **keyed("k"))
    assert again.content == first.content and words(stream, again.text) == "onetwo"
    assert again.headers["x-tollgate-idempotent"] == "replayed"
    assert "x-tollgate-cache" not in again.headers
    assert ask(gate, stream, {"seed": 7}, **keyed("k")).status_code == 422
    assert len(provider.requests) == 1
    assert by_cache(gate.access_lines(4)) == [
        ("hit", "cache_hit", 0), ("miss", "ok", COST), ("none", "error", 0), ("replayed", "ok", 0)]


def test_what_a_keyed_call_brings_is_kept_for_all(gateway, upstream):
    provider = upstream(Steps(held=False))
    gate = gateway(config(provider.url))
    first = ask(gate, **keyed("k"))
    assert first.headers["x-tollgate-cache"] == "miss"
    assert ask(gate).headers["x-tollgate-cache"] == "hit"
    assert ask(gate, **keyed("k")).content == first.content
    only = {"cache-control": "only-if-cached"}
    refused = ask(gate, False, {"seed": 7}, **keyed("other"), **only)
    assert refused.status_code == 504 and refused.json()["error"]["code"] == "cache_miss"
    assert ask(gate, False, {"seed": 7}, **keyed("other")).status_code == 200  # its key was free
    assert len(provider.requests) == 2


@pytest.mark.parametrize("leader", [None, "l"], ids=["plain-leads", "keyed-leads"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_keyed_calls_lead_and_follow(gateway, upstream, stream, leader):
    steps = Steps()
    provider = upstream(steps)
    gate = gateway(config(provider.url))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(ask, gate, stream, **(keyed(leader) if leader else {}))
        steps.reach("one")
        others = [pool.submit(ask, gate, stream, **keyed(name)) for name in ("a", "b")]
        plain = pool.submit(ask, gate, not stream)
        followers(gate, 3)
        retry = pool.submit(ask, gate, stream, **keyed("a"))  # joins the one that follows
        until(lambda: gate.metric("tollgate_idempotency_calls_total", outcome="joined") == 1, 120)
        steps.release()
        first, a, b, plain, retry = (c.result(120) for c in (first, *others, plain, retry))
    assert {r.status_code for r in (first, a, b, plain, retry)} == {200}
    assert {words(stream, r.text) for r in (first, a, b, retry)} == {"onetwo"}
    assert first.headers["x-tollgate-cache"] == "miss"
    assert {r.headers["x-tollgate-cache"] for r in (a, b, plain)} == {"coalesced"}
    assert retry.content == a.content and a.content != b.content
    assert retry.headers["x-tollgate-idempotent"] == "joined"
    for name, reply in (("a", a), ("b", b), (leader, first)):
        if name:
            again = ask(gate, stream, **keyed(name))
            assert again.content == reply.content
            assert again.headers["x-tollgate-idempotent"] == "replayed"
    assert len(provider.requests) == 1
    lines = gate.access_lines(7 if leader is None else 8)
    assert sum(line["charged_nano_usd"] for line in lines) == COST
    assert sum(line["attempts"] for line in lines) == 1


@pytest.mark.parametrize("step", Steps.NAMES)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_keyed_follower_that_is_cut_off_retries(gateway, upstream, stream, step):
    """And so may its leader, which has no key, be cut off: the call goes on for the key."""
    steps = Steps()
    provider = upstream(steps)
    gate = gateway(config(provider.url))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        leader = cut_call(gate, stream)
        steps.reach(step)
        cut = cut_call(gate, stream, idempotency_key="k")
        followers(gate, 1)
        leader.close()
        cut.close()
        retry = pool.submit(ask, gate, stream, **keyed("k"))
        until(lambda: gate.metric("tollgate_idempotency_calls_total", outcome="joined") == 1, 120)
        steps.release()
        retry = retry.result(120)
    assert words(stream, retry.text) == "onetwo"
    assert retry.headers["x-tollgate-idempotent"] == "joined"
    assert ask(gate, stream, **keyed("k")).content == retry.content
    # The leader, whom nobody reads any more, may be about to end.
    assert ask(gate, stream).headers["x-tollgate-cache"] in ("hit", "coalesced")
    assert len(provider.requests) == 1
    charged = sorted(line["charged_nano_usd"] for line in gate.access_lines(5))
    assert charged == [0, 0, 0, 0, COST]


@pytest.mark.parametrize("status", [503, 400])
def test_a_leader_that_fails_leaves_keys_free(gateway, upstream, status):
    """A keyed call that followed tries once, under its own key, or is told the same."""
    steps = Steps()
    provider = upstream(fails_first(steps, status))
    gate = gateway(config(provider.url))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        leader = pool.submit(ask, gate)
        assert steps.at.get(timeout=120) == "head"
        follower = pool.submit(ask, gate, **keyed("k"))
        followers(gate, 1)
        steps.release()
        assert leader.result(120).status_code == status
        reply = follower.result(120)
    assert reply.status_code == (200 if status == 503 else 400)
    assert len(provider.requests) == (2 if status == 503 else 1)
    again = ask(gate, **keyed("k"))
    assert again.status_code == 200 and len(provider.requests) == 2
    if status == 503:
        assert again.content == reply.content
        assert again.headers["x-tollgate-idempotent"] == "replayed"
    else:
        assert "x-tollgate-idempotent" not in again.headers


def test_who_reads_a_keyed_follower_that_breaks_off_gets_no_second_reply(gateway, upstream):
    """What they were sent is the beginning of a reply that has no end; the key is free."""
    die, made = threading.Event(), []

    def script(exchange):
        made.append(exchange)
        if len(made) > 1:
            return Steps(held=False)(exchange)
        exchange.sse_head().event(choice({"content": "half"}))
        assert die.wait(180)
        exchange.reset()

    provider = upstream(script)
    gate = gateway(config(provider.url))
    sockets = [cut_call(gate, True)]
    provider.arrived.get(timeout=120)
    for count in (1, 1):  # the second joins the first, not the leader
        sockets.append(cut_call(gate, True, idempotency_key="k"))
        followers(gate, count)
    taken = [b""] * 3
    for i, sock in enumerate(sockets):
        while b"half" not in taken[i]:
            taken[i] += sock.recv(1 << 16)
    die.set()
    for i, sock in enumerate(sockets):
        while more := sock.recv(1 << 16):
            taken[i] += more
        assert taken[i].count(b"half") == 1 and b'"error"' in taken[i]
        assert b"[DONE]" not in taken[i]
    assert len(provider.requests) == 1
    assert words(True, ask(gate, True, **keyed("k")).text) == "onetwo"
