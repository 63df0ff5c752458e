"""Which target is asked, how often, and with what: strategies, wildcards, attempts, fields."""
from __future__ import annotations

import json
import pathlib

import pytest

import dialects
import scripted
from gateway import Gateway, key, tenant_yaml
from raw import AUTH, ask, chat_body, post
from upstream import Upstream

DEFAULTS = "{max_tokens: 77, temperature: 0.5, user: someone, top_k: 9}"
REFUSED_FIELDS = ["models", "provider", "route", "plugins", "fallbacks", "transforms", "background"]


def config(urls: list[str], claude: str) -> str:
    a, b, c = urls
    return f"""
listen: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1}}
providers:
  a: {{kind: openai, base_url: "{a}/v1", api_key: sk-a}}
  b: {{kind: openai, base_url: "{b}/deep/er/v1/", api_key: sk-b,
      headers: {{OpenAI-Organization: org-1, X-Other: "two words"}}, allow_fields: [provider]}}
  c: {{kind: openai, base_url: "{c}", api_keys: [sk-c1, sk-c2]}}
  off: {{kind: openai, base_url: "{c}", api_key: "${{NOT_SET_AT_ALL:-}}"}}
  claude: {{kind: anthropic, base_url: "{claude}", api_key: sk-upstream-anthropic}}
models:
  a: {{targets: [{{provider: a, model: text}}]}}
  b: {{targets: [{{provider: b, model: text}}]}}
  c: {{targets: [{{provider: c, model: text}}]}}
  gone: {{targets: [{{provider: off, model: text}}]}}
  half: {{targets: [{{provider: off, model: text}}, {{provider: b, model: text}}]}}
  "w/*": {{targets: [{{provider: a, model: "*"}}]}}
  "w/b/*": {{targets: [{{provider: b, model: "*"}}]}}
  w/exact: {{targets: [{{provider: c, model: exact-one}}]}}
  fixed/*: {{targets: [{{provider: a, model: always}}]}}
  "over/*": {{targets: [{{provider: a, model: "*"}}, {{provider: b, model: text}}]}}
  "over-400": {{targets: [{{provider: a, model: err-400}}, {{provider: b, model: text}}]}}
  weighted: {{strategy: weighted, targets: [{{provider: a, model: text, weight: 3}},
                                           {{provider: b, model: text, weight: 1}}]}}
  five: {{targets: &five [{{provider: a, model: err-503}}, {{provider: b, model: err-500}},
         {{provider: c, model: err-503}}, {{provider: a, model: err-500}},
         {{provider: b, model: err-503}}]}}
  five-2: {{targets: *five, retry: {{attempts: 2}}}}
  five-9: {{targets: *five, retry: {{attempts: 9}}, max_attempts: 4}}
  five-1: {{targets: *five, max_attempts: 1}}
  defaults: {{targets: [{{provider: a, model: text}}], defaults: {DEFAULTS}}}
  claude: {{targets: [{{provider: claude, model: text}}]}}
  strict: {{targets: [{{provider: claude, model: text}}], unsupported_params: refuse}}
  strict-over: {{targets: [{{provider: claude, model: text}}, {{provider: a, model: text}}],
                unsupported_params: refuse}}
{tenant_yaml()}"""


@pytest.fixture(scope="module")
def providers():
    made = [*(Upstream(scripted.openai) for _ in range(3)), Upstream(dialects.anthropic)]
    yield made
    for one in made:
        one.close()
        assert not one.errors, one.errors


@pytest.fixture(scope="module")
def gate(providers, tmp_path_factory):
    *three, claude = [p.url for p in providers]
    running = Gateway(config(three, claude), pathlib.Path(tmp_path_factory.mktemp("routing")))
    yield running
    running.stop()


@pytest.fixture
def a(providers):
    return providers[0]


@pytest.fixture
def b(providers):
    return providers[1]


@pytest.fixture
def c(providers):
    return providers[2]


def call(gate, model: str, headers: str = AUTH, **more):
    return ask(gate, post(chat_body(model, **more), headers=headers))


# --- which target ---------------------------------------------------------------------------------


@pytest.mark.parametrize("asked,provider,sent,name", [
    ("w/x", "a", "x", "w/*"), ("w/b/x/y:z", "b", "x/y:z", "w/b/*"), ("w/b", "a", "b", "w/*"),
    ("w/exact", "c", "exact-one", "w/exact"), ("w/exact2", "a", "exact2", "w/*"),
    ("fixed/any", "a", "always", "fixed/*"), ("w/wörld \"x\"", "a", "wörld \"x\"", "w/*")])
def test_wildcards(gate, providers, asked, provider, sent, name):
    reply = call(gate, asked)
    assert reply.status == 200 and reply["x-tollgate-provider"] == provider
    assert reply["x-tollgate-model"] == name
    assert providers["abc".index(provider)].requests[-1].json["model"] == sent


def test_no_such_model(gate):
    for name in ("x", "A", "w", "fixed", "a "):
        reply = call(gate, name)
        assert reply.status == 404 and reply.error["code"] == "model_not_found"
        assert reply.error["param"] == "model"


def test_a_provider_without_its_key_is_off(gate):
    assert call(gate, "gone").status == 404
    reply = call(gate, "half")
    assert reply.status == 200 and reply["x-tollgate-provider"] == "b"
    assert reply["x-tollgate-attempts"] == "1"
    listed = ask(gate, f"GET /v1/models HTTP/1.1\r\nhost: x\r\n{AUTH}\r\n").json["data"]
    assert "gone" not in [m["id"] for m in listed] and "half" in [m["id"] for m in listed]
    assert len([l for l in gate.log.lines if '"off"' in l.replace("\\", "")]) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("code", [503, 429])
def test_ordered_failover(gate, b, code, stream):
    before = len(b.requests)
    # A name of its own: a model that answered 429 is left alone for a while.
    reply = call(gate, f"over/err-{code}@{stream}", stream=stream)
    assert reply.status == 200 and reply["x-tollgate-provider"] == "b"
    assert reply["x-tollgate-attempts"] == "2" and len(b.requests) == before + 1


def test_a_400_is_no_reason_to_ask_another(gate, b):
    before = len(b.requests)
    reply = call(gate, "over-400")
    assert reply.status == 400 and reply.error["message"] == "it is 400"
    assert reply["x-tollgate-provider"] == "a" and len(b.requests) == before


def test_weighted(gate):
    """Exactly three of four, and never many of one in a row."""
    order = "".join(call(gate, "weighted")["x-tollgate-provider"] for _ in range(8))
    assert order.count("a") == 6 and order.count("b") == 2 and "aaaaa" not in order


@pytest.mark.parametrize("model,attempts,status", [
    ("five", 3, 503), ("five-2", 2, 500), ("five-9", 4, 500), ("five-1", 1, 503)])
def test_attempts(gate, model, attempts, status):
    reply = call(gate, model)
    assert (reply.status, reply["x-tollgate-attempts"]) == (status, str(attempts))
    assert reply.error["message"] == f"it is {status}"
    row = gate.line_of(reply["x-request-id"])
    assert row["attempts"] == attempts
    assert [e["provider"] for e in row["attempt_errors"]] == list("abcab")[:attempts]
    assert [e["http_status"] for e in row["attempt_errors"]] == [503, 500, 503, 500][:attempts]


# --- with what ------------------------------------------------------------------------------------


def test_headers_upstream(gate, a, b):
    """Ours and the operator's; nothing of the client's, its key least of all."""
    mine = ("cookie: c=1\r\nx-mine: 1\r\nopenai-organization: org-evil\r\nx-request-id: mine\r\n"
            "x-tollgate-tags: t=1\r\nforwarded: for=1.2.3.4\r\nx-api-key: other\r\n")
    reply = call(gate, "b", headers=AUTH + mine)
    assert reply.status == 200
    sent = b.requests[-1]
    assert sent.target == "/deep/er/v1/chat/completions"
    assert sent.headers["openai-organization"] == "org-1"
    assert sent.headers["x-other"] == "two words" and sent.headers["authorization"] == "Bearer sk-b"
    assert sent.headers["x-request-id"] == reply["x-request-id"] != "mine"
    assert sent.headers["host"] == f"127.0.0.1:{b.port}"
    assert not {"cookie", "x-mine", "x-tollgate-tags", "forwarded", "x-api-key"} & set(sent.headers)
    assert key() not in str(sent.headers)
    call(gate, "a", headers=AUTH + mine)
    assert "openai-organization" not in a.requests[-1].headers


def test_several_keys(gate, c):
    before = len(c.requests)
    for _ in range(6):
        assert call(gate, "c").status == 200
    used = [r.headers["authorization"] for r in c.requests[before:]]
    assert used.count("Bearer sk-c1") == 3 and used.count("Bearer sk-c2") == 3


@pytest.mark.parametrize("field", REFUSED_FIELDS)
def test_fields_that_choose(gate, a, field):
    before = len(a.requests)
    for spelling in (field, f"\\u{ord(field[0]):04x}" + field[1:]):
        body = chat_body("a")[:-1] + f', "{spelling}": ["x"]}}'
        reply = ask(gate, post(body))
        assert reply.status == 400 and reply.error["code"] == "unsupported_parameter"
        assert reply.error["param"] == field
    assert len(a.requests) == before
    assert ask(gate, post(chat_body("a")[:-1] + f', "{field}": null}}')).status == 200


def test_allow_fields(gate, b):
    assert call(gate, "b", provider={"order": ["x"]}).status == 200
    assert b.requests[-1].json["provider"] == {"order": ["x"]}
    assert call(gate, "b", plugins=[]).status == 400


def test_fields_that_are_ignored(gate, a):
    evil = {"api_base": "http://127.0.0.1:1/", "base_url": "http://127.0.0.1:1/", "api_key": "sk-x"}
    assert call(gate, "a", **evil, seed=5).status == 200
    sent = a.requests[-1].json
    assert not set(evil) & set(sent) and sent["seed"] == 5


def test_defaults(gate, a):
    assert call(gate, "defaults").status == 200
    sent = a.requests[-1].json
    assert (sent["max_tokens"], sent["temperature"], sent["user"]) == (77, 0.5, "someone")
    assert sent["top_k"] == 9
    assert call(gate, "defaults", max_tokens=5, temperature=0).status == 200
    sent = a.requests[-1].json
    assert (sent["max_tokens"], sent["temperature"], sent["user"]) == (5, 0, "someone")
    assert call(gate, "defaults", max_completion_tokens=6).status == 200
    sent = a.requests[-1].json
    assert sent["max_completion_tokens"] == 6 and "max_tokens" not in sent


def test_dropped_params(gate, providers):
    reply = call(gate, "claude", seed=5, logit_bias={"1": 2}, frequency_penalty=0.5, stop=["x"])
    assert reply.status == 200
    assert set(reply["x-tollgate-dropped-params"].split(",")) == {
        "seed", "logit_bias", "frequency_penalty"}
    sent = providers[3].requests[-1].json
    assert not {"seed", "logit_bias", "frequency_penalty"} & set(sent)
    assert sent["stop_sequences"] == ["x"]
    streamed = call(gate, "claude", seed=5, stream=True)
    assert streamed["x-tollgate-dropped-params"] == "seed"
    assert call(gate, "claude", stop=["x"])["x-tollgate-dropped-params"] is None
    assert gate.metric("tollgate_dropped_params_total", provider="claude") == 4


def test_unsupported_params_refused(gate, providers, a):
    before = len(providers[3].requests)
    reply = call(gate, "strict", seed=5)
    assert reply.status == 400 and reply.error["code"] == "unsupported_parameter"
    assert reply.error["param"] == "seed" and len(providers[3].requests) == before
    assert call(gate, "strict", stop=["x"]).status == 200
    # A target that can take it is asked instead.
    reply = call(gate, "strict-over", seed=5)
    assert reply.status == 200 and reply["x-tollgate-provider"] == "a"
    assert a.requests[-1].json["seed"] == 5


def test_endpoints_that_a_provider_lacks(gate):
    body = json.dumps({"model": "claude", "prompt": "Once"})
    reply = ask(gate, post(body, "/v1/completions"))
    assert reply.status == 400 and reply.error["code"] == "unsupported_endpoint"
    reply = ask(gate, post(json.dumps({"model": "claude", "input": "x"}), "/v1/embeddings"))
    assert reply.status == 400 and reply.error["code"] == "unsupported_endpoint"


@pytest.mark.parametrize("value", ["abc", "-1", "0", "1h", "nan", "inf", "1 2"])
def test_bad_timeout_header(gate, value):
    reply = call(gate, "a", headers=AUTH + f"x-tollgate-timeout: {value}\r\n")
    assert reply.status == 400 and reply.error["param"] == "x-tollgate-timeout"
