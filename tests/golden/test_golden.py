"""One case is one exchange, in tests/golden/<kind>/<case>/:

  case.json               upstream `model`; optional: `refuse`, `status` and `headers` of the
                          provider's reply, `client_status` (200 where it is left out)
  client_request.json     what the client sent
  upstream_request.json   `target`, `headers` (those that matter), `dropped`, `body`; missing where
                          the request is refused before it is sent
  upstream_response.*     the provider's body as it came (.sse, .json, .txt); missing as above
  client_response.*       what the client got: .sse byte for byte, .json by value

Every reply is decoded and rendered whole, byte by byte and in two at every boundary.
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
        "model": settings["model"],
        "refuse": settings.get("refuse", False),
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
        "status": settings.get("status", 200),
        "headers": json.dumps(reply_headers(settings, response)),
        "stream": asked.get("stream", False),
        "include-usage": (asked.get("stream_options") or {}).get("include_usage", False),
        "json-tool": hints["json_tool_name"] or False,
        "relay": hints["relay"],
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
        assert body == expected.read_text(encoding="utf-8")
    else:
        assert json.loads(body) == load(expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_case(case):
    settings = load(case / "case.json")
    encoded = encode(case, settings)
    if file_of(case, "upstream_request") is None:
        check_refusal(case, settings, encoded)
        return
    check_upstream_request(case, encoded)
    check_reply(case, settings, encoded["hints"])
