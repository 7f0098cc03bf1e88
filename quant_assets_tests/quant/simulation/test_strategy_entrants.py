"""Strategies beside the optimizers' accounts."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.equity import Equity
from quant_assets.contracts.fills import Fills
from quant_assets.contracts.final_holdings import FinalHoldings
from quant_assets.contracts.funding import Funding
from quant_assets.core.context import SimulationContext
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.simulation.engine import simulate_window
from quant_assets.quant.simulation.strategy_entrants import (
    entrant_equity,
    entrant_fills,
    simulate_entrants,
)
from quant_assets_tests.quant.simulation.markets import bars, context, weights

DAYS = pd.date_range("2020-01-01", periods=3, tz="UTC", unit="us")


def account(days: pd.DatetimeIndex = DAYS) -> pd.DataFrame:
    """Equity 100 before; 110, 99, 99 at the closes."""
    n = len(days)
    values = np.array([110.0, 99.0, 99.0])[:n]
    columns = {
        "ts": days,
        "available_at": days + pd.Timedelta(days=1),
        "strategy_name": pd.array(["dip"] * n, dtype="str"),
        "cash": values - 40.0,
        "position_value": np.full(n, 40.0),
        "equity": values,
        "returns": np.array([0.1, -0.1, 0.0])[:n],
        "commission": np.array([1.0, -0.5, 0.0])[:n],
        "slippage": np.array([0.5, -0.1, 0.0])[:n],
        "penalty": np.array([0.0, 0.0, 3.0])[:n],
        "borrow": np.array([0.5, 0.0, -1.0])[:n],
        "funding": np.array([0.0, 2.0, 0.0])[:n],
    }
    return pd.DataFrame(columns)


def fills(symbol: str = "A") -> pd.DataFrame:
    """Two fills on the first day, one on the last."""
    return pd.DataFrame(
        {
            "ts": DAYS[[0, 0, 2]],
            "available_at": DAYS[[0, 0, 2]] + pd.Timedelta(days=1),
            "fill_id": [1, 2, 3],
            "symbol": pd.array([symbol] * 3, dtype="str"),
            "decided_at": DAYS[[0, 0, 1]],
            "quantity": [2.0, -1.0, 3.0],
            "reference_price": [10.0, 30.0, 11.0],
            "price": [10.25, 30.5, 11.0],
            "commission": [1.0, -0.5, 0.0],
            "slippage": [0.5, -0.5, 0.0],
            "penalty": [0.0, 0.0, 3.0],
        }
    )


def test_entrant_equity_by_hand():
    frame = Equity.check_frame(entrant_equity("dip", account(), fills()), where="test")
    assert set(frame["entrant"]) == {"dip"}
    for name in ("cash", "position_value", "equity", "returns", "funding"):
        np.testing.assert_array_equal(frame[name], account()[name])
    np.testing.assert_allclose(frame["fees"], [1.5, 0.0, 3.0], rtol=1e-15)
    np.testing.assert_allclose(frame["slippage"], [0.5, 0.0, 0.0], rtol=1e-15)
    np.testing.assert_allclose(frame["gross_returns"], [0.12, -0.1, 3.0 / 99.0], rtol=1e-12)
    np.testing.assert_allclose(frame["turnover"], [0.5, 0.0, 33.0 / 99.0], rtol=1e-12)


def test_entrant_fills_by_hand():
    start = pd.Timestamp("2020-01-01", tz="UTC").to_pydatetime()
    frame = Fills.check_frame(entrant_fills("dip", fills(), start), where="test")
    assert frame["fill_id"].tolist() == [f"20200101T0000-dip-{i}" for i in (1, 2, 3)]
    np.testing.assert_array_equal(frame["fee"], [1.0, 0.0, 3.0])
    np.testing.assert_array_equal(frame["slippage"], [0.5, 0.0, 0.0])
    for name in ("ts", "available_at", "decided_at", "symbol", "quantity", "price"):
        assert frame[name].tolist() == fills()[name].tolist()


def test_entrant_equity_of_no_bars_is_empty():
    assert len(entrant_equity("dip", account(DAYS[:0]), fills().iloc[:0])) == 0


def test_entrant_that_trades_inverse_contracts_is_refused_as_in_the_simulation():
    with pytest.raises(DataError, match="inverse contracts"):
        entrant_equity("dip", account(), fills("BTC/USD:BTC"))


def window_of_two() -> tuple[SimulationContext, dict[str, pd.DataFrame]]:
    """Two entrants over three bars, with costs."""
    given = {
        "portfolio_weights": weights({"e": {"A": 0.3, "B": 0.6}, "f": {"A": 0.9}}),
        "bars": bars({"A": [10.0, 11.0, 12.0], "B": [20.0, 21.0, 19.0]}),
        "funding": Funding.empty(),
        "final_holdings": FinalHoldings.empty(),
    }
    return context(fee_bps=10.0, slippage_bps=5.0), given


def test_entrants_without_strategies_are_those_of_the_window_itself():
    where, given = window_of_two()
    plain = simulate_window(where, NullTelemetry(), **given)
    same = simulate_entrants(where, NullTelemetry(), **given)
    assert plain.keys() == same.keys()
    for name, frame in plain.items():
        pd.testing.assert_frame_equal(frame, same[name], check_exact=True)


def test_entrants_stand_beside_the_others_which_stay_as_they_are():
    where, given = window_of_two()
    plain = simulate_window(where, NullTelemetry(), **given)
    own = account(pd.DatetimeIndex(plain["equity"]["ts"].unique()[:3]))
    frames = simulate_entrants(where, NullTelemetry(), **given, dip_equity=own, dip_fills=fills())
    equity = Equity.check_frame(frames["equity"], where="test")
    rows = equity["entrant"] == "dip"
    np.testing.assert_array_equal(equity.loc[rows, "equity"], own["equity"])
    others = equity[~rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, plain["equity"], check_exact=True)
    every = Fills.check_frame(frames["fills"], where="test")
    assert (every["entrant"] == "dip").sum() == 3
    others = every[every["entrant"] != "dip"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, plain["fills"], check_exact=True)
    for name in ("final_holdings", "trades"):
        pd.testing.assert_frame_equal(frames[name], plain[name], check_exact=True)


def test_entrant_on_longer_bars_brings_its_marked_account():
    where, given = window_of_two()
    marks = entrant_equity("slow", account(), fills())
    bought = entrant_fills("slow", fills(), where.window.start)
    own = {"slow_marks": marks, "slow_marks_fills": bought}
    frames = simulate_entrants(where, NullTelemetry(), **given, **own)
    for asset, frame in (("equity", marks), ("fills", bought)):
        rows = frames[asset][frames[asset]["entrant"] == "slow"].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, frame, check_exact=True)


def test_entrant_with_the_name_of_an_optimizer_is_refused():
    where, given = window_of_two()
    name = given["portfolio_weights"]["entrant"].iloc[0]
    own = {f"{name}_equity": account(), f"{name}_fills": fills()}
    with pytest.raises(ConfigError, match=f"{name}.*another name"):
        simulate_entrants(where, NullTelemetry(), **given, **own)


def test_entrant_of_a_window_without_weights_is_there_alone():
    where, given = window_of_two()
    given["portfolio_weights"] = given["portfolio_weights"].iloc[:0]
    own = {"dip_equity": account(), "dip_fills": fills()}
    frames = simulate_entrants(where, NullTelemetry(), **given, **own)
    assert frames["equity"]["entrant"].tolist() == ["dip"] * 3
