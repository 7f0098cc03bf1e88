"""Strategies of the library among members of a universe: ranks, parts, and pairs of two legs."""

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.quant.market.membership import PanelUniverse
from quant_assets_tests.quant.strategies.library.cases import case, without_costs

pytestmark = pytest.mark.slow

RANKED = (
    "betting_against_beta",
    "calendar_seasonality",
    "cross_sectional_momentum",
    "dual_momentum",
    "funding_carry",
    "high_52_week",
    "low_volatility",
    "regime_momentum",
    "short_term_reversal",
    "time_series_momentum",
    "volatility_managed",
)


@pytest.mark.parametrize("name", RANKED)
def test_weights_of_a_row_are_those_of_its_members(name):
    """Others have weight 0 or none; weights of members do not count the others."""
    strategy, bars = case(name)
    members = np.random.default_rng(1).random(bars.close.shape) < 0.6
    target = strategy.signals(bars.with_universe(PanelUniverse(members))).target
    assert (np.nan_to_num(target[~members]) == 0.0).all()
    plain = strategy.signals(bars).target
    decided = np.flatnonzero((np.nan_to_num(plain) != 0.0).any(axis=1))
    assert len(decided)
    everybody = np.ones(bars.close.shape, dtype=np.bool_)
    again = strategy.signals(bars.with_universe(PanelUniverse(everybody))).target
    np.testing.assert_array_equal(again, plain)
    whole = np.abs(np.nan_to_num(plain)).sum(axis=1).max()
    assert np.abs(np.nan_to_num(target)).sum(axis=1).max() <= max(whole, 1.0) * (1.0 + 1e-9)


@pytest.mark.parametrize("name", ["pairs_cointegration", "kalman_pairs", "basis"])
def test_a_pair_is_held_while_both_legs_are_members(name):
    strategy, bars = case(name)
    terms = without_costs(bars)
    run = backtest(strategy, bars, terms)
    first = run.trades.iloc[0]
    opened = np.datetime64(first.entry_ts.tz_localize(None))
    at = int(np.searchsorted(bars.ts, opened))
    leg = bars.symbols.index(first.symbol)
    members = np.ones(bars.close.shape, dtype=np.bool_)
    members[at:, leg] = False
    for rule in ("close", "keep"):
        universe = PanelUniverse(members, rule)
        some = backtest(strategy, bars.with_universe(universe), terms)
        left = some.trades[some.trades["entry_ts"] == first.entry_ts]
        assert len(left) == 2
        assert left["exit_ts"].nunique() == 1
        assert (some.trades["decided_ts"] < first.entry_ts).all() or name == "basis"
