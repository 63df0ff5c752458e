"""The response cache in a real Redis: shared by gateways, sealed, and none the worse for a Redis
that is dead, slow or full of rubbish."""
from __future__ import annotations

import base64
import json
import shutil
import socket
import threading
import urllib.error
import urllib.request

import pytest

from raw import until
from talker import TEXT
from test_cache import ASK, config, post, provider  # noqa: F401
from redis_servers import Redis
from test_store_redis import redis  # noqa: F401

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server")

KEYS = [base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2)]


def shared(provider, port: int, more: str = "", tenants: dict | None = None,
           patience: str = "connect: 5s, command: 20s") -> str:
    cache = (f'{{store: redis, {more}'
             f'redis: {{url: "redis://127.0.0.1:{port}/0", {patience}}}}}')
    return config(provider, cache, tenants)


def said(gate, body=None, **more):
    status, headers, text = post(gate, body, **more)
    assert status == 200 and json.loads(text)["choices"][0]["message"]["content"] == "".join(TEXT)
    return headers["x-tollgate-cache"]


def stored(redis) -> dict[str, bytes]:
    """The cache's entries as Redis has them."""
    names = redis.all("KEYS", "tollgate:cache:*")
    return {name.decode(): redis.all("GET", name.decode())[0] for name in names}


def test_two_gateways_answer_from_each_others_replies(gateway, provider, redis):
    one, two = (gateway(shared(provider, redis.port)) for _ in range(2))
    assert said(one) == "miss"
    status, headers, text = post(two)
    assert (status, headers["x-tollgate-cache"]) == (200, "hit") and int(headers["age"]) >= 0
    assert headers["x-tollgate-provider"] == "up" and headers["x-tollgate-cost-usd"] == "0"
    stream = post(two, {"stream": True})
    assert stream[1]["x-tollgate-cache"] == "hit" and stream[2].endswith("data: [DONE]\n\n")
    assert said(one) == "hit"
    assert provider.calls == 1
    assert said(two, cache_control="no-cache") == "refresh" and provider.calls == 2
    assert said(one, cache_control="max-age=600") == "hit"
    assert post(one, {"seed": 7}, cache_control="only-if-cached")[0] == 504
    (name,) = stored(redis)
    left = int(redis.all("PTTL", name)[0])
    assert 0 < left <= 600_000


def test_tenants_are_apart_unless_they_share(gateway, provider, redis):
    tenants = {"acme": "", "globex": "", "a": "    cache: shared\n", "b": "    cache: shared\n"}
    one, two = (gateway(shared(provider, redis.port, tenants=tenants)) for _ in range(2))
    assert said(one) == "miss" and said(two, tenant="globex") == "miss"
    assert said(one, tenant="a") == "miss" and said(two, tenant="b") == "hit"
    # Nor when somebody who can write to Redis puts one tenant's entry where another looks.
    entries = stored(redis)
    assert len(entries) == 3
    for name in entries:
        for other in entries:
            if other != name:
                redis.all("COPY", name, other, "REPLACE")
        break
    calls = provider.calls
    assert [said(two), said(one, tenant="globex"), said(one, tenant="b")].count("hit") == 1
    assert provider.calls == calls + 2
    assert one.metric("tollgate_cache_unreadable_total") + two.metric(
        "tollgate_cache_unreadable_total") == 2


def test_sealed_nothing_can_be_read_and_keys_change_in_turn(gateway, provider, redis):
    said(gateway(shared(provider, redis.port)))
    (open_entry,) = stored(redis).values()
    assert open_entry[1] == 0
    old = gateway(shared(provider, redis.port, f'encryption_key: "{KEYS[0]}", '))
    assert said(old) == "miss", "an entry that anybody could have written"
    (sealed,) = stored(redis).values()
    assert sealed[1] == 1 and b"default" in sealed and b"u-2024" not in sealed
    assert said(old) == "hit"
    both = gateway(shared(provider, redis.port, f'encryption_keys: [{{id: k2, key: "{KEYS[1]}"}}, '
                                                f'{{id: default, key: "{KEYS[0]}"}}], '))
    assert said(both) == "hit"
    assert said(both, cache_control="no-cache") == "refresh"
    after = gateway(shared(provider, redis.port,
                           f'encryption_keys: [{{id: k2, key: "{KEYS[1]}"}}], '))
    assert said(after) == "hit"
    assert said(old) == "miss"
    assert KEYS[0] not in urllib.request.urlopen(old.admin_url + "/admin/config").read().decode()


def test_rubbish_in_redis_is_a_miss(gateway, provider, redis):
    gate = gateway(shared(provider, redis.port, f'encryption_key: "{KEYS[0]}", '))
    assert said(gate) == "miss"
    (name,) = stored(redis)
    for spoil in (("SET", name, "rubbish"), ("SET", name, ""), ("SETRANGE", name, "40", "rubbish"),
                  ("APPEND", name, "x")):
        redis.all(*spoil)
        assert said(gate) == "miss" and said(gate) == "hit", spoil
    redis.all("DEL", name)
    redis.all("LPUSH", name, "a list")
    assert said(gate) == "miss" and said(gate) == "hit"


def test_a_dead_redis_is_a_bypass(gateway, provider, redis):
    gate = gateway(shared(provider, redis.port))
    assert said(gate) == "miss"
    redis.kill()
    assert [said(gate) for _ in range(8)] == ["bypass"] * 8
    assert gate.metric("tollgate_cache_store_up") == 0
    assert gate.metric("tollgate_cache_store_errors_total") >= 8
    assert post(gate, cache_control="only-if-cached")[0] == 504
    redis.start()
    until(lambda: said(gate) == "hit")
    assert gate.metric("tollgate_cache_store_up") == 1


class Slow:
    """A way to Redis whose answers come at once while `fast` is set, else five seconds late."""

    def __init__(self, port: int):
        self.to, self.fast = port, threading.Event()
        self.fast.set()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.links: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self):
        try:
            while True:
                one = self.socket.accept()[0]
                other = socket.create_connection(("127.0.0.1", self.to))
                self.links += [one, other]
                threading.Thread(target=self._pass, args=(one, other, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(other, one, True), daemon=True).start()
        except OSError:
            pass

    def _pass(self, source, sink, answers: bool):
        try:
            while got := source.recv(65536):
                if answers:
                    self.fast.wait(5)
                sink.sendall(got)
            sink.close()
        except OSError:
            pass

    def close(self):
        self.fast.set()
        for one in [self.socket, *self.links]:
            one.close()


def test_a_slow_redis_is_a_bypass_that_not_every_call_waits_for(gateway, provider, redis):
    slow = Slow(redis.port)
    gate = gateway("listen: {http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1}\n" +
                   shared(provider, slow.port, patience="connect: 1s, command: 500ms"))
    until(lambda: said(gate) == "hit", 60)
    slow.fast.clear()
    assert [said(gate) for _ in range(20)] == ["bypass"] * 20
    assert gate.metric("tollgate_cache_store_up") == 0
    # After five failures one probe a second, then every two, ...: not twenty connections.
    assert len(slow.links) // 2 < 20
    slow.fast.set()
    until(lambda: said(gate) == "hit", 60)
    assert gate.metric("tollgate_cache_store_up") == 1
    slow.close()


def purge(gate, what: dict):
    request = urllib.request.Request(gate.admin_url + "/admin/cache/purge",
                                     json.dumps(what).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())["error"]["code"]


def test_purge(gateway, provider, redis):
    tenants = {"acme": "", "globex": "", "a": "    cache: shared\n"}
    one, two = (gateway(shared(provider, redis.port, tenants=tenants)) for _ in range(2))
    redis.all("SET", "not:ours", "1")
    fill = [("acme", "m"), ("acme", "any/x"), ("globex", "m"), ("globex", "any/x"), ("a", "m")]

    def fill_all():
        return sum(said(one, {"model": model}, tenant=tenant) == "miss" for tenant, model in fill)

    assert fill_all() == 5
    assert purge(two, {"tenant": "acme"}) == (200, {"purged": 2})
    assert said(two, tenant="globex") == "hit"
    assert fill_all() == 2
    assert purge(two, {"model": "any/*"}) == (200, {"purged": 2})
    assert purge(two, {"tenant": "globex", "model": "m"}) == (200, {"purged": 1})
    assert purge(two, {"tenant": "a"}) == (200, {"purged": 1})
    assert fill_all() == 4
    assert purge(two, {"all": True}) == (200, {"purged": 5})
    assert purge(two, {"tenant": 1}) == (400, "invalid_request_error")
    assert redis.all("GET", "not:ours") == [b"1"]
    redis.kill()
    assert purge(two, {"all": True}) == (503, "store_unavailable")
    redis.start()
