"""No recorded call cost more than the bound that would have been reserved for it (money.md M2 to
M6). Bodies count as compact JSON, which is the least that they can have been sent as. A call whose
price the rules call unknown, or that needs a limit first, reserves nothing here and is counted.
"""

import collections
import json
import statistics
import urllib.parse

import native
import pytest
import tools

PRICES = tools.ROOT / "config" / "prices.yaml"
DIALECT = {"anthropic": "anthropic", "gemini": "gemini", "vertex": "gemini"}
PROVIDER = {"openai-chat": "openai", "openai-misc": "openai", "azure-openai": "azure"}
GROUPS = ("anthropic", "azure-openai", "cerebras", "cloudflare", "crusoe", "databricks", "deepseek",
          "doubleword", "gemini", "gpustack", "groq", "huggingface", "llamacpp", "mistral",
          "mistralrs", "ollama", "openai-chat", "openai-misc", "openrouter", "perplexity",
          "snowflake", "together", "venice", "vercel-gateway", "vertex", "vllm", "voyage", "xai",
          "zai")
APIS = {"chat": "chat", "messages": "chat", "completions": "completions",
        "embeddings": "embeddings", "generate-content": "chat", "stream-generate-content": "chat"}
LEAST = 190


def too_much(answers):
    return statistics.median(1 - answer["cost"] / answer["bound"] for answer in answers)


def reply_of(response):
    if "body_text" in response:
        text = response["body_text"]
        return text, text.lstrip().startswith(("data:", "event:", ":"))
    return native.compact(response.get("body")), False


def question(group, recording):
    """A line for bound_request, or None where nothing was generated or told."""
    request, response = recording["request"], recording["response"]
    if recording["api"] not in APIS or response["status"] != 200 or "body" not in request:
        return None
    if "body_base64" in response or not isinstance(request["body"], dict):
        return None
    body, kind = request["body"], DIALECT.get(group, "openai")
    model = recording["model"] or body.get("model") or ""
    if kind == "anthropic" and recording["api"] == "messages":
        chat = native.from_anthropic(body)
    elif kind == "gemini" and "contents" in body:
        chat = native.from_gemini(body, model)
    else:
        chat, kind = body, "openai"
    reply, stream = reply_of(response)
    return {"kind": kind, "provider": PROVIDER.get(group, group), "model": model,
            "host": urllib.parse.urlparse(request["url"]).hostname,
            "endpoint": APIS[recording["api"]], "request": native.compact({"model": model} | chat),
            "bytes": len(native.compact(body).encode()), "reply": reply, "stream": stream}


@pytest.fixture(scope="module", name="answers")
def all_answers():
    asked = {f"{group}/{name}": question(group, recording)
             for group in GROUPS for name, recording in tools.recordings(group)}
    asked = {name: line for name, line in asked.items() if line}
    if not asked:
        pytest.skip("no recordings here")
    lines = "\n".join(map(native.compact, asked.values())) + "\n"
    out = tools.run("bound_request", {"prices": PRICES}, lines.encode())
    return dict(zip(asked, map(json.loads, out.splitlines()), strict=True))


def bounded(answers):
    return {name: answer for name, answer in answers.items()
            if answer.get("priced") and not answer["needs_limit"] and answer["cost"] is not None}


def test_no_call_cost_more_than_its_bound(answers):
    held = bounded(answers)
    assert len(held) >= LEAST
    above = {name: answer for name, answer in held.items() if answer["cost"] > answer["bound"]}
    assert not above


def test_no_call_took_more_input_than_its_bound(answers):
    """Also of calls that need a limit first: the input's bound stands without one."""
    above = {name: answer for name, answer in answers.items()
             if answer.get("priced") and answer["input_tokens"] > answer["bound_tokens"]}
    assert not above


def test_a_bound_is_not_without_measure(answers, capsys):
    """What is held too much is told. Where the client gave no limit it is the model's largest
    output, which hardly any reply is."""
    held = {name: answer for name, answer in bounded(answers).items() if answer["bound"]}
    limited = [answer for answer in held.values() if answer["limited"]]
    inputs = [answer["bound_tokens"] / answer["input_tokens"] for answer in held.values()
              if answer["input_tokens"]]
    why = collections.Counter(answer["unpriced"] or "needs a limit" for answer in answers.values()
                              if answer.get("unpriced") or answer.get("needs_limit"))
    with capsys.disabled():
        print(f"\n{len(held)} of {len(answers)} recorded calls have a bound. Median share that is "
              f"held too much: {too_much(held.values()):.3f}, with a limit of the client's "
              f"{too_much(limited):.3f}; input bound over input: {statistics.median(inputs):.1f}. "
              f"Without a bound: {sum(why.values())}")
        for reason, count in why.most_common():
            print(f"  {count} {reason}")
    assert statistics.median(inputs) < 20
    assert too_much(limited) < 0.98
