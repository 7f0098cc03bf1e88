"""Trades of every strategy on real bars: as they were, and as a plain account makes them.

The golden file is written by `python -m quant_assets_tests.quant.strategies.library.golden`.
"""

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.quant.strategies import library_strategies
from quant_assets.quant.strategies.signals import FLAGS
from quant_assets_tests.quant.strategies.library import oracles, oracles_of_weights
from quant_assets_tests.quant.strategies.library.cases import case, without_costs
from quant_assets_tests.quant.strategies.library.golden import golden, summary
from quant_assets_tests.quant.strategies.library.oracle_ledger import Plain, walk_targets

pytestmark = pytest.mark.slow(seconds=20)
TIE = 1e-9
MEANS = {
    "bollinger_reversion": 20,
    "hurst_switch": 20,
    "rsi2_reversion": 5,
    "zscore_reversion": 20,
}


def test_every_strategy_has_golden_trades_and_an_oracle():
    names = set(library_strategies())
    assert names == set(golden())
    assert names == {*oracles.FLAGS, *oracles.PAIRS, *oracles_of_weights.TARGETS}


@pytest.mark.parametrize("name", sorted(golden()))
def test_trades_are_the_golden_ones(name):
    strategy, bars = case(name)
    expected = golden()[name]
    found = summary(backtest(strategy, bars, without_costs(bars)))
    assert found["trades"] > 0 or name in {"buy_and_hold", "volatility_managed"}
    for figure in ("first_ts", "last_ts", "trades", "fills", "digest"):
        assert found[figure] == expected[figure], figure
    assert found["total_return"] == pytest.approx(expected["total_return"], rel=1e-8)


def expected_flags(name, bars):
    """Flags `(time, symbol)` by name, and the parts of equity."""
    if name in oracles.PAIRS:
        return oracles.PAIRS[name](bars)
    shape = bars.close.shape
    flags = {signal: np.zeros(shape, dtype=bool) for signal in FLAGS}
    for column, symbol in enumerate(bars.symbols):
        found = oracles.FLAGS[name](oracles.columns(bars, symbol))
        for signal, values in zip(FLAGS, found, strict=True):
            if values is not oracles.NEVER:
                flags[signal][:, column] = values
    return flags, np.full((1, shape[1]), 1.0 / shape[1])


def ties(name, bars):
    """Where the close is the mean itself, to rounding: which side it is on is an accident."""
    if name not in MEANS:
        return np.zeros(bars.close.shape, dtype=bool)
    mean = oracles.closes(bars).rolling(MEANS[name]).mean().to_numpy()
    here = np.abs(bars.close - mean) < TIE * bars.close
    after = name == "hurst_switch"  # a sign that changes is one of two bars
    return here | (np.roll(here, 1, axis=0) & after)


@pytest.mark.parametrize("name", sorted({*oracles.FLAGS, *oracles.PAIRS}))
def test_flags_are_those_of_the_rule_and_the_account_that_of_a_plain_one(name):
    strategy, bars = case(name)
    signals, (flags, sizes) = strategy.signals(bars), expected_flags(name, bars)
    excused = ties(name, bars)
    assert excused.mean() < 1e-3
    for signal in FLAGS:
        given = getattr(signals, signal)
        given = np.zeros(bars.close.shape, dtype=bool) if given is None else given
        flags[signal] = np.where(excused, given, flags[signal])
        known = slice(strategy.warm_up, None)
        np.testing.assert_array_equal(given[known], flags[signal][known], err_msg=signal)
    account = {"sizes": sizes, **oracles.ACCOUNTS.get(name, lambda bars: {})(bars)}
    plain = Plain(bars, flags, warm_up=strategy.warm_up, **account).run()
    result = backtest(strategy, bars, without_costs(bars))
    np.testing.assert_allclose(result.equity_values, plain.equity, rtol=1e-9)
    trades = result.trades[result.trades["exit_reason"] != "open"]
    assert len(trades) == len(plain.trades)
    of_result = zip(
        trades["symbol"],
        np.where(trades["direction"] == "long", 1, -1),
        bars.ts.searchsorted(trades["entry_ts"].dt.tz_localize(None).to_numpy()),
        bars.ts.searchsorted(trades["exit_ts"].dt.tz_localize(None).to_numpy()),
        trades["entry_price"],
        trades["exit_price"],
        trades["shares"],
        strict=True,
    )
    for ours, theirs in zip(sorted(of_result), sorted(plain.trades), strict=True):
        assert ours[:4] == theirs[:4]
        assert ours[4:] == pytest.approx(theirs[4:], rel=1e-9)


@pytest.mark.parametrize("name", sorted(oracles_of_weights.TARGETS))
def test_weights_are_those_of_the_rule_and_the_equity_that_of_a_plain_account(name):
    strategy, bars = case(name)
    first = strategy.warm_up
    expected = oracles_of_weights.TARGETS[name](bars).to_numpy()
    found = strategy.signals(bars).target
    np.testing.assert_allclose(found[first:], expected[first:], rtol=1e-9, atol=1e-12)
    result = backtest(strategy, bars, without_costs(bars))
    np.testing.assert_allclose(result.equity_values, walk_targets(bars, expected, first), rtol=1e-9)
