#!/usr/bin/env python3
"""Kinds of measurement other than CPU, the verdict that comes of them, and the picture."""

import pathlib
import sys
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench"))

import dataclasses  # noqa: E402
import idle  # noqa: E402
import latency  # noqa: E402
import picture  # noqa: E402
import profiles  # noqa: E402
import report  # noqa: E402
import verdict  # noqa: E402
import workers  # noqa: E402

PROXIES = ("tollgate", "nginx")


def measured(median, interval=None):
    return {"median": median, "interval": interval, "values": [median]}


def profile_of(name):
    return dataclasses.asdict(next(each for each in profiles.ALL if each.name == name))


def part(name, **gateway):
    """A part of a result with one gateway figure or more."""
    summary = {"proxy": "tollgate", "rounds": 3, "void": 0, "per_second": 20000.0} | gateway
    return {"profile": profile_of(name), "title": name, "samples": [], "summary": [summary]}


def streams(frames=1000, lost=0, reordered=0, merged=0):
    return {"proxy": "tollgate", "void": [], "round": 1, "load": {"streams": {
        "frames": frames, "lost": lost, "reordered": reordered, "merged": merged}}}


def verdict_on(what, result):
    row = next(row for row in verdict.ROWS if row.what.startswith(what))
    return verdict.verdict(row, verdict.measured(row, {"profiles": result}))


class Verdicts(unittest.TestCase):
    def test_the_limits_divide_goal_met_and_missed(self):
        for ratio, expected in ((1.0, "goal met"), (1.01, "met"), (1.25, "met"), (1.26, "MISSED")):
            said = verdict_on("relay 3 KB", {"relay": part("relay", ratio=measured(ratio))})
            self.assertEqual(said["verdict"], expected, ratio)

    def test_throughput_must_be_at_least_so_much(self):
        for ratio, expected in ((1.8, "met"), (1.79, "MISSED")):
            found = part("workers", proxy="tollgate-2", ratio=measured(ratio))
            self.assertEqual(verdict_on("throughput", {"workers": found})["verdict"], expected)

    def test_memory_is_judged_in_kilobytes(self):
        for kilobytes, expected in ((16, "goal met"), (24, "met"), (24.1, "MISSED")):
            found = part("idle", stream_bytes=measured(kilobytes * 1024, (1024, 2048)))
            said = verdict_on("memory per open silent stream (PSS)", {"idle": found})
            self.assertEqual((said["verdict"], said["interval"]), (expected, [1, 2]))

    def test_one_faulty_frame_is_a_miss_also_in_a_void_round(self):
        good, bad = streams(), streams(merged=1) | {"void": ["1 frames merged"]}
        for samples, expected in (([good], "goal met"), ([good, bad], "MISSED")):
            found = part("sse") | {"samples": samples}
            self.assertEqual(verdict_on("frames", {"sse": found})["verdict"], expected)

    def test_late_frames_are_judged_beside_those_of_nginx(self):
        for share, expected in ((-0.001, "goal met"), (0.001, "met"), (0.0011, "MISSED")):
            found = part("sse", later=measured(share))
            self.assertEqual(verdict_on("share", {"sse": found})["verdict"], expected)

    def test_what_was_not_measured_says_why(self):
        reasons = {
            "left out": {},
            "two cores": {"relay": part("relay") | {"skipped": "two cores", "summary": []}},
            "every round was void": {"relay": part("relay", void=3, ratio=measured(None))},
            "nginx": {"relay": part("relay", ratio=measured(None))},
        }
        for why, result in reasons.items():
            said = verdict_on("relay 3 KB", result)["verdict"]
            self.assertRegex(said, rf"^not measured \(.*{why}.*\)$")

    def test_an_overload_gives_no_figure(self):
        found = part("sse", ratio=measured(0.5), per_second=17_999.0)
        self.assertIn("carried only", verdict_on("SSE relay", {"sse": found})["verdict"])

    def test_every_row_belongs_to_a_profile(self):
        names = {profile.name for profile in profiles.ALL}
        self.assertLessEqual({row.profile for row in verdict.ROWS}, names)


class AddedLatency(unittest.TestCase):
    @staticmethod
    def sample(proxy, number, us, void=()):
        return {"proxy": proxy, "round": number, "void": list(void), "others_busy": 0.0,
                **{f"{quantile}_us": float(us) for quantile in latency.QUANTILES}}

    def test_is_what_is_more_than_the_direct_way_of_the_same_round(self):
        samples = [self.sample("direct", 1, 100), self.sample("direct", 2, 200),
                   self.sample("nginx", 1, 150), self.sample("nginx", 2, 300),
                   self.sample("tollgate", 1, 175), self.sample("tollgate", 2, 450)]
        latency.add_differences(samples)
        found = latency.summary(samples, "tollgate")
        self.assertEqual(found["added_p50_us"]["values"], [75, 250])
        self.assertEqual(found["ratio_p50"]["values"], [1.5, 2.5])

    def test_has_no_ratio_to_about_nothing_and_the_report_says_so(self):
        samples = [self.sample("direct", 1, 100), self.sample("nginx", 1, 103),
                   self.sample("tollgate", 1, 150)]
        latency.add_differences(samples)
        self.assertEqual(latency.summary(samples, "tollgate")["ratio_p99"]["values"], [])
        self.assertIn("1 of 1", latency.floor_notes({"samples": samples})[0])

    def test_without_a_direct_one_the_round_is_void(self):
        samples = [self.sample("direct", 1, 100, ["1 x status 502"]),
                   self.sample("tollgate", 1, 150)]
        latency.add_differences(samples)
        self.assertTrue(samples[1]["void"])

    def test_a_server_that_falls_behind_the_rate_is_named(self):
        samples = [{"proxy": "tollgate", "round": round_, "carried": carried}
                   for round_, carried in ((1, 949.0), (2, 951.0))]
        notes = latency.shortfall_notes({"samples": samples, "rate": 1000})
        self.assertEqual(len(notes), 1)
        self.assertIn("round 1: carried 949 of 1,000", notes[0])


class Memory(unittest.TestCase):
    def test_is_divided_among_the_streams(self):
        sample = {"void": [], "streams": 100, "before_bytes": 2**20,
                  "held_bytes": 2**20 + 100 * 2048, "after_bytes": 2**20 * 1.05}
        idle.judge(sample)
        self.assertEqual((sample["stream_bytes"], sample["return_ratio"]), (2048, 1.05))
        self.assertEqual(sample["void"], [])

    def test_that_the_kernel_does_not_tell_is_void(self):
        sample = {"void": [], "streams": 1, "before_bytes": 1, "held_bytes": None,
                  "after_bytes": 1}
        idle.judge(sample)
        self.assertTrue(sample["void"])

    def test_of_fewer_streams_than_asked_is_void(self):
        profile = dataclasses.replace(profiles.ALL[0], connections=10)
        load = {"errors": {}, "unfinished": 0, "open_streams": 9,
                "streams": {"lost": 0, "reordered": 0, "merged": 0}}
        self.assertEqual(len(idle.faults(profile, load)), 1)
        self.assertEqual(idle.faults(profile, load | {"open_streams": 10}), [])


class TwoWorkers(unittest.TestCase):
    def test_are_not_measured_where_cores_are_few(self):
        class Bench:
            proxies = [type("Gateway", (), {"name": "tollgate"})]
        kind = workers.Workers(Bench, None)
        self.assertIn("takes 4 cores", kind.why_not([0, 1, 2]))

    def test_a_load_that_is_the_limit_is_void(self):
        load = {"errors": {}, "unfinished": 0, "requests": 100, "window_s": 1.0,
                "streams": {"lost": 0, "reordered": 0, "merged": 0}}
        used = {"stolen": 0.0, "busy": 1.0, "helpers_busy": 0.99, "others_busy": 0.0}
        self.assertEqual(len(workers.sample_of(load, used)["void"]), 1)
        self.assertEqual(workers.sample_of(load, used | {"helpers_busy": 0.9})["void"], [])


class Picture(unittest.TestCase):
    def result(self, cpu):
        summary = [{"proxy": proxy, "cpu": measured(value, (value * 0.9, value * 1.1))}
                   for proxy, value in cpu.items()]
        return {"profiles": {"relay": {"profile": profile_of("relay"), "summary": summary}}}

    def test_has_a_bar_for_every_proxy_and_is_well_formed(self):
        drawn = picture.draw(self.result({"tollgate": 20.0, "nginx": 18.0, "a<b": 25.0}))
        root = xml.etree.ElementTree.fromstring(drawn)
        bars = [each for each in root.iter() if each.tag.endswith("rect") and each.get("fill")]
        self.assertEqual(len(bars), 2 * 3)  # the legend has one for each, too
        self.assertNotIn("logarithmic", drawn)
        self.assertIn("prefers-color-scheme: dark", drawn)

    def test_of_very_unlike_proxies_is_logarithmic(self):
        self.assertIn("logarithmic", picture.draw(self.result({"nginx": 18.0, "slow": 9000.0})))

    def test_of_nothing_is_none(self):
        self.assertIsNone(picture.draw({"profiles": {}}))

    def test_bars_stay_on_the_axis(self):
        for values in ([0.0], [-3.0, 5.0], [1e-3, 4.0], [17.0, 19.5], [1.0, 100000.0]):
            axis = picture.Axis(values)
            self.assertTrue(all(0 <= axis.height(value) <= 1 for value in values))
            self.assertGreaterEqual(axis.high, max(values))
            self.assertLess(len(axis.ticks()), 12)


class Report(unittest.TestCase):
    def test_opens_with_the_verdict(self):
        result = {"machine": {"cpu": "a", "cores": [0], "system": "b", "kernel": "c"},
                  "commit": "d", "pinning": "e", "versions": {"tollgate": "1"}, "quick": True,
                  "notes": ["something is missing"],
                  "profiles": {"relay": part("relay", ratio=measured(1.1, (1.0, 1.2)))}}
        result["profiles"]["relay"]["samples"] = [{"others_busy": 0.5}]
        result["verdicts"] = verdict.verdicts(result)
        text = report.markdown(result, {"relay": ["a table"]}, "report.svg")
        places = [text.index(words) for words in
                  ("report.svg", "## Verdict", "no figures", "50%", "1.10 x (1.00 x to 1.20 x)",
                   "## relay", "a table", "something is missing")]
        self.assertEqual(places, sorted(places))


if __name__ == "__main__":
    unittest.main()
