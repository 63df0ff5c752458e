"""What the cache answers is what the provider said: every recorded reply, stored whatever pieces it
came in, and rendered whole and as a stream, beside what a client gets without the cache."""

import json

import openai_oracle as oracle
import pytest
import test_corpus_openai as openai
import tools

STORED = {"stop", "tool_calls", "function_call"}
FRESH = ("id", "created")  # a cached reply has these anew


def recordings_of(kind, groups, surfaces):
    return [pytest.param(kind, recording, id=f"{kind}-{group}-{name}")
            for group in groups for name, recording in tools.recordings(group)
            if recording["response"]["status"] == 200 and surfaces(recording)]


def is_openai(recording):
    return openai.is_covered(recording) and recording["api"] != "embeddings"


def is_generate(recording):
    return "generateContent" in recording["request"]["url"] or (
        "streamGenerateContent" in recording["request"]["url"])


def all_recordings():
    return (recordings_of("openai", openai.GROUPS, is_openai)
            + recordings_of("anthropic", ["anthropic"], lambda r: r["api"] == "messages")
            + recordings_of("gemini", ["gemini", "vertex"], is_generate)
            ) or [pytest.param("openai", recording.values[0], marks=recording.marks)
                  for recording in tools.parameters("openai-chat")]


def is_stream(recording):
    text = recording["response"].get("body_text", "")
    return "data:" in text or "streamGenerateContent" in recording["request"]["url"]


def shown(kind, recording, **more):
    response = recording["response"]
    return tools.run_json("cached_reply", {
        "kind": kind,
        "endpoint": "completions" if recording["api"] == "completions" else "chat",
        "status": 200,
        "stream": is_stream(recording),
        "headers": json.dumps({k: str(v) for k, v in response["headers"].items()}),
        **more,
    }, tools.body_of(response))


def whole(text):
    reply = json.loads(text)
    for name in FRESH:
        reply.pop(name)
    return reply


def said(text):
    """What a stream adds up to."""
    items, done = oracle.sse_objects(text)
    assert done
    return oracle.expected(items, "delta") | {"models": {item["model"] for item in items}}


@pytest.mark.parametrize("kind, recording", all_recordings())
def test_a_cached_reply_says_what_the_fresh_one_said(kind, recording):
    reply = shown(kind, recording)
    if reply["error"]:
        assert not reply["stored"]
        return
    fresh = whole(reply["fresh"]["whole"])
    complete = {choice["finish_reason"] for choice in fresh["choices"]} <= STORED
    fleeting = any((choice.get("message") or {}).get("audio") for choice in fresh["choices"])
    assert reply["stored"] == (complete and not fleeting)
    if not reply["stored"]:
        return
    assert whole(reply["cached"]["whole"]) == fresh
    assert said(reply["cached"]["stream"]) == said(reply["fresh"]["stream"])
    # Each from the other: the stream of what came whole, the whole of what came as a stream.
    both = oracle.expected([json.loads(reply["cached"]["whole"])], "message")
    assert {name: said(reply["cached"]["stream"])[name] for name in both} == both


def pieces(text, stream):
    """The JSON objects of a body, as their members in order; of a stream also all that stands
    between them, letter by letter."""
    found = [text]
    if stream:
        found = text.splitlines(keepends=True)
    out = []
    for one in found:
        at = one.find("{") if not stream or one.startswith("data:") else -1
        if at < 0:
            out.append(one)
            continue
        end = one.rindex("}") + 1
        out += [one[:at], json.loads(one[at:end], object_pairs_hook=list), one[end:]]
    return out


def renamed(piece):
    """As it is given again: with an id and a time of its own, where it had any."""
    if not isinstance(piece, list):
        return piece
    return [(name, "chatcmpl-golden" if name == "id" and isinstance(value, str)
             else 1700000000 if name == "created" and isinstance(value, (int, float))
             else value) for name, value in piece]


@pytest.mark.parametrize("kind, recording", recordings_of("openai", openai.GROUPS, is_openai)
                         or [pytest.param("openai", None, marks=pytest.mark.skip("none here"))])
def test_a_relayed_reply_is_given_again_as_it_came(kind, recording):
    reply = shown(kind, recording, again=True)
    if not reply["stored"]:
        return
    fresh, again = reply["relayed"]["fresh"], reply["relayed"]["again"]
    stream = is_stream(recording)
    assert pieces(again, stream) == [renamed(piece) for piece in pieces(fresh, stream)]
