#!/usr/bin/env python3
"""Instructions per request: when the check fails, what it names, what the file keeps."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench"))

import callgrind  # noqa: E402
import instructions  # noqa: E402
import instructions_accepted as accepted_file  # noqa: E402

HERE = {"compiler": "Clang 19", "libc": "glibc 2.36", "cpu": "x86_64 avx2"}


def count(total, **functions):
    return accepted_file.Count("request", total, functions)


class Verdicts(unittest.TestCase):
    def state(self, accepted, counted):
        verdict = accepted_file.judge("relay", accepted and count(accepted), count(counted))
        return verdict.state, verdict.passed

    def test_more_than_three_percent_fails(self):
        self.assertEqual(self.state(100_000, 103_001), ("grew", False))
        self.assertEqual(self.state(100_000, 102_999), ("held", True))
        self.assertEqual(self.state(100_000, 97_001), ("held", True))

    def test_less_passes_and_is_said(self):
        self.assertEqual(self.state(100_000, 96_999), ("fell", True))

    def test_a_profile_that_was_never_accepted_fails(self):
        self.assertEqual(self.state(None, 5), ("new", False))

    def test_the_sentence_names_profile_and_both_counts(self):
        text = accepted_file.judge("relay", count(100_000), count(110_000)).text
        for part in ("relay", "100,000", "110,000", "+10.0%"):
            self.assertIn(part, text)


class Check(unittest.TestCase):
    def run_check(self, accepted, **counts):
        said, instructions.say = [], lambda text: said.append(text)
        try:
            failed = instructions.check(counts, accepted_file.Accepted(HERE, accepted))
        finally:
            instructions.say = print
        return failed, "\n".join(said)

    def test_each_profile_that_grew_is_a_failure_with_its_functions(self):
        accepted = {"relay": count(1000, parse=500), "sse": count(1000, parse=500)}
        failed, said = self.run_check(accepted, relay=count(1100, parse=600),
                                      sse=count(1000, parse=500))
        self.assertEqual(failed, 1)
        self.assertRegex(said, r"FAILED relay.*\n.*\n +500 -> +600  parse")

    def test_a_fall_is_a_note(self):
        failed, said = self.run_check({"relay": count(1000)}, relay=count(900))
        self.assertEqual(failed, 0)
        self.assertRegex(said, "^NOTE: relay.*--accept")


class Growth(unittest.TestCase):
    def test_the_heaviest_growth_first_and_nothing_that_fell(self):
        rows = accepted_file.growth(count(10_000, a=1000, b=2000, c=500),
                                    count(12_000, a=1500, b=1900, c=2500))
        self.assertEqual(rows, [("c", 500, 2500), ("a", 1000, 1500)])

    def test_a_function_that_was_not_listed_counts_from_the_limit(self):
        rows = accepted_file.growth(count(10_000), count(12_000, small=90, large=2000))
        self.assertEqual(rows, [("large", None, 2000)])


class File(unittest.TestCase):
    ACCEPTED = accepted_file.Accepted(HERE, {
        "relay": count(137_484, **{"a::b [resume]": 16_400, "tiny": 3}),
        "relay-100k": count(235_844, **{"free [libc.so.6]": 9_120})})

    def test_is_read_as_it_was_written_but_for_small_functions(self):
        read = accepted_file.read(accepted_file.written(self.ACCEPTED))
        self.assertEqual(read.machine, HERE)
        self.assertEqual(read.counts["relay"].functions, {"a::b [resume]": 16_400})
        self.assertEqual(read.counts["relay"].total, 137_484)
        self.assertEqual(read.counts["relay-100k"], self.ACCEPTED.counts["relay-100k"])

    def test_the_one_of_this_project_is_whole(self):
        read = accepted_file.read(instructions.ACCEPTED.read_text())
        self.assertEqual(list(read.counts), [case.name for case in instructions.CASES])
        self.assertEqual(set(read.machine), set(HERE))

    def test_a_line_that_means_nothing_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "line 1 .*relay: many"):
            accepted_file.read("relay: many instructions per request\n")

    def test_another_machine_is_named(self):
        self.assertEqual(accepted_file.strangers(self.ACCEPTED, HERE), [])
        other = accepted_file.strangers(self.ACCEPTED, HERE | {"compiler": "Clang 20"})
        self.assertEqual(other, ["compiler is Clang 20, accepted were counts of Clang 19"])


class Names(unittest.TestCase):
    def test_are_short_and_the_same_for_every_build(self):
        for text, name in (
            ("???:tollgate::wire::JsonScanner::object()'2 [/b/tollgate]",
             "tollgate::wire::JsonScanner::object"),
            ("./malloc/./malloc/malloc.c:_int_free [/usr/lib/x86_64-linux-gnu/libc.so.6]",
             "_int_free [libc.so.6]"),
            ("???:void* a::allocate<a::tag<int>>(a::tag, unsigned long) [/b/tollgate]",
             "a::allocate"),
            ("???:tollgate::(anonymous namespace)::X::read(int (*)(char)) const "
             "[clone .llvm.755] [/b/tollgate]", "tollgate::X::read"),
            ("???:a::send(b const&) [clone .resume] [clone .llvm.15] [/b/tollgate]",
             "a::send [resume]"),
            ("???:a::operator<<(b&, c<d> const&) [/b/tollgate]", "a::operator<<"),
            ("???:a::f::operator()(int) const [/b/tollgate]", "a::f::operator()"),
            ("???:a::X<int>::~X() [/b/tollgate]", "a::X::~X"),
            ("???:0x000000000029c680 [/usr/lib/libcrypto.so.3]",
             "0x000000000029c680 [libcrypto.so.3]"),
        ):
            self.assertEqual(callgrind.short_name(text), name)

    def test_rows_of_one_name_add_up(self):
        text = ("Ir\n---\n1,100 (100.0%)  PROGRAM TOTALS\n\nIr  file:function\n---\n"
                "1,000 (90.91%)  ???:a::f<int>() [/b/tollgate]\n"
                "  100 ( 9.09%)  ???:a::f<long>() [/b/tollgate]\n")
        self.assertEqual(callgrind.parse_rows(text), (1100, {"a::f": 1100}))

    def test_a_text_without_totals_is_an_error(self):
        with self.assertRaises(ValueError):
            callgrind.parse_rows("callgrind_annotate: cannot open\n")


if __name__ == "__main__":
    unittest.main()
