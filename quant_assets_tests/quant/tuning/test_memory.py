"""Ten thousand combinations over four years of hours, in a process of its own."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow
PROGRAM = """
import json, resource
from quant_assets.quant.strategies.classic.moving_average_cross import MovingAverageCross
from quant_assets.quant.tuning.study import tune
from quant_assets_tests.quant.tuning.samples import market

space = {"fast": list(range(2, 102)), "slow": list(range(110, 1110, 10))}
bars = market(4 * 8766, hours=1.0)
trials = tune(
    MovingAverageCross, space, bars, {"borrow_model": "none"}, search={"grid": {"batch": 500}}
)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({"done": len(trials.done), "days": len(trials.clock), "gigabytes": peak}))
"""


def test_ten_thousand_trials_of_four_years_stay_below_two_gigabytes():
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    found = json.loads(done.stdout)
    assert (found["done"], found["days"]) == (10_000, 1_461)
    assert found["gigabytes"] < 2.0
