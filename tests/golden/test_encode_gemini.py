"""Every recorded OpenAI chat request encodes to a Gemini request that the specification accepts,
for a model of each generation. Google refuses names that it does not know, so the check does too.
"""

import functools
import json

import openapi
import pytest
import tools

SPEC = "google-gemini-v1beta-openapi-tryagi-2026-08.json"
MODELS = ["gemini-2.0-flash", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-3-pro-preview",
          "gemini-3.5-flash", "gemma-3-27b-it"]

# Requests that have no equivalent: (param, reason).
IMPOSSIBLE = {
    "023": ("messages", "has no messages: OpenAI refused it too"),
}
# Embedding requests that Gemini cannot fulfil.
BAD_EMBEDDINGS = {
    "009": ("encoding_format", "asks for a format that does not exist"),
    "014": ("dimensions", "asks for no dimensions"),
    "015": ("input", "sends token ids"),
    "016": ("", "has no body"),
}


@functools.cache
def specification():
    return openapi.Spec(tools.spec(SPEC), closed=True)


def encode(request, model, **arguments):
    return tools.run_json("encode_request", {"kind": "gemini", "model": model, **arguments},
                          json.dumps(request, ensure_ascii=False).encode())


def kinds_of(turn):
    return [next(k for k in part if k != "thoughtSignature") for part in turn["parts"]]


def check_turns(body, model):
    """What no schema says: who speaks when, and where results stand."""
    turns = body["contents"]
    assert turns[0]["role"] == "user"
    spoken = [i for i, t in enumerate(turns) if t["role"] == "user"
              and "functionResponse" not in kinds_of(t)]
    for before, turn in zip(turns, turns[1:]):
        # Only results stand beside another turn of the user's.
        assert before["role"] != turn["role"] or "functionResponse" in kinds_of(before)
    for place, (before, turn) in enumerate(zip(turns, turns[1:])):
        calls = [p["functionCall"] for p in before["parts"] if "functionCall" in p]
        results = [p["functionResponse"] for p in turn["parts"] if "functionResponse" in p]
        assert [c["name"] for c in calls] == [r["name"] for r in results]
        assert [c.get("id") for c in calls] == [r.get("id") for r in results]
        # Calls of the turn that is still going on must be signed.
        if calls and model.startswith("gemini-3") and place > spoken[-1]:
            assert "thoughtSignature" in before["parts"][kinds_of(before).index("functionCall")]
    assert all(turn["parts"] for turn in turns)


def check_names(body):
    declared = [f["name"] for t in body.get("tools", []) for f in t["functionDeclarations"]]
    config = body.get("toolConfig", {}).get("functionCallingConfig", {})
    assert set(config.get("allowedFunctionNames", [])) <= set(declared)
    assert len(set(declared)) == len(declared) and len(body.get("tools", [])) <= 1


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
    assert specification().errors("GenerateContentRequest", body) == []
    method = "streamGenerateContent?alt=sse" if asked.get("stream") else "generateContent"
    assert encoded["target"] == f"/v1beta/models/{model}:{method}"
    assert {name.split(".")[0] for name in encoded["dropped"]} <= set(asked)
    check_turns(body, model)
    check_names(body)


@pytest.mark.parametrize("recording", tools.parameters("openai-misc"))
def test_embedding_request_is_valid(recording):
    if recording["api"] != "embeddings":
        pytest.skip("no embeddings request")
    sent = tools.body_of(recording["request"])
    encoded = tools.run_json(
        "encode_request",
        {"kind": "gemini", "endpoint": "embeddings", "model": "gemini-embedding-001"}, sent)
    if recording["name"] in BAD_EMBEDDINGS:
        param, reason = BAD_EMBEDDINGS[recording["name"]]
        assert encoded["error"]["status"] == 400 and encoded["error"]["param"] == param, reason
        return
    assert "error" not in encoded, encoded
    asked = json.loads(sent)
    body = json.loads(encoded["body"])
    assert specification().errors("BatchEmbedContentsRequest", body) == []
    inputs = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    assert [r["content"]["parts"][0]["text"] for r in body["requests"]] == inputs


def test_the_specification_can_refuse():
    """The validator is worth something only if a slightly wrong body does not pass."""
    good = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    assert specification().errors("GenerateContentRequest", good) == []
    for wrong in ({"max_tokens": 1}, {"contents": [{"role": "user", "parts": [{"txt": "hi"}]}]},
                  {"generationConfig": {"n": 2}}, {"generationConfig": {"seed": "x"}},
                  {"tools": [{"functionDeclarations": [{"name": "f", "strict": True}]}]}):
        assert specification().errors("GenerateContentRequest", good | wrong) != []
