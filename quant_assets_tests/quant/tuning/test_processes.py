"""Searches over processes; slow, because processes must be started."""

import pytest

from quant_assets.core.executor import ProcessExecutor, RayExecutor
from quant_assets.quant.model_selection.walk_forward import WalkForward
from quant_assets.quant.tuning.out_of_sample import walk_forward
from quant_assets.quant.tuning.study import tune
from quant_assets_tests.quant.tuning.samples import Cross, market

pytestmark = pytest.mark.slow
SPACE = {"fast": [2, 4, 8], "slow": [6, 8, 12]}


@pytest.fixture(scope="module")
def processes():
    with ProcessExecutor(2) as executor:
        yield executor


def test_processes_give_the_same_trials(processes):
    bars = market(150)
    here = tune(Cross, SPACE, bars)
    there = tune(Cross, SPACE, bars, executor=processes, search={"grid": {"batch": 4}})
    assert there.hash() == here.hash()


def test_processes_give_the_same_walk(processes):
    bars, splitter = market(200), WalkForward(100, 50)
    here = walk_forward(Cross, SPACE, bars, splitter)
    there = walk_forward(Cross, SPACE, bars, splitter, executor=processes)
    assert there.hash() == here.hash()


def test_ray_gives_the_same_trials():
    ray = pytest.importorskip("ray")
    bars = market(150)
    try:
        there = tune(Cross, SPACE, bars, executor=RayExecutor(workers=2))
    finally:
        ray.shutdown()
    assert there.hash() == tune(Cross, SPACE, bars).hash()
