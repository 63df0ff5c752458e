"""The ceiling of a budget that two gateways share holds whatever happens; see ceiling_race.py."""
from __future__ import annotations

import shutil

import pytest

from ceiling_race import SCENARIOS, race

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server")


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_the_ceiling_holds(scenario, tmp_path):
    race(scenario, tmp_path)
