"""Accounts of strategies on longer bars, marked at the closes of the venue's own."""

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.contracts.equity import Equity
from quant_assets.contracts.fills import Fills
from quant_assets.core.context import StrategyContext
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.strategy_windows.marks import strategy_marks_window
from quant_assets.quant.strategies import load_strategy
from quant_assets_tests.quant.simulation.strategy_windows.runs import (
    bars_frame,
    market,
    values_of,
    walked,
    windows_of,
)
from quant_assets_tests.quant.strategies.markets import random_bars

pytestmark = pytest.mark.slow

HOURLY = market(bar_length="1h", bars_per_year=8760)
FOUR = """\
strategy: four
version: "1.0.0"
runtime: {candle_interval: 4h}
components:
  signals:
    entry_long: [{ma_cross_up: {fast: 2, slow: 5}}]
    exit_long: [{ma_cross_down: {fast: 2, slow: 5}}]
  sizing: {type: fixed_fraction, params: {fraction: 0.4}}
execution:
  slippage_model: {fixed: {bps: 5}}
  commission_model: {percent: {bps: 10}}
"""


def marked(
    text: str, bars: BarPanel, facts=HOURLY, **given
) -> tuple[list, dict[str, pd.DataFrame]]:
    """Frames of the strategy's own windows, and its marks over all of them."""
    rows, windows, values = bars_frame(bars), windows_of(bars, "weekly"), values_of(text)
    name = values["strategy"]
    found = walked(text, rows, windows, facts=facts, **given)
    parts: dict[str, list[pd.DataFrame]] = {"marks": [], "marks_fills": []}
    for at, (window, own) in enumerate(zip(windows, found, strict=True)):
        context = StrategyContext(
            venue="v",
            window=window,
            decided_at=window.start,
            market=facts,
            strategy=values,
            mode="carry",
        )
        inside = (rows["ts"] >= window.start) & (rows["ts"] < window.end)
        both = [one["positions"] for one in found[max(at - 1, 0) : at + 1] if len(one["positions"])]
        made = strategy_marks_window(
            context,
            NullTelemetry(),
            bars=rows[inside].reset_index(drop=True),
            **{
                f"{name}_equity": own["equity"],
                f"{name}_fills": own["fills"],
                f"{name}_positions": pd.concat(both) if both else own["positions"],
            },
        )
        for part, contract in (("marks", Equity), ("marks_fills", Fills)):
            parts[part].append(contract.check_frame(made[f"{name}_{part}"], where=part))
    return found, {k: pd.concat(v, ignore_index=True) for k, v in parts.items()}


@pytest.mark.parametrize("symbols", [("A", "B", "C"), ("A/USDT:USDT", "B/USDT:USDT")])
def test_marks_are_the_account_of_the_same_decisions_made_on_the_venues_bars(symbols):
    """Market orders fill at the open of the bar after, which both kinds of bars have in common."""
    bars = random_bars(rows=24 * 18, symbols=symbols, days=1 / 24, seed=5)
    text = FOUR.replace("execution:\n", "execution:\n  funding_model: assume_zero\n")
    _, made = marked(text, bars)
    shorter = text.replace("runtime: {candle_interval: 4h}\n", "")
    shorter = shorter.replace("slow: 5}", "slow: 5, timeframe: 4h}")
    loaded = load_strategy(shorter)
    run = backtest(
        loaded.strategy, bars, loaded.settings.execution.settings(), initial_capital=100_000.0
    )
    assert run.n_trades > 8
    equity = run.equity
    np.testing.assert_array_equal(made["marks"]["ts"], equity.index)
    owned = ("cash", "position_value") if "A" in symbols else ()
    for name in ("equity", *owned, "returns", "slippage"):
        np.testing.assert_allclose(made["marks"][name], equity[name], rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(made["marks"]["fees"], equity["commission"], atol=1e-9)
    fills = made["marks_fills"].sort_values(["ts", "symbol"])
    expected = run.fills.sort_values(["ts", "symbol"])
    for name, of in (("ts", "ts"), ("quantity", "quantity"), ("price", "price")):
        actual, wanted = fills[name].to_numpy(), expected[of].to_numpy()
        if name == "ts":
            np.testing.assert_array_equal(actual, wanted)
        else:
            np.testing.assert_allclose(actual, wanted, rtol=1e-9)
    orders = run.orders.set_index("order")["decided_ts"]
    known = expected["order"].map(orders) + pd.Timedelta(hours=1)
    assert fills["decided_at"].tolist() == known.tolist()


def test_marks_at_the_ends_of_longer_bars_are_the_strategys_own_account_bit_for_bit():
    bars = random_bars(rows=24 * 18, days=1 / 24, seed=5)
    stops = FOUR.replace("execution:", "  risk:\n    - trailing_stop: {pct: 0.03}\nexecution:")
    found, made = marked(stops, bars)
    own = pd.concat([one["equity"] for one in found], ignore_index=True)
    ends = made["marks"].set_index("ts").loc[own["ts"] + pd.Timedelta(hours=3)]
    for name in ("equity", "cash", "position_value"):
        np.testing.assert_array_equal(ends[name], own[name])
    fills = pd.concat([one["fills"] for one in found], ignore_index=True)
    stopped = fills[fills["reason"] == "trailing_stop"]
    assert len(stopped) > 5
    moved = made["marks_fills"].set_index(["symbol", "price", "quantity"])["ts"]
    first = pd.DataFrame(bars.low, index=pd.DatetimeIndex(bars.ts, tz="UTC"), columns=bars.symbols)
    for row in stopped.itertuples():
        inside = first.loc[row.ts : row.ts + pd.Timedelta(hours=3), row.symbol]
        assert (
            moved[(row.symbol, row.price, row.quantity)]
            == inside.index[(inside <= row.reference_price).argmax()]
        )
    growth = (1.0 + made["marks"]["returns"]).prod()
    assert growth == pytest.approx((1.0 + own["returns"]).prod(), rel=1e-12)


def test_marks_of_inverse_contracts_are_refused():
    bars = random_bars(rows=24 * 8, symbols=("BTC/USD:BTC",), days=1 / 24)
    free = FOUR.replace("execution:\n", "execution:\n  funding_model: assume_zero\n")
    with pytest.raises(DataError, match="inverse contracts"):
        marked(free, bars)
