"""What a strategy's cells are made of: its file's values as a strategy, a venue's rows as bars.

A file that asks for longer bars (`runtime.candle_interval`) gets them made of the venue's, as long
as they divide a day: windows begin at midnight, so that no bar is cut by the end of one.
"""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError
from quant_assets.core.hashing import canonical_json
from quant_assets.core.venues import Market, format_duration
from quant_assets.quant.analytics.annualisation import DAYS_PER_YEAR
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.market.bars import first_row, instant, instants
from quant_assets.quant.market.funding_rates import with_funding_rate
from quant_assets.quant.market.longer_bars import length_on
from quant_assets.quant.market.membership import Membership
from quant_assets.quant.market.resample import DAY, BarArrays, resample_panel
from quant_assets.quant.market.sessions import UTC_DAYS, sessions_of
from quant_assets.quant.simulation.execution.fx.as_of import AsOf
from quant_assets.quant.simulation.execution.fx.base import FxModel
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.strategies.base import Strategy, VectorStrategy
from quant_assets.quant.strategies.config import (
    Backtest,
    LoadedStrategy,
    StrategyFile,
    load_strategy,
)

Floats = npt.NDArray[np.float64]


def strategy_of(values: Mapping[str, Any]) -> LoadedStrategy:
    """The strategy of a file's plain values; equal values give the same object.

    One that decides bar by bar is made anew each time: what it may remember is of one run.
    """
    text = canonical_json(dict(values))
    found = _strategy_of(text)
    return found if decides_at_once(found.strategy) else _loaded(text)


@lru_cache(maxsize=256)
def _strategy_of(text: str) -> LoadedStrategy:
    return _loaded(text)


def _loaded(text: str) -> LoadedStrategy:
    return load_strategy(f"{json.dumps(json.loads(text), indent=1)}\n")


def decides_at_once(strategy: Strategy) -> bool:
    """Whether it has an array form; else it is plain Python that sees bar after bar."""
    return isinstance(strategy, VectorStrategy)


@dataclass(frozen=True)
class FileVariants:
    """Makes the strategy of a file with other values at some of its dotted paths."""

    values: Mapping[str, Any]

    def __call__(self, **changes: Any) -> Strategy:
        """The strategy with these values; a path that the file lacks is a `ConfigError`."""
        data = deepcopy(dict(self.values))
        for path, value in changes.items():
            *parents, last = path.split(".")
            at: Any = data
            for step in parents:
                at = at[_key(at, step, path)]
            at[_key(at, last, path)] = value
        return strategy_of(data).strategy


def _key(at: Any, step: str, path: str) -> Any:
    """The key or position that a step of a path names."""
    if isinstance(at, list) and step.isdigit() and int(step) < len(at):
        return int(step)
    if isinstance(at, dict) and step in at:
        return step
    raise ConfigError(f"{path}: the file has no {step!r} there; write the value into it first")


def execution_of(loaded: LoadedStrategy, market: Market | None = None) -> ExecutionModel:
    """The execution of its backtests, as `quant_assets.backtest` takes it.

    Where a market of perpetuals has no funding, or its funding is assumed zero, so it is here,
    unless the file says otherwise.
    """
    settings = dict(loaded.settings.execution.settings())
    perpetual = market is not None and market.asset_class == "crypto_perpetual"
    if market is not None and perpetual and market.funding != "required":
        settings = {"funding_model": "assume_zero", **settings}
    return ExecutionModel.from_settings(settings) if settings else ExecutionModel()


def unfit_length(settings: StrategyFile, market: Market) -> str:
    """Why a market's bars cannot be those that a file is made for; empty when they can."""
    length, own = settings.runtime.candle_interval, market.bar_length
    if length is None or length == own:
        return ""
    if length < own or length % own or length > DAY or DAY % length:
        return f"{format_duration(length)}; the venue has {format_duration(own)}"
    if sessions_of(market) != UTC_DAYS:
        zone = sessions_of(market).time_zone
        return (
            f"{format_duration(length)}; the venue has {format_duration(own)}, and days of {zone}, "
            "which the ends of windows (midnight UTC) would cut"
        )
    return ""


def unfit_execution(loaded: LoadedStrategy, market: Market) -> str:
    """Why the execution of a file cannot follow a market's bars; empty when it can.

    Finer bars are those of the market, or made of them, inside of the longer ones of the file.
    There are no rates of currencies: a file that names other currencies has none.
    """
    model = execution_of(loaded, market)
    detail, own = model.fills.detail, market.bar_length
    length = bar_length_of(loaded.settings, market)
    if detail is not None and (not own <= detail < length or detail % own or length % detail):
        return (
            f"{model.fills.name} follows orders on bars of {format_duration(detail)} inside of "
            f"bars of {format_duration(length)} (runtime.candle_interval); the venue has "
            f"{format_duration(own)}"
        )
    fx = cast("FxModel", model.fx_model)
    universe = loaded.settings.backtest.universe
    if isinstance(fx, AsOf):
        symbols = universe if isinstance(universe, list) else fx.currencies
        needed = sorted({fx.currency_of(symbol) for symbol in symbols} - {fx.account})
        if needed:
            return (
                f"fx_model as_of needs rates of {', '.join(needed)} in {fx.account}, which no "
                "asset gives; the strategy command takes them as --rates"
            )
    return ""


def bar_length_of(settings: StrategyFile, market: Market) -> timedelta:
    """Length of the bars that the strategy sees."""
    return settings.runtime.candle_interval or market.bar_length


def bars_per_year_of(settings: StrategyFile, market: Market, equity: pd.DataFrame) -> float:
    """The market's; of longer bars that are made of them, as many as their times show."""
    if bar_length_of(settings, market) == market.bar_length or len(equity) < 2:
        return market.bars_per_year
    days = (equity["ts"].iloc[-1] - equity["ts"].iloc[0]) / pd.Timedelta(days=1)
    return float((len(equity) - 1) / days * DAYS_PER_YEAR)


def bars_of(
    frame: pd.DataFrame,
    market: Market,
    settings: StrategyFile,
    *,
    symbols: Iterable[str] = (),
    funding: pd.DataFrame | None = None,
    end: datetime | None = None,
) -> BarPanel | None:
    """Rows of `Bars` as a panel: symbols that the file asks for, up to its last day; None: none.

    Bars before its first day are in it, if there are any from that day on: they warm up.

    Fields that the market does not have are those of the close, as in `BarPanel.from_arrays`. A
    list of symbols is taken whole: those that are not listed yet have no prices.

    symbols : that were listed before these rows. funding : settlements, for the extra
    `funding_rate`. end : longer bars that end later are still under way, and left out.
    """
    symbols = tuple(symbols)
    rows = chosen_rows(frame, settings.backtest, symbols)
    if rows.empty:
        return None
    ts = instants(rows["ts"])
    starts = np.flatnonzero(np.r_[True, ts[1:] != ts[:-1]])
    place = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(ts)]))
    codes, found = pd.factorize(rows["symbol"])
    universe = settings.backtest.universe
    listed = universe if isinstance(universe, list) else [*found.tolist(), *symbols]
    names = sorted(set(listed))
    column = np.searchsorted(np.array(names), found.to_numpy(dtype=np.str_))[codes]

    def panel(values: pd.Series) -> Floats:
        array = np.full((len(starts), len(names)), np.nan)
        array[place, column] = values.to_numpy(dtype=np.float64)
        return array

    known = np.maximum.reduceat(instants(rows["available_at"]), starts)
    prices: dict[str, Any] = {name: panel(rows[name]) for name in market.price_fields}
    bars = BarPanel.from_arrays(ts[starts], names, market.bar_length, available_at=known, **prices)
    bars = bars.with_sessions(sessions_of(market))
    length = bar_length_of(settings, market)
    if length != market.bar_length:
        bars = _longer(bars, length, end)
    if funding is not None and len(bars):
        bars = with_funding_rate(bars, funding)
    return bars if len(bars) else None


def detail_of(
    frame: pd.DataFrame,
    market: Market,
    loaded: LoadedStrategy,
    *,
    symbols: Iterable[str] = (),
    end: datetime | None = None,
) -> BarPanel | None:
    """The finer bars that the execution follows, of the rows as `bars_of` takes them; None: none.

    The bars that matter are inside of longer ones, which no window cuts: split runs see the same.
    """
    length = execution_of(loaded, market).fills.detail
    if length is None:
        return None
    runtime = loaded.settings.runtime.model_copy(update={"candle_interval": length})
    settings = loaded.settings.model_copy(update={"runtime": runtime})
    return bars_of(frame, market, settings, symbols=symbols, end=end)


def _longer(bars: BarPanel, length: timedelta, end: datetime | None) -> BarPanel:
    """Bars of `length`, without those that end after `end`."""
    arrays = (getattr(bars, name) for name in FIELDS)
    made = resample_panel(BarArrays(bars.ts, bars.available_at, *arrays), length_on(bars, length))
    last = len(made.ts)
    if end is not None:
        ends = made.ts + np.timedelta64(length)
        last = int(np.searchsorted(ends, instant(end), side="right"))
    values: dict[str, Any] = {name: getattr(made, name)[:last] for name in FIELDS}
    known = made.available_at[:last]
    longer = BarPanel(made.ts[:last], bars.symbols, length, **values, available_at=known)
    return longer.with_sessions(bars.sessions)


def chosen_rows(
    frame: pd.DataFrame, backtest: Backtest, symbols: Iterable[str] = ()
) -> pd.DataFrame:
    """Rows of the file's symbols up to its last day; those before its first day warm up.

    A symbol that had ended before the first day is left out, unless the file lists it, its universe
    says who is traded, or it is one of `symbols`. No row where none is of that day or later.
    """
    if frame.empty:
        return frame
    keep = np.ones(len(frame), dtype=np.bool_)
    days = instants(frame["ts"]).astype("datetime64[D]")
    if isinstance(backtest.universe, list):
        keep &= frame["symbol"].isin(backtest.universe).to_numpy()
    if backtest.end_date is not None:
        keep &= days <= np.datetime64(backtest.end_date)
    if backtest.start_date is not None:
        traded = keep & (days >= np.datetime64(backtest.start_date))
        if not traded.any():
            return frame.iloc[:0]
        if not (isinstance(backtest.universe, list) or backtest.members or traded.all()):
            keep &= frame["symbol"].isin({*frame["symbol"][traded], *symbols}).to_numpy()
    return frame if keep.all() else frame[keep]


def start_of(backtest: Backtest) -> datetime | None:
    """The moment from which on a file trades; None: from its first bar on."""
    day = backtest.start_date
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def first_traded(bars: BarPanel, backtest: Backtest) -> int:
    """Row of the first bar that a file trades."""
    return first_row(bars.ts, start_of(backtest))


def funding_of(frame: pd.DataFrame, market: Market) -> pd.DataFrame | None:
    """Settlements for the execution; None in markets that have none."""
    return None if market.funding == "none" else frame


def with_members(
    bars: BarPanel | None, universe: pd.DataFrame | None, settings: StrategyFile
) -> BarPanel | None:
    """The bars with the members of `Universe` rows, where the file asks for them.

    Raises `ConfigError` where it does, and there are no rows.
    """
    rule = settings.backtest.members
    if rule is None or bars is None:
        return bars
    if universe is None:
        raise ConfigError(
            f"{settings.strategy} trades the members of its venue (universe: from: venue): give "
            "the rows of the venue's universe"
        )
    membership = Membership.from_frame(universe, on_exit=rule.on_exit)
    return bars.with_universe(membership, first_traded(bars, settings.backtest))
