"""Hedging on the wire, small: see hedging.py, which measures it."""
from __future__ import annotations

import json
import random

import hedging


def test_a_second_request_for_slow_replies_only_and_one_of_two_is_let_go(tmp_path):
    """Also where the share is used up, or both are slow: then a call takes as long as it takes."""
    seed = random.SystemRandom().randrange(1 << 32)
    trial = hedging.Trial(seed, calls=400, hedge=f"{{after: 1s, max_share: {hedging.SHARE}}}",
                          usual=0.02, slow=10, parallel=16)
    report = hedging.run(trial, tmp_path)
    assert not report["wrong"], json.dumps(report, indent=1)
    assert report["extra_attempts"] > 0, report
