"""The demo model's tool arguments and structured answers are valid instances of every schema that
somebody really sent: all schemas in the recorded chat requests, and some awkward ones."""

import json

import jsonschema
import pytest
import tools

GROUPS = ["openai-chat", "azure-openai", "cerebras", "cloudflare", "crusoe", "databricks",
          "deepseek", "doubleword", "gpustack", "groq", "huggingface", "llamacpp", "mistral",
          "ollama", "openrouter", "snowflake", "together", "venice", "vercel-gateway", "xai", "zai"]
AWKWARD = [
    {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3, "maximum": 3}},
     "required": ["n"], "additionalProperties": False},
    {"type": "object", "properties": {"a": {"type": "array", "items": {"enum": ["x", "y"]},
                                            "minItems": 2, "uniqueItems": True}}},
    {"type": "object", "properties": {"a": {"type": "array", "uniqueItems": True, "minItems": 3,
                                            "items": {"type": "number", "multipleOf": 0.5}}}},
    {"$defs": {"tree": {"type": "object", "required": ["left", "right"], "properties": {
        "left": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
        "right": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]}}}},
     "type": "object", "properties": {"root": {"$ref": "#/$defs/tree"}}, "required": ["root"]},
    {"type": "object", "properties": {"kind": {"oneOf": [
        {"type": "object", "properties": {"t": {"const": "a"}, "v": {"type": "string"}},
         "required": ["t", "v"]},
        {"type": "object", "properties": {"t": {"const": "b"}}, "required": ["t"]}]}}},
    {"type": "object", "allOf": [{"properties": {"a": {"type": "string", "minLength": 20}}},
                                 {"required": ["a", "b"]}]},
    {"type": "object", "properties": {"s": {"type": "string", "maxLength": 3},
                                      "when": {"type": "string", "format": "date-time"},
                                      "ip": {"type": "string", "format": "ipv4"},
                                      "code": {"type": "string",
                                               "pattern": "^[A-Z]{3}-[0-9]{2,4}$"}}},
    {"type": "object", "minProperties": 3, "additionalProperties": {"type": "boolean"}},
    {"type": "object", "properties": {"p": {"type": "array", "prefixItems": [
        {"type": "integer"}, {"type": "string"}], "items": False, "minItems": 2}}},
    {"type": "object", "properties": {"x": {"type": ["null", "number"], "exclusiveMinimum": 0,
                                            "exclusiveMaximum": 0.25}}, "required": ["x"]},
    {"type": "object", "properties": {"größe": {"type": "string", "maxLength": 7}}},
]


def schemas_in(body):
    for tool in body.get("tools") or []:
        function = tool.get("function") or {} if isinstance(tool, dict) else {}
        if isinstance(function.get("parameters"), dict):
            yield function["parameters"]
    wanted = body.get("response_format")
    wanted = wanted.get("json_schema") or {} if isinstance(wanted, dict) else {}
    if isinstance(wanted.get("schema"), dict):
        yield wanted["schema"]


def recorded_schemas():
    seen = {}
    for group in GROUPS:
        for name, recording in tools.recordings(group):
            body = recording["request"].get("body")
            for schema in schemas_in(body) if isinstance(body, dict) else []:
                if schema:
                    seen.setdefault(json.dumps(schema, sort_keys=True), f"{group}-{name}")
    return [pytest.param(json.loads(text), id=name) for text, name in seen.items()]


def ask(more):
    body = {"model": "demo", "messages": [{"role": "user", "content": "Go."}]} | more
    script = tools.run_json("demo_reply", {}, json.dumps(body, ensure_ascii=False).encode())
    assert script["status"] == 200
    return json.loads(script["steps"][0]["bytes"])["choices"][0]


@pytest.mark.parametrize("schema", recorded_schemas() + AWKWARD)
def test_an_instance_is_valid(schema):
    check = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)(
        schema, format_checker=jsonschema.FormatChecker())
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    called = ask({"tools": [tool]})
    assert called["finish_reason"] == "tool_calls"
    arguments = called["message"]["tool_calls"][0]["function"]["arguments"]
    check.validate(json.loads(arguments))
    answer = ask({"response_format": {"type": "json_schema",
                                      "json_schema": {"name": "s", "schema": schema}}})
    assert answer["finish_reason"] == "stop"
    check.validate(json.loads(answer["message"]["content"]))
