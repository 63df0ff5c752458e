"""A purge holds for the calls that run: what they bring afterwards is not kept."""
from __future__ import annotations

import concurrent.futures
import shutil
import threading

import pytest

from caching import admin, config, said
from redis_servers import Redis
from talker import Provider
from test_store_redis import redis  # noqa: F401

PATIENCE = 60


class Waiting(Provider):
    """Answers when it may."""

    def __init__(self):
        super().__init__()
        self.asked, self.go = threading.Semaphore(0), threading.Semaphore(0)

    def answer(self, exchange):
        self.asked.release()
        assert self.go.acquire(timeout=PATIENCE)
        super().answer(exchange)


@pytest.fixture
def provider():
    made = Waiting()
    yield made
    made.server.close()
    assert not made.server.errors, made.server.errors


def holds(provider, asked, purger) -> None:
    """`asked` has the calls, `purger` the purges."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for what, keeps in (({"tenant": "acme"}, False), ({"model": "m"}, False),
                            ({"tenant": "globex"}, True), ({"all": True}, False)):
            assert admin(purger, {"all": True})[0] == 200
            call = pool.submit(said, asked)
            assert provider.asked.acquire(timeout=PATIENCE)
            assert admin(purger, what) == (200, {"purged": 0})
            provider.go.release()
            assert call.result(PATIENCE) == "miss"
            provider.go.release()
            assert said(asked) == ("hit" if keeps else "miss"), what
            assert said(asked) == "hit"
            if keeps:
                assert provider.go.acquire(timeout=PATIENCE)
            else:
                assert provider.asked.acquire(timeout=PATIENCE)


def test_in_the_process(gateway, provider):
    one = gateway(config(provider, tenants={"acme": "", "globex": ""}))
    holds(provider, one, one)


@pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server")
def test_over_replicas(gateway, provider, redis: Redis):  # noqa: F811
    cache = (f'{{store: redis, redis: {{url: "redis://127.0.0.1:{redis.port}/0", '
             'connect: 5s, command: 20s}}')
    one, two = (gateway(config(provider, cache, {"acme": "", "globex": ""})) for _ in range(2))
    holds(provider, one, two)
