"""Call two stages as plain functions: no Dagster, no data root, no settings.

A stage takes a context (the parameters of one cell), a telemetry sink and its input frames, and
returns a frame that satisfies its contract. Here: twelve months of generated closes, the universe,
and the candidate pool with the rule that excludes each instrument.

    python examples/stage_without_dagster.py
"""

import numpy as np
import pandas as pd

from quant_assets.adapters.venues.loader import load_venues
from quant_assets.contracts.bars import Bars
from quant_assets.core.context import DiscoveryContext, build_context
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.core.windows import Grid
from quant_assets.quant.discovery.candidates import candidate_pool_window
from quant_assets.quant.market.returns import returns_window
from quant_assets.quant.market.universe import universe_window

SYMBOLS = ("CALM", "GONE", "PEGGED", "SWINGS")


def generated_bars() -> pd.DataFrame:
    """Daily closes of 1999: one peg, one instrument that stops trading in June."""
    ts = pd.bdate_range("1999-01-01", "1999-12-31", tz="UTC").as_unit("us")
    steps = np.random.default_rng(5).normal(0.0, 1.0, (len(ts), len(SYMBOLS)))
    close = 100.0 * np.exp(np.cumsum(steps * [0.005, 0.01, 0.0, 0.03], axis=0))
    frame = pd.DataFrame(close, index=ts, columns=pd.Index(SYMBOLS, dtype="str"))
    frame.loc["1999-06-01":, "GONE"] = np.nan
    wide = frame.rename_axis(index="ts", columns="symbol").reset_index()
    long = wide.melt(id_vars="ts", value_name="close").dropna()
    bars = long.sort_values(["ts", "symbol"], ignore_index=True)
    bars["available_at"] = bars["ts"] + pd.Timedelta(days=1)
    bars[["open", "high", "low", "volume"]] = np.nan
    bars["is_gap"] = False
    return Bars.check_frame(bars[list(Bars.to_schema().columns)], where="generated bars")


def main() -> None:
    """Decide at the start of 2000, from 1999 alone."""
    venue, grid = load_venues(None)["sp500_demo"], Grid()
    bars, telemetry = generated_bars(), NullTelemetry()
    months = [grid.window(key) for key in grid.between("1999-01-01", "1999-12-01")]
    returns = pd.concat(
        [
            returns_window(
                build_context(DiscoveryContext, venue, month, mode="carry"), telemetry, bars=bars
            )
            for month in months
        ],
        ignore_index=True,
    )
    context = build_context(DiscoveryContext, venue, grid.window("2000-01-01"), mode="carry")
    universe = universe_window(context, telemetry, bars=bars)
    pool = candidate_pool_window(
        context, telemetry, universe=universe, bars=bars, returns_matrix=returns
    )
    for symbol, rules in pool.groupby("symbol"):
        failed = [
            f"{row.rule} ({row.value:.3g}, limit {row.limit:g})"
            for row in rules[~rules["passed"]].itertuples()
        ]
        print(f"{symbol:8}", "excluded by " + ", ".join(failed) if failed else "candidate")


if __name__ == "__main__":
    main()
