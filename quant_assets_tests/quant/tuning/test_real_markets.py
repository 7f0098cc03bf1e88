"""Searches and walk-forward on real closes, and on a generated market with funding."""

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.quant.model_selection.walk_forward import WalkForward
from quant_assets.quant.strategies.classic.donchian_breakout import DonchianBreakout
from quant_assets.quant.strategies.classic.moving_average_cross import MovingAverageCross
from quant_assets.quant.tuning.costs import cost_surface
from quant_assets.quant.tuning.out_of_sample import spans_of, walk_forward
from quant_assets.quant.tuning.robustness import overfitting_scores
from quant_assets.quant.tuning.study import tune
from quant_assets.quant.tuning.vault import seal
from quant_assets_tests.quant.strategies.library.real_bars import funding, perpetuals, stocks
from quant_assets_tests.quant.tuning.samples import FREE, Cross
from quant_assets_tests.quant.tuning.test_vault import Pages
from quant_assets_tests.quant.tuning.test_walk_forward import SPACE, walked_by_hand

pytestmark = pytest.mark.slow


def test_walk_forward_of_a_real_stock_is_the_one_by_hand():
    bars = stocks().select([stocks().symbols[0]])
    spans = spans_of(WalkForward(756, 252), bars)
    walked = walk_forward(Cross, SPACE, bars, spans, FREE)
    chosen, equity = walked_by_hand(bars, spans)
    assert [tuple(one.params.values()) for one in walked.windows] == [pair for _, pair in chosen]
    rows = spans[-1].test_last - spans[0].test_first
    np.testing.assert_allclose(walked.equity["equity"], equity[:rows], rtol=1e-10)


def test_search_of_twenty_real_stocks_is_judged_less_kindly_than_it_looks():
    space = {"fast": [5, 10, 20, 50], "slow": [40, 80, 120, 200]}
    visible, vault = seal(stocks(), Pages(), months=24)
    trials = tune(MovingAverageCross, space, visible)
    scores = overfitting_scores(trials)
    done = scores.frame["sharpe"].notna().sum()
    assert (scores.n_trials, len(trials)) == (16, 16)
    assert done == 15  # 50 does not go with 40
    best = trials.best.number - 1
    psr = overfitting_scores(trials, earlier=0).frame["dsr"][best]
    assert overfitting_scores(trials, earlier=1_000).frame["dsr"][best] < psr < 1.0
    assert 0.0 <= scores.pbo <= 1.0
    opened = vault.open(strategy="chosen", reason="one look")
    assert opened.bars.ts[opened.first] >= np.datetime64("2020-12-01")


def test_windows_with_funding_add_up_to_one_walk():
    bars, events = perpetuals(), funding()
    inputs = {"funding": events}
    space = {"entry": [24, 72], "leave": [12]}
    spans = spans_of(WalkForward(1_000, 400), bars)
    walked = walk_forward(DonchianBreakout, space, bars, spans, inputs=inputs)
    carried, parts = None, []
    for span in spans:
        cut = bars.rows(slice(0, span.test_last))
        step = walk_forward(DonchianBreakout, space, cut, [span], carried=carried, inputs=inputs)
        carried = step.carried
        parts.append(step.equity["equity"])
    np.testing.assert_array_equal(pd.concat(parts), walked.equity["equity"])
    assert np.abs(walked.equity["funding"]).sum() > 0.0
    gained = walked.equity["equity"].iloc[-1] - 100_000.0
    assert walked.trades["pnl"].sum() == pytest.approx(gained, abs=1e-6)


def test_costs_of_a_real_portfolio_never_help():
    strategy = MovingAverageCross(fast=10, slow=50)
    frame = cost_surface(
        strategy, stocks(), fees=[0.0, 1.0, 8.0], slippages=[0.0, 1.0, 8.0], delays=[0]
    ).frame
    for axis, other in (("fee", "slippage"), ("slippage", "fee")):
        for _, part in frame.groupby(other):
            assert (np.diff(part.sort_values(axis)["log_growth"]) < 0.0).all()
    plain = frame[(frame["fee"] == 1.0) & (frame["slippage"] == 1.0)]["total_return"].iloc[0]
    assert plain == pytest.approx(backtest(strategy, stocks()).total_return, rel=1e-12)
