#!/usr/bin/env python3
"""System calls per request: strace's table is read, the difference is taken, rare ones left out."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench"))

import syscalls  # noqa: E402

TABLE = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.001234          12       100        10 recvfrom
 40.00    0.000800           8       100           epoll_wait
------ ----------- ----------- --------- --------- ----------------
100.00    0.002034          10       200        10 total
"""


def sample(proxy, calls, failed=(), together=0.0):
    return {"proxy": proxy, "calls": calls, "failed": dict(failed), "together": together}


class Tables(unittest.TestCase):
    def test_of_strace_are_read_without_their_total(self):
        calls, failed = syscalls.parse(TABLE)
        self.assertEqual(calls, {"recvfrom": 100, "epoll_wait": 100})
        self.assertEqual((failed["recvfrom"], failed["epoll_wait"]), (10, 0))

    def test_one_more_request_costs_the_difference(self):
        few, _ = syscalls.parse(TABLE)
        many, _ = syscalls.parse(TABLE.replace("       100        10 recv",
                                               "       350        10 recv"))
        self.assertEqual(syscalls.per_unit(few, many, 100), {"epoll_wait": 0, "recvfrom": 2.5})

    def test_a_call_that_came_later_counts_from_nothing(self):
        few, _ = syscalls.parse("")
        many, _ = syscalls.parse(TABLE)
        self.assertEqual(syscalls.per_unit(few, many, 50)["recvfrom"], 2.0)

    def test_show_failures_and_leave_rare_calls_out(self):
        text = syscalls.table([sample("a", {"read": 2.0, "brk": 0.001}, {"read": 0.5}),
                               sample("b", {"write": 1.0})])
        self.assertIn("| read | 2.00 (0.50) | 0.00 |", text)
        self.assertIn("| **all** | **2.00** | **1.00** |", text)
        self.assertNotIn("brk", text)

    def test_events_that_were_passed_on_together_are_noted(self):
        notes = syscalls.together_notes([sample("a", {}, together=0.2), sample("b", {})])
        self.assertEqual(len(notes), 1)
        self.assertRegex(notes[0], "^- a .*20%")


if __name__ == "__main__":
    unittest.main()
