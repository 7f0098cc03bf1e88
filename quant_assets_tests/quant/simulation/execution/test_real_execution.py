"""Plug-ins on five weeks of real perpetuals: BTC, ETH, SOL and XRP, bars of five minutes."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.runs import backtest
from quant_assets.quant.sizing.entry import entry_sizers
from quant_assets_tests.adapters.real_files import real_file
from quant_assets_tests.quant.simulation.execution.test_plug_ins_in_the_kernel import Planned

pytestmark = pytest.mark.slow

NAMES = {f"{base}USDT": f"{base}/USDT:USDT" for base in ("BTC", "ETH", "SOL", "XRP")}
FIRST, LAST = pd.Timestamp("2025-12-27", tz="UTC"), pd.Timestamp("2026-01-29", tz="UTC")


def table(name):
    frame = pd.read_parquet(real_file(f"binance/tidy/{name}.parquet"))
    frame = frame[frame["symbol"].isin(NAMES) & (frame["ts"] >= FIRST) & (frame["ts"] < LAST)]
    return frame.assign(symbol=frame["symbol"].map(NAMES)).drop_duplicates(["ts", "symbol"])


@pytest.fixture(scope="module")
def bars():
    frame = table("ohlcv_5m").query("market == 'perp'").drop(columns=["market", "source"])
    return BarPanel.from_frame(frame, bar_length=timedelta(minutes=5))


@pytest.fixture(scope="module")
def settlements():
    frame = table("funding").rename(columns={"funding_rate": "rate"})
    frame = frame.assign(
        ts=frame["ts"].dt.floor("s"), mark_price=np.nan
    )  # two sources, some ms apart
    return frame.drop_duplicates(["ts", "symbol"]).sort_values(["ts", "symbol"])


def test_funding_of_a_held_perpetual_is_the_sum_over_its_settlements(bars, settlements):
    costless = {"slippage_model": "none", "commission_model": "none", "borrow_model": "none"}
    model = ExecutionModel(**costless, margin_model={"leverage": {"leverage": 3.0}})
    one = bars.select(["ETH/USDT:USDT"])
    sizer = {"fixed_quantity": {"quantity": 10.0}}
    found = backtest(Planned(sizer=sizer), one, model, initial_capital=1e6, funding=settlements)
    own = settlements[settlements["symbol"] == "ETH/USDT:USDT"]
    closes = pd.Series(one.close[:, 0], index=pd.DatetimeIndex(one.ts, tz="UTC"))
    paid = 0.0
    for event in own.itertuples():
        held = event.ts > closes.index[1]
        known = closes[closes.index + pd.Timedelta("5min") <= event.ts]
        paid -= 10.0 * known.iloc[-1] * event.rate if held else 0.0
    assert len(own) > 90
    assert found.equity["funding"].sum() == pytest.approx(paid, rel=1e-9)
    gain = 10.0 * (closes.iloc[-1] - one.open[1, 0])
    assert found.final_equity == pytest.approx(1e6 + gain + paid, rel=1e-12)


def test_audit_slips_more_from_one_to_the_next_with_every_cost(bars, settlements):
    planned = Planned(
        enter=tuple(range(300, len(bars) - 10, 97)),
        everywhere=True,
        sizer={"volatility_target": {"target": 0.2, "lookback": 288}},
        risk=({"stop_loss": {"pct": 0.01}}, {"reward_ratio": {"ratio": 1.5}}, "max_gross"),
    )
    own = ExecutionModel(
        slippage_model=["fixed", "sqrt_volume"],
        commission_model="maker_taker",
        margin_model={"binance": {"leverage": 3.0}},
    )
    slipped = {}
    for name, model in own.audit().items():
        found = backtest(planned, bars, model, funding=settlements)
        traded = (found.fills["quantity"].abs() * found.fills["reference_price"]).sum()
        slipped[name] = found.fills["slippage"].sum() / traded
        assert found.n_trades > 100
        assert found.equity["funding"].abs().sum() > 0.0
        assert (found.fills["commission"] > 0.0).all()
    assert slipped["optimistic"] == 0.0
    assert 5e-5 < slipped["default"] < slipped["pessimistic"] < 2e-3


@pytest.mark.parametrize("name", sorted(entry_sizers()))
def test_sizes_of_real_bars_are_known_and_causal(bars, name):
    part = bars.rows(slice(0, 2_500))
    sizer = entry_sizers()[name]()
    whole, cut = sizer.sizes(part).size, sizer.sizes(part.rows(slice(0, 1_801))).size
    assert np.isfinite(whole).all()
    assert (whole >= 0.0).all()
    assert np.array_equal(whole[: len(cut)][-1], cut[-1])
    if name not in {"kelly_binary", "kelly_continuous", "kelly_optimal"}:
        assert (whole[-1] > 0.0).all()
