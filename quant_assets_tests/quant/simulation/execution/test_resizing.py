"""Positions that follow their sizes after the entry, to a target of volatility among others."""

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.risk import MaxPosition
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.sizing.entry.inverse_volatility import InverseVolatility
from quant_assets.quant.sizing.entry.risk_parity import RiskParity
from quant_assets.quant.sizing.entry.units import EntrySizes, Resize
from quant_assets.quant.sizing.entry.volatility_target import VolatilityTarget
from quant_assets.quant.strategies.builder import StrategyBuilder
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import Told, at, daily, tell

YEAR = 365


def planted(years, *, symbols=1, seed=0):
    """Daily closes that rise by 60 % a year, with the yearly volatility of each year in between."""
    rng = np.random.default_rng(seed)
    n = YEAR * (len(years) - 1)
    sigma = np.interp(np.arange(n) / YEAR, np.arange(len(years)), years)[:, None] / 365.25**0.5
    noise = rng.normal(size=(n, symbols))
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0)
    return daily({"close": 100 * np.cumprod(1 + 0.5 / YEAR + sigma * noise, axis=0)})


def held(bars, sizer, *risk, first=70, **more):
    """Bought once and held: every symbol is entered at one bar."""
    signals = Told(decisions=Signals(entry_long=at(bars, first)))
    strategy = StrategyBuilder("held").with_signals(signals).with_sizing(sizer).with_risk(*risk)
    terms = frictionless(bars)
    terms = terms._replace(margin=terms.margin._replace(leverage=9.0))
    return backtest(strategy.build(), bars, terms, **more)


def yearly(result):
    """Realised volatility of equity in each whole year after the first."""
    returns = result.equity.equity.pct_change().to_numpy()
    years = [returns[i : i + YEAR] for i in range(YEAR, len(returns) - YEAR + 1, YEAR)]
    return np.array([year.std() * 365.25**0.5 for year in years])


@pytest.mark.parametrize("years", [[0.16] * 5, [0.1, 0.2, 0.4, 0.3, 0.1]])
def test_a_position_that_is_resized_has_the_target_volatility_in_every_year(years):
    bars = planted(years)
    sizer = VolatilityTarget(target=0.10, lookback=40, max_leverage=3.0, resize_bars=1)
    result = held(bars, sizer)
    assert yearly(result) == pytest.approx(0.10, rel=0.12)
    assert set(result.fills.reason) == {"entry", "resize"}
    assert len(result.trades) == 1
    once = yearly(held(bars, VolatilityTarget(target=0.10, lookback=40, max_leverage=3.0)))
    assert abs(once - 0.10).max() > 0.02


def test_the_band_and_the_bars_are_those_that_are_asked_for():
    """Every weight that differs by more than the band is brought to the size of its bar."""
    bars = planted([0.1, 0.4])
    sizer = VolatilityTarget(lookback=40, max_leverage=3.0, resize_bars=5, resize_band=0.2)
    result, size = held(bars, sizer), sizer.sizes(bars).size[:, 0]
    fills, row = result.fills, {ts: t for t, ts in enumerate(result.equity.index)}
    filled = [row[ts] for ts in fills.ts]
    quantity, entry, expected = 0.0, filled[0], [filled[0]]
    for t in range(entry, len(bars) - 1):
        quantity += fills.quantity[[at == t for at in filled]].sum()
        weight = quantity * bars.close[t, 0] / result.equity.equity.iloc[t]
        looked_at = t > entry and (t - entry) % 5 == 0
        if looked_at and abs(weight - size[t]) > 0.2 * size[t]:
            expected.append(t + 1)
    assert filled == expected
    assert len(filled) > 3


@pytest.mark.parametrize(
    "sizer",
    [
        InverseVolatility(lookback=30, resize_bars=3),
        RiskParity(lookback=30, refit_bars=5, resize_bars=5),
        VolatilityTarget(lookback=30, max_leverage=1.0, resize_bars=2, resize_band=0.05),
    ],
)
def test_both_forms_resize_alike_within_the_limits(sizer):
    """The second sizes of all symbols together stay within a gross of 1."""
    bars = planted([0.1, 0.4], symbols=3)
    runs = [held(bars, sizer, MaxPosition(pct=0.4), form=form) for form in ("vector", "bar")]
    assert runs[0].hash() == runs[1].hash()
    assert (runs[0].fills.reason == "resize").sum() > 5
    assert runs[0].positions.weight.max() <= 0.4 * 1.05


def test_what_waits_to_grow_ends_with_its_position():
    """At bar 2 the size doubles, but nothing trades on bar 3; the exit of that bar closes all."""
    volume = np.array([1e6, 1e6, 1e6, 0.0, 1e6, 1e6])[:, None]
    bars = daily({"close": np.full((6, 1), 100.0)}, volume=volume)
    size = np.array([0.1, 0.1, 0.2, 0.2, 0.2, 0.2])[:, None]
    plan = Plan(sizes=EntrySizes(size, 2), resize=Resize(1, 0.1))
    result = tell(bars, Signals(entry_long=at(bars, 0), exit_long=at(bars, 3)), plan=plan)
    assert result.fills.quantity.tolist() == [100.0, -100.0]
    assert result.orders.status.tolist() == ["filled", "cancelled", "filled"]
    waits = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan)
    assert waits.fills.quantity.tolist() == [100.0, 100.0]
    assert waits.orders.status.tolist() == ["filled", "cancelled", "filled"]
    assert waits.orders.cancelled_by.tolist() == ["", "decision", ""]


def test_nothing_grows_in_a_drawdown_cut_or_towards_an_unknown_size():
    bars = daily({"close": np.array([100.0, 100, 50, 50, 50, 50])[:, None]})
    size = np.array([0.5, 0.5, 0.5, 0.5, 0.0, 0.1])[:, None]
    plan = Plan(sizes=EntrySizes(size, 2), resize=Resize(1, 0.1))
    grown = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan)
    assert grown.fills.quantity.tolist() == pytest.approx([500.0, 250.0])
    from quant_assets.quant.simulation.execution.defaults import neutral_limits

    limits = neutral_limits(1)._replace(cut_drawdown=0.1, cut_scale=0.5)
    cut = Plan(sizes=plan.sizes, resize=plan.resize, limits=limits)
    kept = tell(bars, Signals(entry_long=at(bars, 0)), plan=cut)
    assert kept.fills.quantity.tolist() == [500.0]


def test_weights_of_the_strategy_and_sizes_in_units_are_not_resized():
    bars = daily({"close": np.full((4, 1), 100.0)})
    plan = Plan(sizes=EntrySizes(np.ones((1, 1)), 2), resize=Resize(1, 0.1))
    with pytest.raises(ConfigError, match="target weights"):
        tell(bars, Signals(target=np.ones((4, 1))), plan=plan)
    with pytest.raises(DataError, match="fractions of equity"):
        Plan(sizes=EntrySizes(np.ones((1, 1)), 0), resize=Resize(1, 0.1))
    strategy = StrategyBuilder("weights").with_signals(
        Told(decisions=Signals(target=np.ones((4, 1))))
    )
    built = strategy.with_sizing(VolatilityTarget(resize_bars=1)).build()
    for form in ("vector", "bar"):
        with pytest.raises(ConfigError, match="target weights"):
            backtest(built, bars, frictionless(bars), form=form)
