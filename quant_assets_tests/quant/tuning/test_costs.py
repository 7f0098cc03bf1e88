from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pytest
from scipy import optimize

from quant_assets import backtest
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.signals import Signals
from quant_assets.quant.tuning.costs import capacity, cost_surface
from quant_assets_tests.quant.tuning.samples import FREE, Cross, market


@dataclass(frozen=True, kw_only=True)
class Alternate(VectorStrategy):
    """In on even bars, out on odd ones."""

    name: ClassVar[str] = "alternate"

    def signals(self, bars):
        even = (np.arange(len(bars)) % 2 == 0)[:, None] & np.ones(bars.close.shape, dtype=bool)
        return Signals(entry_long=even, exit_long=~even)


def sawtooth(rows=201, gain=0.004, *, noise=0.0, seed=0, volume=1e5):
    """Every purchase of `Alternate` gains `gain`, with noise; opens are the closes before."""
    rng = np.random.default_rng(seed)
    steps = np.where(np.arange(rows) % 2 == 1, gain, -gain / (1.0 + gain))
    close = 100.0 * np.cumprod(1.0 + steps + noise * rng.standard_normal(rows))
    opened = np.r_[100.0, close[:-1]]
    ts = np.datetime64("2020-01-01", "us") + np.arange(rows) * np.timedelta64(1, "D")
    return BarPanel.from_arrays(
        ts,
        ["A"],
        timedelta(days=1),
        open=opened,
        high=np.maximum(opened, close),
        low=np.minimum(opened, close),
        close=close,
        volume=np.full(rows, volume),
    )


FEES = {"commission_model": {"percent": {"bps": 10.0}}, "slippage_model": "none"}
BPS = 1e-4


def test_break_even_fee_is_the_one_on_paper():
    gain = 0.004
    surface = cost_surface(
        Alternate(),
        sawtooth(gain=gain),
        FEES,
        fees=[0.0, 1.0, 1.5, 2.5, 4.0],
        slippages=[1.0],
        delays=[0],
    )
    # a round trip multiplies wealth by (1 + g)(1 - f) / (1 + f): nothing is left at f = g / (2 + g)
    expected = gain / (2.0 + gain) / (10.0 * BPS)
    row = surface.break_even().iloc[0]
    assert row["fee"] == pytest.approx(expected, rel=1e-3)
    assert (row["survives"], row["fails"]) == (False, False)
    fee = surface.frame["fee"].to_numpy() * 10.0 * BPS
    trips = surface.frame["n_trades"].to_numpy()
    wealth = ((1.0 + gain) * (1.0 - fee) / (1.0 + fee)) ** trips
    np.testing.assert_allclose(surface.frame["log_growth"], np.log(wealth), atol=2e-3)
    np.testing.assert_allclose(surface.frame["costs_bps"], fee / BPS, rtol=1e-9)


@pytest.mark.slow
def test_break_even_falls_with_slippage_by_as_much():
    execution = {
        "commission_model": {"percent": {"bps": 10.0}},
        "slippage_model": {"fixed": {"bps": 10.0}},
    }
    line = cost_surface(
        Alternate(),
        sawtooth(gain=0.006),
        execution,
        fees=np.linspace(0.0, 4.0, 9).tolist(),
        slippages=[0.0, 1.0, 2.0],
        delays=[0],
    ).break_even()
    # both are rates of the same notional: a factor of one costs a factor of the other
    np.testing.assert_allclose(np.diff(line["fee"]), [-1.0, -1.0], atol=0.01)


@pytest.mark.slow
def test_more_costs_never_earn_more():
    frame = cost_surface(Cross(fast=2, slow=6), market(300), delays=[0]).frame
    for axis, other in (("fee", "slippage"), ("slippage", "fee")):
        for _, part in frame.groupby(other):
            growth = part.sort_values(axis)["log_growth"].to_numpy()
            assert (np.diff(growth) < 0.0).all()


def test_a_delay_is_a_bar_of_latency_and_size_a_factor_of_capital():
    bars, strategy = market(200), Cross(fast=2, slow=6)
    surface = cost_surface(
        strategy, bars, "pessimistic", fees=[1.0], slippages=[1.0], delays=[0, 2], sizes=[1.0, 50.0]
    )
    plain = ExecutionModel.preset("pessimistic")
    later = {"realistic_volume": {"participation": 0.05, "latency": 3}}
    for delay, model in (
        (0, plain),
        (2, ExecutionModel(**{**_settings(plain), "fill_model": later})),
    ):
        for size in (1.0, 50.0):
            expected = backtest(strategy, bars, model, initial_capital=size * 1e5).total_return
            frame = surface.frame
            row = frame[(frame["delay"] == delay) & (frame["size"] == size)].iloc[0]
            assert row["total_return"] == pytest.approx(expected, rel=1e-12)


def _settings(model):
    return {name: getattr(model, name) for name in model.parameters()}


def test_table_shows_two_axes_at_the_least_of_the_others():
    surface = cost_surface(
        Cross(fast=2, slow=6), market(100), fees=[0.0, 1.0], slippages=[0.0, 2.0], delays=[0, 1]
    )
    table = surface.table()
    assert table.shape == (2, 2)
    expected = surface.frame.query("fee == 1 and slippage == 2 and delay == 0")["total_return"]
    assert table.loc[1.0, 2.0] == expected.iloc[0]
    with pytest.raises(ConfigError, match="two of"):
        surface.table("fee", "fee")


def test_a_strategy_that_always_earns_or_never_has_no_break_even():
    always = cost_surface(Alternate(), sawtooth(), FREE, fees=[0.0, 1.0], slippages=[1.0])
    never = cost_surface(
        Alternate(), sawtooth(gain=0.001), FEES, fees=[1.0, 2.0], slippages=[1.0], delays=[0]
    )
    assert always.break_even()["survives"].iloc[0]
    assert never.break_even()["fails"].iloc[0]
    assert always.break_even()["fee"].isna().iloc[0]
    assert never.break_even()["fee"].isna().all()


@pytest.mark.parametrize("axes", [{"fees": []}, {"fees": [-1.0]}, {"sizes": [0.0]}])
def test_surface_without_places_is_refused(axes):
    with pytest.raises(ConfigError, match=next(iter(axes))):
        cost_surface(Cross(), market(40), FREE, **axes)


IMPACT = {
    "commission_model": "none",
    "slippage_model": {"sqrt_volume": {"coefficient": 1.0, "lookback": 20}},
    "borrow_model": "none",
}


def bought(cash, price, sigma, usual):
    """Units that the cash buys with impact."""
    return optimize.brentq(
        lambda q: q * price * (1.0 + sigma * np.sqrt(q / usual)) - cash, 0.0, cash / price
    )


def sharpe_by_hand(bars, capital):
    """`Alternate` with square-root impact, every fill solved by itself."""
    opened, close, volume = bars.open[:, 0], bars.close[:, 0], bars.volume[:, 0]
    cash, units, equity = capital, 0.0, []
    for t in range(len(bars)):
        if t >= 1:
            window = slice(max(t - 21, 0), t)
            steps = close[window][1:] / close[window][:-1] - 1.0
            sigma = steps.std(ddof=1) if t >= 3 else 0.0
            usual = volume[max(t - 20, 0) : t].mean()
            if (t - 1) % 2 == 0 and units == 0.0:
                units = bought(cash, opened[t], sigma, usual)
                cash = 0.0
            elif (t - 1) % 2 == 1 and units > 0.0:
                cash = units * opened[t] * (1.0 - sigma * np.sqrt(units / usual))
                units = 0.0
        equity.append(cash + units * close[t])
    equity = np.r_[capital, equity]
    returns = equity[1:] / equity[:-1] - 1.0
    return returns.mean() / returns.std(ddof=1)


@pytest.mark.slow
def test_capacity_is_where_the_simulation_by_hand_loses_half():
    bars = sawtooth(301, 0.006, noise=0.004, volume=1e5)
    found = capacity(Alternate(), bars, IMPACT, smallest=10.0)
    base = sharpe_by_hand(bars, 10.0)
    expected = optimize.brentq(
        lambda logs: sharpe_by_hand(bars, np.exp(logs)) - 0.5 * base, np.log(1e3), np.log(1e7)
    )
    assert np.log(found.capital) == pytest.approx(expected, abs=0.1)
    assert found.frame["capital"].is_monotonic_increasing
    assert (np.diff(found.frame["sharpe"]) < 0.0).all()


@pytest.mark.slow
def test_sharpe_ratio_falls_with_the_root_of_capital():
    bars = sawtooth(301, 0.006, noise=0.004, volume=1e5)
    found = capacity(Alternate(), bars, IMPACT, smallest=1.0)
    quarter = backtest(Alternate(), bars, IMPACT, initial_capital=found.capital / 4.0)
    returns = quarter.equity["returns"]
    ratio = returns.mean() / returns.std() * np.sqrt(quarter.periods_per_year)
    # impact is linear in the root of size: half of the root loses half of what is lost
    assert ratio / found.sharpe == pytest.approx(0.75, abs=0.04)


def test_capacity_without_impact_has_no_end():
    assert capacity(Alternate(), sawtooth(noise=0.002), FREE, largest=1e9).capital == np.inf


def test_strategy_that_loses_has_no_capacity():
    with pytest.raises(DataError, match="no capacity"):
        capacity(Alternate(), sawtooth(gain=-0.004, noise=0.001), FREE)
    with pytest.raises(ConfigError, match="share"):
        capacity(Alternate(), sawtooth(), FREE, share=1.0)
