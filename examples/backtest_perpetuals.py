"""A strategy file on simulated perpetuals: funding at its exact times, margin, a fill audit.

No data root is needed: the market is generated. Short what pays most funding, long what pays
least, every day anew; then the same with better and with worse fills.

    python examples/backtest_perpetuals.py
"""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from quant_assets import backtest
from quant_assets.adapters.providers.base import provider_for
from quant_assets.adapters.venues.loader import load_venues
from quant_assets.core.windows import Grid
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution import ExecutionModel
from quant_assets.quant.strategies import load_strategy

FILE = Path(__file__).parent / "strategies" / "funding_carry.yaml"
HOUR = pd.Timedelta(hours=1)
FIELDS = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}


def hourly(rows: pd.DataFrame, funding: pd.DataFrame) -> BarPanel:
    """Hours of 5-minute bars, with the last funding rate that was known when each hour ended."""
    rows = rows[rows["symbol"].isin(funding["symbol"].unique()) & rows["close"].notna()]
    table = rows.assign(hour=rows["ts"].dt.floor(HOUR)).pivot_table(
        index="hour", columns="symbol", values=list(FIELDS), aggfunc=FIELDS
    )
    known = funding.pivot_table(index="available_at", columns="symbol", values="rate")
    ended = table.index + HOUR
    rates = known.reindex(known.index.union(ended)).ffill().loc[ended].to_numpy()
    return BarPanel.from_arrays(
        table.index.tz_localize(None).to_numpy(),
        tuple(table["close"].columns),
        timedelta(hours=1),
        extras={"funding_rate": np.ascontiguousarray(rates)},
        **{name: table[name].to_numpy() for name in FIELDS},
    )


def main() -> None:
    """February 2024 of the simulated market."""
    provider = provider_for(load_venues(None)["simulated_perps"])
    month = Grid().window("2024-02-01")
    funding = provider.fetch("funding", month)
    bars = hourly(provider.fetch("bars", month), funding)
    loaded = load_strategy(FILE)
    print(f"{loaded.strategy.name} on {len(bars)} hours of {len(bars.symbols)} perpetuals")
    model = ExecutionModel.from_settings(loaded.settings.execution.settings())
    for name, execution in model.audit().items():
        result = backtest(loaded.strategy, bars, execution, funding=funding)
        paid = result.costs["amount"]
        print(
            f"{name:12} {result.total_return:8.2%}   funding {paid['funding']:9.2f}   "
            f"fees {paid['commission']:9.2f}   slippage {paid['slippage']:9.2f}"
        )


if __name__ == "__main__":
    main()
