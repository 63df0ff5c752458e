"""A PostgreSQL of one's own, which can be killed, and stopped in the middle of what it does."""
from __future__ import annotations

import glob
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from raw import until
from redis_servers import free_port

PROGRAMS = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1:] or [""]
PRESENT = bool(shutil.which("postgres", path=PROGRAMS[0]))
NOBODY = 65534  # it does not run as root


class Postgres:
    """A server on loopback; `kill` ends it as a crash does, `start` begins it again."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        self.user = {"user": NOBODY, "group": NOBODY} if os.getuid() == 0 else {}
        if self.user:
            os.chown(self.folder, NOBODY, NOBODY)
        self.data = self.folder + "/data"
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.frozen: list[int] = []
        subprocess.run([PROGRAMS[0] + "/initdb", "-D", self.data, "-U", "postgres", "-A", "trust",
                        "--no-sync"], check=True, stdout=subprocess.DEVNULL, **self.user,
                       cwd=self.folder)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [PROGRAMS[0] + "/postgres", "-D", self.data, "-p", str(self.port), "-F",
             "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}"],
            stderr=subprocess.DEVNULL, cwd=self.folder, **self.user)
        until(lambda: self.ask("SELECT 1", check=False) == [["1"]], 60)

    def ask(self, sql: str, check: bool = True) -> list[list[str]]:
        ran = subprocess.run(["psql", "-XAtq", "-F", "\t", self.url, "-c", sql],
                             capture_output=True, text=True)
        assert ran.returncode == 0 or not check, ran.stderr
        return [line.split("\t") for line in ran.stdout.splitlines()]

    def kill(self):
        """At once: what was committed stays, nobody is told."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(60)

    def freeze(self):
        """It stands still, its connections stay open: as on a machine that hangs. The first one
        stops first, so that no further ones begin."""
        left = [self.process.pid]
        for pid in left:
            os.kill(pid, signal.SIGSTOP)
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
            left += map(int, children.read_text().split())
        self.frozen = left

    def thaw(self):
        """It goes on with what it was at."""
        for pid in reversed(self.frozen):
            os.kill(pid, signal.SIGCONT)
        self.frozen = []

    def close(self):
        if self.frozen:
            self.thaw()
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
