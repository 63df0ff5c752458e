"""Every recorded Gemini reply decodes to what the recording holds, at every cut.

The oracle below is written for this test alone: it reads the recording with Python's own JSON, by
the rules of the wire facts, and shares nothing with the decoder. Recordings of Vertex AI speak the
same dialect over another address; they are a second, wider check of the same decoder.
"""

import json

import pytest
import tools

# Surfaces that stand in the same folders and are not this codec's.
OTHER_SURFACES = {
    "cached-contents": "caches are made by their own API, not by a chat endpoint",
    "count-tokens": "token counting is no chat endpoint",
    "files": "uploads are no chat endpoint",
    "interactions": "the interactions API is another protocol",
    "models": "the model list is no chat endpoint",
    "predict": "Vertex AI's embeddings have a path and a body of their own",
    "vertex-raw-predict": "Claude on Vertex AI speaks Anthropic's dialect",
    "video": "video generation is a long-running operation",
}
FILTERED = {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
            "MODEL_ARMOR", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"}
# What a client gets for a provider's status: its own 4xx stays, but a refused key is our fault.
STATUS = {401: 502, 403: 502}


def responses_in(text):
    """The responses of a stream: SSE, or the JSON array that Gemini sends without alt=sse."""
    if text.lstrip().startswith("["):
        return json.loads(text)
    events = text.replace("\r\n", "\n").split("\n\n")
    return [json.loads(event[5:]) for event in events if event.startswith("data:")]


def usage_of(responses):
    count = {}
    for response in responses:
        count.update({k: v for k, v in response.get("usageMetadata", {}).items()
                      if k.endswith("TokenCount")})
    if not any(k != "totalTokenCount" for k in count):
        return None
    get = lambda name: count.get(name, 0)  # noqa: E731
    cached = get("cachedContentTokenCount")
    return {
        "input": get("promptTokenCount") + get("toolUsePromptTokenCount") - cached,
        "cache_read": cached,
        "cache_write": 0,
        "output": get("candidatesTokenCount") + get("thoughtsTokenCount"),
        "reasoning": get("thoughtsTokenCount"),
    }


def expected(responses):
    """The first candidate of all responses, as one choice."""
    choice = {"text": "", "reasoning": "", "calls": [], "signatures": []}
    finish, blocked = None, False
    for response in responses:
        blocked |= "blockReason" in response.get("promptFeedback", {})
        for candidate in response.get("candidates", []):
            assert candidate.get("index", 0) == 0, "the oracle reads one candidate"
            finish = candidate.get("finishReason", finish)
            for part in candidate.get("content", {}).get("parts", []):
                if "functionCall" in part:
                    call = part["functionCall"]
                    choice["calls"].append((call["name"], call.get("args", {}), call.get("id")))
                    choice["signatures"].append(part.get("thoughtSignature", ""))
                elif "text" in part:
                    choice["reasoning" if part.get("thought") else "text"] += part["text"]
    if finish in FILTERED or (blocked and finish is None):
        choice["finish"] = "content_filter"
    elif finish == "MAX_TOKENS":
        choice["finish"] = "length"
    else:
        choice["finish"] = "tool_calls" if choice["calls"] else "stop"
    return choice


def check_calls(calls, wanted):
    assert [(c["name"], json.loads(c["arguments"])) for c in calls] == [w[:2] for w in wanted]
    for call, (_, _, given) in zip(calls, wanted):
        assert call["id"] == given if given else call["id"].startswith("call_")
    assert len({c["id"] for c in calls}) == len(calls), "every call has an id of its own"


def check_reply(responses, reply):
    assert reply["error"] is None and reply["ended"]
    assert set(reply["choices"]) == {"0"}
    choice, wanted = reply["choices"]["0"], expected(responses)
    check_calls(choice["tool_calls"], wanted["calls"])
    assert [c["signature"] for c in choice["tool_calls"]] == wanted["signatures"]
    for name in ("text", "reasoning", "finish"):
        assert choice[name] == wanted[name]
    assert reply["id"] == responses[0].get("responseId", "")
    assert reply["model"] == responses[0].get("modelVersion", "")
    usage = usage_of(responses)
    if usage is None:
        assert reply["usage"] is None
        return
    assert {name: reply["usage"][name] for name in usage} == usage
    check_total(responses, reply["usage"])


def check_total(responses, usage):
    """Google's own sum, where the last response still tells all of it."""
    last = responses[-1].get("usageMetadata", {})
    if "totalTokenCount" in last and "promptTokenCount" in last:
        counted = usage["input"] + usage["cache_read"] + usage["output"]
        assert counted == last["totalTokenCount"]


def check_error(response, reply):
    said, error = json.loads(tools.body_of(response))["error"], reply["error"]
    assert error["upstream_status"] == response["status"]
    bad_key = any(d.get("reason") == "API_KEY_INVALID" for d in said.get("details", []))
    status = 502 if bad_key else STATUS.get(response["status"], response["status"])
    assert error["status"] == status
    refused_key = bad_key or response["status"] in STATUS
    assert said["message"] in (error["detail"] if refused_key else error["message"])
    codes = {404: "model_not_found", 429: "upstream_rate_limited", 502: "upstream_auth"}
    assert error["code"] == codes.get(status, "invalid_request_error")
    assert not reply["choices"] and not reply["ended"]


def decode(recording):
    response = recording["response"]
    return tools.run_json("decode_reply", {
        "kind": "gemini",
        "status": response["status"],
        "stream": recording["api"] == "stream-generate-content",
        "endpoint": "embeddings" if recording["api"] == "embeddings" else "chat",
        "headers": json.dumps({k: str(v) for k, v in response["headers"].items()}),
    }, tools.body_of(response))


@pytest.mark.parametrize("group", ["gemini", "vertex"])
def test_every_surface_is_read_or_listed(group):
    read = {"generate-content", "stream-generate-content", "embeddings"}
    assert {r["api"] for _, r in tools.recordings(group)} <= read | set(OTHER_SURFACES)


@pytest.mark.parametrize("recording",
                         tools.parameters("gemini") + tools.parameters("vertex"))
def test_reply_decodes_to_what_was_recorded(recording):
    if recording["api"] in OTHER_SURFACES:
        pytest.skip(OTHER_SURFACES[recording["api"]])
    response, reply = recording["response"], decode(recording)
    assert reply["broken_rules"] == []
    if response["status"] != 200:
        check_error(response, reply)
        return
    whole = "body" in response
    check_reply([response["body"]] if whole else responses_in(response["body_text"]), reply)


def test_a_cut_stream_is_an_error():
    """Every recorded stream without its last event: the reply must not pass for a whole one."""
    cut = 0
    for group in ("gemini", "vertex"):
        for _, recording in tools.recordings(group):
            text = recording["response"].get("body_text", "").replace("\r\n", "\n")
            if recording["api"] != "stream-generate-content" or not text.startswith("data:"):
                continue
            text = text[:text.rindex("data:")]
            if '"finishReason"' in text:
                continue
            recording["response"]["body_text"] = text
            reply = decode(recording)
            assert reply["error"]["code"] == "upstream_error" and not reply["ended"]
            assert all(c["finish"] == "" for c in reply["choices"].values())
            cut += 1
    if cut == 0:
        pytest.skip("no recordings here")
