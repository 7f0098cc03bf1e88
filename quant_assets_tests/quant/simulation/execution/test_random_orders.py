"""Random streams of orders of every kind: the books balance, and what is refused is said."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.sizing.entry.units import ENTRIES_ONLY
from quant_assets.quant.strategies.orders import Cancel, Order
from quant_assets_tests.quant.simulation.execution.hand_runs import Places
from quant_assets_tests.quant.simulation.execution.random_runs import CAPITAL, random_run

KINDS = ("market", "limit", "stop", "stop_limit", "trailing_stop")
FORCES = ("gtc", "gtc", "day", "ioc", "gtd")


def random_order(rng: np.random.Generator, bars: BarPanel, t: int) -> Order | None:
    """An order near the close of bar t; None over a gap."""
    column = int(rng.integers(len(bars.symbols)))
    close = float(bars.close[t, column])
    if np.isnan(close):
        return None
    kind, force = str(rng.choice(KINDS)), str(rng.choice(FORCES))
    side = 1.0 if rng.random() < 0.5 else -1.0
    near = side * rng.uniform(0.0, 0.02) * close
    bracket = rng.random() < 0.4
    return Order(
        symbol=bars.symbols[column],
        quantity=side * float(rng.uniform(1.0, 200.0)),
        kind=kind,
        limit=close - near
        if kind == "limit"
        else close + 2 * near
        if kind == "stop_limit"
        else None,
        stop=close + near if kind in {"stop", "stop_limit"} else None,
        trail=0.02 if kind == "trailing_stop" else None,
        trail_fraction=kind == "trailing_stop",
        time_in_force=force,
        bars=int(rng.integers(1, 5)) if force == "gtd" else None,
        take_profit=close * (1 + side * 0.03) if bracket else None,
        stop_loss=close * (1 - side * 0.03) if bracket else None,
        group=str(rng.choice(["a", "b"])) if rng.random() < 0.2 else None,
        reduce_only=bool(rng.random() < 0.15),
        tag=str(rng.choice(["", "one", "two"])),
    )


def random_cancel(rng: np.random.Generator, bars: BarPanel) -> Cancel:
    part = str(rng.choice(["all", "orders", "brackets"]))
    return Cancel(
        tag=str(rng.choice(["", "one", "two"])) if rng.random() < 0.5 else None,
        group=str(rng.choice(["a", "b"])) if rng.random() < 0.2 else None,
        symbol=str(rng.choice(bars.symbols)) if rng.random() < 0.3 else None,
        part=part,
    )


def stream(seed: int) -> dict[int, Sequence[Order | Cancel]]:
    rng, bars = np.random.default_rng(seed), random_run(seed).bars
    placed = {}
    for t in range(len(bars)):
        orders = [random_order(rng, bars, t) for _ in range(rng.poisson(0.8))]
        cancels = [random_cancel(rng, bars) for _ in range(rng.poisson(0.1))]
        placed[t] = [*(order for order in orders if order is not None), *cancels]
    return placed


def run_stream(seed: int) -> BacktestResult:
    run = random_run(seed)

    class Placing(Places):
        def plan(self, bars):
            return replace(run.plan, resize=ENTRIES_ONLY)  # every order is that of the stream

    return backtest(Placing(orders=stream(seed)), run.bars, run.terms)


def check(result: BacktestResult, seed: int) -> Counter[str]:
    """Recount positions, cash and orders from the fills."""
    fills, orders, equity = result.fills, result.orders.set_index("order"), result.equity
    scale = max(CAPITAL, equity.gross.max())
    change = result.final_equity - CAPITAL - equity.interest.sum()
    assert abs(result.trades.pnl.sum() - change) < 1e-9 * scale
    filled = fills.groupby("order")["quantity"].sum()
    np.testing.assert_allclose(filled, orders.filled.loc[filled.index], rtol=1e-9)
    asked = orders.quantity.loc[filled.index].abs()
    assert (filled.abs() <= asked * (1 + 1e-9)).all()
    brackets = ~orders.loc[fills.order, "reason"].isin(["order", "liquidation"]).to_numpy()
    held = fills.groupby("symbol")["quantity"].cumsum() - fills.quantity
    assert (fills.quantity[brackets] * held[brackets] <= 0.0).all()  # exits reduce
    total = sum(isinstance(one, Order) for told in stream(seed).values() for one in told)
    refused = (result.vetoes.order == 0).sum()
    assert (orders.reason == "order").sum() == total - refused
    assert orders.status[orders.reason == "order"].notna().all()
    withdrawn = orders.finished_ts[orders.cancelled_by == "strategy"]
    last_fill = fills.groupby("order")["ts"].max().reindex(withdrawn.index)
    assert not (last_fill > withdrawn).any()
    assert ((orders.status == "cancelled") == (orders.cancelled_by != "")).all()
    return Counter(orders.kind.astype(str) + " " + orders.status.astype(str))


def test_random_orders_balance():
    assert sum(check(run_stream(seed), seed)["market filled"] for seed in range(3)) > 10


@pytest.mark.slow
def test_three_hundred_random_order_streams_balance_and_every_fate_occurs():
    fates: Counter[str] = Counter()
    for seed in range(300):
        fates += check(run_stream(seed), seed)
    for kind in KINDS:
        for status in ("filled", "cancelled", "expired", "open"):
            assert fates[f"{kind} {status}"] > 0, (kind, status)
