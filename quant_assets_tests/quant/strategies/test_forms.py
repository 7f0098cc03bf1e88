"""Random strategies simulated in both forms: the same trades, to the last bit; and no leak."""

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.quant.leaks import assert_no_leak
from quant_assets.quant.risk.max_position import MaxPosition
from quant_assets.quant.risk.stop_loss import StopLoss
from quant_assets.quant.risk.trailing_stop import TrailingStop
from quant_assets.quant.sizing.entry.atr_risk import AtrRisk
from quant_assets.quant.sizing.entry.fixed_fraction import FixedFraction
from quant_assets.quant.strategies import StrategyBuilder
from quant_assets.quant.strategies import rules as named
from quant_assets.quant.strategies.regimes import (
    HiddenMarkov,
    MovingAverageTrend,
    RegimeFilter,
    VolatilityQuantile,
)
from quant_assets_tests.quant.strategies.markets import random_bars

pytestmark = pytest.mark.slow(seconds=17)

STRATEGIES, PARTS = 200, 8
POOL = [
    named.MaCrossUp(fast=2, slow=5),
    named.MaCrossDown(fast=2, slow=5),
    named.RsiOversold(period=3, threshold=35.0),
    named.RsiOverbought(period=3, threshold=65.0),
    named.BbLowerTouch(period=6, std_dev=1.5),
    named.BbUpperTouch(period=6, std_dev=1.5),
    named.DonchianBreakoutHigh(period=4),
    named.DonchianBreakoutLow(period=4),
    named.MomentumAbove(period=3),
    named.VolumeSpike(period=4, multiple=1.2),
    named.ConsecutiveDown(bars=2),
    named.GapUp(fraction=0.003),
    named.DayOfWeek(days=("monday", "thursday", "friday")),
]
TREND = MovingAverageTrend(fast=3, slow=8, confirm=2)


def _condition(rng):
    one, other = (POOL[i] for i in rng.integers(0, len(POOL), 2))
    return [one, one | other, one & ~other, ~one][rng.integers(0, 4)]


def _strategy(rng):
    signals = {"entry_long": _condition(rng), "exit_long": _condition(rng)}
    if rng.random() < 0.5:
        signals |= {"entry_short": _condition(rng), "exit_short": _condition(rng)}
    builder = StrategyBuilder("random").with_signals(**signals)
    if rng.random() < 0.5:
        builder = builder.with_regime(RegimeFilter([str(rng.choice(TREND.labels))], 0.5, TREND))
    risk = [TrailingStop(pct=0.03), StopLoss(pct=0.02), MaxPosition(pct=0.3)]
    chosen = [rule for rule in risk if rng.random() < 0.5]
    sizers = [FixedFraction(fraction=0.2)]
    if any(rule.name != "max_position" for rule in chosen):
        sizers.append(AtrRisk(risk=0.01))
    if rng.random() < 0.7:
        builder = builder.with_sizing(sizers[rng.integers(0, len(sizers))])
    return builder.with_risk(*chosen).build()


@pytest.mark.parametrize(
    "classifier",
    [
        TREND,
        VolatilityQuantile(period=8, history=40, confirm=3),
        HiddenMarkov(history=120, refit=40),
    ],
    ids=lambda one: one.name,
)
def test_composed_strategies_pass_the_leak_check(classifier):
    strategy = (
        StrategyBuilder("checked")
        .with_signals(entry_long=named.NewHigh(period=20), exit_long=named.NewLow(period=10))
        .with_regime(RegimeFilter(classifier.labels[:2], 0.5, classifier))
        .with_sizing(AtrRisk(risk=0.01))
        .with_risk(TrailingStop(pct=0.05), MaxPosition(pct=0.3))
        .build()
    )
    assert_no_leak(strategy, random_bars(400, ("A", "B")))


@pytest.mark.parametrize("part", range(PARTS))
def test_random_strategies_trade_alike_in_both_forms(part):
    rng = np.random.default_rng(100 + part)
    n_trades = 0
    for _ in range(STRATEGIES // PARTS):
        bars = random_bars(60, ("A", "B"), seed=int(rng.integers(1_000_000)), holes=0.02)
        strategy = _strategy(rng)
        vector, single = (backtest(strategy, bars, form=form) for form in ("vector", "bar"))
        pd.testing.assert_frame_equal(vector.trades, single.trades, check_exact=True)
        pd.testing.assert_frame_equal(vector.fills, single.fills, check_exact=True)
        pd.testing.assert_frame_equal(vector.equity, single.equity, check_exact=True)
        n_trades += len(vector.trades)
    assert n_trades > 100
