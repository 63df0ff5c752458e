"""Every recorded OpenAI chat request encodes to a Messages request that the specification accepts,
for a model of each generation. What cannot be asked of Anthropic at all is listed with its reason.
"""

import functools
import json

import openapi
import pytest
import tools

SPEC = "anthropic-openapi-tryagi-2026-08.json"
# One model for each behaviour that the encode knows; the last is a generation nobody has seen yet.
MODELS = ["claude-3-5-haiku-latest", "claude-sonnet-4-20250514", "claude-sonnet-4-5",
          "claude-opus-4-6", "claude-opus-4-8", "claude-sonnet-5", "claude-opus-9"]

# Requests that have no equivalent: (param, reason).
IMPOSSIBLE = {
    "010": ("n", "asks for several choices"),
    "020": ("modalities", "asks for audio output"),
    "023": ("messages", "has no messages: OpenAI refused it too"),
    "027": ("logprobs", "asks for log probabilities"),
    "033": ("n", "asks for several choices"),
}


@functools.cache
def specification():
    return openapi.Spec(tools.spec(SPEC))


def encode(request, model):
    return tools.run_json("encode_request", {"kind": "anthropic", "model": model},
                          json.dumps(request, ensure_ascii=False).encode())


def check_turns(body):
    """What no schema says: who speaks when, and where results stand."""
    turns = body["messages"]
    assert [t["role"] for t in turns] == ["user", "assistant"] * (len(turns) // 2) + ["user"] * (
        len(turns) % 2)
    calls = set()
    for turn in turns:
        kinds = [block["type"] for block in turn["content"]]
        results = [b["tool_use_id"] for b in turn["content"] if b["type"] == "tool_result"]
        assert "tool_result" not in kinds[len(results):], "results stand first in their turn"
        assert set(results) == calls, "every call is answered in the very next turn"
        calls = {b["id"] for b in turn["content"] if b["type"] == "tool_use"}
        assert all(b["text"].strip() for b in turn["content"] if b["type"] == "text")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("recording", tools.parameters("openai-chat"))
def test_request_is_valid(recording, model):
    if recording["api"] != "chat":
        pytest.skip("legacy completions are not this endpoint")
    asked = recording["request"]["body"]
    encoded = encode(asked, model)
    if recording["name"] in IMPOSSIBLE:
        param, reason = IMPOSSIBLE[recording["name"]]
        assert encoded["error"]["status"] == 400 and encoded["error"]["param"] == param, reason
        return
    assert "error" not in encoded, encoded
    body = json.loads(encoded["body"])
    beta = "anthropic-beta" in encoded["headers"]
    schema = "BetaCreateMessageParams" if beta else "CreateMessageParams"
    assert specification().errors(schema, body) == []
    assert body["model"] == model and encoded["target"] == "/v1/messages"
    assert {name.split(".")[0] for name in encoded["dropped"]} <= set(asked)
    check_turns(body)


def test_goldens_are_valid_too():
    """The hand-written upstream requests are what Anthropic takes, not only what we send."""
    for path in sorted((tools.ROOT / "tests/golden/anthropic").glob("*/upstream_request.json")):
        golden = json.loads(path.read_text(encoding="utf-8"))
        schema = ("BetaCreateMessageParams" if "anthropic-beta" in golden["headers"]
                  else "CreateMessageParams")
        assert specification().errors(schema, golden["body"]) == [], path.parent.name


def test_the_specification_can_refuse():
    """The validator is worth something only if a slightly wrong body does not pass."""
    good = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
    assert specification().errors("CreateMessageParams", good) == []
    for wrong in ({"max_tokens": "1"}, {"seed": 1}, {"messages": [{"role": "tool"}]},
                  {"tool_choice": {"type": "required"}}, {"thinking": {"type": "enabled"}}):
        assert specification().errors("CreateMessageParams", good | wrong) != []
