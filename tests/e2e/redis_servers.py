"""Real Redis servers for tests, alone, as master and replica, or as a Cluster."""
from __future__ import annotations

import socket
import subprocess
import threading

from raw import until


def free_port() -> int:
    """With the port 10,000 above it, where a Cluster's nodes speak to each other."""
    while True:
        with socket.socket() as probe, socket.socket() as bus:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if port + 10000 > 65535:
                continue
            try:
                bus.bind(("127.0.0.1", port + 10000))
            except OSError:
                continue
            return port


class Redis:
    """A server that keeps its data over `kill` and `start`: every write reaches the kernel before
    its answer, and the machine lives on, so that no fsync of a busy disk is waited for."""

    def __init__(self, folder, *options: str):
        self.folder, self.options = folder, options
        self.port = free_port()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "",
             "--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "no",
             *self.options], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                break
        else:
            raise AssertionError("redis-server ended")
        # Its log goes on: a full pipe would stop it.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def unread(self) -> bool:
        """Whether somebody has asked something that the server has not read yet."""
        with open("/proc/net/tcp") as table:
            lines = [line.split() for line in table][1:]
        return any(int(line[1].split(":")[1], 16) == self.port and line[3] == "01"
                   and int(line[4].split(":")[1], 16) > 0 for line in lines)

    def ask(self, *words: str) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as link:
            link.sendall(b"".join([b"*%d\r\n" % len(words)] + [
                b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]))
            return link.recv(65536)

    def all(self, *words: str) -> list[bytes]:
        """The answer, whole: its texts and numbers. An error answer fails the test."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as link:
            link.sendall(b"".join([b"*%d\r\n" % len(words)] + [
                b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]))
            with link.makefile("rb") as answer:
                return self._read(answer)

    def _read(self, answer) -> list[bytes]:
        line = answer.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        assert kind in (b"+", b":", b"$", b"*"), line
        if kind == b"*":
            return [part for _ in range(int(rest)) for part in self._read(answer)]
        if kind != b"$":
            return [rest]
        text = answer.read(int(rest) + 2)[:-2] if int(rest) >= 0 else b""
        return [text]

    def says(self, text: bytes, *words: str) -> None:
        until(lambda: text in self.ask(*words), 60)


class Sentinel:
    """Names the master, as a sentinel does; who that is a test decides."""

    def __init__(self, master: Redis):
        self.master = master
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                link, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link):
        with link, link.makefile("rb") as lines:
            while head := lines.readline():
                words = []
                for _ in range(int(head[1:])):
                    words.append(lines.read(int(lines.readline()[1:]) + 2)[:-2])
                port = b"%d" % self.master.port
                link.sendall(b"*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%s\r\n" % (len(port), port)
                             if words[0].upper() == b"SENTINEL" else b"-ERR unknown command\r\n")

    def close(self):
        self.socket.close()


class Cluster:
    """Three masters; `move` takes the slot of a key elsewhere while it is in use."""

    def __init__(self, folder):
        self.nodes = []
        for number in range(3):
            own = folder / str(number)
            own.mkdir(parents=True)
            self.nodes.append(Redis(own, "--cluster-enabled", "yes"))
        cuts = [0, 5461, 10923, 16384]
        for number, node in enumerate(self.nodes):
            node.ask("CLUSTER", "ADDSLOTSRANGE", str(cuts[number]), str(cuts[number + 1] - 1))
            node.ask("CLUSTER", "MEET", "127.0.0.1", str(self.nodes[0].port))
        for node in self.nodes:
            node.says(b"cluster_state:ok", "CLUSTER", "INFO")
            node.says(b"cluster_known_nodes:3", "CLUSTER", "INFO")

    def id_of(self, node: Redis) -> str:
        return node.ask("CLUSTER", "MYID").split(b"\r\n")[1].decode()

    def move(self, key: str) -> None:
        slot = int(self.nodes[0].ask("CLUSTER", "KEYSLOT", key)[1:])
        source = self.nodes[min(slot // 5461, 2)]
        target = self.nodes[(self.nodes.index(source) + 1) % 3]
        target.ask("CLUSTER", "SETSLOT", str(slot), "IMPORTING", self.id_of(source))
        source.ask("CLUSTER", "SETSLOT", str(slot), "MIGRATING", self.id_of(target))
        while keys := [line for line in source.ask(
                "CLUSTER", "GETKEYSINSLOT", str(slot), "20").split(b"\r\n")[2::2] if line]:
            for each in keys:
                source.ask("MIGRATE", "127.0.0.1", str(target.port), each.decode(), "0", "30000")
        for node in (target, source, *self.nodes):
            node.ask("CLUSTER", "SETSLOT", str(slot), "NODE", self.id_of(target))

    def kill(self):
        for node in self.nodes:
            node.kill()
