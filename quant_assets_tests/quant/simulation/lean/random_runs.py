"""Random bars with gaps and silent bars, random decisions, and the event kernel beside."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.terms import (
    STOP_FRACTION,
    TARGET_FRACTION,
    TRAIL_FRACTION,
    ExitTerms,
)
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.execution.engine import advance
from quant_assets.quant.simulation.execution.preparation import new_book, prepare
from quant_assets.quant.simulation.execution.terms import ExecutionTerms
from quant_assets.quant.simulation.lean.isolated import columns_of, terms_of_columns
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

DAY = timedelta(days=1)
START = np.datetime64("2024-01-01", "us")
FLAGS = ("entry_long", "exit_long", "entry_short", "exit_short")
FILL_FIELDS = (0, 1, 10, 3, 5, 6)  # bar, symbol, reason, quantity, price, commission
LIQUIDATION = 9


def random_bars(rng, n_bars, n_symbols, *, volatility=0.02, gaps=True):
    shape = (n_bars, n_symbols)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, volatility, shape), axis=0))
    start = np.vstack([close[:1], close[:-1]]) * np.exp(rng.normal(0.0, volatility / 2, shape))
    high = np.maximum(start, close) * (1.0 + np.abs(rng.normal(0.0, volatility / 2, shape)))
    low = np.minimum(start, close) / (1.0 + np.abs(rng.normal(0.0, volatility / 2, shape)))
    volume = rng.integers(0, 6, shape) * 100.0 if gaps else np.full(shape, 1e3)
    if gaps:
        hole = rng.random(shape) < 0.05
        for values in (start, high, low, close, volume):
            values[hole] = np.nan
        volume[rng.random(shape) < 0.05] = np.nan
    return BarPanel.from_arrays(
        START + np.arange(n_bars) * np.timedelta64(1, "D"),
        [f"s{i:02d}" for i in range(n_symbols)],
        DAY,
        open=start,
        high=high,
        low=low,
        close=close,
        volume=volume,
    )


def with_costs(
    bars: BarPanel, *, leverage=1.0, taker=5e-4, maker=2e-4, slippage=2e-4, time_to_live=10
):
    terms = frictionless(bars)
    return terms._replace(
        fills=terms.fills._replace(time_to_live=time_to_live),
        slippage=terms.slippage._replace(fixed=slippage),
        commission=terms.commission._replace(taker=taker, maker=maker),
        margin=terms.margin._replace(leverage=leverage),
    )


@dataclass(frozen=True)
class Run:
    bars: BarPanel
    signals: Signals
    plan: Plan
    terms: ExecutionTerms
    warm_up: int


def random_run(seed, *, volatility=0.02, shorts=None, leverage=None, large=False) -> Run:
    """Sizes in every unit, exits of every kind, sizes and distances that are NaN or 0 at times.

    `large` : positions as large as leverage allows, without exits.
    """
    rng = np.random.default_rng(seed)
    n_bars, n_symbols = rng.integers(5, 80), rng.integers(1, 5)
    shape = (n_bars, n_symbols)
    bars = random_bars(rng, n_bars, n_symbols, volatility=volatility, gaps=seed % 3 > 0)
    both = seed % 2 == 1 if shorts is None else shorts
    rates = (0.15, 0.1, 0.1, 0.1)
    given = {k: rng.random(shape) < rate for k, rate in zip(FLAGS, rates, strict=True)}
    signals = Signals(**{k: v for k, v in given.items() if both or "long" in k})
    unit = int(rng.integers(0, 3))
    rows = n_bars if seed % 2 else 1
    size = (20.0, 20_000.0, 0.4)[unit] * rng.random((rows, n_symbols))
    size[rng.random(size.shape) < 0.1] = 0.0
    size *= 100.0 if large else 1.0
    choices = (STOP_FRACTION, TRAIL_FRACTION, TARGET_FRACTION, TRAIL_FRACTION)
    kinds = np.array([kind for kind in choices if rng.random() < 0.5], dtype=np.int8)
    level = rng.uniform(0.01, 0.08, (len(kinds), 1, n_symbols))
    level[rng.random(level.shape) < 0.2] = np.nan
    exits = ExitTerms(kinds, level) if len(kinds) and not large else None
    plan = Plan(sizes=EntrySizes(size, unit), exits=exits)
    leverage = leverage or (1.0, 0.5, 2.0)[seed % 3]
    terms = with_costs(bars, leverage=leverage, time_to_live=1 + seed % 2)
    return Run(bars, signals, plan, terms, seed % 4)


def column_of(run: Run, j: int) -> Run:
    """The run of one symbol alone."""
    tile = slice(j, j + 1)
    flags = {k: getattr(run.signals, k) for k in FLAGS}
    cut = {k: np.ascontiguousarray(v[:, tile]) for k, v in flags.items() if v is not None}
    sizes, exits = run.plan.sizes, run.plan.exits
    plan = Plan(
        sizes=EntrySizes(np.ascontiguousarray(sizes.size[:, tile]), sizes.unit),
        exits=exits and ExitTerms(exits.kind, exits.level[..., tile]),
    )
    bars, terms = columns_of(run.bars, tile), terms_of_columns(run.terms, tile)
    return Run(bars, Signals(**cut), plan, terms, run.warm_up)


def by_events(run: Run, capital: float):
    """Fills (bar, symbol, reason, quantity, price, fee) and equity of the event kernel."""
    preparation = prepare(
        run.bars, run.terms, signals=run.signals, plan=run.plan, warm_up=run.warm_up
    )
    book, _ = advance(preparation, new_book(preparation.market, capital))
    return book.fills[: book.counters[4], FILL_FIELDS], book.rows[:, 1].copy()
