"""One backtest from start to end: decisions, terms, kernel, result."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from numbers import Integral, Real
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.analytics.annualisation import observed_periods, periods_of_span
from quant_assets.quant.market.bar_frames import pandas_frame
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import first_row
from quant_assets.quant.market.sessions import UTC_DAYS
from quant_assets.quant.simulation.execution.carried import Carried
from quant_assets.quant.simulation.execution.engine import advance_all, begun, first_book
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.preparation import prepare
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.terms import ExecutionTerms
from quant_assets.quant.strategies.base import BarStrategy, Strategy, VectorStrategy
from quant_assets.quant.strategies.keywords import hinting
from quant_assets.quant.strategies.signals import Signals

__all__ = ["backtest"]

NO_OPENS = "NO OPENS: every bar opens where it closes, so orders fill at the next close"
Form = Literal["auto", "vector", "bar"]
Execution = ExecutionModel | ExecutionTerms | Mapping[str, Any] | str | None


@hinting
def backtest(  # noqa: PLR0913  # a door: what a notebook may want to say
    strategy: Strategy,
    bars: BarPanel | pd.DataFrame,
    execution: Execution = None,
    *,
    initial_capital: float = 100_000.0,
    form: Form = "auto",
    benchmark: npt.ArrayLike | str | None = None,
    periods_per_year: float | None = None,
    detail: BarPanel | None = None,
    funding: pd.DataFrame | None = None,
    rates: pd.DataFrame | None = None,
    universe: Any = None,
    start: datetime | None = None,
    carried: Carried | None = None,
    progress: Callable[[float], None] | None = None,
) -> BacktestResult:
    """Simulate a strategy on bars; the last open position stays open, marked at the last close.

    Parameters
    ----------
    bars : a `BarPanel`, or a long frame with `ts`, `symbol`, `close` and, where known, the others
        (the bar length is then the smallest step between times), of pandas or by way of Arrow.
    execution : an `ExecutionModel`, its settings as in YAML, the name of a preset, or terms of your
        own. None: that of the strategy, else `ExecutionModel()`: next open, 5 bps of commission and
        slippage as its plug-ins say.
    form : `vector` (all decisions at once), `bar` (one after the other); `auto` takes the first
        that the strategy has. Both give the same trades.
    benchmark : returns `(time,)` for the figures against it, or a symbol of the bars: from its last
        known close to the next, 0 before the first. periods_per_year : None: as many as the times
        of the bars show, without those that warm up.
    detail, funding, rates : bars of a finer clock, funding settlements and currency rates, as
        `ExecutionModel.terms` takes them.
    universe : who could be traded when, as `BarPanel.with_universe` takes it; None: that of the
        bars, else all of their symbols, always. Entries in others are refused (`vetoes`), what has
        left is closed at the next fill (`left_universe`), unless its rule says `keep`.
    start : the run begins with the first bar at or after it; those before only warm up. The first
        decision is that of this bar's close: what the bar before would have said is not traded.
    carried : the account at the end of the window before (`BacktestResult.carried`), which goes on
        with its positions and orders in place of `initial_capital`.
    progress : called with the share of bars that is done, every 5 %.

    Raises
    ------
    ConfigError
        A form that the strategy does not have, or capital that is not above 0.
    DataError
        Bars without rows, or series that an assumption needs and the bars do not have.
    """
    _check(strategy, initial_capital, periods_per_year)
    panel = bars if isinstance(bars, BarPanel) else _panel_of(bars)
    first = first_bar_of(panel, start, carried)
    begin = 0 if carried is not None else first  # a carried run begins with its first window
    panel = panel if universe is None else panel.with_universe(universe, begin)
    model = model_of(execution if execution is not None else getattr(strategy, "execution", None))
    assumptions: tuple[str, ...] = ()
    if isinstance(model, ExecutionModel):
        given: dict[str, Any] = {"detail": detail, "funding": funding, "rates": rates}
        terms = model.terms(panel, **given, first=begin)
        terms = terms if carried is None else carried.settled(terms, panel)
        priced, assumptions = model.priced(panel), model.assumptions(panel.symbols)
    else:
        terms, priced = model, panel
    if panel.closes_only:
        assumptions = (*assumptions, NO_OPENS)
    taken = _form_of(strategy, form)
    traded = panel.rows(slice(begin, None)) if begin else panel
    common: dict[str, Any] = {
        "initial_capital": float(initial_capital) if carried is None else carried.equity,
        "first_bar": first,
        "carried_from": carried,
        "periods_per_year": periods_per_year or observed_periods_per_year(traded),
        "form": taken,
        "assumptions": assumptions,
        "benchmark": None if benchmark is None else _benchmark(benchmark, panel),
    }
    if taken == "bar":
        from quant_assets.quant.simulation.execution.bar_path import run_by_bar

        by_bar = cast("BarStrategy", strategy)
        return run_by_bar(by_bar, panel, terms, common, priced=priced, progress=progress)
    signals: Any = cast("VectorStrategy", strategy).signals(panel)
    if not isinstance(signals, Signals):
        who, what = type(strategy).__name__, type(signals).__name__
        raise ConfigError(f"{who}.signals gave a {what}; it must give Signals")
    preparation = prepare(
        priced, terms, signals=signals, plan=strategy.plan(panel), warm_up=strategy.warm_up
    )
    preparation = begun(preparation, common)
    from quant_assets.quant.simulation.lean.backtests import lean_backtest

    progress = None if progress is None else _Rising(progress)
    quick = lean_backtest(preparation, signals, common, progress)
    if quick is not None:
        return quick
    book, _ = advance_all(preparation, first_book(preparation, common), progress)
    return BacktestResult(preparation=preparation, book=book, **_names(carried), **common)


class _Rising:
    """Passes on shares that are above those before: a run may begin again by another kernel."""

    def __init__(self, told: Callable[[float], None]) -> None:
        self.told, self.highest = told, 0.0

    def __call__(self, share: float) -> None:
        if share > self.highest:
            self.highest = share
            self.told(share)


def _check(strategy: Any, capital: Any, periods_per_year: Any) -> None:
    """Refuse what is no strategy, no money, or no number of bars."""
    if not isinstance(strategy, Strategy):
        known = isinstance(strategy, type) and issubclass(strategy, Strategy)
        hint = f"make one: {strategy.__name__}(...)" if known else "derive it from Strategy"
        raise ConfigError(f"{strategy!r} is no strategy; {hint}")
    for name, value in (("initial_capital", capital), ("periods_per_year", periods_per_year)):
        if value is None and name == "periods_per_year":
            continue
        if not isinstance(value, Real) or not 0.0 < float(value) < np.inf:
            raise ConfigError(f"{name} is {value!r}; it must be a finite number above 0")
    warm_up = strategy.warm_up
    if isinstance(warm_up, bool) or not isinstance(warm_up, Integral) or warm_up < 0:
        raise ConfigError(
            f"warm_up of {type(strategy).__name__} is {warm_up!r}; it must be a number of bars"
        )


def _benchmark(returns: npt.ArrayLike | str, bars: BarPanel) -> npt.NDArray[np.float64]:
    """Returns of the benchmark, one per bar."""
    if isinstance(returns, str) and returns in bars.symbols:
        close = bars.close[:, bars.symbols.index(returns)]
        known = np.flatnonzero(np.isfinite(close))
        steps = np.zeros(len(close))
        steps[known[1:]] = close[known[1:]] / close[known[:-1]] - 1.0
        return steps
    try:
        values = np.asarray(returns, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"benchmark is {returns!r}; give its returns, one per bar, or a symbol of the bars"
        ) from error
    if values.shape != (len(bars),):
        raise ConfigError(f"benchmark has shape {values.shape}; it must be ({len(bars)},)")
    return values


def _names(carried: Carried | None) -> dict[str, Any]:
    """Tags and groups of orders that are carried."""
    return {} if carried is None else {"tags": carried.tags, "groups": carried.groups}


def first_bar_of(bars: BarPanel, start: datetime | None, carried: Carried | None = None) -> int:
    """The bar to begin with; a `DataError` when none is left."""
    first = 0 if carried is None else int(np.searchsorted(bars.ts, carried.last_ts, side="right"))
    if start is not None:
        try:
            moment = pd.Timestamp(start)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"start is {start!r}; it must be a moment") from error
        moment = moment.tz_localize("UTC") if moment.tz is None else moment
        first = max(first, first_row(bars.ts, moment))
    if first >= len(bars):
        raise DataError(f"no bar is left to run: {len(bars)} bars end at {bars.ts[-1:]}")
    return first


def observed_periods_per_year(bars: BarPanel) -> float:
    """Bars per year that the times show: see `analytics.annualisation.observed_periods`."""
    closes = bars.sessions != UTC_DAYS
    span = bars.ts[-1] - bars.ts[0] if len(bars) else np.timedelta64(0, "us")
    days = pd.Timedelta(span).total_seconds() / 86_400.0
    shown = periods_of_span(len(bars), days, bars.bar_length, exchange_days=closes)
    if shown is not None:  # the usual case, without an index of all times
        return shown
    times = pd.DatetimeIndex(bars.ts, tz="UTC").tz_convert(bars.sessions.time_zone)
    return observed_periods(times, bars.bar_length, exchange_days=closes)


def _panel_of(frame: Any) -> BarPanel:
    """A panel of a long frame; the bar length is the smallest step of its times."""
    frame = pandas_frame(frame)
    if "ts" not in frame.columns:
        raise DataError(f"bars are a {type(frame).__name__}; give a BarPanel or a frame with ts")
    times = pd.DatetimeIndex(frame["ts"].unique()).sort_values()
    if len(times) < 2:
        raise DataError(f"the bars have {len(times)} times; two show the bar length")
    return BarPanel.from_frame(frame, bar_length=(times[1:] - times[:-1]).min().to_pytimedelta())


def model_of(execution: Execution) -> ExecutionModel | ExecutionTerms:
    """What `backtest` takes as execution, as a model or terms; None: the default model."""
    given: Any = execution
    if given is None:
        return _default_model()
    if isinstance(given, ExecutionModel | ExecutionTerms):
        return given
    if isinstance(given, str):
        return ExecutionModel.preset(given)
    if isinstance(given, Mapping):
        return ExecutionModel.from_settings(given)
    raise ConfigError(
        f"execution is {given!r}; give an ExecutionModel, its settings, or the name of a preset"
    )


@cache
def _default_model() -> ExecutionModel:
    """`ExecutionModel()`, made once; nothing can change it."""
    return ExecutionModel()


def _form_of(strategy: Strategy, form: Form) -> str:
    """The form to run; a `ConfigError` for one that the strategy does not have."""
    kinds = {"vector": VectorStrategy, "bar": BarStrategy}
    has = [name for name, kind in kinds.items() if isinstance(strategy, kind)]
    if form == "auto" and has:
        return has[0]
    if form not in has:
        raise ConfigError(
            f"{type(strategy).__name__} has no form {form!r}; it has {has or 'none'}. Derive it "
            "from VectorStrategy or BarStrategy"
        )
    return form
