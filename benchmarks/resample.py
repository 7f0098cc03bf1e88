"""One-minute rows to five-minute bars: ours with all that a bar carries, against polars."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._peers import (
    FIELDS,
    Market,
    by_time,
    market,
    polars_or_reason,
    require_equal,
    timed,
)
from benchmarks.page import Row
from quant_assets.quant.market.resample import BarArrays, BarLength, ResampledBars, resample_rows

TITLE = "Resampling one-minute rows to five-minute bars, one thread"
TARGET = "25M rows in at most 0.08 of polars' time"
SIZE, QUICK_SIZE = (50, 500_000), (4, 5_000)  # symbols, minutes
MINUTE = timedelta(minutes=1)
LENGTH = BarLength(5 * MINUTE, MINUTE)
POLARS = "polars, truncate and group_by"


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    polars, reason = polars_or_reason()
    rows = market(*(QUICK_SIZE if quick else SIZE), np.timedelta64(1, "m"), absent=0.005)
    ways: dict[str, Callable[[], Any]] = {
        "ours, rows by symbol": _ours(rows),
        "ours, rows by time": _ours(by_time(rows)),
    }
    if polars is not None:
        ways |= _polars(polars, rows)
        longer, theirs = ways["ours, rows by symbol"](), ways[POLARS]()
        require_equal("bars", len(longer.ts), len(theirs))
        for name in FIELDS:
            require_equal(name, getattr(longer, name).sum(), theirs[name].sum())
        del longer, theirs
    timings = timed(ways, 1 if quick else 5)
    peers = [timing.typical for name, timing in timings.items() if name.startswith("polars")]
    return [
        {
            "way": name,
            "rows": len(rows.ts),
            "best s": min(timing.wall),
            "median CPU s": timing.typical,
            "extra peak MB": timing.megabytes,
            "times polars' best": timing.typical / min(peers) if peers else reason,
        }
        for name, timing in timings.items()
    ]


def _ours(rows: Market) -> Callable[[], ResampledBars]:
    bars = BarArrays(rows.ts, rows.ts + np.timedelta64(MINUTE), **rows.fields)
    return lambda: resample_rows(bars, rows.code, LENGTH)


def _polars(polars: Any, rows: Market) -> dict[str, Callable[[], Any]]:
    frame = polars.DataFrame({"ts": rows.ts, "code": rows.code, **rows.fields})
    column = polars.col
    bar = [
        column("open").first(),
        column("high").max(),
        column("low").min(),
        column("close").last(),
        column("volume").sum(),
        polars.len().alias("n_rows"),
    ]
    truncated = frame.lazy().with_columns(column("ts").dt.truncate("5m"))
    grouped = truncated.group_by(["code", "ts"], maintain_order=True).agg(bar)
    ordered = frame.set_sorted("ts").lazy()
    dynamic = ordered.group_by_dynamic("ts", every="5m", group_by="code").agg(bar)
    return {POLARS: grouped.collect, "polars, group_by_dynamic": dynamic.collect}
