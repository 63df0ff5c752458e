"""Reload: every trigger, what it changes, what it leaves alone, and what a bad file does."""
from __future__ import annotations

import os
import pathlib
import signal
import socket
import ssl
import subprocess
import time

import httpx
import pytest

import scripted
from gateway import Gateway, key, key_yaml, tenant_yaml
from raw import Connection, ask, chat_body, post, until
from scripted import CHUNKS, DONE, SCRIPTS, Stepped
from test_commands import run

pytestmark = pytest.mark.threads
# One client for all: making one reads every root certificate of the system.
CLIENT = httpx.Client(timeout=20, limits=httpx.Limits(max_keepalive_connections=0))
LISTEN = "{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 2}"


def config(model: str = "one", more: str = "", listen: str = LISTEN, ids=("t-key",)) -> str:
    keys = "\n      ".join(key_yaml(i) for i in ids)
    return f"""version: 1
listen: {listen}
providers: {{demo: {{kind: demo}}}}
models: {{{model}: {{targets: [{{provider: demo, model: "rate=100000"}}]}}}}
tenants:
  t:
    keys:
      {keys}
{more}"""


def names(gate) -> list[str]:
    reply = CLIENT.get(gate.base_url + "/models", headers={"authorization": f"Bearer {key()}"})
    return [m["id"] for m in reply.json()["data"]]


def admin(gate, method: str = "POST", path: str = "/admin/reload", **more):
    return CLIENT.request(method, gate.admin_url + path, **more)


def reloaded(gate, count: int, why: str = "configuration reloaded"):
    gate.log.wait(lambda l: why in l, count)


@pytest.fixture
def gate(gateway):
    return gateway(config())


def test_sighup(gate):
    gate.rewrite(config("two"))
    gate.process.send_signal(signal.SIGHUP)
    reloaded(gate, 1)
    until(lambda: names(gate) == ["two"])


def test_admin_post(gate):
    gate.file.write_text(config("two"))
    reply = admin(gate)
    assert reply.status_code == 200 and reply.json()["status"] == "reloaded"
    assert reply.json()["problems"] == [] and reply.json()["restart_required"] == []
    until(lambda: names(gate) == ["two"])
    assert admin(gate, "GET").status_code == 405


def test_file_rewritten(gate):
    gate.rewrite(config("two"))
    reloaded(gate, 1)
    until(lambda: names(gate) == ["two"])


def test_config_map(tmp_path):
    """As Kubernetes does it: the file is a link through `..data`, and that link is switched."""
    def version(name: str, text: str):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tollgate.yaml").write_text(text)
        os.symlink(name, tmp_path / "..new")
        os.rename(tmp_path / "..new", tmp_path / "..data")

    first = config()
    version("..v1", first)
    os.symlink("..data/tollgate.yaml", tmp_path / "tollgate.yaml")
    gate = Gateway(first, tmp_path)  # writes through the link
    try:
        assert (tmp_path / "tollgate.yaml").is_symlink()
        stamp = (tmp_path / "..v1/tollgate.yaml").stat()
        version("..v2", config("two"))
        os.utime(tmp_path / "..v2/tollgate.yaml", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        reloaded(gate, 1)
        until(lambda: names(gate) == ["two"])
    finally:
        gate.stop()


def test_included_and_secret_files_are_watched(gateway, tmp_path):
    (tmp_path / "tenants").mkdir()
    (tmp_path / "secret").write_text("sk-old\n")
    (tmp_path / "tenants/t.yaml").write_text(tenant_yaml("    models: [one]\n"))
    text = config().split("tenants:")[0].replace("version: 1", f"""version: 1
include: ["{tmp_path}/tenants/*.yaml"]""").replace(
        "demo: {kind: demo}", f"demo: {{kind: demo, api_key: '${{file:{tmp_path}/secret}}'}}")
    gate = gateway(text)
    assert names(gate) == ["one"]
    (tmp_path / "tenants/u.yaml").write_text(tenant_yaml().replace("  t:", "  u:").replace(
        key_yaml(), key_yaml("u-key")))
    reloaded(gate, 1)
    until(lambda: ask(gate, post(chat_body("one"), headers=f"x-api-key: {key('u-key')}\r\n"))
          .status == 200)
    (tmp_path / "secret").write_text("sk-new\n")
    reloaded(gate, 2)


def test_a_bad_file_changes_nothing(gate):
    assert gate.metric("tollgate_config_reload_success") == 1
    loaded = gate.metric("tollgate_config_reload_timestamp_seconds")
    assert abs(loaded - time.time()) < 600
    gate.rewrite(config("two", "    modles: [two]\nauth: kyes\n"))
    bad = admin(gate)
    assert bad.status_code == 422 and bad.json()["status"] == "rejected"
    problems = bad.json()["problems"]
    assert len(problems) == 2 and str(gate.file) + ":9:5: " in problems[0]
    assert 'did you mean "models"?' in problems[0] and "kyes" in problems[1]
    lines = gate.log.wait(lambda l: "not reloaded" in l or "modles" in l or "kyes" in l, 3)
    assert all('"error"' in l for l in lines), lines
    assert gate.metric("tollgate_config_reload_success") == 0
    assert gate.metric("tollgate_config_reload_timestamp_seconds") == loaded
    assert names(gate) == ["one"] and ask(gate, post(chat_body("one"))).status == 200
    gate.process.send_signal(signal.SIGHUP)
    reloaded(gate, 2, "not reloaded")
    gate.file.unlink()
    assert admin(gate).status_code == 422 and names(gate) == ["one"]
    gate.file.write_text(config("three"))
    assert admin(gate).status_code == 200
    until(lambda: names(gate) == ["three"])
    assert gate.metric("tollgate_config_reload_success") == 1


def test_restart_required(gateway):
    gate = gateway(config())
    gate.rewrite(config("two", listen="{http: 127.0.0.1:1, admin: 127.0.0.1:2, workers: 3, "
                                      "metrics: 127.0.0.1:0, heartbeat: 1s}"))
    reply = admin(gate).json()
    assert reply["status"] == "reloaded"
    assert sorted(reply["restart_required"]) == [
        "listen.admin", "listen.http", "listen.metrics", "listen.workers"]
    gate.log.wait(lambda l: "restart_required" in l and "listen.http" in l)
    until(lambda: names(gate) == ["two"])


def test_keys_come_and_go(gateway):
    gate = gateway(config(ids=("t-key", "k2")))
    header = f"authorization: Bearer {key('k2')}\r\n"
    line = Connection(gate)
    assert line.ask(post(chat_body("one"), headers=header)).status == 200
    gate.file.write_text(config())
    assert admin(gate).status_code == 200
    until(lambda: line.ask(post(chat_body("one"), headers=header)).status == 401)
    gate.file.write_text(config(ids=("t-key", "k2", "k3")))
    assert admin(gate).status_code == 200
    until(lambda: line.ask(post(chat_body("one"), headers=header)).status == 200)


def test_a_running_call_keeps_its_configuration(gateway, upstream, monkeypatch):
    """Its key, model and provider are gone from the file; the stream goes on to its end."""
    script = Stepped("".join(CHUNKS[:3]), "".join(CHUNKS[3:]) + DONE)
    monkeypatch.setitem(SCRIPTS, "first", script)
    provider = upstream(scripted.openai)
    gate = gateway(config(ids=("t-key", "k2")).replace("{demo: {kind: demo}}", f"""
  demo: {{kind: openai, base_url: "{provider.url}/v1"}}""").replace("rate=100000", "first"))
    line = Connection(gate).send(post(chat_body("one", stream=True),
                                      headers=f"authorization: Bearer {key('k2')}\r\n"))
    script.go()
    assert line.head().status == 200 and line.chunk()
    gate.file.write_text(config("two"))
    assert admin(gate).status_code == 200
    until(lambda: names(gate) == ["two"])
    script.go()
    assert line.until(DONE.encode())


def test_reloads_under_load(gateway):
    """Forty reloads while calls run: none fails, and the last file wins."""
    gate = gateway(config("one"))
    both = config("one").replace("models: {", "models: {two: {targets: [{provider: demo, "
                                 "model: demo}]}, ")
    lines = [Connection(gate) for _ in range(4)]
    for turn in range(40):
        gate.file.write_text(both if turn % 2 else config("one"))
        [line.send(post(chat_body("one", stream=bool(turn % 3)))) for line in lines]
        assert admin(gate).status_code == 200
        assert [line.reply().status for line in lines] == [200] * 4
    until(lambda: sorted(names(gate)) == ["one", "two"])


# --- TLS ------------------------------------------------------------------------------------------


def certificate(directory: pathlib.Path, name: str) -> None:
    """A self-signed certificate for 127.0.0.1 at tls.crt and tls.key."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", directory / "tls.key",
                    "-out", directory / "tls.crt"], check=True, capture_output=True)


def presented(gate) -> str:
    """The certificate that a new connection is shown."""
    host, port = gate.url.split("//")[1].split(":")
    return ssl.get_server_certificate((host, int(port)))


def test_tls(gateway, tmp_path):
    certificate(tmp_path, "first")
    tls = f"tls: {{cert_file: {tmp_path}/tls.crt, key_file: {tmp_path}/tls.key}}"
    gate = gateway(config(listen=LISTEN[:-1] + f", {tls}}}"))
    first = (tmp_path / "tls.crt").read_text()
    assert presented(gate) == first
    gate.url = gate.url.replace("http:", "https:")
    client = httpx.Client(verify=ssl.create_default_context(cafile=str(tmp_path / "tls.crt")),
                          headers={"authorization": f"Bearer {key()}"}, timeout=20)
    for stream in (False, True):
        reply = client.post(gate.base_url + "/chat/completions",
                            content=chat_body("one", stream=stream))
        assert reply.status_code == 200 and ("[DONE]" in reply.text) == stream

    certificate(tmp_path, "second")
    second = (tmp_path / "tls.crt").read_text()
    until(lambda: presented(gate) == second)
    assert client.get(gate.base_url + "/models").status_code == 200  # the open connection goes on

    loads = len([l for l in gate.log.lines if "certificate not reloaded" in l])
    (tmp_path / "tls.crt").write_text("nonsense")
    gate.log.wait(lambda l: "certificate not reloaded" in l, loads + 1)
    assert presented(gate) == second
    client.close()


def test_tls_without_its_files(tmp_path):
    """One clear sentence, and no start."""
    path = tmp_path / "tollgate.yaml"
    tls = "tls: {cert_file: none.crt, key_file: none.key}"
    path.write_text(config(listen=LISTEN[:-1] + f", {tls}}}"))
    bad = run("serve", "--config", path)
    assert bad.returncode == 1 and "none.crt" in bad.stderr


def test_tls_port_and_strangers(gateway, tmp_path):
    """Who speaks no TLS, or does not finish its handshake, is closed; the others do not notice."""
    certificate(tmp_path, "one")
    tls = f"tls: {{cert_file: {tmp_path}/tls.crt, key_file: {tmp_path}/tls.key}}"
    gate = gateway(config(listen=LISTEN[:-1] + f", {tls}, timeouts: {{header: 300ms}}}}"))
    plain = Connection(gate).send(post(chat_body("one")))
    silent = Connection(gate)
    half = Connection(gate).send(b"\x16\x03\x01\x02\x00\x01")
    while plain._more():  # an alert of TLS may come
        pass
    assert silent.closed() and half.closed()
    context = ssl.create_default_context(cafile=str(tmp_path / "tls.crt"))
    host, port = gate.url.removeprefix("http://").split(":")
    for protocols in (["http/1.1"], ["h2", "http/1.1"]):
        context.set_alpn_protocols(protocols)
        sock = context.wrap_socket(socket.create_connection((host, int(port))),
                                   server_hostname=host)
        assert sock.selected_alpn_protocol() in (None, "http/1.1")
        assert Connection(gate, sock=sock).ask(post(chat_body("one"))).status == 200
        sock.close()
