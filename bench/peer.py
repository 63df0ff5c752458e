"""Peers: other gateways that join a run, each described by bench/peers/NAME.yaml. Every text in
such a file may hold ${port}, ${upstream} (the mock provider's base URL), ${home} (where the peer is
installed), ${directory} (where its files are written), ${key} and ${version}."""

import http.client
import json
import os
import pathlib
import shutil
import string
import subprocess
import time
import urllib.error
import urllib.request

import proxies

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "bench/peers"
HOMES = ROOT / "build/peers"
STAMP = "installed"  # in its home: what was done to install it

# Field -> (its type, whether it must be there).
FIELDS = {
    "version": (str, True),        # exact
    "never": (list, False),        # versions that must not be installed
    "needs": (list, False),        # programs that have to be there before
    "install": (list, True),       # shell commands, run in ${home}
    "command": (list, True),
    "env": (dict, False),
    "port": (int, False),          # of a gateway that cannot be told; else a free one
    "start_seconds": (int, False),
    "files": (dict, False),        # name -> text, written below ${directory} before it starts
    "path": (str, True),           # to which requests are posted
    "headers": (dict, False),      # of each request
    "models": (dict, True),        # the profile's model -> {model, headers} as sent to this one
}


class Broken(SystemExit):
    """A peer that cannot take part, in a sentence."""


def names():
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read(name):
    """The entry of a peer, whole and of the right types."""
    try:
        import yaml
    except ImportError:
        raise Broken("bench: peers are described in YAML, which this Python does not read; "
                     "./dev bench --peer NAME brings what it takes") from None
    path = FOLDER / f"{name}.yaml"
    if not path.exists():
        raise Broken(f"bench: there is no {path}; there are: {', '.join(names())}")
    return checked(path.name, yaml.safe_load(path.read_text()))


def checked(file, entry):
    """The entry itself, or Broken with all that is wrong with it."""
    if not isinstance(entry, dict):
        raise Broken(f"bench: {file} is no mapping")
    faults = [f"unknown field {name}" for name in entry if name not in FIELDS]
    for name, (kind, required) in FIELDS.items():
        if name not in entry:
            faults += [f"field {name} is missing"] if required else []
        elif not isinstance(entry[name], kind):
            faults.append(f"{name} is no {kind.__name__}")
    if not faults and "bench" not in entry["models"]:
        faults.append("models has no entry bench")
    if not faults and entry["version"] in map(str, entry.get("never", [])):
        faults.append(f"version {entry['version']} is one that must not be installed")
    if faults:
        raise Broken(f"bench: {file}: {'; '.join(faults)}")
    return entry


def filled(text, values):
    """`text` with its ${names} replaced; Broken where there is no such name."""
    try:
        return string.Template(str(text)).substitute(values)
    except (KeyError, ValueError) as error:
        raise Broken(f"bench: a peer's text has a placeholder that is not known: {error} "
                     f"in {text!r}") from None


class Peer(proxies.Proxy):
    """Another gateway, as its entry describes it."""

    speaks_tls = False

    def __init__(self, build, name):
        super().__init__(build)
        self.name = name
        self.entry = read(name)
        self.home = HOMES / name
        self.start_seconds = self.entry.get("start_seconds", 30)
        self.values = {"home": self.home, "key": proxies.KEY, "version": self.entry["version"]}

    def present(self):
        stamp = self.home / STAMP
        return stamp.exists() and stamp.read_text().splitlines() == self.steps()

    def steps(self):
        """The commands that install it."""
        return [filled(line, self.values) for line in self.entry["install"]]

    def version(self):
        return self.entry["version"]

    def install(self):
        """Installs it below its home and nowhere else."""
        missing = [program for program in self.entry.get("needs", ())
                   if not shutil.which(program)]
        if missing:
            raise Broken(f"peers: {self.name} needs {', '.join(missing)}, which are not there")
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / STAMP).unlink(missing_ok=True)
        for line in self.steps():
            if subprocess.run(line, shell=True, cwd=self.home).returncode:
                raise Broken(f"peers: {self.name} could not be installed: {line} failed")
        (self.home / STAMP).write_text("\n".join(self.steps()) + "\n")

    def free_port(self):
        return self.entry.get("port") or super().free_port()

    def render(self, directory, upstream_port):
        """Writes the entry's files; returns all that it was told, for the report."""
        place = directory / self.name
        place.mkdir(exist_ok=True)
        self.values |= {"port": self.port, "directory": place,
                        "upstream": f"http://127.0.0.1:{upstream_port}"}
        files = {name: filled(text, self.values)
                 for name, text in self.entry.get("files", {}).items()}
        for name, text in files.items():
            (place / name).write_text(text)
        told = [" ".join(self.command(None)),
                *(f"{name}={value}" for name, value in self.entry.get("env", {}).items()),
                *(f"--- {name}\n{text}" for name, text in files.items())]
        return "\n".join(told) + "\n"

    def command(self, config):
        return [filled(word, self.values) for word in self.entry["command"]]

    def environment(self):
        return os.environ | {name: filled(value, self.values)
                             for name, value in self.entry.get("env", {}).items()}

    def start(self, directory, upstream_port, cores, options=proxies.Options()):
        """Also waits for its first good reply: many load half of themselves only then."""
        super().start(directory, upstream_port, cores, options)
        deadline, said = time.monotonic() + self.start_seconds, None
        while said != 200:
            if time.monotonic() > deadline or self.process.process.poll() is not None:
                self.stop()
                raise Broken(f"bench: {self.name} gave no good reply in {self.start_seconds} s "
                             f"(the last: {said}); see {directory}/{self.name}.out and .log")
            said = self.ask()
            time.sleep(0 if said == 200 else 0.2)

    def ask(self):
        """One small request; its status, or what went wrong."""
        model, headers = self.said_of("bench")
        body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{self.entry['path']}", json.dumps(body).encode(),
            headers | {"Content-Type": "application/json",
                       "Authorization": f"Bearer {proxies.KEY}"})
        try:
            with urllib.request.urlopen(request, timeout=self.start_seconds) as reply:
                return reply.status
        except urllib.error.HTTPError as error:
            return error.code
        except (OSError, http.client.HTTPException) as error:
            return str(error)

    def carries(self, profile):
        return profile.model in self.entry["models"]

    def said_of(self, model):
        """(model, headers) of a request for a profile's model; `carries` says which there are."""
        entry = self.entry["models"][model]
        headers = self.entry.get("headers", {}) | entry.get("headers", {})
        return (filled(entry.get("model", model), self.values),
                {name: filled(value, self.values) for name, value in headers.items()})

    def request_for(self, profile):
        model, headers = self.said_of(profile.model)
        named = [f"{name}: {value}" for name, value in headers.items()]
        return ["--model", model, "--path", self.entry["path"],
                *(word for each in named for word in ("--header", each))]
