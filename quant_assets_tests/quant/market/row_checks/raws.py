"""Small deliveries as layouts hand them over, and the rules that they are judged by."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from quant_assets.contracts.doubts import Doubts
from quant_assets.quant.market.row_checks.check import Checked, check_rows
from quant_assets.quant.market.row_checks.rules import RowRules

MINUTES = timedelta(minutes=5)
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
FIRST = "2024-03-01"
WORDS = ("symbol", "event_id", "side", "unit", "kind")
TIMES = ("ts", "closes_at", "collected_at")


def rules(**changes: object) -> RowRules:
    values = {
        "venue": "test",
        "file": "drop/bars.csv",
        "received_at": datetime(2024, 6, 1, tzinfo=UTC),
        "bar_length": MINUTES,
        "publication_delay": timedelta(seconds=3),
        "first": date(2024, 1, 1),
        "last": None,
        "calendar": "24/7",
        "price_fields": ("open", "high", "low", "close", "volume"),
    }
    return RowRules(**(values | changes))


def times(moments: object) -> pd.Series:
    stamps = pd.DatetimeIndex(pd.to_datetime(moments, utc=True)).as_unit("us")
    return pd.Series(stamps)


def grid(n_rows: int, step: timedelta = MINUTES, start: str = FIRST) -> list[pd.Timestamp]:
    return [pd.Timestamp(start, tz="UTC") + row * step for row in range(n_rows)]


def raw(**columns: object) -> pd.DataFrame:
    """A raw frame of columns (one value stands for all rows); lines count from 2."""
    n_rows = len(columns["ts"])
    columns = {"symbol": BTC, "line": np.arange(2, n_rows + 2), **columns}
    frame = {}
    for name, values in columns.items():
        listed = [values] * n_rows if isinstance(values, str | int | float) else list(values)
        if name in TIMES:
            frame[name] = times(listed)
        elif name in WORDS:
            frame[name] = pd.Series(listed, dtype="str")
        else:
            frame[name] = pd.Series(listed, dtype="int64" if name == "line" else "float64")
    return pd.DataFrame(frame)


def bars(n_rows: int = 4, **columns: object) -> pd.DataFrame:
    """Flat bars 100, 101, 99, 100.5 with volume 10."""
    flat = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.5, "volume": 10.0}
    times = {} if "ts" in columns else {"ts": grid(n_rows)}
    return raw(**{**times, **flat, **columns})


def with_cell(frame: pd.DataFrame, row: int, **values: object) -> pd.DataFrame:
    """`frame` with other values in one row."""
    for name, value in values.items():
        column = frame[name].copy()
        column.iloc[row] = value
        frame = frame.assign(**{name: column})
    return frame


def checked(dataset: str, frame: pd.DataFrame, **changes: object) -> Checked:
    """Checked rows; both frames satisfy their contracts, and no row got lost."""
    from quant_assets.core.registry import get
    from quant_assets.quant.market.row_checks.base import RowCheck
    from quant_assets.quant.market.row_checks.check import PACKAGE

    result = check_rows(dataset, frame, rules(**changes))
    get(PACKAGE, RowCheck, dataset).contract.check_frame(result.frame, where=dataset)
    Doubts.check_frame(result.doubts, where="doubts")
    counts = result.counts
    assert counts["rows"] == len(frame)
    assert counts["stored"] == len(result.frame)
    ends = counts["stored"] + counts["quarantined"] + counts["dropped"] + counts["undated"]
    assert counts["rows"] == ends
    assert list(result.undated.columns) == list(Doubts.empty().columns[2:])
    return result


def told(result: Checked) -> list[tuple[int, str, str]]:
    """Line, outcome and reason of every doubt, by line."""
    found = result.doubts[["line", "outcome", "reason"]].itertuples(index=False, name=None)
    return sorted(found)
