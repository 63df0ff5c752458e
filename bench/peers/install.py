#!/usr/bin/env python3
"""Installs peers of the benchmark into build/peers/, never system-wide: `./dev peer NAME...`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import peer  # noqa: E402


def main(names):
    if not names:
        raise SystemExit(f"peers: which? There are: {', '.join(peer.names())}")
    for name in names:
        one = peer.Peer(None, name)
        one.install()
        print(f"peers: {name} {one.version()} is installed in {one.home}; "
              f"measure it by ./dev bench --peer {name}")


if __name__ == "__main__":
    main(sys.argv[1:])
