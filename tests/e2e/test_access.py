"""Who may use what, what the log line says of a call, and that nothing secret is written."""
from __future__ import annotations

import json
import pathlib
import re
import urllib.request

import pytest

import scripted
from gateway import Gateway, key, key_yaml
from raw import ask, chat_body, post
from upstream import Upstream

ROW = {  # as section 6 of the contract names them, and what a line has beside them
    "kind", "request_id", "client_request_id", "started_at", "ended_at", "tenant", "key_id", "user",
    "tags", "endpoint", "model_asked", "model", "provider", "upstream_model", "stream", "status",
    "http_status", "error", "finish", "input_tokens", "cache_read_tokens", "cache_write_tokens",
    "output_tokens", "reasoning_tokens", "usage_source", "ttft_us", "duration_us", "overhead_us",
    "attempts", "cost_nano_usd", "charged_nano_usd", "admitted_at", "count", "price_version"}
BESIDE = {"request_bytes", "response_bytes", "client_address", "error_detail", "attempt_errors"}
PROMPT = "the-prompt-is-a-secret"
UPSTREAM_KEYS = ["sk-upstream-of-all", "sk-upstream-of-own", "header-secret-value"]


def config(url: str) -> str:
    return f"""
providers:
  up: {{kind: openai, base_url: "{url}/v1", api_key: {UPSTREAM_KEYS[0]},
       headers: {{x-secret: {UPSTREAM_KEYS[2]}}}}}
models:
  gpt-a: {{targets: [{{provider: up, model: text}}]}}
  gpt-b: {{targets: [{{provider: up, model: text}}]}}
  other: {{targets: [{{provider: up, model: text}}]}}
  bad: {{targets: [{{provider: up, model: leaky}}]}}
  wild/*: {{targets: [{{provider: up, model: "*"}}]}}
tenants:
  all:
    keys:
      {key_yaml("all-1")}
      {key_yaml("all-gpt", ', models: ["gpt-*"]')}
      {key_yaml("all-old", ", expires: 2020-01-01")}
      {key_yaml("all-young", ", expires: 2199-01-01")}
    tags: {{cost_center: "4711", team: red}}
  own:
    keys:
      {key_yaml("own-1")}
      {key_yaml("own-b", ', models: [gpt-b, other, "wild/x*"]')}
    models: ["gpt-*", "wild/*"]
    provider_keys: {{up: {UPSTREAM_KEYS[1]}}}
"""


def leaky(exchange):
    """An error that repeats what no client may see."""
    exchange.json({"error": {"message": f"bad key {UPSTREAM_KEYS[0]}, sent {PROMPT}", "type": "t",
                             "param": None, "code": None}}, 500)


@pytest.fixture(scope="module")
def provider():
    scripted.SCRIPTS["leaky"] = leaky
    running = Upstream(scripted.openai)
    yield running
    running.close()
    assert not running.errors, running.errors


@pytest.fixture(scope="module")
def gate(provider, tmp_path_factory):
    running = Gateway(config(provider.url), pathlib.Path(tmp_path_factory.mktemp("access")))
    yield running
    running.stop()


def bearer(id: str) -> str:
    return f"authorization: Bearer {key(id)}\r\n"


def call(gate, id: str, model: str, **more):
    return ask(gate, post(chat_body(model, **more), headers=bearer(id)))


def get(gate, id: str, path: str):
    return ask(gate, f"GET {path} HTTP/1.1\r\nhost: x\r\n{bearer(id)}\r\n")


# --- keys and allowlists --------------------------------------------------------------------------


@pytest.mark.parametrize("header", [
    "", "authorization: Bearer \r\n", "authorization: Bearer wrong\r\n", "authorization: x\r\n",
    f"authorization: Basic {key('all-1')}\r\n", f"authorization: Bearer {key('all-1')}x\r\n",
    f"authorization: Bearer {key('nobody')}\r\n", bearer("all-old"),
    f"authorization: Bearer wrong\r\nx-api-key: {key('all-1')}\r\n", "x-api-key: wrong\r\n"])
def test_401(gate, provider, header):
    before = len(provider.requests)
    reply = ask(gate, post(chat_body("gpt-a"), headers=header))
    assert reply.status == 401 and reply["x-request-id"]
    error = reply.error
    assert (error["code"], error["type"]) == ("invalid_api_key", "invalid_request_error")
    assert "tg-" not in reply.body.decode() and len(provider.requests) == before


@pytest.mark.parametrize("header", [
    bearer("all-1"), bearer("all-young"), f"x-api-key: {key('all-1')}\r\n",
    f"AUTHORIZATION:   bearer   {key('all-1')}  \r\n"])
def test_good_keys(gate, header):
    assert ask(gate, post(chat_body("gpt-a"), headers=header)).status == 200


ALLOWED = {"all-1": ["gpt-a", "gpt-b", "other", "wild/x", "wild/y"], "all-gpt": ["gpt-a", "gpt-b"],
           "own-1": ["gpt-a", "gpt-b", "wild/x", "wild/y"], "own-b": ["gpt-b", "wild/x"]}


@pytest.mark.parametrize("id", ALLOWED)
def test_allowlists(gate, id):
    """Tenant and key must both allow it; the list and the single model answer as a call does."""
    exact = ["gpt-a", "gpt-b", "other"]
    for model in [*exact, "wild/x", "wild/y"]:
        allowed = model in ALLOWED[id]
        for reply in (call(gate, id, model), get(gate, id, "/v1/models/" + model)):
            assert reply.status == (200 if allowed else 403), (model, reply.body)
            if not allowed:
                error = reply.error
                assert error["code"] == "model_not_allowed" and error["param"] == "model"
    names = [m["id"] for m in get(gate, id, "/v1/models").json["data"]]
    assert [n for n in names if n != "bad"] == [m for m in exact if m in ALLOWED[id]]
    for reply in (call(gate, id, "nobody"), get(gate, id, "/v1/models/nobody")):
        assert reply.status == 404 and reply.error["code"] == "model_not_found"


def test_models_have_openais_shape(gate):
    listed = get(gate, "all-1", "/v1/models").json
    assert listed["object"] == "list"
    for model in listed["data"]:
        assert set(model) >= {"id", "object", "created", "owned_by"} and model["object"] == "model"
    assert get(gate, "all-1", "/v1/models/wild%2Fx%20y").json["id"] == "wild/x y"
    assert ask(gate, "GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n").status == 401


def test_provider_keys(gate, provider):
    assert call(gate, "own-1", "gpt-a").status == 200
    assert provider.requests[-1].headers["authorization"] == "Bearer " + UPSTREAM_KEYS[1]
    assert call(gate, "all-1", "gpt-a").status == 200
    assert provider.requests[-1].headers["authorization"] == "Bearer " + UPSTREAM_KEYS[0]


def test_auth_none(gateway, provider):
    """No key is asked for, and what is sent as one is neither judged nor passed on."""
    gate = gateway(config(provider.url).split("tenants:")[0] + "auth: none\n")
    for header in ("", "authorization: Bearer what-ever\r\n", "x-api-key: what-ever\r\n"):
        assert ask(gate, post(chat_body("gpt-a"), headers=header)).status == 200
        assert "what-ever" not in str(provider.requests[-1].headers)
    assert gate.access_lines(3)[0]["tenant"] == "default"


# --- the line of a call ---------------------------------------------------------------------------


def test_the_line_of_a_call(gate, provider):
    body = chat_body("wild/text", text=PROMPT, user="user-9", stream=True)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    reply = ask(gate, post(body, headers=bearer("all-1") + "x-request-id: mine-1\r\n"
                                  f"traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n"
                                  "x-tollgate-tags: feature=triage, team=blue,junk\r\n"))
    row = gate.line_of(reply["x-request-id"])
    assert set(row) - {"origin"} == ROW | BESIDE | {"trace_id"} and row["trace_id"] == trace
    sent = provider.requests[-1].headers["x-request-id"]
    assert row["request_id"] == reply["x-request-id"] == sent
    assert row["request_id"] != "mine-1" and row["client_request_id"] == "mine-1"
    expected = {"kind": "call", "tenant": "all", "key_id": "all-1", "user": "user-9",
                "endpoint": "/v1/chat/completions", "model_asked": "wild/text",
                "model": "wild/*", "provider": "up",
                "upstream_model": "text", "stream": True, "status": "ok", "http_status": 200,
                "error": None, "finish": "stop", "input_tokens": 3, "cache_read_tokens": 0,
                "cache_write_tokens": 0, "output_tokens": 4, "reasoning_tokens": 0,
                "usage_source": "provider", "attempts": 1, "request_bytes": len(body),
                "response_bytes": len(reply.body), "client_address": "127.0.0.1"}
    assert {k: row[k] for k in expected} == expected
    assert row["tags"] == {"cost_center": "4711", "team": "red", "feature": "triage"}
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    assert re.fullmatch(time, row["started_at"]) and re.fullmatch(time, row["ended_at"])
    assert row["started_at"] <= row["ended_at"]
    assert 0 < row["ttft_us"] <= row["duration_us"] and 0 <= row["overhead_us"] < row["duration_us"]


def test_the_line_of_a_failure(gate):
    reply = call(gate, "all-1", "wild/err-503")
    row = gate.line_of(reply["x-request-id"])
    assert (row["status"], row["http_status"], row["origin"]) == ("error", 503, "upstream")
    assert row["error"] and row["finish"] is None and row["ttft_us"] is None
    assert row["usage_source"] == "estimated" and set(row) == ROW | BESIDE | {"origin"}


def test_client_request_ids_are_tamed(gate):
    header = bearer("all-1") + "x-request-id: a\xff\xfe" + "b" * 500 + "\r\n"
    raw = post(chat_body("gpt-a"), headers="@").replace(b"@", header.encode("latin-1"))
    reply = ask(gate, raw)
    assert reply.status == 200
    assert len(gate.line_of(reply["x-request-id"])["client_request_id"]) <= 128


def test_what_clients_choose_is_bounded_in_the_line(gate):
    long_user = call(gate, "all-1", "gpt-a", user="u" * 100_000)
    long_model = call(gate, "all-1", "m" * 100_000)
    assert (long_user.status, long_model.status) == (200, 400)
    for reply in (long_user, long_model):
        assert len(json.dumps(gate.line_of(reply["x-request-id"]))) < 2000


# --- nothing secret is written --------------------------------------------------------------------


def test_no_secret_anywhere(gate):
    """Keys of clients and providers, prompts and replies: in no log, metric, page or answer."""
    seen = []
    for id, model in (("all-1", "gpt-a"), ("all-1", "bad"), ("own-1", "other"), ("own-1", "bad"),
                      ("all-1", "wild/" + PROMPT), ("nobody", "gpt-a")):
        for stream in (False, True):
            reply = call(gate, id, model, text=PROMPT, stream=stream)
            seen.append(f"{reply.status} {reply.fields} {reply.body.decode()}")
    leaked = [s for s in seen if s.startswith("5")]
    assert leaked and all(UPSTREAM_KEYS[0] not in s for s in leaked)
    last = ask(gate, post(f'{{"model": "gpt-a", "messages": "{PROMPT}"}}', headers=bearer("all-1")))
    assert last.status == 400
    gate.line_of(last["x-request-id"])  # the lines of the others came with it or before
    page = urllib.request.urlopen(gate.admin_url + "/admin/config").read().decode()
    metrics = gate.metrics()
    secrets = [key(i).removeprefix("tg-") for i in ("all-1", "own-1")] + UPSTREAM_KEYS
    for text in (page, metrics, "\n".join(gate.log.lines), "\n".join(gate.access.lines), *seen):
        for secret in secrets:
            assert secret not in text
    # A model's name is the client's to choose; it stands in the line, but is no label.
    lines = [l for l in gate.access.lines if "wild/" + PROMPT not in l]
    for text in (page, metrics, "\n".join(gate.log.lines), "\n".join(lines)):
        assert PROMPT not in text and "Hello wörld" not in text
    assert "***" in page and "gpt-a" in page and "up:" in page


def test_metrics_name_what_happened(gate):
    text = gate.metrics()
    for name in ("tollgate_requests_total", "tollgate_upstream_attempts_total",
                 "tollgate_overhead_seconds_bucket", "tollgate_tokens_total",
                 "tollgate_streams_active", "tollgate_config_reload_success",
                 "tollgate_config_reload_timestamp_seconds", "tollgate_build_info",
                 "gen_ai_client_operation_duration_seconds_bucket", "gen_ai_client_token_usage",
                 "gen_ai_server_request_duration_seconds_bucket",
                 "gen_ai_server_time_to_first_token_seconds_bucket",
                 "gen_ai_server_time_per_output_token_seconds_bucket"):
        assert name in text, name
    assert gate.metric("tollgate_requests_total", model="wild/*", code="200") >= 1
    assert gate.metric("tollgate_requests_total", code="401") >= 1
    assert set(re.findall(r'[{,]model="([^"]*)"', text)) <= {
        "gpt-a", "gpt-b", "other", "bad", "wild/*", "none"}
    assert "nobody" not in text and gate.metric("tollgate_in_flight") == 0
