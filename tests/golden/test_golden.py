"""One case is one exchange, in tests/golden/<kind>/<case>/:

  case.json               upstream `model`; optional: `endpoint`, `refuse`, `defaults` of the model,
                          `status` and `headers` of the provider's reply, `client_status` (200
                          where it is left out), `relay: false` to render what could be relayed
  client_request.json     what the client sent
  upstream_request.json   `target`, `headers` (those that matter), `dropped`, `body`; missing where
                          the request is refused before it is sent
  upstream_response.*     the provider's body as it came (.sse, .json, .txt); missing as above
  client_response.*       what the client got: .sse byte for byte, .json by value

Every reply is decoded and rendered whole, byte by byte and in two at every boundary. The reply of
kind `demo` is also what the demo model itself says to that request.
"""

import json
import pathlib

import pytest
import tools

HERE = pathlib.Path(__file__).resolve().parent
CASES = sorted(path.parent for path in HERE.glob("*/*/client_request.json"))


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def file_of(case, stem):
    found = list(case.glob(f"{stem}.*"))
    assert len(found) <= 1, f"{stem} is there twice"
    return found[0] if found else None


def encode(case, settings):
    return tools.run_json("encode_request", {
        "kind": case.parent.name,
        "endpoint": settings.get("endpoint", "chat"),
        "model": settings["model"],
        "refuse": settings.get("refuse", False),
        "defaults": json.dumps(settings.get("defaults", {})),
    }, (case / "client_request.json").read_bytes())


def check_refusal(case, settings, encoded):
    """The request is answered before it is sent anywhere."""
    expected = load(case / "client_response.json")["error"]
    assert "error" in encoded, "the request was not refused"
    assert encoded["error"]["status"] == settings["client_status"]
    for member in ("code", "param", "message"):
        assert encoded["error"][member] == expected[member]


def check_upstream_request(case, encoded):
    expected = load(case / "upstream_request.json")
    assert "error" not in encoded, encoded
    assert json.loads(encoded["body"]) == expected["body"]
    assert encoded["dropped"] == expected["dropped"]
    assert encoded["target"] == expected["target"]
    for name, value in expected["headers"].items():
        assert encoded["headers"].get(name) == value


def reply_headers(settings, response):
    headers = {"content-type": "text/event-stream" if response.suffix == ".sse"
               else "application/json"}
    return headers | settings.get("headers", {})


def translate(case, settings, hints):
    asked = load(case / "client_request.json")
    response = file_of(case, "upstream_response")
    output = tools.run("translate_reply", {
        "kind": case.parent.name,
        "endpoint": settings.get("endpoint", "chat"),
        "status": settings.get("status", 200),
        "headers": json.dumps(reply_headers(settings, response)),
        "stream": asked.get("stream", False),
        "include-usage": (asked.get("stream_options") or {}).get("include_usage", False),
        "json-tool": hints["json_tool_name"] or False,
        "relay": settings.get("relay", hints["relay"]),
        "base64": hints["base64"],
        "client-model": asked["model"],
        "status-line": True,
    }, response.read_bytes()).decode()
    status, _, body = output.partition("\n")
    return int(status), body


def check_reply(case, settings, hints):
    status, body = translate(case, settings, hints)
    assert status == settings.get("client_status", 200)
    expected = file_of(case, "client_response")
    if expected.suffix == ".sse":
        assert body == expected.read_bytes().decode()  # line ends count
    else:
        assert json.loads(body) == load(expected)


def check_demo(case, settings, encoded):
    """What the demo model answers to the encoded request is what the case says it did."""
    script = tools.run_json("demo_reply", {"endpoint": settings.get("endpoint", "chat")},
                            encoded["body"].encode())
    response = file_of(case, "upstream_response")
    assert "".join(step["bytes"] for step in script["steps"]) == response.read_text("utf-8")
    assert script["status"] == settings.get("status", 200)
    assert script["dies"] == settings.get("dies", False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_case(case):
    settings = load(case / "case.json")
    encoded = encode(case, settings)
    if file_of(case, "upstream_request") is None:
        check_refusal(case, settings, encoded)
        return
    check_upstream_request(case, encoded)
    if case.parent.name == "demo":
        check_demo(case, settings, encoded)
    check_reply(case, settings, encoded["hints"])
