"""A run that begins inside of its bars: those before it warm up, and nothing else."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.panel_doubts import panel_doubts
from quant_assets.quant.strategies.base import BarStrategy, VectorStrategy
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import daily

FREE = {"slippage_model": "none", "commission_model": "none", "borrow_model": "none"}
CLOSES = [10.0, 9.0, 8.0, 9.0, 12.0, 14.0, 13.0, 9.0, 8.0, 12.0]
START = "2024-01-06"  # row 5, closes at 14


@dataclass(frozen=True, kw_only=True)
class AboveAverage(VectorStrategy, BarStrategy):
    """Long while the close stands above the average of three closes."""

    name: ClassVar[str] = "above_average"

    @property
    def warm_up(self) -> int:
        return 2

    def signals(self, bars):
        close = bars.close
        mean = np.full(close.shape, np.nan)
        mean[2:] = (close[2:] + close[1:-1] + close[:-2]) / 3.0
        return Signals(entry_long=close > mean, exit_long=close < mean)

    def on_bar(self, window, account):
        close, mean = window["close"][-1], window["close"][-3:].mean(axis=0)
        return Signals.row(entry_long=close > mean, exit_long=close < mean)


def bars_of(closes=CLOSES, symbol="A") -> BarPanel:
    close = np.array(closes)[:, None]
    opened = np.vstack([close[:1], close[:-1]]) + 0.5
    prices = {"open": opened, "high": np.maximum(opened, close), "low": np.minimum(opened, close)}
    bars = daily({**prices, "close": close})
    if symbol == "A":
        return bars
    return BarPanel.from_arrays(bars.ts, (symbol,), bars.bar_length, **prices, close=close)


@pytest.mark.parametrize("form", ["vector", "bar"])
def test_an_average_is_warm_on_the_first_bar_that_is_traded(form: str):
    """Row 5 closes at 14 above 11.67: bought at the open of row 6; the cut bars know it at row 7.

    At row 4 the close stands above its average as well; what it would say is not traded.
    """
    bars = bars_of()
    result = backtest(
        AboveAverage(), bars, FREE, start=bars.ts[5], initial_capital=1_000.0, form=form
    )
    equity = result.equity
    assert [str(ts)[:10] for ts in equity.index[[0, -1]]] == [START, "2024-01-10"]
    assert (result.first_bar, result.n_bars) == (5, 5)
    shares = 1_000.0 / 14.5  # opens of rows 6 and 8: the closes before them and a half
    sold = shares * 9.5
    np.testing.assert_allclose(
        equity["equity"], [1_000.0, shares * 13.0, shares * 9.0, sold, sold], rtol=1e-12
    )
    trade = result.trades.iloc[0]
    assert [str(trade[name])[:10] for name in ("decided_ts", "entry_ts", "exit_ts")] == [
        START, "2024-01-07", "2024-01-09",
    ]  # fmt: skip
    cut = backtest(AboveAverage(), bars.rows(slice(5, None)), FREE, form=form)
    assert cut.n_trades == 0


def test_a_start_between_bars_begins_with_the_next_one():
    bars = bars_of()
    exact = backtest(AboveAverage(), bars, FREE, start=pd.Timestamp("2024-01-06"))
    between = backtest(AboveAverage(), bars, FREE, start=pd.Timestamp("2024-01-05 07:00"))
    assert between.hash() == exact.hash()
    with pytest.raises(DataError, match="no bar is left"):
        backtest(AboveAverage(), bars, FREE, start=pd.Timestamp("2024-02-01"))


def test_too_few_bars_before_the_start_are_said():
    bars = bars_of()
    late = backtest(AboveAverage(), bars, FREE, start=bars.ts[1])
    (doubt,) = [one for one in late.doubts if one.startswith("SHORT")]
    assert doubt == (
        "SHORT: 1 bars before 2024-01-02T00:00, and a warm-up of 2: nothing was decided before "
        "2024-01-03T00:00"
    )
    for start in (None, bars.ts[0], bars.ts[2]):
        found = backtest(AboveAverage(), bars, FREE, start=start).doubts
        assert not any(one.startswith("SHORT") for one in found)
    assert panel_doubts(bars, 10, 3)[0].endswith("warm-up of 10: nothing was decided")


def test_bars_that_warm_up_need_no_funding():
    symbol = "BTC/USDT:USDT"
    bars = bars_of(symbol=symbol)
    times = pd.date_range(START, "2024-01-10 16:00", freq="8h", tz="UTC").as_unit("us")
    funding = pd.DataFrame({"ts": times, "symbol": symbol, "rate": 1e-3, "mark_price": np.nan})
    paid = backtest(AboveAverage(), bars, FREE, funding=funding, start=bars.ts[5])
    assert (paid.equity["funding"] != 0.0).tolist() == [False, True, True, True, False]
    earlier = pd.date_range("2024-01-01", START, freq="8h", inclusive="left", tz="UTC")
    more = funding.iloc[[0] * len(earlier)].assign(ts=earlier.as_unit("us"))
    both = pd.concat([more, funding], ignore_index=True)
    assert backtest(AboveAverage(), bars, FREE, funding=both, start=bars.ts[5]).hash() == (
        paid.hash()
    )
    with pytest.raises(DataError, match="no funding"):
        backtest(AboveAverage(), bars, FREE, funding=funding)


def test_bars_that_warm_up_need_no_rates():
    bars = bars_of(symbol="SAP/EUR")
    model = {**FREE, "fx_model": {"as_of": {"account": "USD"}}}
    known = pd.date_range(START, periods=5, freq="D", tz="UTC").as_unit("us")
    rates = pd.DataFrame(
        {"ts": known, "available_at": known, "symbol": "EUR/USD", "rate": [1.1] * 4 + [1.2]}
    )
    run = backtest(AboveAverage(), bars, model, rates=rates, start=bars.ts[5])
    assert run.n_trades == 1
    assert run.preparation.terms.instruments.fx[:, 0].tolist() == [1.0] * 5 + [1.1] * 4 + [1.2]
    with pytest.raises(DataError, match="no rate of EUR/USD was known at 2024-01-01"):
        backtest(AboveAverage(), bars, model, rates=rates)


def test_bars_a_year_are_those_of_the_bars_that_are_traded():
    """Weeks warm up, days are traded: 364 days make 365.2425 a year, to which figures hold."""
    weeks = np.arange("2021-01-03", "2023-01-01", 7, dtype="datetime64[D]")
    days = np.arange("2023-01-01", "2023-12-31", dtype="datetime64[D]")
    ts = np.concatenate([weeks, days]).astype("datetime64[us]")
    close = 100.0 + 10.0 * np.sin(np.arange(len(ts)) / 5.0)[:, None]
    bars = BarPanel.from_arrays(ts, ("A",), timedelta(days=1), close=close)
    run = backtest(AboveAverage(), bars, FREE, start=days[0])
    assert run.periods_per_year == pytest.approx(365.2425, rel=1e-12)
    years = len(days) / 365.2425
    growth = run.final_equity / run.initial_capital
    assert run.metrics["cagr"] == pytest.approx(growth ** (1.0 / years) - 1.0, rel=1e-9)
    cut = backtest(AboveAverage(), bars.rows(slice(len(weeks), None)), FREE)
    assert cut.periods_per_year == run.periods_per_year
    assert cut.metrics.index.tolist() == run.metrics.index.tolist(), "months are there as well"
    begun = backtest(AboveAverage(), bars.rows(slice(0, -9)), FREE)
    carried = backtest(AboveAverage(), bars, FREE, carried=begun.carried())
    assert carried.periods_per_year == backtest(AboveAverage(), bars, FREE).periods_per_year


def test_members_that_left_before_the_start_are_not_missed():
    """Y left on the bar before the start, Z on one after it; nobody has bars of them."""
    close = np.array(CLOSES)[:, None] * np.array([1.0, 2.0])
    bars = BarPanel.from_arrays(bars_of().ts, ("A", "B"), timedelta(days=1), close=close)
    members = pd.DataFrame(
        {
            "symbol": ["A", "B", "Y", "Z"],
            "entered": ["2024-01-04", "2024-01-07", "2024-01-01", "2024-01-01"],
            "left": ["", "", "2024-01-06", "2024-01-08"],
        }
    )
    absent, nobody = backtest(AboveAverage(), bars, FREE, universe=members).doubts
    assert absent.startswith("UNIVERSE: there are no bars of Y, Z, members in this time")
    assert nobody == "UNIVERSE: nobody is a member before 2024-01-03T00:00: no trade before"
    (line,) = backtest(AboveAverage(), bars, FREE, universe=members, start=bars.ts[5]).doubts
    assert line.startswith("UNIVERSE: there are no bars of Z, members in this time")
