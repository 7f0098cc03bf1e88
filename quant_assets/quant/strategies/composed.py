"""A strategy that is put together: middlewares in their order, over arrays or bar by bar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import Memory, joined
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.base import Account, BarStrategy, Strategy, VectorStrategy
from quant_assets.quant.strategies.columns import (
    Column,
    PanelRows,
    Rows,
    WarmedUp,
    WindowRows,
    compute_lines,
    first_warm,
    warmed_up,
)
from quant_assets.quant.strategies.indicator_cache import IndicatorCache
from quant_assets.quant.strategies.middleware import (
    AttributionMiddleware,
    ExecutionMiddleware,
    IndicatorMiddleware,
    Middleware,
    RowMiddleware,
)
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.proposal import ChangeLog, Proposal
from quant_assets.quant.strategies.signals import Signals
from quant_assets.quant.strategies.stages import SIZE, SignalMiddleware
from quant_assets.quant.strategies.versioning import checked_version

if TYPE_CHECKING:
    from quant_assets.quant.market.data_window import DataWindow

__all__ = ["ComposedBarStrategy", "ComposedStrategy", "Pipeline", "compose"]

Floats = npt.NDArray[np.float64]


class _Last:
    """Decisions of the last panel, so that signals and plan are computed once."""

    def __init__(self) -> None:
        self._bars: ref[BarPanel] | None = None
        self._decided: tuple[Signals, Plan] | None = None

    def get(self, bars: BarPanel) -> tuple[Signals, Plan] | None:
        return self._decided if self._bars is not None and self._bars() is bars else None

    def keep(self, bars: BarPanel, decided: tuple[Signals, Plan]) -> None:
        self._bars, self._decided = ref(bars, lambda _: self._forget()), decided

    def _forget(self) -> None:
        self._decided = None

    def __reduce__(self) -> tuple[type["_Last"], tuple[()]]:
        return _Last, ()


@dataclass(frozen=True, kw_only=True)
class Pipeline(Strategy):
    """Middlewares in their order; made by `StrategyBuilder`, `load_strategy` or `compose`.

    warm_up_bars : bars before the first decision; None: what the signals need. It must not be less,
        which is known of longer timeframes when there are bars.
    cache : indicator lines shared with other strategies of a run.
    """

    name: str  # type: ignore[misc]  # a composed strategy has its name as data
    version: str = "1.0.0"  # type: ignore[misc]  # likewise
    middlewares: tuple[Middleware, ...]
    warm_up_bars: int | None = None
    cache: IndicatorCache | None = field(default=None, compare=False, repr=False)
    _last: _Last = field(default_factory=_Last, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not any(isinstance(one, SignalMiddleware) for one in self.middlewares):
            raise ConfigError(f"{self.name}: no SignalMiddleware; a strategy needs signals")
        needed = self.needed_warm_up
        if self.warm_up_bars is not None and self.warm_up_bars < needed:
            raise ConfigError(
                f"{self.name}: warm-up of {self.warm_up_bars} bars; its signals need {needed}"
            )

    @property
    def needed_warm_up(self) -> int:
        """Bars before the first one on which all stages can decide."""
        return max(one.lookback for one in self.middlewares)

    @property
    def warm_up(self) -> int:
        """See the base class."""
        return self.needed_warm_up if self.warm_up_bars is None else self.warm_up_bars

    @cached_property
    def _waits(self) -> tuple[WarmedUp, ...]:
        """Longer timeframes that stages read."""
        readers = (one for one in self.middlewares if not isinstance(one, IndicatorMiddleware))
        return warmed_up(line for one in readers for line in one.lines())

    def least_warm_up(self, bar_length: timedelta) -> int:
        """The least that its stages need of bars of that length, wherever the data begin."""
        return max([self.needed_warm_up, *(one.least(bar_length) for one in self._waits)])

    def warm_up_on(self, bars: BarPanel) -> int:
        """See the base class; a `ConfigError` when `warm_up_bars` does not suffice for these."""
        sources = [one.source for one in self.middlewares if isinstance(one, SignalMiddleware)]
        needed = max(one.warm_up_on(bars) for one in sources)
        needed = max(needed, self.needed_warm_up, first_warm(self._waits, bars))
        if self.warm_up_bars is None:
            return needed
        if self.warm_up_bars < needed:
            frames = sorted({one.timeframe for one in self._waits})
            raise ConfigError(
                f"{self.name}: warm-up of {self.warm_up_bars} bars; its signals need {needed} of "
                f"these bars until {', '.join(frames) or 'they'} are known. Raise warm-up "
                "(warmup_periods), or leave it out"
            )
        return self.warm_up_bars

    def _check_warm_up(self, bars: BarPanel) -> None:
        if self.warm_up_bars is not None and self._waits:
            self.warm_up_on(bars)

    def memory(self, bar_length: timedelta) -> Memory | None:
        """That of all its stages."""
        return joined(one.memory(bar_length) for one in self.middlewares)

    @property
    def execution(self) -> Any:
        """The execution model that was given with it, or None."""
        models = [one.model for one in self.middlewares if isinstance(one, ExecutionMiddleware)]
        return models[-1] if models else None

    @property
    def changes(self) -> ChangeLog:
        """What each stage changed in the last run; empty without an `AttributionMiddleware`."""
        logs = [one.log for one in self.middlewares if isinstance(one, AttributionMiddleware)]
        return logs[-1] if logs else ChangeLog()

    @property
    def notes_changes(self) -> bool:
        """Whether a stage keeps what the others change."""
        return any(isinstance(one, AttributionMiddleware) for one in self.middlewares)

    def stages(self) -> pd.DataFrame:
        """The stages in their order: order, middleware, parameters."""
        rows = [(i, one.name, one.describe()) for i, one in enumerate(self.middlewares)]
        return pd.DataFrame(rows, columns=["order", "middleware", "parameters"])

    def lines(self) -> tuple[Column, ...]:
        """Indicator lines that any stage reads, each once."""
        return tuple(dict.fromkeys(line for one in self.middlewares for line in one.lines()))

    def without(self, middleware: str) -> "Pipeline":
        """The same strategy without the stages of that name."""
        left = tuple(one for one in self.middlewares if one.name != middleware)
        if len(left) == len(self.middlewares):
            known = ", ".join(one.name for one in self.middlewares)
            raise ConfigError(f"{self.name} has no stage {middleware!r}; it has {known}")
        return compose(
            self.name,
            left,
            version=self.version,
            warm_up_bars=self.warm_up_bars,
            cache=self.cache,
        )

    def with_cache(self, cache: IndicatorCache) -> "Pipeline":
        """The same strategy, computing indicators through a cache."""
        return replace(self, cache=cache)

    def plan(self, bars: BarPanel) -> Plan:
        """See the base class."""
        return self.decide(bars)[1]

    def decide(self, bars: BarPanel) -> tuple[Signals, Plan]:
        """Decisions of all bars and what goes with them, through the stages that work on arrays."""
        known = self._last.get(bars)
        if known is None:
            known = self._decide(bars)
            self._last.keep(bars, known)
        return known

    def _decide(self, bars: BarPanel) -> tuple[Signals, Plan]:
        self._check_warm_up(bars)
        rows = PanelRows(bars, compute_lines(self.lines(), bars, self.cache))
        proposal, plan = Proposal(shape=rows.shape), Plan()
        self.changes.begin(bars.symbols)
        for order, stage in enumerate(self.middlewares):
            rows.include(stage.prepare(bars))
            after = stage.apply(proposal, rows)
            self._note(order, (proposal, after), rows, first_bar=0)
            plan = stage.plan(plan, after, rows)
            proposal = replace(after, reason="")
        if proposal.size is not None:
            plan = replace(plan, sizes=EntrySizes(proposal.size, proposal.size_unit))
        return proposal.signals(), plan

    def _note(
        self, order: int, steps: tuple[Proposal, Proposal], rows: Rows, *, first_bar: int
    ) -> None:
        before, after = steps
        if before is after or not any(
            isinstance(m, AttributionMiddleware) for m in self.middlewares
        ):
            return
        stage = self.middlewares[order]
        changes = [(one, stage.reasons(one, after, rows)) for one in before.difference(after)]
        self.changes.add(order, stage.name, rows.ts, first_bar, changes)

    # The bar form, which both kinds have.

    def indicators(self, bars: BarPanel) -> Mapping[str, Floats]:
        """Lines and prepared arrays that the windows show."""
        self._check_warm_up(bars)
        found = dict(compute_lines(self.lines(), bars, self.cache))
        for stage in self.middlewares:
            found |= stage.shown(bars)
        sizes = self.plan(bars).sizes
        if sizes is not None:
            found[SIZE] = np.broadcast_to(sizes.size, bars.close.shape)
        return found

    def on_bar(self, window: "DataWindow", account: Account) -> Signals:
        """Decide at the close of the window's last bar: signals `(symbol,)`."""
        rows = WindowRows(window)
        proposal = Proposal(shape=rows.shape)
        self.changes.begin_bar(rows.symbols, len(window) - 1)
        for order, stage in enumerate(self.middlewares):
            if isinstance(stage, RowMiddleware | SignalMiddleware):
                after = stage.on_row(proposal, window, account)
            else:
                after = stage.apply(proposal, rows)
            self._note(order, (proposal, after), rows, first_bar=len(window) - 1)
            proposal = replace(after, reason="")
        return proposal.bar()


@dataclass(frozen=True, kw_only=True)
class ComposedBarStrategy(Pipeline, BarStrategy):
    """A composed strategy that is run bar by bar: its signals or a stage are plain Python."""


@dataclass(frozen=True, kw_only=True)
class ComposedStrategy(Pipeline, VectorStrategy, BarStrategy):
    """A composed strategy of both forms, which give the same decisions."""

    def signals(self, bars: BarPanel) -> Signals:
        """See the base class."""
        return self.decide(bars)[0]


def compose(
    name: str,
    middlewares: Sequence[Middleware],
    *,
    version: str = "1.0.0",
    warm_up_bars: int | None = None,
    cache: IndicatorCache | None = None,
) -> Pipeline:
    """A strategy of these stages in this order.

    A `ComposedStrategy`; a `ComposedBarStrategy` where signals or a stage are plain Python.
    """
    compiled = all(
        stage.is_compiled
        if isinstance(stage, SignalMiddleware)
        else not isinstance(stage, RowMiddleware)
        for stage in middlewares
    )
    kind = ComposedStrategy if compiled else ComposedBarStrategy
    return kind(
        name=name,
        version=checked_version(version),
        middlewares=tuple(middlewares),
        warm_up_bars=warm_up_bars,
        cache=cache,
    )
