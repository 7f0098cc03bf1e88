"""A sweep of 1,000 pairs of averages: ours against vectorbt in its best chunks.

vectorbt runs the whole workload once, after five pairs that compile it: once more would take as
long as everything else together.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._backtests import (
    CASH,
    FEE,
    SLIPPAGE,
    costs,
    random_bars,
    require_same,
    rows,
    vectorbt_or_reason,
)
from benchmarks._peers import timed, timed_once
from benchmarks.backtest_single import SIZE, AverageCross
from benchmarks.page import Row
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.lean.sweeps import sweep
from quant_assets.quant.simulation.lean.terms import Accounts

TITLE = "A sweep: 1,000 pairs of averages with costs, one thread"
TARGET = "100,000 bars at most 0.03 of vectorbt's time, the same orders and final equities"
CASES = {
    "1 symbol, 100,000 bars": (1, 100_000, timedelta(minutes=5)),
    "1 symbol, 10,000 bars": (1, 10_000, timedelta(minutes=5)),
    "100 symbols, 1,000 days": (100, 1_000, timedelta(days=1)),
}
QUICK_CASES = {"2 symbols, 500 days": (2, 500, timedelta(days=1))}
VALUES_A_CALL = 1_000_000  # of vectorbt: the best of 1 to 200 combinations a call
Pair = tuple[int, int]
Answer = tuple[int, float]


def pairs(n: int) -> list[Pair]:
    """The first n of a fixed shuffle: 5 to 99 bars below 10 to 200 bars."""
    every = [(f, s) for f in range(5, 100, 2) for s in range(10, 201, 5) if f < s]
    order = np.random.default_rng(0).permutation(len(every))
    return [every[i] for i in order[:n].tolist()]


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    vectorbt, reason = vectorbt_or_reason()
    chosen = pairs(20 if quick else 1000)
    table: list[Row] = []
    for case, (n_symbols, n_bars, step) in (QUICK_CASES if quick else CASES).items():
        bars = random_bars(n_symbols, n_bars, step)
        ways: dict[str, Callable[[], Answer]] = {
            "ours, equity and orders": lambda bars=bars: ours(bars, chosen, measured=False),
            "ours, returns and drawdown too": lambda bars=bars: ours(bars, chosen, measured=True),
        }
        answers = {way: run() for way, run in ways.items()}
        timings = timed(ways, 1 if quick else 5)
        if vectorbt is not None:
            index = pd.DatetimeIndex(bars.ts)
            prices = [pd.DataFrame(bars[name], index) for name in ("open", "close")]
            timings["vectorbt"], answers["vectorbt"] = timed_once(
                lambda prices=prices: with_vectorbt(vectorbt, *prices, chosen),
                lambda prices=prices: with_vectorbt(vectorbt, *prices, chosen[:5]),
            )
        first = next(iter(answers.values()))
        for orders, equity in answers.values():
            require_same("orders", first[0], orders)
            require_same("final equity", first[1], equity)
        table += rows(case, timings, answers, reason)
    return table


def ours(bars: BarPanel, chosen: Sequence[Pair], *, measured: bool) -> Answer:
    grid = [{"fast": fast, "slow": slow} for fast, slow in chosen]
    accounts = Accounts(initial_capital=CASH, kind="isolated")
    found = sweep(AverageCross, grid, bars, costs(bars), accounts=accounts, measured=measured)
    return int(found.fills.sum()), float(found.final_equity.sum())


def with_vectorbt(
    vectorbt: Any, start: pd.DataFrame, close: pd.DataFrame, chosen: Sequence[Pair]
) -> Answer:
    n_symbols = close.shape[1]
    chunk, orders, equity = max(5, VALUES_A_CALL // close.size), 0, 0.0
    cost = {"fees": FEE, "slippage": SLIPPAGE, "init_cash": CASH}
    for first in range(0, len(chosen), chunk):
        part = chosen[first : first + chunk]
        fast = vectorbt.MA.run(close, [f for f, _ in part], short_name="f", per_column=False)
        slow = vectorbt.MA.run(close, [s for _, s in part], short_name="s", per_column=False)
        crossed = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        none = np.zeros((1, n_symbols * len(part)), dtype=bool)
        enter, leave = (np.vstack([none, flags.to_numpy()[:-1]]) for flags in crossed)
        wide = [np.tile(frame.to_numpy(), (1, len(part))) for frame in (close, start)]
        made = vectorbt.Portfolio.from_signals(
            pd.DataFrame(wide[0], close.index), enter, leave, price=wide[1], size=SIZE, **cost
        )
        orders += int(made.orders.count().sum())
        equity += float(made.final_value().sum())
    return orders, equity
