"""The leak check of plans, and of what an account makes of the decisions."""

from datetime import timedelta
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.leaks.settings import Settings
from quant_assets.quant.leaks.strategies import check_strategy
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.risk.terms import ExitTerms
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.leaks.honest import BothForms, Crossing, StopsAndStrengths
from quant_assets_tests.quant.leaks.markets import market
from quant_assets_tests.quant.leaks.planted import NextClose, frame

pytestmark = pytest.mark.slow

BARS = market(240)


class Planned(VectorStrategy):
    """Honest signals; sizes by the deviation of the past, a stop by that of the last ten bars."""

    name: ClassVar[str] = "planned"
    ahead: ClassVar[int] = 0
    whole: ClassVar[bool] = False

    def signals(self, bars):
        close = frame(bars.close)
        mean = close.rolling(10).mean()
        return Signals(entry_long=(close > mean).to_numpy(), exit_long=(close < mean).to_numpy())

    def plan(self, bars):
        moves = frame(bars.close).pct_change(fill_method=None)
        risk = moves.rolling(10).std().shift(-self.ahead)
        size = np.full((1, len(bars.symbols)), 0.1)
        if self.whole:
            size = (0.001 / moves.std()).to_numpy()[None]
        labels = {"volatility": moves.rolling(24).std().to_numpy()}
        exits = ExitTerms(np.array([0], dtype=np.int8), 3.0 * risk.to_numpy()[None])
        return Plan(sizes=EntrySizes(np.nan_to_num(size), 2), exits=exits, labels=labels)


class StopOfTomorrow(Planned):
    """The stop knows how the next bar moves."""

    ahead: ClassVar[int] = 1


class SizeOfAll(Planned):
    """One size per symbol, from its deviation over all bars."""

    whole: ClassVar[bool] = True


@pytest.mark.parametrize(
    ("kind", "outputs"),
    [(StopOfTomorrow, {"plan exit level 0"}), (SizeOfAll, {"plan size size"})],
)
def test_plan_that_knows_the_future_is_caught_where_it_does(kind, outputs):
    report = check_strategy(kind(), BARS)
    assert {leak.output for leak in report.leaks} == outputs
    traded = check_strategy(kind(), BARS, execution={})
    found = {leak.output for leak in traded.leaks}
    assert found >= outputs
    assert {name.split()[0] for name in found} <= {"plan", "run"}


@pytest.mark.parametrize("kind", [Planned, Crossing, StopsAndStrengths, BothForms])
def test_honest_orders_fills_and_equity_do_not_change(kind):
    report = check_strategy(kind(), BARS, execution={})
    assert report.trusted, str(report)
    assert not report.failed
    assert {"run orders", "run filled quantity", "run filled notional", "run equity"} <= set(
        report.outputs
    )
    assert report.silent == ()
    assert not any(part.output.startswith("run") for part in report.start_up)


def test_a_leak_in_signals_shows_in_the_trades_too():
    report = check_strategy(NextClose(), BARS, execution={})
    assert {leak.output for leak in report.leaks} >= {"entry_long", "run orders"}


PERPETUALS = ("A/USDT:USDT", "B/USDT:USDT")
EVERYTHING = {
    "fill_model": {"detail_timeframe": {"timeframe": "30m"}},
    "borrow_model": {"annual_rate": {"rate": 0.05}},
}


def perpetuals(n_bars=160):
    """Two perpetuals of the market with half-hourly detail and a settlement every eight hours."""
    whole = market(n_bars, 2, ragged=False)
    bars = BarPanel(
        **{
            **{name: getattr(whole, name) for name in ("ts", "available_at", *FIELDS)},
            "symbols": PERPETUALS,
            "bar_length": whole.bar_length,
        }
    )
    half = np.timedelta64(30, "m")
    fields = {name: np.repeat(bars[name], 2, axis=0) for name in FIELDS}
    moments = np.stack([bars.ts, bars.ts + half], axis=1).ravel()
    detail = BarPanel.from_arrays(moments, PERPETUALS, timedelta(minutes=30), **fields)
    ts = pd.DatetimeIndex(bars.ts[::8], tz="UTC").repeat(2)
    funding = pd.DataFrame(
        {
            "ts": ts,
            "symbol": list(PERPETUALS) * (len(ts) // 2),
            "rate": np.random.default_rng(1).normal(1e-4, 2e-4, len(ts)),
            "mark_price": bars.close[::8].ravel(),
        }
    )
    return bars, detail, funding


def test_account_is_run_with_all_that_a_backtest_takes():
    bars, detail, funding = perpetuals()
    given = {
        "detail": detail,
        "funding": funding,
        "benchmark": np.zeros(len(bars)),
        "initial_capital": 5e4,
        "periods_per_year": 8_766.0,
    }
    report = check_strategy(Crossing(), bars, execution=EVERYTHING, **given)
    assert report.trusted, str(report)
    assert not report.failed
    assert "run equity" not in report.silent
    found = check_strategy(NextClose(), bars, execution=EVERYTHING, **given)
    assert {"entry_long", "run orders"} <= {leak.output for leak in found.leaks}


def test_what_a_backtest_needs_is_asked_for():
    bars, detail, funding = perpetuals(48)
    quick = Settings(start_up=False)
    with pytest.raises(DataError, match="no funding for the perpetuals"):
        check_strategy(Crossing(), bars, execution={}, settings=quick)
    with pytest.raises(DataError, match="follows orders on bars of 0:30:00"):
        check_strategy(Crossing(), bars, execution=EVERYTHING, funding=funding, settings=quick)
    with pytest.raises(ConfigError, match=r"benchmark has shape \(3,\)"):
        check_strategy(Crossing(), bars, benchmark=np.zeros(3), detail=detail, funding=funding)


def test_account_of_the_strategy_is_run_when_only_its_inputs_are_given():
    bars, _, funding = perpetuals(80)
    report = check_strategy(Crossing(), bars, funding=funding, settings=Settings(start_up=False))
    assert report.trusted, str(report)
    assert "run equity" in report.outputs
