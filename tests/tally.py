"""Counts the tests in one step's output: prints "passed failed skipped".

Understands doctest and pytest. A step that fails without saying how many counts as one failure, one
that passes without saying how many as one pass.
"""

import re
import sys


def tally(text: str, status: int) -> tuple[int, int, int]:
    passed = failed = skipped = 0
    for p, f in re.findall(r"test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed", text):
        passed, failed = passed + int(p), failed + int(f)
    for line in re.findall(r"^=*\s*((?:\d+ \w+,? ?)+) in [\d.]+s.*$", text, re.M):
        for count, what in re.findall(r"(\d+) (passed|failed|error|errors|skipped)", line):
            if what == "passed":
                passed += int(count)
            elif what == "skipped":
                skipped += int(count)
            else:
                failed += int(count)
    if status != 0 and failed == 0:
        failed = 1
    if status == 0 and passed == failed == skipped == 0:
        said_so = re.search(r"^SKIPPED", text, re.M) is not None
        passed, skipped = (0, 1) if said_so else (1, 0)
    return passed, failed, skipped


if __name__ == "__main__":
    with open(sys.argv[1], errors="replace") as log:
        print(*tally(log.read(), int(sys.argv[2])))
