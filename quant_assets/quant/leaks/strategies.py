"""The leak check for a strategy: indicators, signals, orders, and what they come to as trades."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Unpack, cast

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.leaks.bar_form import bar_by_bar
from quant_assets.quant.leaks.examination import examine
from quant_assets.quant.leaks.memory import Memory
from quant_assets.quant.leaks.report import LeakReport
from quant_assets.quant.leaks.samples import Sample, sample_of
from quant_assets.quant.leaks.settings import Settings
from quant_assets.quant.leaks.trading import Account, Trading, planned, traded
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.strategies.base import BarStrategy, Strategy, VectorStrategy

__all__ = ["assert_no_leak", "check_strategy"]

Outputs = Mapping[str, Any]
Run = Callable[[BarPanel], Outputs]
HEAD_SHARE, HEAD_ROWS, HEAD_WARM_UPS = 0.25, 200, 2
PAID_ROWS, PAID_CUTS = 400, 4  # where each bar costs a call
ACCOUNT_BUDGET, ACCOUNT_CUTS = 0.6, 2


def check_strategy(
    strategy: Strategy,
    bars: BarPanel,
    *,
    decided_at: Instants | None = None,
    execution: Any = None,
    outputs: Callable[[Strategy, BarPanel], Outputs] | None = None,
    settings: Settings | None = None,
    **trading: Unpack[Trading],
) -> LeakReport:
    """Whether a strategy's decisions depend on bars that were not known when they were taken.

    The strategy is run over all bars, then over bars that end early, whose future is noise, or has
    nothing but gaps; what it decided up to the cut must be the same: its indicators, its signals
    with their targets, prices and strengths, the sizes, exits and labels of its plan, and the
    orders of its bar form on a flat account. A strategy with both forms is checked in both: over
    arrays on all bars, bar by bar on the first quarter of them, or its warm-up threefold and 200
    bars more.

    execution : an execution model, its settings or a preset: orders, fills and equity of a backtest
        are compared as well. trading : what else `quant_assets.backtest` takes for one: `funding`,
        `detail`, `rates`, `benchmark`, `initial_capital`, `periods_per_year`; given without
        `execution`, that of the strategy is taken. outputs : further arrays `(time, …)` by name to
        compare, made of strategy and bars. decided_at : see `check_function`.
    """
    _refuse_others(strategy, bars)
    sample = sample_of(bars, decided_at=decided_at)
    settings = settings or Settings()
    if settings.warm_up == 0:
        settings = replace(settings, warm_up=strategy.warm_up)
    wanted = execution is not None or bool(trading)
    account = Account(traded(bars, execution, trading)) if wanted else None
    forms = _forms(strategy, bars, sample, settings, Extras(outputs, account))
    subject = f"strategy {strategy.name} {strategy.version}"
    root = Memory(strategy if outputs is None else _Both(strategy, outputs))
    reports = [
        examine(run, part, settings=how, root=root, subject=subject) for run, part, how in forms
    ]
    report = reports[0] if len(reports) == 1 else reports[0].joined(reports[1])
    if account is None:
        return report
    if not report.trusted:
        account.forget()
    how = _of_account(settings, strategy)
    run = partial(account.run, strategy)
    return report.joined(
        examine(run, sample, settings=how, root=root, subject=subject), again=False
    )


def _of_account(settings: Settings, strategy: Strategy) -> Settings:
    """How often an account is run: decisions are checked already, and each run is a backtest."""
    return replace(
        settings,
        budget=min(settings.budget, ACCOUNT_BUDGET),
        free_rows=min(settings.free_rows, PAID_ROWS),
        early=min(settings.early, ACCOUNT_CUTS),
        warm_up=max(settings.warm_up, strategy.warm_up),
        start_up=False,
    )


def _forms(
    strategy: Strategy,
    bars: BarPanel,
    sample: Sample,
    settings: Settings,
    extras: "Extras",
) -> list[tuple[Run, Sample, Settings]]:
    """What is run, on which rows, how thoroughly: all at once, bar by bar, or both in turn."""
    moments = cast("Instants", sample.decided_at)

    def arrays(part: BarPanel) -> Outputs:
        return decisions(strategy, part, extras)

    def each_bar(part: BarPanel) -> Outputs:
        decided = moments[np.searchsorted(bars.ts, part.ts)]
        return bar_by_bar(cast("BarStrategy", strategy), part, decided)

    def both(part: BarPanel) -> Outputs:
        return {**arrays(part), **each_bar(part)}

    if not isinstance(strategy, BarStrategy):
        return [(arrays, sample, settings)]
    paid = replace(
        settings,
        free_rows=min(settings.free_rows, PAID_ROWS),
        early=min(settings.early, PAID_CUTS),
        tail=0.0,
    )
    if not isinstance(strategy, VectorStrategy):
        return [(both, sample, paid)]
    least = HEAD_WARM_UPS * settings.warm_up + HEAD_ROWS
    head = sample.rows(slice(0, max(least, int(HEAD_SHARE * len(sample)))))
    inside = [cut for cut in settings.cuts or () if cut < len(head) - 1]
    paid = replace(paid, cuts=inside or None)
    return [(arrays, sample, settings), (each_bar, head, paid)]


def _refuse_others(strategy: Any, bars: Any) -> None:
    """`ConfigError` for what is no strategy, or no panel."""
    if not isinstance(strategy, VectorStrategy | BarStrategy):
        found = "a class" if isinstance(strategy, type) else f"a {type(strategy).__name__}"
        raise ConfigError(
            f"{found} has neither signals() nor on_bar(): give a strategy that is made"
        )
    if not isinstance(bars, BarPanel):
        raise ConfigError(
            f"bars are a {type(bars).__name__}; give a BarPanel: BarPanel.from_frame(frame, "
            "bar_length=…) reads a long frame"
        )


def assert_no_leak(strategy: Strategy, bars: BarPanel, **options: Any) -> None:
    """For tests: raise `LookAheadError` unless the strategy is found trustworthy.

    options : as of `check_strategy`.
    """
    check_strategy(strategy, bars, **options).raise_if_untrusted()


class _Both:
    """Leads to the code of a strategy and of what is computed from it."""

    def __init__(self, strategy: Strategy, outputs: Callable[..., Outputs]) -> None:
        self.strategy, self.outputs = strategy, outputs


class Extras(NamedTuple):
    """What is made of decisions: further outputs to compare, and the account's first run."""

    outputs: Callable[[Strategy, BarPanel], Outputs] | None = None
    account: Account | None = None


def decisions(strategy: Strategy, bars: BarPanel, extras: Extras) -> dict[str, Any]:
    """All that a strategy gives at once for bars, by name: plan, signals, indicators."""
    plan = strategy.plan(bars)
    found: dict[str, Any] = planned(plan, bars)
    if isinstance(strategy, VectorStrategy):
        signals = strategy.signals(bars)
        found |= {"signals": signals}
        if extras.account is not None:
            extras.account.begin(strategy, bars, plan, signals)
    if isinstance(strategy, BarStrategy):
        indicators = strategy.indicators(bars)
        found |= {f"indicator {name}": values for name, values in indicators.items()}
    if extras.outputs is not None:
        found |= extras.outputs(strategy, bars)
    return found
