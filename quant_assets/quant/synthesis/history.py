"""What the decision stages share: who the candidates are, and panels on their columns."""

from datetime import datetime

import numpy as np
import pandas as pd

from quant_assets.core.errors import LookAheadError
from quant_assets.quant.market.panel import Floats, Panel, to_panel, to_panels


def at_decision(frame: pd.DataFrame, decided_at: datetime) -> pd.DataFrame:
    """Rows of a decision frame that were decided at `decided_at`, with a fresh index."""
    return frame[frame["decided_at"] == pd.Timestamp(decided_at)].reset_index(drop=True)


def candidate_symbols(candidate_pool: pd.DataFrame, decided_at: datetime) -> tuple[str, ...]:
    """Sorted symbols that passed every rule at `decided_at`."""
    pool = at_decision(candidate_pool, decided_at)
    passed = pool.loc[pool["is_candidate"], "symbol"].unique()
    return tuple(sorted(str(symbol) for symbol in passed))


def refuse_future(frame: pd.DataFrame, decided_at: datetime, *, name: str) -> None:
    """Raise `LookAheadError` when a row of `frame` became known after `decided_at`."""
    if len(frame) and frame["available_at"].max() > pd.Timestamp(decided_at):
        late = frame[frame["available_at"] > pd.Timestamp(decided_at)]
        raise LookAheadError(
            f"{name}: {len(late)} rows were known only after the decision at {decided_at}, the "
            f"first at {late['available_at'].min()}: filter by available_at before the stage"
        )


def stamps(moment: datetime, n_rows: int) -> pd.Series:
    """Make a column of `n_rows` equal timestamps, `datetime64[us, UTC]`."""
    moments = pd.DatetimeIndex([moment]).tz_convert("UTC").as_unit("us")
    return pd.Series(moments.repeat(n_rows))


def panels_of(
    frame: pd.DataFrame, columns: list[str], symbols: tuple[str, ...]
) -> dict[str, Panel]:
    """Panels of `columns` whose symbols are exactly `symbols`; NaN where `frame` has no row."""
    panels = to_panels(frame, columns)
    return {name: _on_symbols(panel, symbols) for name, panel in panels.items()}


def _on_symbols(panel: Panel, symbols: tuple[str, ...]) -> Panel:
    position = {symbol: column for column, symbol in enumerate(panel.symbols)}
    source = [position.get(symbol, -1) for symbol in symbols]
    values = np.full((len(panel.ts), len(symbols)), np.nan)
    for column, found in enumerate(source):
        if found >= 0:
            values[:, column] = panel.values[:, found]
    return Panel(values, panel.ts, symbols)


def on_rows(panel: Panel, ts: pd.DatetimeIndex) -> Floats:
    """Values of `panel` on the rows `ts` (a superset of its own); NaN where it has none."""
    if panel.ts.equals(ts):
        return panel.values
    values = np.full((len(ts), len(panel.symbols)), np.nan)
    values[ts.searchsorted(panel.ts)] = panel.values
    return values


def compounded(returns: pd.DataFrame, symbols: tuple[str, ...]) -> Floats:
    """Return from the first row up to each row (time, symbol) of `symbols`, NaN before any."""
    panel = to_panel(returns, "returns")
    position = {symbol: column for column, symbol in enumerate(panel.symbols)}
    missing = np.isnan(panel.values)
    growth = np.cumprod(1.0 + np.where(missing, 0.0, panel.values), axis=0) - 1.0
    growth = np.where(np.logical_and.accumulate(missing, axis=0), np.nan, growth)
    absent = np.full((len(growth), 1), np.nan)
    columns = [position.get(symbol, -1) for symbol in symbols]
    return np.asarray(np.concatenate([growth, absent], axis=1)[:, columns])
