"""What every strategy of the library must keep; a new file is checked without a line here."""

import inspect
import re
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError
from quant_assets.quant.leaks import check_strategy
from quant_assets.quant.strategies import (
    BarStrategy,
    PairStrategy,
    Signals,
    StrategyTester,
    VectorStrategy,
    library_strategies,
    make_strategy,
)
from quant_assets_tests.quant.strategies.library.samples import ROWS, SMALL, sample, small

NAMES = sorted(library_strategies())
FREE = {"preset": "optimistic", "funding_model": "assume_zero"}
# Recursions never quite forget where they began; months and sessions begin anew with the calendar.
SLOW_TO_FORGET = {
    "adx_trend",
    "calendar_seasonality",
    "donchian_breakout",
    "kalman_pairs",
    "keltner_squeeze",
    "macd_cross",
    "opening_range",
    "pairs_cointegration",
    "parabolic_sar_trend",
    "supertrend_trend",
}
EVERY = pytest.mark.parametrize("name", NAMES)


def decisions(strategy, bars):
    found = strategy.signals(bars)
    given = {one.name: getattr(found, one.name) for one in fields(Signals)}
    return {name: values for name, values in given.items() if values is not None}


def same_trades(left, right):
    assert left.n_trades == right.n_trades
    pd.testing.assert_frame_equal(left.trades, right.trades, rtol=1e-9)
    np.testing.assert_allclose(left.equity_values, right.equity_values, rtol=1e-9)


@EVERY
def test_strategy_says_its_rule_and_its_source(name):
    kind = library_strategies()[name]
    assert inspect.getmodule(kind).__name__.endswith(f".{name}")
    assert re.search(r"\((1[89]|20)\d\d\)|\d{4}", kind.source)
    assert len(inspect.getdoc(kind)) > 60
    assert len(inspect.getsource(inspect.getmodule(kind)).splitlines()) < 120


@EVERY
def test_strategy_refuses_numbers_that_are_none(name):
    kind = library_strategies()[name]
    numbers = [one.name for one in fields(kind) if "range" in one.metadata]
    for parameter in numbers:
        for wrong in (float("nan"), "x", True):
            with pytest.raises(ConfigError, match=rf"{name}: {parameter} is"):
                kind(**{parameter: wrong})


@EVERY
@pytest.mark.slow
def test_strategy_is_found_trustworthy_in_both_forms(name):
    report = check_strategy(small(name), sample(name))
    assert report.trusted, str(report)
    assert report.failed == ()
    decided = [part for part in report.start_up if not part.output.startswith("indicator ")]
    assert decided
    if name not in SLOW_TO_FORGET:
        assert [part for part in decided if not part.sufficient] == []


@EVERY
@pytest.mark.slow
def test_strategy_trades_alike_in_both_forms_again_and_not_before_its_warm_up(name):
    strategy, bars = small(name), sample(name)
    assert isinstance(strategy, VectorStrategy)
    assert isinstance(strategy, BarStrategy)
    first = backtest(strategy, bars, FREE)
    begins = bars.ts.searchsorted(first.fills["ts"].min().to_datetime64())
    assert strategy.warm_up < begins < ROWS - 50
    assert backtest(small(name), bars, FREE).hash() == first.hash()
    assert backtest(strategy, bars, FREE, form="bar").hash() == first.hash()
    StrategyTester(strategy, bars.rows(slice(0, 40))).check()


@EVERY
@pytest.mark.slow
def test_strategy_does_not_depend_on_the_order_of_symbols(name):
    strategy, bars = small(name), sample(name)
    turned = bars.select(bars.symbols[::-1])
    other = decisions(strategy, turned)
    for signal, values in decisions(strategy, bars).items():
        np.testing.assert_allclose(other[signal][:, ::-1], values, rtol=1e-9, atol=1e-12)
    same_trades(backtest(strategy, bars, FREE), backtest(strategy, turned, FREE))


@EVERY
@pytest.mark.slow
def test_strategy_is_symbolwise_when_it_says_so_and_only_then(name):
    strategy, bars = small(name), sample(name)
    pairs = isinstance(strategy, PairStrategy) or name == "basis"  # one symbol is no pair
    whole, differs = decisions(strategy, bars), pairs
    for column, symbol in enumerate([] if differs else bars.symbols):
        for signal, values in decisions(strategy, bars.select([symbol])).items():
            differs |= not np.array_equal(whole[signal][:, [column]], values, equal_nan=True)
    assert strategy.symbolwise is not differs


@EVERY
@pytest.mark.slow
def test_strategy_survives_empty_short_and_missing_bars(name):
    strategy, bars = small(name), sample(name)
    for part in (bars.rows(slice(0, 0)), bars.rows(slice(0, 1)), bars.rows(slice(0, 7))):
        assert strategy.signals(part).shape == part.close.shape
    gone = sample(name, holes=1.0)
    found = decisions(strategy, gone)
    calendar = name in {"halloween", "turn_of_month", "opening_range"}
    for signal in ("entry_long", "entry_short"):
        assert calendar or not found.get(signal, np.zeros(1)).any()
    assert not np.nan_to_num(found.get("target", np.zeros(1))).any()
    assert len(backtest(strategy, gone, FREE).fills) == 0


def test_two_legs_must_be_named_where_there_are_more_symbols():
    bars = sample("basis")
    for name, kind in library_strategies().items():
        if issubclass(kind, PairStrategy):
            with pytest.raises(ConfigError, match=f"{name}: legs are"):
                make_strategy(name).signals(bars)
            with pytest.raises(ConfigError, match="NONE"):
                make_strategy(name, {"first": "DEF", "second": "NONE"}).signals(bars)
            named = make_strategy(name, {"first": "ABC/USD", "second": "DEF"}).signals(bars)
            assert not named.entry_long[:, 3:].any()


def test_small_parameters_are_of_strategies_that_there_are():
    assert set(SMALL) <= set(NAMES)
