"""The end of a gateway, and the ports that operators and probes use."""
from __future__ import annotations

import json
import signal
import socket

import httpx
import pytest

import scripted
from gateway import key, tenant_yaml
from raw import Connection, ask, chat_body, post, until
from scripted import CHUNKS, DONE, SCRIPTS, Stepped
from test_front import MODELS
from test_streams import error_event

TOKEN = "admin-token-of-this-test"
CLIENT = httpx.Client(timeout=20, limits=httpx.Limits(max_keepalive_connections=0))


def config(url: str, listen: str = "timeouts: {drain: 60s}", more: str = "") -> str:
    return f"""version: 1
listen: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 2, {listen}}}
providers: {{a: {{kind: openai, base_url: "{url}/v1"}}, demo: {{kind: demo}}}}
models:
  demo: {{targets: [{{provider: demo, model: "rate=100000"}}]}}
  up/*: {{targets: [{{provider: a, model: "*"}}], hold_back: 100ms}}
{tenant_yaml()}{more}"""


@pytest.fixture
def first(monkeypatch):
    script = Stepped("".join(CHUNKS[:3]), "".join(CHUNKS[3:]) + DONE)
    monkeypatch.setitem(SCRIPTS, "first", script)
    return script


@pytest.fixture
def provider(upstream):
    return upstream(scripted.openai)


def running_stream(gate, script) -> Connection:
    """A stream in whose middle the client and the provider are."""
    line = Connection(gate).send(post(chat_body("up/first", stream=True)))
    script.go()
    assert line.head().status == 200 and line.chunk().decode() == "".join(CHUNKS[:3])
    return line


def refused(gate) -> bool:
    host, port = gate.url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def terminate(gate) -> None:
    gate.terminate()
    gate.log.wait(lambda l: "draining" in l)


def ready(gate) -> int:
    return CLIENT.get(gate.admin_url + "/readyz").status_code


# --- drain ----------------------------------------------------------------------------------------


@pytest.mark.threads
def test_drain(gateway, provider, first):
    """Not ready, no new connections, idle ones closed, later requests 503, the stream whole."""
    gate = gateway(config(provider.url))
    assert ready(gate) == 200
    line = running_stream(gate, first)
    idle = Connection(gate)
    assert idle.ask(MODELS).status == 200
    begun = Connection(gate)
    begun.send("GET /v1/models HTTP/1.1\r\n")  # a request whose head is under way
    assert begun.silent()
    terminate(gate)
    assert ready(gate) == 503
    assert CLIENT.get(gate.admin_url + "/healthz").status_code == 200
    until(lambda: refused(gate))
    assert idle.closed()
    late = begun.ask(MODELS.split("\r\n", 1)[1])
    assert late.status == 503 and late.error["code"] == "draining"
    assert int(late["retry-after"]) >= 1 and late["connection"] == "close" and begun.closed()
    assert gate.process.poll() is None
    first.go()
    assert line.chunk().decode() == "".join(CHUNKS[3:]) + DONE
    assert line.chunk() == b"" and line.closed()
    gate.stop()
    assert [row["status"] for row in gate.access_lines(1)] == ["ok"]


@pytest.mark.threads
def test_drain_time_is_over(gateway, provider, first):
    """What still runs ends with an error event, its provider is left, and the exit is 0."""
    gate = gateway(config(provider.url, "timeouts: {drain: 300ms}"))
    line = running_stream(gate, first)
    waiting = Connection(gate).send(post(chat_body("up/first")))  # has no head yet
    provider.arrived.get(timeout=20)
    provider.arrived.get(timeout=20)
    terminate(gate)
    rest = b""
    while piece := line.chunk():
        rest += piece
    assert error_event(rest)["code"] == "draining" and b"[DONE]" not in rest
    assert line.closed()
    reply = waiting.reply()
    assert reply.status == 503 and reply.error["code"] == "draining"
    gate.stop()
    [first.go() for _ in range(3)]
    rows = gate.access_lines(2)
    assert sorted(r["http_status"] for r in rows) == [200, 503]


@pytest.mark.threads
def test_an_idle_gateway_ends_at_once(gateway):
    gate = gateway(config("http://127.0.0.1:9"))
    idle = Connection(gate)
    assert idle.ask(post(chat_body())).status == 200
    gate.stop(timeout=20)
    assert idle.closed()
    gate.log.wait(lambda l: "stopped" in l)
    gate.access_lines(1)


def test_a_second_signal_ends_at_once(gateway, provider, first):
    gate = gateway(config(provider.url))
    line = running_stream(gate, first)
    terminate(gate)
    gate.terminate()
    assert gate.process.wait(20) == 1
    first.go()
    line.close()
    gate.stop(expect=1)
    gate.stop = lambda **_: None  # the fixture expects 0


@pytest.mark.threads
def test_sigint_drains_too(gateway):
    gate = gateway(config("http://127.0.0.1:9"))
    gate.process.send_signal(signal.SIGINT)
    assert gate.process.wait(20) == 0


def test_drain_takes_what_waits_in_the_backlog(gateway):
    """Many connect at the moment of the signal: each is answered or refused, none is reset."""
    gate = gateway(config("http://127.0.0.1:9"))
    lines = [Connection(gate) for _ in range(50)]
    gate.terminate()
    for line in lines:
        try:
            line.send(MODELS)
            assert line.reply().status in (200, 503)
        except (BrokenPipeError, ConnectionResetError):
            pytest.fail("a connection that had been accepted was reset")
    assert gate.process.wait(20) == 0


# --- the other ports ------------------------------------------------------------------------------


def test_admin_token_and_metrics_port(gateway):
    listen = f"admin_token: {TOKEN}, metrics: 127.0.0.1:0"
    gate = gateway(config("http://127.0.0.1:9", listen))
    good = {"authorization": f"Bearer {TOKEN}"}
    for path in ("/metrics", "/healthz", "/readyz", "/admin/config"):
        assert CLIENT.get(gate.admin_url + path).status_code == 401
        for wrong in ("Bearer x", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN):
            reply = CLIENT.get(gate.admin_url + path, headers={"authorization": wrong})
            assert reply.status_code == 401 and TOKEN not in reply.text
        assert CLIENT.get(gate.admin_url + path, headers=good).status_code == 200
    assert CLIENT.post(gate.admin_url + "/admin/reload").status_code == 401
    assert CLIENT.post(gate.admin_url + "/admin/reload", headers=good).status_code == 200
    assert TOKEN not in CLIENT.get(gate.admin_url + "/admin/config", headers=good).text

    line = gate.log.wait(lambda l: "metrics listening on" in l)[0]
    probes = "http://" + line.split("listening on ")[1].split('"')[0].split(" ")[0].strip("}")
    for path in ("/metrics", "/healthz", "/readyz"):
        assert CLIENT.get(probes + path).status_code == 200
    for method, path in (("GET", "/admin/config"), ("POST", "/admin/reload"),
                         ("GET", "/v1/models")):
        assert CLIENT.request(method, probes + path).status_code == 404
    assert "tollgate_build_info" in CLIENT.get(probes + "/metrics").text

    text = gate.file.read_text()
    gate.file.write_text(text.replace(TOKEN, "another-token"))
    assert CLIENT.post(gate.admin_url + "/admin/reload", headers=good).status_code == 200
    fresh = {"authorization": "Bearer another-token"}
    until(lambda: CLIENT.get(gate.admin_url + "/healthz", headers=fresh).status_code == 200)
    assert CLIENT.get(gate.admin_url + "/healthz", headers=good).status_code == 401


def test_admin_routes(gateway):
    gate = gateway(config("http://127.0.0.1:9"))
    for method, path, status in (("GET", "/", 404), ("GET", "/v1/models", 404),
                                 ("POST", "/metrics", 405), ("GET", "/admin/reload", 405),
                                 ("DELETE", "/admin/config", 405)):
        reply = CLIENT.request(method, gate.admin_url + path)
        assert reply.status_code == status, path
        assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
        assert (status != 405) or reply.headers["allow"]
    head = CLIENT.head(gate.admin_url + "/healthz")
    assert head.status_code == 200 and head.content == b""
    assert ask(gate, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").status == 404


def test_log_forms(gateway):
    """JSON lines by default, text when asked; the level is obeyed."""
    gate = gateway(config("http://127.0.0.1:9"))
    assert ask(gate, post(chat_body())).status == 200
    gate.stop()
    assert all(set(json.loads(l)) >= {"time", "level", "message"} for l in gate.log.lines)
    gate = gateway(config("http://127.0.0.1:9", more="log: {format: text, access: off}\n"))
    assert ask(gate, post(chat_body())).status == 200
    gate.stop()
    assert gate.log.lines and not any(l.startswith("{") for l in gate.log.lines)
    assert gate.access.lines == []
