"""Certificates of a run: an authority made at its start, and what it signs for 127.0.0.1.

Made with the openssl program; elliptic keys, as public servers have them today."""

import dataclasses
import pathlib
import shutil
import subprocess

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


@dataclasses.dataclass(frozen=True)
class Certificates:
    """Files in PEM."""

    authority: pathlib.Path    # what proxies are told to trust
    certificate: pathlib.Path  # of a server on 127.0.0.1, alias localhost
    key: pathlib.Path
    both: pathlib.Path         # certificate and key in one file, as HAProxy wants them


def possible():
    return shutil.which("openssl") is not None


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: openssl {arguments[0]} failed:\n{done.stderr}")


def make(directory):
    """An authority and a server certificate in `directory`, good for a day."""
    directory.mkdir(parents=True, exist_ok=True)
    here = Certificates(*(directory / name for name in
                          ("authority.pem", "server.pem", "server.key", "server-both.pem")))
    authority_key = directory / "authority.key"
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
           "-days", 1)
    openssl(*new, "-subj", "/CN=benchmark authority", "-keyout", authority_key, "-out",
            here.authority)
    openssl(*new, "-subj", "/CN=localhost", "-addext", NAMES, "-addext",
            "basicConstraints=critical,CA:FALSE", "-CA", here.authority, "-CAkey", authority_key,
            "-keyout", here.key, "-out", here.certificate)
    here.both.write_text(here.certificate.read_text() + here.key.read_text())
    return here
