"""Every recorded OpenAI-shaped reply decodes to what the recording holds, at every cut, and is
relayed byte for byte. OpenAI's own host first; then everybody who speaks the same dialect."""

import json
import re

import openai_oracle as oracle
import pytest
import tools

GROUPS = [
    "openai-chat", "openai-misc", "azure-openai", "bedrock-mantle", "cerebras", "cloudflare",
    "crusoe", "databricks", "deepseek", "doubleword", "gpustack", "groq", "huggingface",
    "llamacpp", "mistral", "mistralrs", "ollama", "openrouter", "perplexity", "snowflake",
    "together", "venice", "vercel-gateway", "vllm", "voyage", "xai", "zai",
    # Hosts with a dialect of their own that offer this one beside it.
    "anthropic", "gemini", "vertex", "cohere",
]
OPENAI = "https://api.openai.com/"
SURFACES = ("chat", "completions", "embeddings")
# Recordings that are no oracle, each with its reason.
NOT_JUDGED = {
    "perplexity/012": "base64 of int8, which the wire does not name",
}
# What a client gets for a provider's status: its own 4xx stays, but a refused key is our fault.
STATUS = {401: 502, 403: 502, 402: 429, 498: 503, 529: 503}


def is_covered(recording):
    """Ours by method and path: other hosts call other things embeddings too."""
    path = re.split("[?#]", recording["request"]["url"])[0]
    return (recording["api"] in SURFACES and recording["request"]["method"] == "POST"
            and path.endswith(("/completions", "/embeddings")))


def all_recordings():
    return [pytest.param(recording, id=f"{group}-{name}")
            for group in GROUPS for name, recording in tools.recordings(group)
            if is_covered(recording)] or tools.parameters("openai-chat")


def test_skipped_surfaces_are_named():
    """The recordings of these groups that this codec does not cover, by surface."""
    others = {}
    for group in GROUPS:
        for name, recording in tools.recordings(group):
            if not is_covered(recording):
                others.setdefault(recording["api"], []).append(f"{group}/{name}")
    for api, names in sorted(others.items()):
        print(f"not covered: {api} is another surface ({len(names)}): {', '.join(names)}")
    if not others:
        pytest.skip("no recordings here")


def group_of(request):
    return request.node.callspec.id.rsplit("-", 1)[0]


def not_judged(request, recording):
    reason = NOT_JUDGED.get(f"{group_of(request)}/{recording['name']}")
    if reason:
        pytest.skip(reason)


def is_stream(response):
    return "body_text" in response and "data:" in response["body_text"]


def arguments_for(recording, **more):
    response = recording["response"]
    return {
        "kind": "openai",
        # Every boundary for OpenAI's own host; the others, whose frames are the same, with fewer.
        "few-cuts": more.pop("few", not recording["request"]["url"].startswith(OPENAI)),
        "endpoint": recording["api"],
        "status": response["status"],
        "stream": is_stream(response),
        "headers": json.dumps({k: str(v) for k, v in response["headers"].items()}),
    } | more


def got_choice(choice):
    calls = [(c["id"], c["name"], c["arguments"]) for c in choice["tool_calls"]]
    plain = {key: choice[key] for key in ("text", "reasoning", "refusal", "finish")}
    return plain | {"calls": calls}


def same_calls(got, wanted):
    """Ids must be the provider's where it gave one; a missing one is replaced, never left out."""
    assert len(got) == len(wanted)
    for (got_id, name, arguments), (wanted_id, wanted_name, wanted_arguments) in zip(got, wanted):
        assert got_id if wanted_id in (None, "", "null") else got_id == wanted_id
        assert (name, arguments) == (wanted_name, wanted_arguments)


def check_choices(reply, wanted):
    assert reply["choices"].keys() == wanted.keys()
    for index, choice in wanted.items():
        mine = got_choice(reply["choices"][index])
        calls = mine.pop("calls")
        if choice["finish"] != "function_call":  # the deprecated form has no id
            same_calls(calls, choice.pop("calls"))
        choice.pop("calls", None)
        assert mine == choice


def check_usage(reply, wanted):
    mine = reply["usage"]
    assert (mine is None) == (wanted is None)
    if wanted is not None:
        assert {key: mine[key] for key in wanted} == wanted


def error_text(body):
    """The provider's own sentence, wherever it keeps it."""
    if isinstance(body, list):
        body = body[0]
    if isinstance(body, str):
        return body
    inner = body.get("error") or body
    if isinstance(inner, str):
        return inner
    said = inner.get("message") or body.get("detail")
    return said if isinstance(said, str) else said[0]["msg"]


def check_error(recording, reply):
    response, error = recording["response"], reply["error"]
    status = response["status"]
    said = error_text(response.get("body", response.get("body_text")))
    assert error["upstream_status"] == status and not reply["choices"]
    assert error["status"] == STATUS.get(status, status)
    if error["status"] == 502 and status in (401, 403):
        assert error["code"] == "upstream_auth" and said[:20] not in error["message"]
    else:
        assert said[:60] in error["message"]
    if status == 429:
        assert error["code"] == "upstream_rate_limited" and error["retry_after_ms"] > 0


@pytest.mark.parametrize("recording", all_recordings())
def test_reply_decodes_to_what_was_recorded(recording, request):
    not_judged(request, recording)
    response = recording["response"]
    reply = tools.run_json("decode_reply", arguments_for(recording), tools.body_of(response))
    assert reply["broken_rules"] == []
    if response["status"] != 200:
        check_error(recording, reply)
        return
    items = oracle.sse_objects(response["body_text"])[0] if is_stream(response) else []
    if breaks(items):
        error = reply["error"]
        said = breaks(items)
        assert error["message"] == said["message"] and not reply["ended"]
        assert error["status"] == said.get("status_code", 502)
        return
    assert reply["error"] is None and reply["ended"]
    if is_stream(response):
        wanted = oracle.expected(items, "delta")
    else:
        body = response["body"] if "body" in response else json.loads(response["body_text"])
        if recording["api"] == "embeddings":
            check_embeddings(body, reply)
            return
        wanted = oracle.expected([body], "message")
    check_choices(reply, wanted["choices"])
    check_usage(reply, wanted["usage"])


def breaks(items):
    """The error that ended a stream before its finish, or None."""
    finished = False
    for item in items:
        if item.get("error") and not finished:
            return item["error"]
        finished = finished or any(c.get("finish_reason") for c in item.get("choices") or [])
    return None


def check_embeddings(body, reply):
    assert len(reply["embeddings"]) == len(body["data"])
    for position, (mine, item) in enumerate(zip(reply["embeddings"], body["data"])):
        assert mine["index"] == item.get("index", position)
        if isinstance(item["embedding"], list):
            assert mine["floats"] == pytest.approx(item["embedding"], rel=1e-6)
        else:
            assert mine["floats"]
    check_usage(reply, oracle.usage_of(body["usage"]))


def is_usage_only(event):
    """An event with a usage and nothing else: what a client that did not ask does not get."""
    lines = [line[5:].strip() for line in event.split("\n") if line.startswith("data:")]
    if not lines or lines == ["[DONE]"]:
        return False
    item = json.loads("\n".join(lines))
    return bool(item.get("usage")) and not item.get("choices")


@pytest.mark.parametrize("asked", [True, False], ids=["usage-asked", "usage-not-asked"])
@pytest.mark.parametrize("recording", all_recordings())
def test_a_stream_is_relayed_byte_for_byte(recording, asked, request):
    response = recording["response"]
    if response["status"] != 200 or not is_stream(response):
        pytest.skip("no stream")
    sent = response["body_text"]
    if breaks(oracle.sse_objects(sent)[0]):
        pytest.skip("it ends in an error, which is rendered anew")
    got = tools.run("translate_reply", arguments_for(
        recording, relay=True, few=True) | {"include-usage": asked}, sent.encode()).decode()
    wanted = sent
    if not asked:
        events = re.findall(r".+?\r?\n\r?\n|\n", sent, re.S)
        assert "".join(events) == sent
        wanted = "".join(e for e in events if not is_usage_only(e))
    # A provider that forgets [DONE] gets it added: clients wait for it.
    if "data: [DONE]" not in wanted and "data:[DONE]" not in wanted:
        assert got.startswith(wanted)
        assert got[len(wanted):] in ("", "data: [DONE]\n\n")
    else:
        assert got == wanted


@pytest.mark.parametrize("recording", all_recordings())
def test_a_whole_reply_is_relayed_byte_for_byte(recording):
    response = recording["response"]
    if response["status"] != 200 or is_stream(response):
        pytest.skip("no whole reply")
    body = tools.body_of(response)
    got = tools.run("translate_reply", arguments_for(recording, relay=True, few=True), body)
    assert got == body


@pytest.mark.parametrize("recording", all_recordings())
def test_a_cut_stream_is_never_a_whole_reply(recording):
    """The first half of every recorded stream, cut inside an event and behind one."""
    response = recording["response"]
    if response["status"] != 200 or not is_stream(response):
        pytest.skip("no stream")
    events = response["body_text"].split("\n\n")
    half = "\n\n".join(events[:max(len(events) // 2, 1)])
    items, done = oracle.sse_objects(half)
    begun = oracle.expected(items, "delta")["choices"]
    finished = {i for item in items for c in item.get("choices") or []
                if c.get("finish_reason") for i in [str(c.get("index", 0))]}
    if done or (begun and finished == set(begun)):
        pytest.skip("its first half is complete")
    for tail in ("\n\n", "\n\ndata: {\"choices\":[{\"ind"):
        reply = tools.run_json("decode_reply", arguments_for(recording, few=True),
                               (half + tail).encode())
        assert reply["error"]["code"] == "upstream_error" and not reply["ended"]
        assert all(not c["finish"] for c in reply["choices"].values())


def recorded_requests():
    return [pytest.param(recording, id=f"{group}-{name}")
            for group in GROUPS for name, recording in tools.recordings(group)
            if is_covered(recording) and isinstance(recording["request"].get("body"), dict)
            ] or tools.parameters("openai-chat")


@pytest.mark.parametrize("recording", recorded_requests())
def test_a_request_is_relayed_with_only_the_splices(recording):
    sent = recording["request"]["body"] | {"model": "client-model"}
    if sent.get("messages") == [] or not (sent.get("messages") or sent.get("prompt") or
                                          sent.get("input")):
        pytest.skip("the gateway itself refuses it")
    # Through json.dumps and back: the recorder's own dict is what both sides are judged by.
    encoded = tools.run_json("encode_request", {
        "kind": "openai", "endpoint": recording["api"], "model": "upstream-model",
        "allow-fields": "models,provider,route,plugins,fallbacks,transforms,background",
    }, json.dumps(sent, ensure_ascii=False).encode())
    if "error" in encoded and recording["response"]["status"] == 400:
        assert encoded["error"]["status"] == 400
        return
    assert "error" not in encoded, encoded
    wanted = sent | {"model": "upstream-model"}
    if sent.get("stream") and recording["api"] != "embeddings":
        wanted["stream_options"] = (sent.get("stream_options") or {}) | {"include_usage": True}
    if sent.get("encoding_format", "") in ("base64", None):
        wanted["encoding_format"] = "float"
    assert json.loads(encoded["body"]) == wanted
