"""One combination of parameters, simulated and measured: what a search does over and over."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, QuantAssetsError
from quant_assets.core.hashing import code_digest, digest
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import instants
from quant_assets.quant.simulation.execution.book import FILL_FIELDS, REASONS, ROW_FIELDS
from quant_assets.quant.simulation.execution.earnings import returns_of
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.runs import backtest, observed_periods_per_year
from quant_assets.quant.simulation.execution.terms import ExecutionTerms
from quant_assets.quant.simulation.lean.account import simulate_lean
from quant_assets.quant.simulation.lean.single_runs import TakesCache
from quant_assets.quant.simulation.lean.suitability import obstacles
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets.quant.strategies.base import Strategy, VectorStrategy
from quant_assets.quant.strategies.indicator_cache import IndicatorCache
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets.quant.strategies.versioning import strategy_hash
from quant_assets.quant.tuning.space import Point

__all__ = ["Bench", "Outcome", "execution_model"]

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]
Factory = Callable[..., Strategy]
Execution = ExecutionModel | Mapping[str, Any] | str | None
DONE, REFUSED, FAILED = "done", "refused", "failed"
FIGURES = ("total_return", "final_equity", "max_drawdown", "n_trades", "n_fills", "costs")
NOTHING = np.empty(0)
N_FILLS = 4  # of the counters of a book
PAID_BY_FILL, EARNED = ("commission", "slippage", "penalty"), ("interest", "funding")
NO_SIGNALS = Signals(entry_long=np.zeros((1, 1), dtype=np.bool_))
WITHIN = ("funding", "detail")  # inputs of which a run takes what lies inside of its bars
CACHE_BYTES = 64 * 2**20  # of indicator lines that trials share


class Outcome(NamedTuple):
    """What became of a combination.

    status : `done`, `refused` (the strategy does not take these parameters) or `failed` (it or its
        simulation raised). returns : simple, one for each row of `Bench.clock`, empty unless done.
    figures : those of `FIGURES`.
    """

    status: str
    error: str
    returns: Floats
    figures: dict[str, float]


def execution_model(execution: Execution, strategy: Strategy | None = None) -> ExecutionModel:
    """The model that `backtest` would take, but for terms of one's own.

    Those are arrays of some bars, and hold for no others.
    """
    given = execution if execution is not None else getattr(strategy, "execution", None)
    if given is None:
        return ExecutionModel()
    if isinstance(given, ExecutionModel):
        return given
    if isinstance(given, str):
        return ExecutionModel.preset(given)
    if isinstance(given, Mapping):
        return ExecutionModel.from_settings(given)
    raise ConfigError(
        f"execution is a {type(given).__name__}; runs over several stretches of bars need an "
        "ExecutionModel, its settings, or the name of a preset"
    )


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Simulates combinations on rows `first` to `last` of the bars; can be sent to processes.

    factory : a strategy class, or a function from parameters to a strategy. Bars before `first`
        warm the strategy up, from row `begin` on, or as many as its `warm_up` says. `inputs`:
        further arguments of `backtest` (funding, detail, rates, form).
    per : returns of UTC days (`day`; bars of a day or more stay as they are), or of `bar`s.
    """

    factory: Factory
    bars: BarPanel
    execution: ExecutionModel | None = None
    initial_capital: float = 100_000.0
    first: int = 0
    last: int | None = None
    begin: int | None = None
    per: Literal["day", "bar"] = "day"
    inputs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        last = len(self.bars) if self.last is None else self.last
        object.__setattr__(self, "last", last)
        begin = 0 if self.begin is None else self.begin
        if not 0 <= begin <= self.first < last <= len(self.bars):
            raise ConfigError(
                f"rows {self.first} to {last} are not rows of {len(self.bars)} bars: first must be "
                f"less than last, and not before row {begin}"
            )
        if self.per not in {"day", "bar"}:
            raise ConfigError(f"per is {self.per!r}; returns are per 'day' or per 'bar'")

    @property
    def rows(self) -> slice:
        """The measured rows."""
        return slice(self.first, self.last)

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """Measured rows (counted from `first`) with which a period of the returns begins."""
        ts = self.bars.ts[self.rows]
        if self.per == "bar":
            return np.arange(len(ts))
        days = ts.astype("datetime64[D]")
        return np.flatnonzero(np.r_[True, days[1:] != days[:-1]])

    @cached_property
    def clock(self) -> Days:
        """Times of the returns: the open of each bar, or midnight of each day."""
        ts = self.bars.ts[self.rows][self.starts]
        return ts if self.per == "bar" else ts.astype("datetime64[D]").astype(ts.dtype)

    @cached_property
    def periods_per_year(self) -> float:
        """Of the returns, as the measured bars show."""
        part = self.bars.rows(self.rows)
        return observed_periods_per_year(part) * len(self.starts) / len(part)

    def identity(self, begin: int) -> str:
        """SHA-256 of what trials share whose bars begin at a row: all but strategy and parameters.

        Bars before it, and what is not inside of the bars, tell no trials apart: without a `begin`
        a search is the same however much history stands around it.
        """
        if begin not in self._identities:
            self._identities[begin] = self._identity(begin)
        return self._identities[begin]

    def _identity(self, begin: int) -> str:
        """Of the bars from `begin` to `last`, execution, capital, rows, inputs and code."""
        found = hashlib.sha256()
        used = slice(begin, self.last)
        inside = slice(self.bars.ts[begin], self.bars.ts[used][-1] + self._length)
        for name, values in self.bars.columns().items():
            plain = np.ascontiguousarray(values[used])
            found.update(f"{name}{plain.shape}".encode())
            found.update(np.where(np.isnan(plain), np.nan, plain).tobytes())
        found.update(np.ascontiguousarray(self.bars.ts[used]).tobytes())
        found.update(np.ascontiguousarray(self.bars.available_at[used]).tobytes())
        if self.bars.universe is not None:
            found.update(self.bars.universe.on_exit.encode())
            found.update(np.ascontiguousarray(self.bars.members[used]).tobytes())
        return digest(
            {
                "bars": found.hexdigest(),
                "symbols": self.bars.symbols,
                "bar_length": self.bars.bar_length.total_seconds(),
                "execution": None if self.execution is None else self.execution.digest(),
                "capital": self.initial_capital,
                "rows": [self.first - begin, len(self.bars.ts[used])],
                "per": self.per,
                "inputs": {
                    name: _text(_within(value, inside) if name in WITHIN else value)
                    for name, value in sorted(self.inputs.items())
                },
                "code": code_digest((__name__,)),
            }
        )

    def key(self, point: Point) -> str:
        """SHA-256 of a trial: of its strategy's logic and parameters, and of what trials share.

        Parameters that the strategy refuses are told apart by their values alone.
        """
        try:
            strategy = self.factory(**point)
            made, begin = strategy_hash(strategy), self._begin(strategy)
        except Exception:  # noqa: BLE001  # whatever a constructor raises: the run reports it
            made, begin = digest({"refused": point}), self.first
        return digest({"strategy": made, "bench": self.identity(begin)})

    def __call__(self, point: Point) -> Outcome:
        """The outcome of one combination."""
        try:
            strategy = self.factory(**point)
        except QuantAssetsError as error:
            return Outcome(REFUSED, str(error), NOTHING, {})
        except Exception as error:  # noqa: BLE001  # a trial that raises is a trial
            return Outcome(REFUSED, f"{type(error).__name__}: {error}", NOTHING, {})
        try:
            return self._by_lean(strategy) or self._by_events(strategy)
        except QuantAssetsError as error:
            return Outcome(FAILED, str(error), NOTHING, {})
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  # likewise
            return Outcome(FAILED, f"{type(error).__name__}: {error}", NOTHING, {})

    def run(self, strategy: Strategy) -> BacktestResult:
        """The backtest of a strategy on the measured rows, after those that warm it up."""
        begin = self._begin(strategy)
        return backtest(
            strategy,
            self.bars if self._sees_all else self.bars.rows(slice(begin, self.last)),
            execution_model(self.execution, strategy),
            initial_capital=self.initial_capital,
            start=moment(self.bars.ts[self.first]) if self.first > begin else None,
            **self.inputs,
        )

    def _begin(self, strategy: Strategy) -> int:
        """The first row that a trial sees: those before the measured ones warm it up."""
        return max(0, self.first - strategy.warm_up) if self.begin is None else self.begin

    @cached_property
    def _identities(self) -> dict[int, str]:
        return {}

    @property
    def _length(self) -> np.timedelta64:
        return np.timedelta64(self.bars.bar_length)

    @property
    def _sees_all(self) -> bool:
        """Whether every trial is shown all bars, so that they can share what they compute."""
        return 0 in {self.first, self.begin} and self.last == len(self.bars)

    def _by_events(self, strategy: Strategy) -> Outcome:
        shared = isinstance(strategy, TakesCache) and self._sees_all
        result = self.run(strategy.with_cache(self._cache) if shared else strategy)  # type: ignore[attr-defined]
        book = result.book
        n_fills = int(book.counters[N_FILLS])
        fills, rows = book.fills[:n_fills], book.rows[result.first_bar : result.last_bar]
        costs = sum(float(fills[:, FILL_FIELDS.index(one)].sum()) for one in PAID_BY_FILL)
        costs += float(rows[:, ROW_FIELDS.index("borrow")].sum())
        costs -= sum(float(rows[:, ROW_FIELDS.index(one)].sum()) for one in EARNED)
        counts = (float(result.n_trades), float(n_fills), costs)
        return self._measured(result.equity_values, *counts)

    def _by_lean(self, strategy: Strategy) -> Outcome | None:
        """By the lean kernel, whose equity is that of the event kernel to rounding; None: not so.

        It knows no start inside of the bars and no further inputs.
        """
        whole = self.first == 0 and self._sees_all
        plain = whole and all(one is None for one in self.inputs.values())
        if not (plain and isinstance(strategy, VectorStrategy)) or self._lean_terms is None:
            return None
        accounts = Accounts(initial_capital=self.initial_capital)
        shared = isinstance(strategy, TakesCache)
        given: Any = strategy.with_cache(self._cache) if shared else strategy  # type: ignore[attr-defined]
        found = simulate_lean(given, self.bars, self._lean_terms, accounts=accounts)
        if found is None:
            return None
        orders, slip = found.orders, self._lean_terms.slippage.fixed
        side = np.sign(orders.quantity)
        at_market = orders.reason != REASONS.index("take_profit")
        conceded = np.abs(orders.quantity) * orders.price * slip / (1.0 + side * slip)
        costs = float(orders.fee.sum() + conceded[at_market].sum())
        closed = int((orders.reason != REASONS.index("entry")).sum())
        equity = found.equity[:, 0]
        return self._measured(equity, float(closed), float(len(orders.bar)), costs)

    @cached_property
    def _lean_terms(self) -> ExecutionTerms | None:
        """Terms that the lean kernel can do; None where each strategy may bring its own."""
        if self.execution is None:
            return None
        terms = self.execution.terms(self.bars)
        return None if obstacles(self.bars, NO_SIGNALS, Plan(), terms) else terms

    @cached_property
    def _cache(self) -> IndicatorCache:
        return IndicatorCache(CACHE_BYTES)

    def __getstate__(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def _measured(self, values: Floats, n_trades: float, n_fills: float, costs: float) -> Outcome:
        equity = np.r_[self.initial_capital, values]
        ends = np.r_[self.starts[1:], len(equity) - 1]
        returns = returns_of(equity[ends], self.initial_capital)
        figures = {
            "total_return": float(equity[-1] / self.initial_capital - 1.0),
            "final_equity": float(equity[-1]),
            "max_drawdown": float((equity / np.maximum.accumulate(equity) - 1.0).min()),
            "n_trades": n_trades,
            "n_fills": n_fills,
            "costs": costs,
        }
        if not np.isfinite(returns).all():
            row = int(np.argmin(np.isfinite(returns)))
            return Outcome(FAILED, f"the return of {self.clock[row]} is not finite", NOTHING, {})
        return Outcome(DONE, "", returns, figures)


def moment(ts: np.datetime64) -> datetime:
    """A time of the bars as `backtest` takes it."""
    return pd.Timestamp(ts, tz="UTC").to_pydatetime()


def _within(value: Any, span: slice) -> Any:
    """Rows of an input from one moment to another."""
    if isinstance(value, BarPanel):
        return value.rows(slice(*np.searchsorted(value.ts, [span.start, span.stop]).tolist()))
    if isinstance(value, pd.DataFrame):
        ts = instants(value["ts"])
        return value[(ts >= span.start) & (ts < span.stop)]
    return value


def _text(value: Any) -> str:
    """What tells one input from another."""
    if isinstance(value, BarPanel):
        value = value.frame()
    if isinstance(value, pd.DataFrame):
        rows = pd.util.hash_pandas_object(value.reset_index(drop=True), index=False)
        return f"{list(value.columns)} {hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()}"
    return repr(value)
