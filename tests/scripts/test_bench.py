"""`make bench` measures what it says, each beside its goal; how quick the machine is, no test asks."""

import json
import os
import subprocess
import sys

import bench
import pytest
from helpers import ROOT


def test_a_rate_above_its_goal_says_so():
    assert str(bench.Rate("forward", 80.0, "ms", 150)).endswith("80 ms   goal 150")
    assert str(bench.Rate("forward", 180.0, "ms", 150)).endswith("180 ms   goal 150  missed")


@pytest.mark.slow
def test_all_that_it_measures_is_a_record(browser, lab):
    """In a process of its own: it starts a browser and a JupyterLab itself."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, bench.__file__, "--json"]
    rates = json.loads(subprocess.check_output(command, env=os.environ | {"PYTHONPATH": paths}))
    site = 2 * (ROOT / "site" / "live").is_dir()
    assert len(rates) == 6 + 2 + 3 + 1 + len(bench.UPDATES) + 1 + site
    for rate in rates:
        assert set(rate) == {"name", "value", "unit", "goal"}
        more = rate["unit"] == "%"  # than another, so that it may be less
        assert (rate["value"] > 0 or more) and rate["goal"] > 0, rate
