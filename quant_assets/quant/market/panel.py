"""Long frames to `(time, symbol)` panels and back. The one place that pivots."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError

Floats = npt.NDArray[np.float64]
MICROSECONDS = "datetime64[us, UTC]"


@dataclass(frozen=True)
class Panel:
    """`values[time, symbol]`, float64, NaN where the frame has no row.

    `ts` is a sorted UTC DatetimeIndex, `symbols` a sorted tuple of str.
    """

    values: Floats
    ts: pd.DatetimeIndex
    symbols: tuple[str, ...]

    def select(self, symbols: list[str]) -> "Panel":
        """The columns of `symbols`, in the given order; an unknown one is a `DataError`."""
        position = {symbol: column for column, symbol in enumerate(self.symbols)}
        unknown = [symbol for symbol in symbols if symbol not in position]
        if unknown:
            raise DataError(
                f"symbols {unknown} are not in the panel of {len(self.symbols)} symbols"
            )
        columns = [position[symbol] for symbol in symbols]
        return Panel(self.values[:, columns], self.ts, tuple(symbols))

    def tail(self, rows: int) -> "Panel":
        """The last `rows` rows."""
        start = max(0, len(self.ts) - rows)
        return Panel(self.values[start:], self.ts[start:], self.symbols)


def _codes(
    frame: pd.DataFrame,
) -> tuple[npt.NDArray[np.intp], pd.DatetimeIndex, npt.NDArray[np.intp], tuple[str, ...]]:
    rows, ts = pd.factorize(frame["ts"], sort=True)
    columns, symbols = pd.factorize(frame["symbol"], sort=True)
    return rows, pd.DatetimeIndex(ts), columns, tuple(str(symbol) for symbol in symbols)


def to_panels(frame: pd.DataFrame, columns: list[str]) -> dict[str, Panel]:
    """One panel per column of a long frame with `ts` and `symbol`; shared axes."""
    rows, ts, positions, symbols = _codes(frame)
    panels = {}
    for name in columns:
        values = np.full((len(ts), len(symbols)), np.nan)
        values[rows, positions] = frame[name].to_numpy(dtype="float64")
        panels[name] = Panel(values, ts, symbols)
    return panels


def to_panel(frame: pd.DataFrame, column: str) -> Panel:
    """The panel of one column of a long frame with `ts` and `symbol`."""
    return to_panels(frame, [column])[column]


def to_long(panels: dict[str, Panel]) -> pd.DataFrame:
    """Long frame (ts, symbol, one column per panel) sorted by (ts, symbol); every cell is a row.

    All panels must share their axes. `ts` comes back as `datetime64[us, UTC]`.
    """
    first = next(iter(panels.values()))
    if any(p.ts is not first.ts and not p.ts.equals(first.ts) for p in panels.values()):
        raise DataError(f"panels {sorted(panels)} have different time axes")
    if any(p.symbols != first.symbols for p in panels.values()):
        raise DataError(f"panels {sorted(panels)} have different symbols")
    n_times, n_symbols = first.values.shape
    frame = {
        "ts": pd.Series(first.ts.as_unit("us").repeat(n_symbols)),
        "symbol": pd.Series(np.tile(np.array(first.symbols, dtype=object), n_times), dtype="str"),
    }
    for name, panel in panels.items():
        frame[name] = pd.Series(panel.values.ravel())
    return pd.DataFrame(frame)
