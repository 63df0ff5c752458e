"""A running Tollgate for tests: free ports, its log lines, its end.

The binary is $TOLLGATE_BUILD/tollgate (default build/debug). Under a sanitizer a report makes the
exit code, and so the test, fail.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("TOLLGATE_BUILD", "build/debug")
BINARY = BUILD / "tollgate"


def key(id: str = "t-key") -> str:
    """A virtual key's secret; `key_yaml` is its line in the file."""
    return f"tg-{id}-{'a' * 22}"


def key_yaml(id: str = "t-key", more: str = "") -> str:
    digest = hashlib.sha256(key(id).encode()).hexdigest()
    return f'- {{id: {id}, sha256: "{digest}"{more}}}'


def tenant_yaml(more: str = "") -> str:
    return f"tenants:\n  t:\n    keys:\n      {key_yaml()}\n{more}"


class Lines:
    """The lines of a pipe as they come; `wait` for one instead of sleeping."""

    def __init__(self, pipe):
        self.lines: list[str] = []
        self._arrived = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe):
        for line in pipe:
            with self._arrived:
                self.lines.append(line.rstrip("\n"))
                self._arrived.notify_all()
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()

    def wait(self, wanted, count: int = 1, timeout: float = 30) -> list[str]:
        """Blocks until `count` lines satisfy `wanted`; returns them."""
        end = time.monotonic() + timeout
        with self._arrived:
            while True:
                found = [line for line in self.lines if wanted(line)]
                if len(found) >= count:
                    return found
                left = end - time.monotonic()
                if left <= 0 or self._closed:
                    raise AssertionError(
                        f"{len(found)} of {count} lines came; last: {self.lines[-5:]}"
                    )
                self._arrived.wait(left)


class Gateway:
    def __init__(
        self, config: str, directory: pathlib.Path, *, env: dict | None = None, args: tuple = ()
    ):
        """`config`: YAML; `version` and `listen` (free ports) are added where it has none."""
        if "listen:" not in config:
            config = "listen: {http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 2}\n" + config
        if "version:" not in config:
            config = "version: 1\n" + config
        self.file = directory / "tollgate.yaml"
        self.file.write_text(config)
        clean = {
            k: v
            for k, v in os.environ.items()
            if not k.endswith("_API_KEY") and "PROXY" not in k.upper()
        }
        self.process = subprocess.Popen(
            [str(BINARY), "serve", "--config", str(self.file), *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # The ledger stands in the working directory where the file names no other place.
            cwd=tempfile.mkdtemp(dir=directory),
            env={**clean, **(env or {})},
        )
        self.told = False
        self.access = Lines(self.process.stdout)
        self.log = Lines(self.process.stderr)
        self.url = "http://" + self._address(" listening on ", "tollgate ")
        self.admin_url = (
            "http://" + self._address("admin listening on ") if "admin: off" not in config else ""
        )

    def _address(self, marker: str, start: str = "") -> str:
        line = self.log.wait(
            lambda l: marker.strip() in l and start in l and (start or "admin" in l)
        )[0]
        return line.split("listening on ")[1].split(" ")[0].strip('"}')

    @property
    def base_url(self) -> str:
        return self.url + "/v1"

    def access_lines(self, count: int, timeout: float = 30) -> list[dict]:
        return [
            json.loads(l) for l in self.access.wait(lambda l: l.startswith("{"), count, timeout)
        ]

    def line_of(self, request_id: str) -> dict:
        """The access-log line of one call: the log is written behind the replies."""
        return json.loads(self.access.wait(lambda l: f'"request_id":"{request_id}"' in l)[0])

    def metrics(self) -> str:
        with urllib.request.urlopen(self.admin_url + "/metrics", timeout=10) as reply:
            return reply.read().decode()

    def metric(self, name: str, **labels) -> float:
        """Sum of the samples of `name` that carry `labels`."""
        total = 0.0
        for line in self.metrics().splitlines():
            if line.startswith(name + "{") or line.startswith(name + " "):
                if all(f'{k}="{v}"' in line for k, v in labels.items()):
                    total += float(line.rsplit(" ", 1)[1])
        return total

    def rewrite(self, config: str) -> None:
        """Replaces the file as an editor does: a new file, renamed over the old one."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(config)
        fresh.rename(self.file)

    def terminate(self) -> None:
        """The first SIGTERM; a second one would end the drain, so `stop` sends none after it."""
        self.told = True
        self.process.send_signal(signal.SIGTERM)

    def stop(self, expect: int = 0, timeout: float = 60) -> None:
        if self.process.poll() is None and not self.told:
            self.terminate()
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(
                "the gateway did not stop; last log: " + "\n".join(self.log.lines[-10:])
            )
        assert code == expect, f"exit {code}\n" + "\n".join(self.log.lines[-60:])
