#!/usr/bin/env python3
"""Peers of the benchmark: what an entry must have, what it may say, what is sent to it."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench"))

import peer  # noqa: E402
import profiles  # noqa: E402

ENTRY = {
    "version": "1.2.3", "install": ["echo ${version} >made"], "path": "/v1/chat",
    "command": ["${home}/serve", "--port=${port}", "${directory}/a.conf"],
    "env": {"UP": "${upstream}"}, "files": {"a.conf": "to ${upstream} with ${key}\n"},
    "headers": {"x-a": "1"},
    "models": {"bench": {"model": "m", "headers": {"x-b": "${upstream}/v1"}}},
}


def made(home, **changes):
    one = peer.Peer.__new__(peer.Peer)
    one.name, one.home, one.port = "acme", pathlib.Path(home), 4321
    one.entry = peer.checked("acme.yaml", ENTRY | changes)
    one.values = {"home": one.home, "key": "k", "version": one.entry["version"]}
    return one


class Entries(unittest.TestCase):
    def faults(self, entry):
        with self.assertRaises(peer.Broken) as caught:
            peer.checked("acme.yaml", entry)
        return str(caught.exception)

    def test_a_whole_one_is_taken(self):
        self.assertEqual(peer.checked("acme.yaml", ENTRY), ENTRY)

    def test_every_fault_is_named_at_once(self):
        entry = {k: v for k, v in ENTRY.items() if k != "command"} | {"modles": 1, "version": 1.1}
        text = self.faults(entry)
        for part in ("unknown field modles", "field command is missing", "version is no str"):
            self.assertIn(part, text)

    def test_a_compromised_version_is_refused(self):
        self.assertIn("must not be installed", self.faults(ENTRY | {"never": ["1.2.3"]}))

    def test_without_the_ordinary_model_there_is_no_peer(self):
        self.assertIn("no entry bench", self.faults(ENTRY | {"models": {"other": {}}}))

    def test_a_placeholder_that_is_not_known_is_an_error(self):
        with self.assertRaisesRegex(peer.Broken, "nowhere"):
            peer.filled("${nowhere}", {"home": 1})

    def test_those_of_this_project_are_whole(self):
        try:
            import yaml  # noqa: F401
        except ImportError:
            self.skipTest("this Python reads no YAML")
        for name in peer.names():
            peer.read(name)


class Running(unittest.TestCase):
    def test_what_it_is_told_is_filled_in(self):
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            one = made(folder)
            text = one.render(place, 99)
            self.assertEqual((place / "acme/a.conf").read_text(),
                             "to http://127.0.0.1:99 with k\n")
            self.assertEqual(one.command(None), [f"{folder}/serve", "--port=4321",
                                                 f"{folder}/acme/a.conf"])
            self.assertEqual(one.environment()["UP"], "http://127.0.0.1:99")
            self.assertIn("to http://127.0.0.1:99", text)

    def test_requests_have_its_model_path_and_headers(self):
        one = made("/h")
        one.values["upstream"] = "http://u"
        self.assertEqual(one.request_for(profiles.Profile("relay", "Relay")), [
            "--model", "m", "--path", "/v1/chat", "--header", "x-a: 1", "--header",
            "x-b: http://u/v1"])

    def test_a_model_that_it_does_not_name_it_does_not_carry(self):
        one = made("/h")
        self.assertTrue(one.carries(profiles.Profile("relay", "Relay")))
        self.assertFalse(one.carries(profiles.Profile("t", "T", model="bench-anthropic")))


class Installing(unittest.TestCase):
    def test_goes_home_and_is_there_only_as_the_entry_says(self):
        with tempfile.TemporaryDirectory() as folder:
            one = made(folder)
            self.assertFalse(one.present())
            one.install()
            self.assertTrue(one.present())
            self.assertEqual((pathlib.Path(folder) / "made").read_text(), "1.2.3\n")
            self.assertFalse(made(folder, version="1.2.4").present())

    def test_a_command_that_fails_leaves_it_not_installed(self):
        with tempfile.TemporaryDirectory() as folder:
            one = made(folder, install=["exit 3"])
            with self.assertRaisesRegex(peer.Broken, "exit 3 failed"):
                one.install()
            self.assertFalse(one.present())

    def test_what_it_needs_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(peer.Broken, "no-such-program"):
                made(folder, needs=["no-such-program"]).install()


if __name__ == "__main__":
    unittest.main()
