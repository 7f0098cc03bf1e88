"""What decisions come to: sizes, exits and labels of a plan; orders, fills and equity of a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError
from quant_assets.quant.leaks.attempts import seeded
from quant_assets.quant.leaks.outputs import PLAN, RUN
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.base import Strategy, VectorStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

Floats = npt.NDArray[np.float64]
Traded = Callable[[Strategy, BarPanel], Mapping[str, Any]]


class Trading(TypedDict, total=False):
    """What a backtest takes beside strategy, bars and execution; see `quant_assets.backtest`.

    Funding, rates and finer bars are the same in every run: what the account does with them up to a
    cut must not change with the bars after it.
    """

    initial_capital: float
    benchmark: npt.ArrayLike
    periods_per_year: float
    detail: BarPanel
    funding: pd.DataFrame
    rates: pd.DataFrame


DECIDED = ("entry", "exit_signal", "target_weight", "order", "reversal")


def planned(plan: Plan, bars: BarPanel) -> dict[str, Any]:
    """Arrays `(time, symbol)` of a plan; what holds for all bars is repeated on each."""
    found: dict[str, Any] = {f"label {name}": values for name, values in plan.labels.items()}
    for name, terms in (("size", plan.sizes), ("exit", plan.exits), ("limit", plan.limits)):
        for field, value in zip(getattr(terms, "_fields", ()), terms or (), strict=True):
            found |= _spread(f"{name} {field}", value, len(bars))
    return {PLAN + name: values for name, values in found.items()}


def _spread(name: str, value: Any, n_bars: int) -> dict[str, Any]:
    """A value on each bar: arrays of three axes by their first, those of one row repeated."""
    array = np.asarray(value)
    if array.ndim == 3:
        parts = [_spread(f"{name} {number}", part, n_bars) for number, part in enumerate(array)]
        return {key: part for found in parts for key, part in found.items()}
    if array.size == 0 or array.dtype.kind != "f":
        return {}
    rows = array if array.ndim == 2 else array.reshape(1, -1)
    return {name: rows if len(rows) == n_bars else np.broadcast_to(rows, (n_bars, rows.shape[1]))}


def traded(whole: BarPanel, execution: Any, trading: Trading) -> Traded:
    """Makes the outputs of a backtest: orders by the bar of their decision, fills, equity.

    whole : all bars, to which the benchmark belongs. execution : as `quant_assets.backtest` takes
    it, None: that of the strategy.
    """
    from quant_assets.quant.simulation.execution.model import ExecutionModel

    if isinstance(execution, Mapping):  # read once, not in every run
        execution = ExecutionModel.from_settings(execution)
    benchmark = trading.get("benchmark")
    returns = None if benchmark is None else np.asarray(benchmark, dtype=np.float64)
    if returns is not None and returns.shape != whole.ts.shape:
        raise ConfigError(f"benchmark has shape {returns.shape}; it must be ({len(whole)},)")

    def outputs(strategy: Strategy, bars: BarPanel) -> Mapping[str, Any]:
        from quant_assets.quant.simulation.execution.book import FILL_FIELDS, REASONS
        from quant_assets.quant.simulation.execution.event_kernel.fields import N_FILLS
        from quant_assets.quant.simulation.execution.ledger import order_columns
        from quant_assets.quant.simulation.execution.runs import backtest

        given = trading.copy()
        if returns is not None:
            given["benchmark"] = returns[np.searchsorted(whole.ts, bars.ts)]
        funding = trading.get("funding")
        if funding is not None:
            given["funding"] = funding[funding["symbol"].isin(bars.symbols)]
        result = backtest(strategy, bars, execution, **given)
        log = result.book.fills[: result.book.counters[N_FILLS]]
        fills = {name: log[:, place] for place, name in enumerate(FILL_FIELDS)}
        # A protective order is logged when it is met, under the bar of its entry's decision.
        orders = order_columns(result.book)
        decided = np.isin(orders["reason"], [REASONS.index(reason) for reason in DECIDED])
        moments = result.preparation.bars.ts[orders["decided"][decided].astype(np.intp)]
        at = np.array([bars.symbols.index(one) for one in result.preparation.symbols])
        of_fills = fills["bar"], at[fills["symbol"].astype(np.intp)]
        of_orders = (
            np.searchsorted(bars.ts, moments),
            at[orders["symbol"][decided].astype(np.intp)],
        )
        made = {
            "orders": _panel(bars, of_orders, np.ones(len(moments))),
            "filled quantity": _panel(bars, of_fills, fills["quantity"]),
            "filled notional": _panel(bars, of_fills, fills["quantity"] * fills["price"]),
            "costs": _panel(bars, of_fills, fills["commission"] + fills["slippage"]),
            "equity": result.equity_values.copy(),
        }
        return {RUN + name: values for name, values in made.items()}

    return outputs


@dataclass(frozen=True, kw_only=True)
class Decided(VectorStrategy):
    """A strategy whose decisions on some bars are known."""

    name: ClassVar[str] = "decided"
    strategy: Strategy
    planned: Plan
    signalled: Signals

    @property
    def warm_up(self) -> int:
        """See the base class."""
        return self.strategy.warm_up

    @property
    def execution(self) -> Any:
        """That of the strategy."""
        return getattr(self.strategy, "execution", None)

    def plan(self, bars: BarPanel) -> Plan:
        """See the base class."""
        del bars
        return self.planned

    def signals(self, bars: BarPanel) -> Signals:
        """See the base class."""
        del bars
        return self.signalled


class Account:
    """Runs of an account, the first of which is made of decisions on the same bars.

    traded : makes the outputs of a run.
    """

    def __init__(self, traded: Traded) -> None:
        self._traded = traded
        self._first: Mapping[str, Any] | None = None
        self._begun = False

    def begin(self, strategy: Strategy, bars: BarPanel, plan: Plan, signals: Signals) -> None:
        """Run on decisions that were just taken, the first time that there are any."""
        if not self._begun:
            self._begun = True
            seeded(0)  # as every run
            known = Decided(strategy=strategy, planned=plan, signalled=signals)
            self._first = self._traded(known, bars)

    def forget(self) -> None:
        """Let the strategy decide again in the first run, too: it may be drawn by chance."""
        self._first = None

    def run(self, strategy: Strategy, bars: BarPanel) -> Mapping[str, Any]:
        """Outputs of a run."""
        first, self._first = self._first, None
        return self._traded(strategy, bars) if first is None else first


def _panel(
    bars: BarPanel, cells: tuple[npt.NDArray[Any], npt.NDArray[Any]], values: Floats
) -> Floats:
    """Sums of rows by bar and symbol, shape (time, symbol)."""
    table = np.zeros((len(bars), len(bars.symbols)))
    np.add.at(table, (cells[0].astype(np.intp), cells[1]), values)
    return table
