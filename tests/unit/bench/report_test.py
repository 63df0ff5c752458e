#!/usr/bin/env python3
"""The benchmark's own arithmetic: which rounds count, how they are paired, what makes one void."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench"))

import cost  # noqa: E402
import figures  # noqa: E402
import measure  # noqa: E402
import profiles  # noqa: E402
import stage  # noqa: E402


def sample(proxy, number, cpu, void=()):
    return {"proxy": proxy, "round": number, "cpu_us": cpu, "void": list(void)}


def load(**changes):
    times = {"p50": 1.0, "p99": 2.0, "p999": 3.0}
    streams = {"frames": 200, "lost": 0, "reordered": 0, "merged": 0, "late": 50,
               "delay_us": {"p50": 7.0, "p99": 8.0, "p999": 9.0}} | changes.pop("streams", {})
    return {"errors": {}, "unfinished": 0, "requests": 100, "window_s": 2.0, "latency_us": times,
            "streams": streams} | changes


USED = {"cpu_us": 1000.0, "cpu_user_us": 300.0, "cpu_system_us": 700.0, "stolen": 0.0,
        "others_busy": 0.0}


class Ratios(unittest.TestCase):
    def test_are_taken_round_by_round_and_only_of_valid_pairs(self):
        samples = [sample("tollgate", 1, 30), sample("nginx", 1, 20), sample("nginx", 2, 40),
                   sample("tollgate", 2, 40), sample("tollgate", 3, 99), sample("tollgate", 4, 1),
                   sample("nginx", 3, 33, ["1 x status 502"])]
        self.assertEqual(figures.paired_ratios(samples, "tollgate"), [1.5, 1.0])
        found = cost.summary(samples, "tollgate")
        self.assertEqual(found["ratio"]["median"], 1.25)
        self.assertIsNone(found["ratio"]["interval"])
        self.assertEqual((found["rounds"], found["void"]), (4, 0))
        self.assertEqual(cost.summary(samples, "nginx")["void"], 1)

    def test_without_a_base_there_is_none(self):
        found = cost.summary([sample("tollgate", 1, 30)], "tollgate")
        self.assertIsNone(found["ratio"]["median"])
        self.assertEqual(figures.interval(found["ratio"]), "-")

    def test_a_base_of_about_nothing_gives_no_ratio(self):
        samples = [sample("nginx", 1, 5), sample("tollgate", 1, 50), sample("nginx", 2, 10),
                   sample("tollgate", 2, 20)]
        self.assertEqual(figures.paired_ratios(samples, "tollgate", floor=5), [2.0])

    def test_the_interval_holds_the_median_and_lies_within_the_values(self):
        values = [1.0, 1.1, 1.2, 1.3, 9.0]
        low, high = figures.bootstrap(values)
        self.assertLessEqual(low, 1.2)
        self.assertGreaterEqual(high, 1.2)
        self.assertTrue({low, high} <= set(values))
        self.assertEqual(figures.bootstrap([2.0] * 5), (2.0, 2.0))


class Samples(unittest.TestCase):
    def test_whole_replies_count_requests(self):
        made = cost.sample_of(profiles.Profile("x", "X"), load(), USED, None)
        self.assertEqual((made["cpu_us"], made["cpu_user_us"], made["per_second"]), (10, 3, 50))
        self.assertEqual((made["p50_us"], made["void"], made["late_share"]), (1.0, [], None))

    def test_late_frames_are_compared_with_those_of_the_same_round(self):
        late = [sample("nginx", 1, 1) | {"late_share": 0.02},
                sample("tollgate", 1, 1) | {"late_share": 0.05}]
        self.assertAlmostEqual(cost.summary(late, "tollgate")["later"]["median"], 0.03)

    def test_streams_count_events(self):
        profile = profiles.Profile("x", "X", stream=True, events=10, interval_ms=50)
        made = cost.sample_of(profile, load(), USED, None)
        self.assertEqual((made["cpu_us"], made["p50_us"], made["late_share"]), (5, 7.0, 0.25))

    def test_every_fault_makes_a_round_void(self):
        for bad in (load(errors={"status 502": 3}), load(streams={"lost": 1}), load(unfinished=1),
                    load(streams={"merged": 1}), load(streams={"reordered": 1})):
            self.assertEqual(len(stage.faults(bad, USED, 1)), 1)
        self.assertEqual(len(stage.faults(load(), USED, 0)), 1)
        self.assertEqual(len(stage.faults(load(), USED | {"stolen": 0.011}, 1)), 1)
        self.assertEqual(stage.faults(load(), USED | {"stolen": 0.01}, 1), [])


class Table(unittest.TestCase):
    def test_void_rounds_are_said(self):
        samples = [sample("nginx", 1, 20), sample("tollgate", 1, 30, ["3 x status 502"])]
        self.assertEqual(figures.void_notes(samples),
                         ["- void: tollgate, round 1: 3 x status 502"])

    def test_an_overload_is_said(self):
        profile = profiles.Profile("x", "X", stream=True, connections=10, events=10, interval_ms=50)
        found = [{"proxy": "nginx", "per_second": 199.0}, {"proxy": "slow", "per_second": 120.0}]
        notes = cost.shortfall_notes(profile, found)
        self.assertEqual(len(notes), 1)
        self.assertIn("slow carried 120 of 200 events", notes[0])
        self.assertEqual(cost.shortfall_notes(profiles.Profile("x", "X"), found), [])

    def test_a_row_has_a_cell_for_every_head(self):
        for profile in profiles.ALL:
            made = cost.sample_of(profile, load(), USED, 2**20) | {"proxy": "nginx", "round": 1}
            lines = cost.table(profile, [cost.summary([made], "nginx")]).splitlines()
            self.assertEqual(len({line.count("|") for line in lines}), 1, lines)


class Kernel(unittest.TestCase):
    def test_our_own_process_has_used_some_cpu_and_memory(self):
        sum(range(3_000_000))
        self.assertIn(measure.os.getpid(), measure.tree(measure.os.getppid()))
        user, system = measure.cpu_us([measure.os.getpid()])
        self.assertGreater(user + system, 0)
        exact = measure.run_us([measure.os.getpid()])
        if exact is not None:
            self.assertLess(abs(exact - user - system), 100_000)
        self.assertIn(measure.pss_bytes(measure.os.getpid()) or 2**20, range(2**19, 2**32))


if __name__ == "__main__":
    unittest.main()
