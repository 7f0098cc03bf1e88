"""Leaks that few cuts would miss are caught, since many cuts are made in one run."""

import pytest

from quant_assets.quant.leaks.settings import Settings
from quant_assets.quant.leaks.strategies import check_strategy
from quant_assets_tests.quant.leaks.markets import market
from quant_assets_tests.quant.leaks.planted_rare import RARE, OneBarInFifty, Reach

pytestmark = pytest.mark.slow

BARS = market(20_000, seed=170)
FEW = market(480, seed=171)


@pytest.mark.parametrize("kind", RARE, ids=[kind.__name__ for kind in RARE])
@pytest.mark.parametrize("seed", [0, 1])
def test_leak_that_shows_seldom_is_caught_on_many_bars(kind, seed):
    report = check_strategy(kind(), BARS, settings=Settings(seed=seed))
    assert report.verdict == "leak", str(report)
    assert all(leak.row <= leak.cut for leak in report.leaks)


def test_one_bar_in_fifty_is_caught_by_noise_in_many_places_with_the_next_row_as_its_cause():
    report = check_strategy(OneBarInFifty(), BARS)
    assert any(" places from row " in probe for probe in report.probes)
    assert {leak.row for leak in report.leaks} == {leak.cut for leak in report.leaks}
    assert all("Likely the next row" in leak.cause for leak in report.leaks)


@pytest.mark.parametrize("ahead", [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144])
def test_every_reach_is_caught_on_few_bars(ahead):
    assert check_strategy(Reach(ahead=ahead), FEW).verdict == "leak"
