"""One attempt after another: repeats, Retry-After, other models, and what ends the waiting."""
from __future__ import annotations

import pathlib
import threading

import pytest

import scripted
from gateway import Gateway, key_yaml, tenant_yaml
from raw import AUTH, Connection, ask, chat_body, post, until
from upstream import Upstream

WINDOW = {"error": {"message": "too long", "code": "context_length_exceeded"}}


def config(url: str, other: str) -> str:
    def model(name: str, more: str = "", at: str = "p", upstream: str | None = None) -> str:
        return f"  {name}: {{targets: [{{provider: {at}, model: {upstream or name}}}]{more}}}\n"

    return f"""
listen: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1}}
providers:
  p: {{kind: openai, base_url: "{url}/v1", api_key: sk-p}}
  q: {{kind: openai, base_url: "{other}/v1", api_key: sk-q}}
  claude: {{kind: anthropic, base_url: "{url}", api_key: sk-c}}
  keys: {{kind: openai, base_url: "{url}/v1", api_keys: [sk-1, sk-2]}}
models:
""" + "".join([
        # One each for tests that leave a target resting.
        model("once"), model("long-whole"), model("long-stream"), model("long-timed"),
        model("limited-once"),
        model("limited", ", timeout: 1h, retry: {base: 10m, cap: 10m}"),
        model("keys", at="keys"),
        model("four", ", retry: {attempts: 4, base: 1ms}"),
        model("rough-whole", ", retry: {base: 1ms}, fallback: [forbidden, spare]"),
        model("rough-stream", ", retry: {base: 1ms}, fallback: [forbidden, spare]"),
        model("long-wait", ", fallback: [spare]"),
        model("capped", ", retry: {attempts: 9, base: 1ms}, max_attempts: 3, fallback: [spare]"),
        model("bad", ", fallback: [spare]"),
        model("narrow", ", fallback: [spare], context_window_fallback: [wide]"),
        model("strict", ", unsupported_params: refuse, fallback: [spare]", at="claude"),
        model("spare", ", defaults: {temperature: 0.5}", at="q", upstream="text"),
        model("forbidden", at="q", upstream="text"), model("wide", at="q", upstream="text"),
    ]) + f"""tenants:
  t:
    models: [once, "limited*", "long-*", keys, four, "rough-*", capped, bad, narrow, strict, spare,
             wide]
    keys:
      {key_yaml()}
"""


class Failing:
    """Fails as often as it is told to, then answers."""

    def __init__(self, times: int, code: int, body: dict | None = None, **headers: str):
        self.left, self.code, self.body = times, code, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def __call__(self, exchange) -> None:
        if self.left == 0:
            return scripted.text(exchange)
        self.left -= 1
        body = self.body or {"error": {"message": f"it is {self.code}", "type": "t"}}
        exchange.json(body, self.code, self.headers)


@pytest.fixture(scope="module")
def providers():
    scripts: dict[str, object] = {}

    def play(exchange):
        scripts.get(exchange.request.json["model"], scripted.text)(exchange)

    made = [Upstream(play), Upstream(scripted.openai)]
    made[0].scripts = scripts
    yield made
    for one in made:
        one.close()
        assert not one.errors, one.errors


@pytest.fixture(scope="module")
def gate(providers, tmp_path_factory):
    text = config(*(p.url for p in providers))
    running = Gateway(text, pathlib.Path(tmp_path_factory.mktemp("retry")))
    yield running
    running.stop()


@pytest.fixture
def p(providers):
    providers[0].scripts.clear()
    return providers[0]


@pytest.fixture
def q(providers):
    return providers[1]


def call(gate, model: str, **more):
    return ask(gate, post(chat_body(model, **more)))


@pytest.mark.parametrize("stream", [False, True])
def test_a_500_is_asked_again(gate, p, stream):
    p.scripts["once"] = Failing(1, 500)
    reply = call(gate, "once", stream=stream)
    assert reply.status == 200 and reply["x-tollgate-attempts"] == "2"
    row = gate.line_of(reply["x-request-id"])
    assert (row["attempts"], row["status"]) == (2, "ok")
    assert [e["http_status"] for e in row["attempt_errors"]] == [500]


def test_retry_after_wins(gate, p):
    """The backoff would outlast the test."""
    p.scripts["limited"] = Failing(1, 429, retry_after="0.1")
    reply = call(gate, "limited")
    assert reply.status == 200 and reply["x-tollgate-attempts"] == "2"


def test_the_last_error_is_the_clients(gate, p):
    p.scripts["four"] = Failing(9, 503)
    reply = call(gate, "four")
    assert reply.status == 503 and reply.error["message"] == "it is 503"
    assert reply["x-tollgate-attempts"] == "4" and p.scripts["four"].left == 5
    assert reply["retry-after"]


def test_a_wait_beyond_the_deadline_is_not_begun(gate, p):
    p.scripts["long-timed"] = Failing(9, 429, retry_after="60")
    timeout = f"x-tollgate-timeout: 30\r\n{AUTH}"
    reply = ask(gate, post(chat_body("long-timed"), headers=timeout))
    assert reply.status == 429 and reply["retry-after"] == "60"
    assert reply.error["code"] == "upstream_rate_limited" and reply["x-tollgate-attempts"] == "1"


def test_a_limited_target_is_asked_again_once_it_has_rested(gate, p):
    p.scripts["limited-once"] = Failing(1, 429)
    reply = call(gate, "limited-once")
    assert reply.status == 200 and reply["x-tollgate-attempts"] == "2"


def test_another_key_is_tried_at_once(gate, p):
    def refuse_one(exchange):
        if exchange.request.headers["authorization"] == "Bearer sk-1":
            return exchange.json({"error": {"message": "no", "code": "invalid_api_key"}}, 401)
        return scripted.text(exchange)

    p.scripts["keys"] = refuse_one
    attempts = sorted(call(gate, "keys")["x-tollgate-attempts"] for _ in range(2))
    assert attempts == ["1", "2"]


@pytest.mark.parametrize("form", ["whole", "stream"])
def test_hang_up_during_a_backoff(gate, p, form):
    """A wait of a minute ends with its client: the line comes, and nothing is asked again."""
    failing, answered = Failing(9, 429, retry_after="60"), threading.Event()

    def refuse(exchange):
        failing(exchange)
        answered.set()

    p.scripts[f"long-{form}"] = refuse
    aborted = [l for l in gate.access.lines if '"client_abort"' in l]
    line = Connection(gate).send(post(chat_body(f"long-{form}", stream=form == "stream")))
    assert answered.wait(20)
    line.close()
    gate.access.wait(lambda l: '"client_abort"' in l, len(aborted) + 1)
    until(lambda: gate.metric("tollgate_in_flight") == 0)
    assert failing.left == 8


@pytest.mark.threads
def test_the_end_of_a_drain_ends_a_backoff(gateway, upstream):
    failing, answered = Failing(9, 429, retry_after="60"), threading.Event()

    def refuse(exchange):
        failing(exchange)
        answered.set()

    gate = gateway(f"""
listen: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1, timeouts: {{drain: 100ms}}}}
providers: {{p: {{kind: openai, base_url: "{upstream(refuse).url}/v1", api_key: sk-p}}}}
models: {{demo: {{targets: [{{provider: p, model: m}}]}}}}
{tenant_yaml()}""")
    line = Connection(gate).send(post(chat_body("demo")))
    assert answered.wait(20)
    gate.terminate()
    reply = line.reply()
    assert reply.status == 503 and reply.error["code"] == "draining" and failing.left == 8


def test_a_client_hears_from_us_during_a_backoff(gateway, upstream):
    """The head when hold_back is over, then heartbeats, then the content of the second attempt."""
    gate = gateway(f"""
listen: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1, heartbeat: 50ms}}
providers:
  p:
    kind: openai
    base_url: "{upstream(Failing(1, 429, retry_after="0.4")).url}/v1"
    api_key: sk-p
models: {{demo: {{targets: [{{provider: p, model: m}}], hold_back: 50ms}}}}
{tenant_yaml()}""")
    line = Connection(gate).send(post(chat_body("demo", stream=True)))
    assert line.head().status == 200
    body = b""
    while piece := line.chunk():
        body += piece
    assert body.startswith(b": ping") and b"[DONE]" in body and b'"error"' not in body


# --- other models -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["whole", "stream"])
def test_fallback_when_every_target_has_failed(gate, p, q, form):
    model = f"rough-{form}"
    p.scripts[model] = Failing(9, 500)
    before = gate.metric("tollgate_fallbacks_total", model=model, to="spare")
    reply = call(gate, model, stream=form == "stream")
    assert reply.status == 200 and reply["x-tollgate-attempts"] == "4"
    assert reply["x-tollgate-model"] == "spare" and reply["x-tollgate-provider"] == "q"
    assert q.requests[-1].json["temperature"] == 0.5
    assert gate.metric("tollgate_fallbacks_total", model=model, to="spare") == before + 1
    row = gate.line_of(reply["x-request-id"])
    assert (row["model_asked"], row["model"], row["attempts"]) == (model, "spare", 4)


def test_a_long_wait_yields_to_a_fallback(gate, p):
    p.scripts["long-wait"] = Failing(9, 429, retry_after="60")
    reply = call(gate, "long-wait")
    assert reply.status == 200 and reply["x-tollgate-model"] == "spare"
    assert reply["x-tollgate-attempts"] == "2"


def test_max_attempts_bounds_all_models(gate, p):
    p.scripts["capped"] = Failing(9, 500)
    reply = call(gate, "capped")
    assert reply.status == 500 and reply["x-tollgate-attempts"] == "3"
    assert reply["x-tollgate-model"] == "capped" and reply["x-should-retry"] == "false"


def test_no_fallback_for_the_clients_own_error(gate, p):
    p.scripts["bad"] = Failing(9, 400)
    reply = call(gate, "bad")
    assert reply.status == 400 and reply["x-tollgate-attempts"] == "1"


def test_what_no_target_can_take_may_suit_another_model(gate, p, q):
    asked = len(p.requests)
    reply = call(gate, "strict", seed=5)
    assert reply.status == 200 and reply["x-tollgate-model"] == "spare"
    assert reply["x-tollgate-attempts"] == "1" and len(p.requests) == asked
    assert q.requests[-1].json["seed"] == 5


def test_a_prompt_that_does_not_fit_goes_to_a_wider_window(gate, p):
    p.scripts["narrow"] = Failing(9, 400, WINDOW)
    reply = call(gate, "narrow")
    assert reply.status == 200 and reply["x-tollgate-model"] == "wide"
    assert reply["x-tollgate-attempts"] == "2"
    p.scripts["narrow"] = Failing(9, 404)
    assert call(gate, "narrow")["x-tollgate-model"] == "spare"
