"""Idempotency-Keys over two gateways that share a Redis: a retry at the other one neither calls nor
is charged a second time."""
from __future__ import annotations

import concurrent.futures
import shutil
import signal

import httpx
import pytest

from gateway import Gateway
from raw import until
from test_idempotency import COST, Steps, ask, config, cut_call, wait_metric, words
from test_store_redis import Redis, redis  # noqa: F401

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server")


def shared(url: str, redis, lease: str = "60s", more: str = "", **rest) -> str:
    store = (f'store: {{redis: {{url: "redis://127.0.0.1:{redis.port}/0", connect: 5s, '
             f'command: 20s}}, lease: {lease}{more}}}')
    return config(url, more=store, **rest)


def said(gate, outcome: str) -> float:
    return gate.metric("tollgate_idempotency_shared_total", outcome=outcome)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_other_gateway_replays(gateway, upstream, redis, stream):
    provider = upstream(Steps(held=False))
    one, two = (gateway(shared(provider.url, redis)) for _ in range(2))
    first, second, third = ask(one, stream), ask(two, stream), ask(two, stream)
    assert [r.status_code for r in (first, second, third)] == [200, 200, 200]
    assert first.content == second.content == third.content
    assert words(stream, first.text) == "onetwo"
    for replayed in (second, third):
        assert replayed.headers["x-tollgate-idempotent"] == "replayed"
        assert replayed.headers["content-type"] == first.headers["content-type"]
        assert replayed.headers["x-tollgate-provider"] == "p"
    line = two.line_of(second.headers["x-request-id"])
    assert line["cache"] == "replayed" and line["charged_nano_usd"] == 0
    assert len(provider.requests) == 1 and said(two, "replayed") == 2
    other = ask(two, stream, content="y")
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert ask(two, stream, who="o-key").status_code == 200  # another tenant's key is another key
    assert len(provider.requests) == 2


def test_a_new_process_finds_the_reply(gateway, upstream, redis, tmp_path):
    provider = upstream(Steps(held=False))
    text = shared(provider.url, redis) + f"ledger: {{sqlite: {{path: '{tmp_path}/l.db'}}}}\n"
    before = gateway(text)
    first = ask(before)
    before.stop()
    again = ask(gateway(text))
    assert again.content == first.content
    assert again.headers["x-tollgate-idempotent"] == "replayed"
    assert len(provider.requests) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_retry_at_the_other_gateway_waits_for_the_reply(gateway, upstream, redis, stream):
    steps = Steps()
    provider = upstream(steps)
    one, two = (gateway(shared(provider.url, redis)) for _ in range(2))
    client = cut_call(one, stream)
    steps.reach("one")
    client.close()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        retries = [pool.submit(ask, two, stream) for _ in range(3)]
        wait_metric(two, "tollgate_idempotency_calls_total", 2, outcome="joined")
        until(lambda: said(two, "joined") == 1)
        steps.release()
        replies = [r.result(60) for r in retries]
    assert {r.status_code for r in replies} == {200}
    assert {words(stream, r.text) for r in replies} == {"onetwo"}
    assert len(provider.requests) == 1
    assert [line["charged_nano_usd"] for line in two.access_lines(3)] == [0, 0, 0]
    assert one.access_lines(1)[0]["charged_nano_usd"] == COST


def test_who_waits_for_a_call_that_fails_unpaid_calls_itself(gateway, upstream, redis):
    calls = []
    steps = Steps()

    def script(exchange):
        calls.append(exchange)
        if len(calls) == 1:
            steps._stand("head")
            exchange.json({"error": {"message": "busy", "type": "x", "code": "x"}}, 503)
        else:
            Steps(held=False)(exchange)

    provider = upstream(script)
    one, two = (gateway(shared(provider.url, redis)) for _ in range(2))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(ask, one)
        assert steps.at.get(timeout=30) == "head"
        retry = pool.submit(ask, two)
        until(lambda: said(two, "joined") == 1)
        steps.release()
        assert first.result(60).status_code == 503
        assert retry.result(60).status_code == 200
    assert len(provider.requests) == 2


def test_a_dead_gateways_call_is_unknown_once_its_lease_is_over(gateway, upstream, redis, tmp_path):
    steps = Steps()
    provider = upstream(steps)
    folder = tmp_path / "dead"
    folder.mkdir()
    dead = Gateway(shared(provider.url, redis, lease="3s"), folder)
    alive = gateway(shared(provider.url, redis, lease="3s"))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(ask, dead)
        steps.reach("head")
        retry = pool.submit(ask, alive)
        until(lambda: said(alive, "joined") == 1)
        dead.process.send_signal(signal.SIGKILL)
        dead.process.wait(30)
        with pytest.raises(httpx.HTTPError):
            running.result(60)
        answer = retry.result(60)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "idempotency_unknown"
    assert answer.headers["x-should-retry"] == "false"
    assert ask(alive).status_code == 409
    assert len(provider.requests) == 1
    steps.release()


def test_a_lease_is_renewed_while_the_call_runs(gateway, upstream, redis):
    steps = Steps()
    provider = upstream(steps)
    one, two = (gateway(shared(provider.url, redis, lease="3s")) for _ in range(2))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(ask, one)
        steps.reach("head")
        (name,) = redis.all("KEYS", "*:idempotency:*")

        def until_when():
            return int(redis.all("HGET", name.decode(), "until")[0])

        begun = until_when()
        until(lambda: until_when() > begun + 3000, 60)  # its first lease is long over
        retry = pool.submit(ask, two)
        until(lambda: said(two, "joined") == 1)
        steps.release()
        assert running.result(60).content == retry.result(60).content
    assert len(provider.requests) == 1


@pytest.mark.parametrize("word", ["deny", "local"])
def test_without_redis_on_error_holds(gateway, upstream, redis, word):
    provider = upstream(Steps(held=False))
    gate = gateway(shared(provider.url, redis, more=f", on_error: {{idempotency: {word}}}"))
    kept = ask(gate, idempotency_key="before")
    assert kept.status_code == 200
    redis.kill()
    answer = ask(gate)
    if word == "deny":
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "store_unavailable"
        assert "retry-after" in answer.headers
        assert len(provider.requests) == 1
    else:
        assert answer.status_code == 200
        assert ask(gate).headers["x-tollgate-idempotent"] == "replayed"
    # What this gateway knows itself it need not ask for; nor does who has no key.
    again = ask(gate, idempotency_key="before")
    assert again.content == kept.content
    assert ask(gate, idempotency_key=None).status_code == 200
    redis.start()
    until(lambda: ask(gate, idempotency_key="after").status_code == 200)


def test_what_ran_without_redis_is_known_after_a_restart(gateway, upstream, redis, tmp_path):
    """And only that: of all else Redis knows what became of it."""
    provider = upstream(Steps(held=False))
    text = shared(provider.url, redis, more=", on_error: {idempotency: local}")
    text += f"ledger: {{sqlite: {{path: '{tmp_path}/l.db'}}}}\n"
    before = gateway(text)
    told = ask(before, idempotency_key="told")
    assert told.status_code == 200
    assert not list(tmp_path.glob("*.idempotency"))
    redis.kill()
    assert ask(before, idempotency_key="alone").status_code == 200
    before.stop()
    assert len(provider.requests) == 2

    redis.start()
    after = gateway(text)
    reply = ask(after, idempotency_key="alone")
    assert reply.status_code == 409
    assert reply.json()["error"]["code"] == "idempotency_unknown"
    assert ask(after, content="y", idempotency_key="alone").status_code == 422
    assert len(provider.requests) == 2
    assert ask(after, idempotency_key="new").status_code == 200
