"""What a strategy is compared with: a symbol, a column of the file, the venue's index, or all."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, MissingCellError

if TYPE_CHECKING:
    from quant_assets.core.config import Settings
    from quant_assets.core.venues import Venue
    from quant_assets.quant.market.bar_panel import BarPanel

Floats = npt.NDArray[np.float64]
UNIVERSE = "universe"


def benchmark_returns(
    name: str,
    frame: pd.DataFrame,
    panel: "BarPanel",
    *,
    venue: "Venue | None" = None,
    file: Path | None = None,
    settings: "Settings | None" = None,
) -> Floats:
    """Returns `(time,)` of the benchmark on the bars of the panel, 0 before it is known.

    name : a symbol of `frame`; `universe`, the mean of all its symbols, held in equal parts anew
        each bar; the benchmark that the venue names, from its stored reference returns; or a column
        of prices of `file` beside its `ts`. frame : bars before they were narrowed to symbols.
    Each bar compares the last level known when it ended with that of the bar before.

    Raises
    ------
    ConfigError
        Nothing has that name; those that there are, are listed.
    """
    known = [str(symbol) for symbol in frame["symbol"].unique()]
    if name in known:
        return _on_panel(_closes(frame, name), panel)
    if name == UNIVERSE:
        returns = np.array([_on_panel(_closes(frame, one), panel) for one in known])
        return np.asarray(returns.mean(axis=0), dtype=np.float64)
    index = venue.reference.benchmark if venue is not None else None
    if index is not None and name == index and settings is not None and venue is not None:
        return _on_panel(_index(venue.name, settings), panel)
    columns = _columns(file)
    if name in columns and file is not None:
        return _on_panel(_column(file, name), panel)
    options = [UNIVERSE, *([index] if index else []), *columns, *sorted(known)]
    near = difflib.get_close_matches(name, options, n=1)
    hint = f" did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(options[:12]) + (", …" if len(options) > 12 else "")
    raise ConfigError(f"--benchmark {name!r}: nothing is called so;{hint} there are {shown}")


def _closes(frame: pd.DataFrame, symbol: str) -> pd.Series:
    rows = frame[frame["symbol"] == symbol]
    return pd.Series(rows["close"].to_numpy(dtype=np.float64), index=pd.DatetimeIndex(rows["ts"]))


def _index(venue: str, settings: "Settings") -> pd.Series:
    """Level of the venue's benchmark."""
    from quant_assets.storage.reading import load

    try:
        rows = load("reference_returns", venue=venue, root=settings.data_root)
    except MissingCellError:
        raise MissingCellError(
            f"no reference returns of {venue} are stored: quant-assets backfill --venue {venue} "
            "--assets reference_returns"
        ) from None
    rows = rows[rows["role"] == "benchmark"]
    grown = (1.0 + rows["returns"].fillna(0.0)).cumprod()
    return pd.Series(grown.to_numpy(dtype=np.float64), index=pd.DatetimeIndex(rows["ts"]))


def _columns(file: Path | None) -> list[str]:
    """Columns of a tidy file that may be prices; none of a file of another layout."""
    if file is None or file.suffix not in (".csv", ".parquet"):
        return []
    if file.suffix == ".csv":
        names = pd.read_csv(file, nrows=0).columns.astype(str).tolist()
    else:
        import pyarrow.parquet as pq

        names = pq.read_schema(file).names
    own = {"ts", "symbol", "available_at", "open", "high", "low", "close", "volume"}
    return [name for name in names if name not in own] if "ts" in names else []


def _column(file: Path, name: str) -> pd.Series:
    """Prices in a column of the file, one per time."""
    wanted = ["ts", name]
    rows = (
        pd.read_csv(file, usecols=wanted)
        if file.suffix == ".csv"
        else pd.read_parquet(file, columns=wanted)
    )
    if not pd.api.types.is_numeric_dtype(rows[name]):
        raise ConfigError(f"--benchmark {name!r}: that column of {file.name} has no numbers")
    rows = rows.dropna().drop_duplicates("ts")
    return pd.Series(
        rows[name].to_numpy(dtype=np.float64),
        index=pd.DatetimeIndex(pd.to_datetime(rows["ts"], utc=True)),
    )


def _on_panel(levels: pd.Series, panel: "BarPanel") -> Floats:
    """Returns from bar to bar of the last level that was there when each bar ended."""
    levels = levels[np.isfinite(levels)].sort_index()
    times = pd.DatetimeIndex(levels.index).tz_localize(None).to_numpy()
    length = np.timedelta64(panel.bar_length)
    at = np.searchsorted(times, np.concatenate([panel.ts[:1], panel.ts + length]), side="left")
    known = np.concatenate([[np.nan], levels.to_numpy(dtype=np.float64)])[at]
    with np.errstate(invalid="ignore"):
        returns = known[1:] / known[:-1] - 1.0
    return np.asarray(np.nan_to_num(returns, nan=0.0), dtype=np.float64)
