"""The last funding record known at each five-minute bar: ours by `available_at`, against polars."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._peers import START, market, polars_or_reason, require_equal, timed
from benchmarks.page import Row
from quant_assets.quant.market.timeframes import Timeframe, align

TITLE = "As-of alignment of a sparse series onto five-minute bars, one thread"
TARGET = "5M rows in at most 0.25 of polars' join_asof"
SIZE, QUICK_SIZE = (50, 100_000), (4, 2_000)  # symbols, bars
STEP, SETTLED = np.timedelta64(5, "m"), np.timedelta64(8, "h")
MAX_AGE = timedelta(days=1)
OURS = "ours"


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    polars, reason = polars_or_reason()
    n_symbols, n_bars = QUICK_SIZE if quick else SIZE
    bars = market(n_symbols, n_bars, STEP, absent=0.0)
    closes = {"close": bars.fields["close"]}
    code, known_at = bars.code.astype(np.int64), bars.ts + STEP
    events = _settlements(n_symbols, int(n_bars * STEP / SETTLED))
    names = tuple(f"S{number:02d}" for number in range(n_symbols))

    def series() -> tuple[Timeframe, Timeframe]:
        clock = Timeframe(timedelta(minutes=5), bars.ts, known_at, code, names, closes)
        at, symbol, rate = events
        return Timeframe(timedelta(0), at, at, symbol, names, {"rate": rate}), clock

    source, clock = series()

    def aligned(source: Timeframe, clock: Timeframe) -> npt.NDArray[np.float64]:
        return align(source, clock=clock, max_age=MAX_AGE).column("rate")

    ways: dict[str, Callable[[], Any]] = {
        OURS: lambda: aligned(source, clock),
        "ours, with the check of both series": lambda: aligned(*series()),
    }
    if polars is not None:
        ways["polars join_asof"] = _polars(polars, (known_at, code), events)
        theirs = ways["polars join_asof"]()["rate"].sum()
        require_equal("rates", float(np.nansum(ways[OURS]())), theirs)
    timings = timed(ways, 2 if quick else 15)
    peer = timings.get("polars join_asof")
    return [
        {
            "way": name,
            "rows": len(bars.ts),
            "best ms": 1000.0 * min(timing.wall),
            "median CPU ms": 1000.0 * timing.typical,
            "extra peak MB": timing.megabytes,
            "times polars": timing.typical / peer.typical if peer else reason,
        }
        for name, timing in timings.items()
    ]


def _settlements(n_symbols: int, count: int) -> tuple[Any, Any, Any]:
    """Instants, symbol codes and rates: every eight hours, some seconds late."""
    rng = np.random.default_rng(1)
    late = rng.integers(0, 5000, (n_symbols, count)).astype("timedelta64[ms]")
    at = (START + np.arange(count) * SETTLED + late).astype("datetime64[us]")
    code = np.repeat(np.arange(n_symbols, dtype=np.int64), count)
    return at.ravel(), code, rng.normal(1e-4, 1e-4, n_symbols * count)


def _polars(polars: Any, clock: tuple[Any, Any], events: tuple[Any, Any, Any]) -> Callable[[], Any]:
    left = polars.DataFrame({"at": clock[0], "code": clock[1]})
    right = polars.DataFrame(dict(zip(("at", "code", "rate"), events, strict=True)))
    return lambda: left.join_asof(
        right,
        on="at",
        by="code",
        strategy="backward",
        tolerance=MAX_AGE,
        check_sortedness=False,
    )
