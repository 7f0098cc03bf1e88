"""What a strategy's cells are made of: its file's values as a strategy, a venue's rows as bars."""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError
from quant_assets.core.hashing import canonical_json
from quant_assets.core.venues import Market
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import instants
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.strategies.base import Strategy, VectorStrategy
from quant_assets.quant.strategies.config import Backtest, LoadedStrategy, load_strategy

Floats = npt.NDArray[np.float64]


def strategy_of(values: Mapping[str, Any]) -> LoadedStrategy:
    """The strategy of a file's plain values; equal values give the same object.

    Raises `ConfigError` for one that decides bar by bar only: its windows could not be made alone.
    """
    return _strategy_of(canonical_json(dict(values)))


@lru_cache(maxsize=256)
def _strategy_of(text: str) -> LoadedStrategy:
    loaded = load_strategy(f"{json.dumps(json.loads(text), indent=1)}\n")
    if not isinstance(loaded.strategy, VectorStrategy):
        raise ConfigError(
            f"{loaded.settings.strategy} decides bar by bar only, in plain Python; as assets, "
            "strategies need the array form: give its stages and rules one"
        )
    return loaded


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


def bars_of(frame: pd.DataFrame, market: Market, backtest: Backtest) -> BarPanel | None:
    """Rows of `Bars` as a panel: days and symbols that the file asks for; None when there are none.

    Fields that the market does not have are those of the close, as in `BarPanel.from_arrays`. A
    list of symbols is taken whole: those that are not listed yet have no prices.
    """
    rows = _chosen(frame, backtest)
    if rows.empty:
        return None
    ts = instants(rows["ts"])
    starts = np.flatnonzero(np.r_[True, ts[1:] != ts[:-1]])
    place = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(ts)]))
    codes, found = pd.factorize(rows["symbol"])
    listed = backtest.universe if isinstance(backtest.universe, list) else found.tolist()
    symbols = sorted(set(listed))
    column = np.searchsorted(np.array(symbols), found.to_numpy(dtype=np.str_))[codes]

    def panel(values: pd.Series) -> Floats:
        array = np.full((len(starts), len(symbols)), np.nan)
        array[place, column] = values.to_numpy(dtype=np.float64)
        return array

    known = np.maximum.reduceat(instants(rows["available_at"]), starts)
    prices: dict[str, Any] = {name: panel(rows[name]) for name in market.price_fields}
    return BarPanel.from_arrays(
        ts[starts], symbols, market.bar_length, available_at=known, **prices
    )


def _chosen(frame: pd.DataFrame, backtest: Backtest) -> pd.DataFrame:
    """Rows of the file's symbols between its days, both included."""
    keep = np.ones(len(frame), dtype=np.bool_)
    if isinstance(backtest.universe, list):
        keep &= frame["symbol"].isin(backtest.universe).to_numpy()
    days = instants(frame["ts"]).astype("datetime64[D]") if len(frame) else None
    if days is not None and backtest.start_date is not None:
        keep &= days >= np.datetime64(backtest.start_date)
    if days is not None and backtest.end_date is not None:
        keep &= days <= np.datetime64(backtest.end_date)
    return frame if keep.all() else frame[keep]


def funding_of(frame: pd.DataFrame, market: Market) -> pd.DataFrame | None:
    """Settlements for the execution; None in markets that have none."""
    return None if market.funding == "none" else frame
