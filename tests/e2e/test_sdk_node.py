"""The official Node SDK, unmodified, through the gateway to three scripted providers."""

import shutil
import subprocess

import pytest

import dialects
from gateway import ROOT, key, tenant_yaml


@pytest.mark.parametrize("name", sorted(dialects.SCRIPTS))
def test_node_sdk(gateway, upstream, name):
    assert shutil.which("node"), "node is missing: ./dev test installs it"
    made = {n: upstream(script) for n, script in dialects.SCRIPTS.items()}
    gate = gateway(dialects.config({n: u.url for n, u in made.items()}, tenant_yaml()))
    modules = ROOT / "build/node"
    shutil.copy(ROOT / "tests/e2e/node/suite.mjs", modules / "suite.mjs")
    done = subprocess.run(
        ["node", "suite.mjs", gate.base_url, key(), name, dialects.TEXT],
        cwd=modules,
        capture_output=True,
        text=True,
        timeout=240,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert len(lines) == 13 and all(line.startswith("ok ") for line in lines), "\n".join(lines)
