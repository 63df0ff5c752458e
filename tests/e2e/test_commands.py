"""The command line as a black box: what it prints, what it returns, what it refuses to start."""
from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from gateway import BINARY, Gateway, tenant_yaml
from raw import Connection, ask, chat_body, post, until

BASE = f"""version: 1
listen: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1}}
providers: {{demo: {{kind: demo}}, two: {{kind: openai, base_url: "http://127.0.0.1:9/v1"}}}}
models:
  demo: {{targets: [{{provider: demo, model: demo}}]}}
  demo/*: {{targets: [{{provider: demo, model: "*"}}, {{provider: two, model: big}}]}}
"""
GOOD = BASE + tenant_yaml()


def run(*args, env: dict | None = None, cwd=None):
    clean = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
    return subprocess.run([str(BINARY), *map(str, args)], capture_output=True, text=True,
                          timeout=30, env={**clean, **(env or {})}, cwd=cwd)


@pytest.fixture
def file(tmp_path):
    def make(text: str, name: str = "tollgate.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path
    return make


def test_version_and_help():
    for version in (run("--version"), run("--version", env={"OPENAI_API_KEY": "x"})):
        assert version.returncode == 0 and re.match(r"tollgate \d+\.\d+", version.stdout)
    shown = run("--help")
    assert shown.returncode == 0
    for command in ("serve", "check", "key", "explain", "schema", "healthcheck"):
        assert command in shown.stdout


@pytest.mark.parametrize("args", [(), ("sreve",), ("serve", "--port", "1"), ("check",), ("key",),
                                  ("key", "new"), ("explain",), ("serve", "--listen", "nonsense"),
                                  ("key", "new", "--tenant", "t", "--id", "a b"),
                                  ("ledger",), ("ledger", "sum"),
                                   ("ledger", "summary", "--by", "x"),
                                  ("ledger", "summary", "--since", "soon"),
                                  ("ledger", "export", "--format", "xml"),
                                  ("ledger", "export", "--from", "now")])
def test_wrong_usage(args):
    wrong = run(*args)
    assert wrong.returncode == 2 and (wrong.stderr or wrong.stdout)
    if args == ("sreve",):
        assert 'did you mean "serve"?' in wrong.stderr


@pytest.mark.smoke
def test_check(file):
    path = file(GOOD)
    for args in (("check", path), ("check", "--config", path)):
        good = run(*args)
        assert (good.returncode, good.stderr) == (0, "") and f"{path}: ok" in good.stdout


def test_check_names_every_mistake_with_its_place(file):
    text = """version: 1
listen: {http: 127.0.0.1:0, heartbeet: 15s, timeouts: {drain: 5 minutes}}
providers:
  demo: {kind: dmeo}
  open: {kind: openai, base_url: "ftp://x"}
models:
  m: {targets: [{provider: demo1, model: x}], strategy: wieghted}
  m: {targets: [{provider: demo, model: x}]}
  n: {targets: [], queue: {wiat: 2s}}
tenants:
  t: {keys: [{id: k, sha256: "12"}], models: ["mm"], budgets: [{usd: 1, per: day}]}
auth: kyes
guard: {}
"""
    path = file(text)
    bad = run("check", path)
    assert bad.returncode == 1 and bad.stdout == ""
    lines = bad.stderr.splitlines()
    places = []
    for line in lines:
        found = re.fullmatch(re.escape(str(path)) + r":(\d+):(\d+): (.+)", line)
        assert found, line
        places.append((int(found[1]), int(found[2])))
    assert places == sorted(places) and {p[0] for p in places} >= {2, 4, 5, 7, 8, 9, 11, 12}

    def said(number, at, *words):
        """An error at line `number`, at the column where `at` stands there."""
        place = f":{number}:{text.splitlines()[number - 1].index(at) + 1}: "
        assert any(all(w in l for w in (place, *words)) for l in lines), (place, words, lines)
    said(2, "heartbeet", 'unknown key "heartbeet"', 'did you mean "heartbeat"?')
    said(2, "5 minutes", "5 minutes")
    said(4, "dmeo", "dmeo", 'did you mean "demo"?')
    said(5, '"ftp', "base_url")
    said(7, "demo1", "demo1", 'did you mean "demo"?')
    said(7, "wieghted", "wieghted", 'did you mean "weighted"?')
    said(8, "m:", '"m"')
    said(9, "[]", "targets")
    said(9, "wiat", "wiat", 'did you mean "wait"?')
    said(11, '"12"', "sha256")
    said(11, '"mm"', "mm")
    said(12, "kyes", "kyes", 'did you mean "keys"?')
    said(13, "guard", "guard", "not supported yet")


@pytest.mark.parametrize("text,words", [
    ("", "version"), ("version: 2\n", "version"), ("[1, 2]\n", ""), ("version: 1\n\tx: 1\n", ":2:"),
    ("version: 1\na: &a [*a]\n", ""), ("version: ${NOT_SET_AT_ALL}\n", "NOT_SET_AT_ALL"),
    (GOOD + "cache: {store: redis}\n", '"redis" needs cache.redis or store.redis'),
    (GOOD + "tracing: {sample: 1.0}\n", "not supported yet"),
    (GOOD + "ledger: {retention: 1h}\n", "retention"),
    (GOOD.replace("version: 1", "version: 1\nversion: 1"), '"version"'),
    (GOOD.replace("127.0.0.1:0, admin", "0.0.0.0:0, admin") + "auth: none\n", "auth: none"),
    (GOOD.replace("admin: 127.0.0.1:0", "admin: 0.0.0.0:0"), "admin_token"),
])
def test_check_refuses(file, text, words):
    path = file(text)
    bad = run("check", path)
    assert bad.returncode == 1 and words in bad.stderr and str(path) in bad.stderr
    served = run("serve", "--config", path)
    assert served.returncode == 1 and words in served.stderr


def test_check_follows_includes_and_expansions(file, tmp_path):
    (tmp_path / "tenants").mkdir()
    (tmp_path / "key").write_text("sk-from-file\n")
    path = file(BASE.replace("version: 1", 'version: 1\ninclude: ["tenants/*.yaml"]')
                .replace("kind: openai,", 'kind: openai, api_key: "${file:key}",'))
    inner = file(tenant_yaml(), "tenants/t.yaml")
    assert run("check", path).returncode == 0
    inner.write_text(tenant_yaml("    modles: [demo]\n"))
    bad = run("check", path)
    assert bad.returncode == 1 and re.search(r"tenants/t\.yaml:5:5: unknown key \"modles\" "
                                             r"\(did you mean \"models\"\?\)", bad.stderr)
    file(tenant_yaml(), "tenants/again.yaml")
    inner.write_text(tenant_yaml())
    assert '"t"' in run("check", path).stderr
    (tmp_path / "tenants/again.yaml").unlink()
    (tmp_path / "key").unlink()
    bad = run("check", path)
    assert bad.returncode == 1 and "sk-from-file" not in bad.stderr and "key" in bad.stderr


def test_a_missing_file(tmp_path):
    for command in ("check", "serve"):
        bad = run(command, "--config", tmp_path / "none.yaml")
        assert bad.returncode == 1 and "none.yaml" in bad.stderr and len(bad.stderr.split("\n")) < 4


def test_schema():
    shown = run("schema")
    assert shown.returncode == 0
    schema = json.loads(shown.stdout)
    assert "$schema" in schema
    top = set(schema["properties"])
    assert {"version", "include", "listen", "providers", "models", "tiers", "tenants", "prices",
            "store", "cache", "idempotency", "ledger", "auth", "log"} == top


def test_explain(file):
    path = file(GOOD)
    for name, words in (("demo", ["demo", "ordered"]), ("demo/x", ["demo/*", "two", "big"])):
        shown = run("explain", "--config", path, "--model", name, "--tenant", "t")
        assert shown.returncode == 0, shown.stderr
        assert all(w in shown.stdout for w in [*words, "may use it", "10m"]), shown.stdout
    bad = run("explain", "--config", path, "--model", "dmeo")
    assert bad.returncode == 1 and 'did you mean "demo"?' in bad.stderr
    assert run("explain", "--config", path, "--model", "demo", "--tenant", "x").returncode == 1


@pytest.mark.smoke
def test_a_new_key_works(gateway):
    made = run("key", "new", "--tenant", "acme", "--id", "acme-prod")
    assert made.returncode == 0
    secret, line = made.stdout.splitlines()
    assert re.fullmatch(r"secret: tg-acme-prod-[0-9A-Za-z]{20,}", secret)
    secret = secret.removeprefix("secret: ")
    digest = hashlib.sha256(secret.encode()).hexdigest()
    assert line == f'- {{id: acme-prod, sha256: "{digest}"}}'
    other = run("key", "new", "--tenant", "acme").stdout.splitlines()
    assert other[0] != made.stdout.splitlines()[0]
    gate = gateway(BASE + f"tenants:\n  acme:\n    keys:\n      {line}\n      {other[1]}\n")
    for good in (secret, other[0].removeprefix("secret: ")):
        header = f"authorization: Bearer {good}\r\n"
        assert ask(gate, post(chat_body("demo/rate=100000"), headers=header)).status == 200
    for bad in (secret[:-1], secret + "a", secret.replace("prod", "ci"), "tg-acme-prod-", "tg-"):
        header = f"authorization: Bearer {bad}\r\n"
        assert ask(gate, post(chat_body(), headers=header)).status == 401
    row = gate.access_lines(2)[0]
    assert (row["tenant"], row["key_id"]) == ("acme", "acme-prod")


def test_healthcheck(gateway):
    gate = gateway(GOOD)
    assert run("healthcheck", "--url", gate.admin_url + "/healthz").returncode == 0
    bad = run("healthcheck", "--url", gate.admin_url + "/nothing")
    assert bad.returncode == 1 and "404" in bad.stderr
    assert run("healthcheck", "--url", "nonsense").returncode == 2
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}/healthz"
        bad = run("healthcheck", "--url", nobody)
    assert bad.returncode == 1 and bad.stderr.startswith("unhealthy: ")


def test_healthcheck_reads_the_file(gateway):
    gate = gateway(GOOD)
    port = gate.admin_url.rsplit(":", 1)[1]
    named = gate.file.with_name("named.yaml")
    named.write_text(GOOD.replace("admin: 127.0.0.1:0", f"admin: 127.0.0.1:{port}"))
    assert run("healthcheck", "--config", named).returncode == 0


@pytest.mark.parametrize("which", ["http", "admin"])
def test_port_in_use(gateway, file, tmp_path, which):
    gate = gateway(GOOD)
    port = (gate.url if which == "http" else gate.admin_url).rsplit(":", 1)[1]
    bad = run("serve", "--config", file(GOOD.replace(f"{which}: 127.0.0.1:0",
                                                      f"{which}: 127.0.0.1:{port}")),
              cwd=tmp_path)
    assert bad.returncode == 1
    said = [l for l in bad.stderr.splitlines() if "listening" not in l]
    assert len(said) == 1 and f"127.0.0.1:{port} is in use" in said[0]


def test_listen_option(gateway):
    gate = gateway(GOOD.replace("http: 127.0.0.1:0", "http: 127.0.0.1:1"),
                   args=("--listen", "127.0.0.1:0"))
    assert ask(gate, post(chat_body("demo/rate=100000"))).status == 200


def test_the_shipped_default(tmp_path):
    """`serve` with no file: starts on a free port, prints the demo key, and the key works."""
    process = subprocess.Popen([str(BINARY), "serve", "--listen", "127.0.0.1:0"], cwd=tmp_path,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={k: v for k, v in os.environ.items() if "_API_KEY" not in k})
    seen = []
    for line in process.stderr:
        seen.append(line)
        if " listening on 127.0.0.1:" in line and "workers" in line:
            break
    text = "".join(seen)
    if "in use" in text and "9901" in text:
        pytest.skip("port 9901, the default's admin port, is taken on this machine")
    try:
        secret = re.search(r"tg-demo-[0-9A-Za-z]+", text)[0]
        bare = Gateway.__new__(Gateway)
        bare.url = "http://" + re.search(r"listening on (127\.0\.0\.1:\d+) with", text)[1]
        header = f"authorization: Bearer {secret}\r\n"
        assert ask(bare, post(chat_body("demo/rate=100000"), headers=header)).status == 200
        process.send_signal(signal.SIGHUP)
        while "no file to reload" not in (line := process.stderr.readline()):
            assert line, "SIGHUP should say that there is nothing to reload"
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_the_demo_key_is_refused_beyond_loopback():
    bad = run("serve", "--listen", "0.0.0.0:0")
    assert bad.returncode == 1 and "demo key" in bad.stderr


def test_access_log_file_is_private(gateway, tmp_path):
    path = tmp_path / "access.jsonl"
    gate = gateway(GOOD + f"log: {{access: '{path}'}}\n")
    line = Connection(gate)
    assert line.ask(post(chat_body("demo/rate=100000"))).status == 200
    line.close()
    gate.stop()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().splitlines()) == 1 and gate.access.lines == []


def test_access_log_follows_logrotate(gateway, tmp_path):
    """SIGHUP opens the path again, idle or not; every line stands whole in one of the files."""
    path, old = tmp_path / "access.jsonl", tmp_path / "access.jsonl.1"
    gate = gateway(GOOD + f"log: {{access: '{path}'}}\n")
    line = Connection(gate)

    def called():
        return line.ask(post(chat_body("demo/rate=100000")))["x-request-id"]

    def logged(file):
        return [json.loads(l)["request_id"] for l in file.read_text().splitlines()]

    first = called()
    until(lambda: path.read_text().endswith("\n"))
    path.rename(old)
    gate.process.send_signal(signal.SIGHUP)
    until(path.exists)
    second = called()
    line.close()
    gate.stop()
    assert (logged(old), logged(path)) == ([first], [second])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
