#!/usr/bin/env python3
"""What the ledger, limits, budgets and Redis add to a call, and what makes such a round void."""

import pathlib
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench"))

import books  # noqa: E402
import profiles  # noqa: E402
import store_rate  # noqa: E402
import verdict  # noqa: E402

LOAD = {"requests": 2000, "window_s": 1.0, "errors": {}, "unfinished": 0,
        "streams": {"lost": 0, "reordered": 0, "merged": 0}}


class At:
    """A look at a gateway that has used so much CPU."""

    def __init__(self, cpu_us):
        self.cpu_us = cpu_us
        self.gateway, self.redis = self, None

    def since(self, before):
        used = self.cpu_us - before.cpu_us
        return {"cpu_us": used, "cpu_user_us": used, "cpu_system_us": 0, "redis_us": None,
                "stolen": 0, "others_busy": 0}


class Stage:
    """Runs no load; says that it did."""

    upstream = types.SimpleNamespace(pid=0)

    def load(self, _port, arguments, look=lambda _: None):
        look(types.SimpleNamespace(pid=0))
        look(types.SimpleNamespace(pid=0))
        return LOAD


def sample(looks, rows):
    """One round of the gateway with a ledger, whose database has `rows` one look after another."""
    args = types.SimpleNamespace(warmup=0, seconds=1, build=pathlib.Path())
    profile = next(each for each in profiles.ALL if each.name == "books")
    looks, rows = iter(looks), iter(rows)
    was = books.Look, books.counted
    books.Look = lambda *_: At(next(looks))
    books.counted = lambda _: next(rows)
    try:
        return books.Books(types.SimpleNamespace(args=args), profile).sample(
            Stage(), books.Ledger(args.build), None)
    finally:
        books.Look, books.counted = was


def measured(proxy, number, cpu_us, void=()):
    return {"proxy": proxy, "round": number, "cpu_us": cpu_us, "void": list(void)}


class Books(unittest.TestCase):
    def test_what_the_writer_does_behind_the_last_reply_counts(self):
        found = sample([0, 20_000, 30_000], [(500, 0), (1500, 1000), (2500, 0)])
        self.assertEqual(found["cpu_us"], 15)
        self.assertEqual(found["rows"], 2000)
        self.assertEqual(found["void"], [])

    def test_a_row_too_few_or_too_many_makes_a_round_void(self):
        for stored in (2499, 2501):
            books.DRAIN_SECONDS, was = 0, books.DRAIN_SECONDS
            try:
                found = sample([0, 1, 2], [(500, 0), (stored, 0), (stored, 0)])
            finally:
                books.DRAIN_SECONDS = was
            self.assertEqual(found["void"], [f"{stored - 500} rows were stored of 2000 requests"])

    def test_what_a_step_adds_is_taken_round_by_round(self):
        samples = [measured("limits", 1, 50), measured("ledger", 1, 53),
                   measured("limits", 2, 80), measured("ledger", 2, 84),
                   measured("limits", 3, 20), measured("ledger", 3, 99, void=["an error"])]
        found = books.summary(samples, "ledger")
        self.assertEqual(found["added"]["values"], [3, 4])
        rows = [row for row in verdict.ROWS if row.what.startswith("the ledger")]
        said = [verdict.verdict(row, verdict.measured(row, {"profiles": {"books": {
            "summary": [found]}}})) for row in rows]
        self.assertEqual([(each["measured"], each["verdict"]) for each in said],
                         [("+3.50 us", "met")])


class Pairs(unittest.TestCase):
    def test_a_refused_call_makes_a_round_void(self):
        self.assertEqual(store_rate.faults({"refused": 3, "stolen": 0}, 1), ["3 were refused"])
        self.assertEqual(store_rate.faults({"refused": 0, "stolen": 0}, 0), [])
        self.assertEqual(store_rate.faults({"refused": 0, "stolen": 0}, 1),
                         ["nothing was measured"])


if __name__ == "__main__":
    unittest.main()
