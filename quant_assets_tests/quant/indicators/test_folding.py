import numpy as np
import pytest

from quant_assets.quant import indicators
from quant_assets.quant.indicators import base, folding
from quant_assets.quant.indicators.nodes import Nodes
from quant_assets_tests.quant.indicators.bars import random_bars, with_holes

pytestmark = pytest.mark.slow

CATALOGUE = indicators.catalogue()


def nodes_of(indicator):
    nodes = Nodes(1)
    indicator.program(nodes)
    return nodes


def fold_of(indicator, n_times, n_symbols=1):
    return folding.fold_of(nodes_of(indicator), n_times, n_symbols)


FOLDED = sorted(name for name, kind in CATALOGUE.items() if fold_of(kind(), 1_000_000).lanes > 1)


def test_windows_fold_and_recursions_do_not():
    for name in ("sma", "rolling_std", "rolling_beta", "z_score", "rolling_max", "amihud"):
        assert name in FOLDED
    for name in ("ema", "rsi", "obv", "atr", "rolling_median", "percentile_rank"):
        assert name not in FOLDED


def test_fold_covers_every_row_once_with_leads_of_whole_windows():
    indicator = indicators.UlcerIndex(14)
    for n_times in (500, 10_007):
        fold = fold_of(indicator, n_times, 3)
        table = np.arange(3.0 * n_times).reshape(n_times, 3)
        rows = []
        for part in fold.parts(n_times):
            body, leads = part.body(table), part.leads(table)
            rows.append(body.reshape(-1, 3))
            for lane in range(part.lanes):
                before = np.concatenate([leads[lane], body[lane]])
                steps = np.diff(before, axis=0)
                assert (steps[~np.isnan(steps)] == 3.0).all()
            assert np.isnan(leads[0]).all() == (part.first == 0)
        np.testing.assert_array_equal(np.concatenate(rows), table)
        assert fold.lead % 14 == 0
        assert fold.lead >= 2 * 14 or fold.lanes == 1


def test_short_and_wide_arrays_are_not_folded():
    indicator = indicators.RollingStd(20)
    assert fold_of(indicator, 2 * folding.LEADS * 20 - 1).lanes == 1
    assert fold_of(indicator, 2 * folding.LEADS * 20).lanes == 2
    assert fold_of(indicator, 1_000_000, folding.FEW).lanes == folding.WIDTH // folding.FEW
    assert fold_of(indicator, 1_000_000, folding.FEW + 1).lanes == 1
    assert fold_of(indicators.Roc(20), 1_000_000).lanes == 1


def test_folds_are_united_where_that_costs_no_lanes():
    alike = [fold_of(indicators.RollingStd(n), 1_000_000, 20) for n in (20, 60, 50)]
    common = folding.one_fold(alike, 1_000_000, 20)
    assert common.lanes == alike[0].lanes == folding.WIDTH // 20
    assert common.period == 300
    assert all(common.lead >= fold.lead and common.lead % fold.period == 0 for fold in alike)
    assert common.rows % common.period == 0
    odd = [fold_of(indicators.RollingStd(n), 20_000, 20) for n in (19, 23, 29)]
    assert folding.one_fold(odd, 20_000, 20) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDED)
@pytest.mark.parametrize("n_symbols", [None, 3])
def test_folded_walks_give_the_same_bits(name, n_symbols, monkeypatch):
    indicator = CATALOGUE[name]()
    lead = fold_of(indicator, 10_000_000).lead
    n_times = 3 * folding.LEADS * lead + 17
    bars = with_holes(random_bars(n_times, n_symbols), 0.001)
    bars["close"][n_times // 3] = np.inf
    other = random_bars(n_times, n_symbols, seed=7)["close"]
    columns = [bars.get(column, other) for column in indicator.inputs]
    assert fold_of(indicator, n_times, n_symbols or 1).lanes > 1
    monkeypatch.setattr(base, "SHORT", 0)
    folded = indicator.compute(*columns)
    monkeypatch.setattr(base, "fold_of", lambda *_: folding.UNFOLDED)
    straight = indicator.compute(*columns)
    np.testing.assert_array_equal(np.stack([folded]), np.stack([straight]))
    assert np.isfinite(np.stack([straight])).any()


def test_short_tables_are_walked_at_once(monkeypatch):
    laid_out = []
    monkeypatch.setattr(base, "fold_of", lambda *_: laid_out.append(1) or folding.UNFOLDED)
    close = random_bars(folding.SHORT + 1)["close"]
    indicators.sma(close[1:], 20)
    assert not laid_out
    indicators.sma(close, 20)
    assert laid_out


@pytest.mark.slow
def test_many_at_once_that_fold_differently_give_the_same_bits():
    n_times = 20_000
    bars = with_holes(random_bars(n_times, 2), 0.001)
    members = {
        name: CATALOGUE[name]()
        for name in ("sma", "rsi", "obv", "rolling_std", "bollinger_bands", "ulcer_index", "amihud")
    }
    together = indicators.compute_all(members, bars)
    for name, indicator in members.items():
        alone = indicator.compute(*(bars[column] for column in indicator.inputs))
        np.testing.assert_array_equal(np.stack([together[name]]), np.stack([alone]))
