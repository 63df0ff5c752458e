"""What the tests of the cache share: a provider that counts its calls, a file, a client."""
from __future__ import annotations

import json
import urllib.error
import urllib.request

import httpx
import openai

from gateway import key, key_yaml


def config(provider, cache="{}", tenants: dict | None = None) -> str:
    tenants = tenants or {"acme": ""}
    text = f"""
providers:
  up: {{kind: openai, base_url: "{provider.server.url}/v1", api_key: k,
       price: {{input: 1, output: 2}}}}
models:
  m: {{targets: [{{provider: up, model: u}}]}}
  tool: {{targets: [{{provider: up, model: tool}}]}}
  cut: {{targets: [{{provider: up, model: cut}}]}}
  fails: {{targets: [{{provider: up, model: fails}}]}}
  any/*: {{targets: [{{provider: up, model: "*"}}]}}
cache: {cache}
tenants:
"""
    for name, more in tenants.items():
        text += f"  {name}:\n    keys: [{key_yaml(name)[2:]}]\n{more}"
    return text


def client(gateway, tenant="acme", **options) -> openai.OpenAI:
    return openai.OpenAI(base_url=gateway.base_url, api_key=key(tenant), max_retries=0,
                         http_client=httpx.Client(), **options)


ASK = {"model": "m", "temperature": 0, "messages": [{"role": "user", "content": "Hello?"}]}


def post(gateway, body=None, tenant="acme", path="/chat/completions", only=None, **headers):
    """(status, headers, body); `only`: the whole request"""
    request = urllib.request.Request(
        gateway.base_url + path, json.dumps(only or {**ASK, **(body or {})}).encode(),
        {"authorization": "Bearer " + key(tenant), "content-type": "application/json",
         **{k.replace("_", "-"): v for k, v in headers.items()}})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def said(gateway, body=None, **more) -> str:
    return post(gateway, body, **more)[1]["x-tollgate-cache"]


def collect(stream) -> dict:
    """What a client makes of a stream."""
    out = {"text": "", "calls": {}, "finish": None, "usage": None, "ids": set(), "created": set()}
    for chunk in stream:
        out["ids"].add(chunk.id)
        out["created"].add(chunk.created)
        out["usage"] = chunk.usage or out["usage"]
        for choice in chunk.choices:
            out["text"] += choice.delta.content or ""
            out["finish"] = choice.finish_reason or out["finish"]
            for call in choice.delta.tool_calls or []:
                one = out["calls"].setdefault(call.index, {"id": call.id, "name": "",
                                                           "arguments": ""})
                one["name"] += call.function.name or ""
                one["arguments"] += call.function.arguments or ""
    return out


def admin(gateway, body) -> tuple[int, dict]:
    request = urllib.request.Request(gateway.admin_url + "/admin/cache/purge",
                                     body if isinstance(body, bytes) else json.dumps(body).encode(),
                                     method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
