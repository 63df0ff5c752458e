"""The chaos run, small: see chaos.py, which plays a failed run's seed again."""
from __future__ import annotations

import dataclasses
import json
import random

import pytest

import chaos


@pytest.mark.parametrize("name", sorted(chaos.MANNERS))
def test_no_call_pays_for_a_provider_that_fails(tmp_path, name):
    seed = random.SystemRandom().randrange(1 << 32)
    manner = dataclasses.replace(chaos.MANNERS[name], first_byte=20, idle=5)
    report = chaos.run(seed, 1000, 16, tmp_path, manner)
    assert not report["wrong"], json.dumps(report, indent=1)
    played = report["played"]
    assert sum(played.values()) - played.get("good", 0) - played.get("slow", 0) > 3, report
    if manner.continues:
        assert any(fate.startswith(("prefill", "instructed")) for fate in played), report
