"""A sweep over strategies that trade crossings: shared lines, no bar is visited for nothing."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.lazy import Deferred
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.preparation import one_type
from quant_assets.quant.simulation.execution.terms import ExecutionTerms
from quant_assets.quant.simulation.lean.isolated import columns_of
from quant_assets.quant.simulation.lean.single_runs import N_FIGURES, Measured
from quant_assets.quant.simulation.lean.suitability import decision_obstacles, terms_obstacles
from quant_assets.quant.simulation.lean.terms import Accounts, CrossingTerms
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION, EntrySizes
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.crossing import (
    Crossing,
    CrossingStrategy,
    Side,
    side_values,
)
from quant_assets.quant.strategies.signals import Signals

__all__ = ["crossing_results"]

_kernel = Deferred("quant_assets.quant.simulation.lean.sweep_kernel")

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Settings = tuple[Accounts, float, bool]  # accounts, budget in MB, measured
N_STATE, N_RESULTS, RUINED = 10, 6, 5  # of the kernel
PRICES = 5  # arrays (symbol, time) beside the lines
ANY = Signals(entry_long=np.zeros((1, 1), dtype=np.bool_))


class _Prices(NamedTuple):
    """`(symbol, time)`; see the kernel."""

    open: Floats
    high: Floats
    close: Floats
    mark: Floats
    fill_at: Integers


@dataclass(frozen=True)
class _Work:
    """Combinations that differ in lines and sizes alone.

    sides : the lines that they need; pairs : `(combination, 2)` positions in them; size :
    `(combination, symbol)`.
    """

    sides: tuple[Side, ...]
    pairs: Integers
    size: Floats
    terms: CrossingTerms


def crossing_results(
    strategies: Sequence[VectorStrategy], bars: BarPanel, terms: ExecutionTerms, settings: Settings
) -> Measured:
    """Results of the strategies that can be walked so; the `way` of the others stays empty."""
    accounts, budget_mb, measured = settings
    found = Measured(
        np.full((len(strategies), 1 if accounts.shared else len(bars.symbols), N_FIGURES), np.nan),
        np.full(len(strategies), "", dtype="<U9"),
    )
    for places, work in _works(strategies, bars, terms, (accounts, measured)):
        results = np.empty((len(places), len(bars.symbols), N_RESULTS))
        for tile, rows in _tiles(work, bars.close.shape, budget_mb):
            _walk(work, bars, tile, rows, results)
        well = (results[..., RUINED] == 0.0).all(axis=1)
        found.values[places[well]] = _figures(results[well], len(bars), measured)
        found.way[places[well]] = "crossings"
    return found


class _Member(NamedTuple):
    """A strategy that is walked so: its place, what must cross, and sizes `(symbol,)`."""

    place: int
    rule: Crossing
    size: Floats


def _works(
    strategies: Sequence[VectorStrategy],
    bars: BarPanel,
    terms: ExecutionTerms,
    settings: tuple[Accounts, bool],
) -> Iterator[tuple[Integers, _Work]]:
    """Strategies that trade crossings from accounts of one symbol, by unit, side and warm-up."""
    accounts, measured = settings
    single = (len(bars.symbols) == 1 or not accounts.shared) and bars.universe is None
    if not single or len(bars) == 0 or terms.margin.leverage > 1.0 or terms_obstacles(terms):
        return
    groups: dict[tuple[int, int, bool], list[_Member]] = {}
    for place, strategy in enumerate(strategies):
        if not isinstance(strategy, CrossingStrategy) or _has_own_signals(strategy):
            continue
        plan, rule = strategy.plan(bars), strategy.crossing()
        sizes = plan.sizes or EntrySizes(np.ones((1, len(bars.symbols))), EQUITY_FRACTION)
        protected = plan.exits is not None and plan.exits.kind.size > 0
        if protected or len(sizes.size) > 1 or any(decision_obstacles(bars, ANY, plan, False)):
            continue
        key = (sizes.unit, strategy.warm_up, rule.short)
        groups.setdefault(key, []).append(_Member(place, rule, sizes.size[0]))
    rates = (terms.commission.taker, terms.slippage.fixed, terms.margin.leverage)
    for key, members in groups.items():
        lives = terms.fills.time_to_live
        numbers = CrossingTerms(*key, *rates, accounts.initial_capital, measured, lives)
        yield np.array([member.place for member in members]), _work(members, numbers)


def _has_own_signals(strategy: CrossingStrategy) -> bool:
    return type(strategy).signals is not CrossingStrategy.signals


def _work(members: Sequence[_Member], terms: CrossingTerms) -> _Work:
    places: dict[Hashable, int] = {}
    sides: list[Side] = []
    pairs = np.empty((len(members), 2), dtype=np.int64)
    for row, (_, rule, _) in enumerate(members):
        for column, side in enumerate((rule.fast, rule.slow)):
            name = side.key if isinstance(side, Line) else (type(side), side)
            pairs[row, column] = places.setdefault(name, len(sides))
            if len(places) > len(sides):
                sides.append(side)
    size = np.array([member.size for member in members])
    return _Work(tuple(sides), pairs, size, terms)


def _tiles(
    work: _Work, shape: tuple[int, int], budget_mb: float
) -> Iterator[tuple[slice, Integers]]:
    """Symbols and combinations that are walked together: their lines fit the budget."""
    n_bars, n_symbols = shape
    arrays = max(int(budget_mb * 2**20 / (8 * max(1, n_bars))), PRICES + 2)
    width = max(1, min(arrays // (PRICES + len(work.sides)), n_symbols))
    room = max(1, (arrays - PRICES) // 2)  # lines of either side, of one symbol
    chosen = [np.arange(len(work.pairs))]
    if len(work.sides) + PRICES > arrays:
        block = work.pairs // room
        order = np.lexsort((block[:, 1], block[:, 0]))
        changes = np.flatnonzero((np.diff(block[order], axis=0) != 0).any(axis=1)) + 1
        chosen = np.split(order, changes)
    for first in range(0, n_symbols, width):
        for rows in chosen:
            yield slice(first, min(first + width, n_symbols)), rows


def _walk(work: _Work, bars: BarPanel, tile: slice, rows: Integers, results: Floats) -> None:
    """Fill the results of some combinations on a tile of symbols."""
    part = bars if tile == slice(0, len(bars.symbols)) else columns_of(bars, tile)
    used, pairs = np.unique(work.pairs[rows], return_inverse=True)
    lines = np.empty((len(used), len(part.symbols), len(part)))
    for row, number in enumerate(used.tolist()):
        lines[row] = side_values((work.sides[number],), part)[0].T
    out, state = np.empty((len(rows), len(part.symbols), N_RESULTS)), np.empty(N_STATE)
    size = np.ascontiguousarray(work.size[rows][:, tile])
    _kernel.cross_many(
        *_prices(part), lines, pairs.reshape(-1, 2).astype(np.int64), size, work.terms, state, out
    )
    results[rows, tile] = out


def _prices(bars: BarPanel) -> _Prices:
    """Prices by symbol; marks go on over gaps, from 0 before the first close."""
    n = len(bars)
    open_, high, close = (one_type(bars[k].T) for k in ("open", "high", "close"))
    mark, known = close, ~np.isnan(close)
    if not known.all():
        last = np.maximum.accumulate(np.where(known, np.arange(n), -1), axis=1)
        mark = np.where(last < 0, 0.0, np.take_along_axis(close, np.maximum(last, 0), axis=1))
    fills = ~np.isnan(open_) & (bars.volume.T != 0.0)
    fill_at = np.full((len(close), n + 1), n, dtype=np.int64)
    fill_at[:, :n] = np.where(fills, np.arange(n), n)
    fill_at = np.minimum.accumulate(fill_at[:, ::-1], axis=1)[:, ::-1]
    return _Prices(open_, high, close, mark, np.ascontiguousarray(fill_at))


def _figures(results: Floats, n_bars: int, measured: bool) -> Floats:
    """Figures `(combination, account, 5)` of the kernel's sums."""
    values = results[..., :N_FIGURES].copy()
    total, squares = results[..., 2], results[..., 3]
    values[..., 2] = total / n_bars
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.maximum(squares - total * total / n_bars, 0.0)
        values[..., 3] = np.sqrt(spread / (n_bars - 1.0)) if n_bars > 1 else np.nan
    if not measured:
        values[..., 2:] = np.nan
    return values
