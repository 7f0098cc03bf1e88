"""Strategies simulated one after the other, each reduced to its figures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.engine import advance
from quant_assets.quant.simulation.execution.preparation import new_book, prepare
from quant_assets.quant.simulation.execution.terms import ExecutionTerms
from quant_assets.quant.simulation.lean.account import simulate_lean
from quant_assets.quant.simulation.lean.isolated import terms_of_columns
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.indicator_cache import IndicatorCache
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

__all__ = ["Measured", "figures", "run_each"]

Floats = npt.NDArray[np.float64]
EQUITY_FIELD, N_FILLS_FIELD, N_FIGURES = 1, 4, 5  # of the book's rows and counters


@dataclass(frozen=True)
class Measured:
    """`values` `(combination, account, 5)`: final equity, fills, mean, deviation, drawdown.

    `way` `(combination,)`: `crossings`, `bars`, `events`, or empty: not run yet.
    """

    values: Floats
    way: npt.NDArray[np.str_]


def figures(equity: Floats, fills: npt.NDArray[np.int64], capital: float) -> Floats:
    """Figures `(account, 5)` of equity `(time, account)`."""
    before = np.vstack([np.full((1, equity.shape[1]), capital), equity[:-1]])
    returns = equity / before - 1.0
    peaks = np.maximum(np.maximum.accumulate(equity, axis=0), capital)
    deviation = returns.std(axis=0, ddof=1) if len(equity) > 1 else np.full(len(fills), np.nan)
    worst = np.minimum((equity / peaks - 1.0).min(axis=0), 0.0)
    columns = [equity[-1], fills.astype(np.float64), returns.mean(axis=0), deviation, worst]
    return np.stack(columns, axis=1)


@runtime_checkable
class TakesCache(Protocol):
    """A strategy that can share indicator lines with others."""

    def with_cache(self, cache: IndicatorCache) -> VectorStrategy:
        """The same strategy, computing indicators through a cache."""
        ...


def run_each(
    strategies: Sequence[VectorStrategy],
    bars: BarPanel,
    terms: ExecutionTerms,
    *,
    accounts: Accounts,
    budget_mb: float,
    priced: BarPanel | None = None,
) -> Measured:
    """Figures of each strategy, by the lean kernel where it can, else by the event kernel.

    Strategies with a method `with_cache` share their indicator lines. `priced` : the bars with the
    series that slippage needs, which strategies do not see.
    """
    panel = bars if priced is None else priced
    n_accounts = 1 if accounts.shared else len(bars.symbols)
    values = np.empty((len(strategies), n_accounts, N_FIGURES))
    way = np.full(len(strategies), "bars", dtype="<U9")
    cache = IndicatorCache(int(budget_mb * 2**20))
    for i, given in enumerate(strategies):
        strategy = given.with_cache(cache) if isinstance(given, TakesCache) else given
        found = simulate_lean(strategy, bars, terms, accounts=accounts)
        if found is None:
            values[i], way[i] = _by_events(strategy, (bars, panel), terms, accounts), "events"
        else:
            symbol = found.orders.symbol
            fills = np.bincount(symbol if not accounts.shared else 0 * symbol, minlength=n_accounts)
            values[i] = figures(found.equity, fills, accounts.initial_capital)
    return Measured(values, way)


def _by_events(
    strategy: VectorStrategy,
    panels: tuple[BarPanel, BarPanel],
    terms: ExecutionTerms,
    accounts: Accounts,
) -> Floats:
    seen, bars = panels
    signals, plan = strategy.signals(seen), strategy.plan(seen)
    if accounts.shared:
        return _event_figures(bars, terms, (signals, plan, strategy.warm_up), accounts)
    rows = []
    for column, symbol in enumerate(bars.symbols):
        tile = slice(column, column + 1)
        decided = (_cut_signals(signals, tile), _cut_plan(plan, tile), strategy.warm_up)
        part = bars.select([symbol])
        rows.append(_event_figures(part, terms_of_columns(terms, tile), decided, accounts))
    return np.concatenate(rows)


def _event_figures(
    bars: BarPanel,
    terms: ExecutionTerms,
    decided: tuple[Signals, Plan, int],
    accounts: Accounts,
) -> Floats:
    signals, plan, warm_up = decided
    preparation = prepare(bars, terms, signals=signals, plan=plan, warm_up=warm_up)
    book, _ = advance(preparation, new_book(preparation.market, accounts.initial_capital))
    fills = book.counters[N_FILLS_FIELD : N_FILLS_FIELD + 1]
    return figures(book.rows[:, EQUITY_FIELD, None], fills, accounts.initial_capital)


def _cut_signals(signals: Signals, tile: slice) -> Signals:
    given = {name: value for name, value in vars(signals).items() if value is not None}
    return Signals(**{k: np.ascontiguousarray(v[:, tile]) for k, v in given.items()})


def _cut_plan(plan: Plan, tile: slice) -> Plan:
    sizes, exits, limits = plan.sizes, plan.exits, plan.limits
    return replace(
        plan,
        sizes=sizes and sizes._replace(size=np.ascontiguousarray(sizes.size[:, tile])),
        exits=exits and exits._replace(level=np.ascontiguousarray(exits.level[..., tile])),
        limits=limits and limits._replace(sector=limits.sector[tile]),
        labels={},
    )
