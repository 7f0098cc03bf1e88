"""The point-in-time universe: every instrument seen so far, the dead ones included."""

import numpy as np
import pandas as pd

from quant_assets.contracts.universe import Universe
from quant_assets.core.context import DiscoveryContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.bars import instant, instants, to_column


def universe_window(
    context: DiscoveryContext, telemetry: Telemetry, *, bars: pd.DataFrame
) -> pd.DataFrame:
    """Instruments with at least one real bar in the windows before, a `Universe` frame.

    `n_bars` counts bars that are no gaps; `first_bar` and `last_bar` are the `ts` of the first
    and last of them in the readable span. A symbol is listed when its last one is among the last
    `max(max_stale_bars, 1)` rows of the grid (all `ts` in the span, gap rows included); a delisted
    name stays, with `is_listed` False, so that no selection profits from knowing the survivors.
    """
    ts = instants(bars["ts"])
    real = ~(bars["is_gap"].to_numpy(dtype=bool) | np.isnan(bars["close"].to_numpy("float64")))
    seen = ts[real]
    if len(seen) == 0:
        return Universe.empty()
    columns, symbols = pd.factorize(bars["symbol"].to_numpy()[real], sort=True)
    first, last = np.empty_like(seen, shape=len(symbols)), np.empty_like(seen, shape=len(symbols))
    first[columns[::-1]] = seen[::-1]
    last[columns] = seen
    grid = ts[np.concatenate([[True], ts[1:] != ts[:-1]])]
    oldest = grid[-min(max(context.discovery.max_stale_bars, 1), len(grid))]
    is_listed = last >= oldest
    telemetry.log_metrics(
        "universe", {"symbols": float(len(symbols)), "listed": float(is_listed.sum())}
    )
    return pd.DataFrame(
        {
            "decided_at": to_column(np.full(len(symbols), instant(context.decided_at))),
            "symbol": pd.Series(symbols, dtype="str"),
            "first_bar": to_column(first),
            "last_bar": to_column(last),
            "n_bars": pd.Series(np.bincount(columns, minlength=len(symbols))).astype("int64"),
            "is_listed": pd.Series(is_listed),
        }
    )
