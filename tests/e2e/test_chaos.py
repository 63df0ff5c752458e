"""The chaos run, small: see chaos.py, which plays a failed run's seed again."""
from __future__ import annotations

import random

import pytest

import chaos


@pytest.mark.parametrize("deaths", [False, True], ids=["before-content", "in-mid-stream"])
def test_no_call_pays_for_a_provider_that_fails(tmp_path, deaths):
    seed = random.SystemRandom().randrange(1 << 32)
    report = chaos.run(seed, 1000, 16, tmp_path, first_byte=20, deaths=deaths)
    assert not report["wrong"], report
    played = report["played"]
    assert sum(played.values()) - played.get("good", 0) - played.get("slow", 0) > 3, report
    assert report["results"].get("dead", 0) == 0 or deaths
