"""Runs the codec tools of a build on bytes, and finds the recorded traffic.

The build is the one that TOLLGATE_BUILD names (build/debug otherwise). Recordings lie beside the
checkout, or in the folder that TOLLGATE_SHARED names; where they are missing, the tests that need
them are skipped aloud.
"""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("TOLLGATE_SHARED", ROOT.parent / "shared"))


def _build():
    return ROOT / os.environ.get("TOLLGATE_BUILD", "build/debug")


def run(tool, arguments, stdin):
    """The tool's output; a tool that fails (or finds two cuts that differ) fails the test."""
    path = _build() / "tests" / "golden" / tool
    command = [str(path)]
    for name, value in arguments.items():
        if value is not False:
            command += [f"--{name}"] + ([] if value is True else [str(value)])
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout


def run_json(tool, arguments, stdin):
    return json.loads(run(tool, arguments, stdin))


def recordings(group):
    """(name, recording) of every recorded exchange of the group; empty where there are none."""
    files = sorted((SHARED / "corpus" / "open" / group).glob("*.json"))
    found = [(f.stem[:3], json.loads(f.read_text(encoding="utf-8"))) for f in files]
    for name, recording in found:
        recording["name"] = name
    return found


def parameters(group):
    """The recordings as pytest parameters, with one skipped stand-in where there are none."""
    found = recordings(group)
    if found:
        return [pytest.param(recording, id=name) for name, recording in found]
    return [pytest.param(None, id="none", marks=pytest.mark.skip(reason="no recordings here"))]


def body_of(message):
    """The bytes of a recorded request or response."""
    if "body_text" in message:
        return message["body_text"].encode()
    return json.dumps(message.get("body"), ensure_ascii=False).encode()


def header(message, name):
    for key, value in message.get("headers", {}).items():
        if key.lower() == name:
            return value
    return ""


def spec(name):
    """The path of a provider's published specification; skips the test where it is not there."""
    path = SHARED / "specs" / name
    if not path.exists():
        pytest.skip(f"no specification {name} here")
    return path
