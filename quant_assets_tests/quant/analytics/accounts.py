"""Small reporting contexts, equity and reference frames for the analytics tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from quant_assets.contracts.equity import Equity
from quant_assets.contracts.reference_returns import ReferenceReturns
from quant_assets.core.context import ReportingContext
from quant_assets.core.venues import Market, Reference, ReportingParameters, SimulationParameters
from quant_assets.core.windows import Window

DAY = timedelta(days=1)
JANUARY = datetime(2024, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2024, 2, 1, tzinfo=UTC)
MARCH = datetime(2024, 3, 1, tzinfo=UTC)


def context(
    *,
    start: datetime = JANUARY,
    end: datetime = FEBRUARY,
    calendar: str = "24/7",
    bars_per_year: int = 365,
    benchmark: str | None = "INDEX",
    partial: bool = False,
    decided_at: datetime | None = None,
    **simulation: Any,
) -> ReportingContext:
    return ReportingContext(
        venue="test",
        window=Window(key=f"{start:%Y-%m-%d}", start=start, end=end),
        decided_at=decided_at or start,
        partial=partial,
        market=Market(
            asset_class="equity",
            currency="USD",
            calendar=calendar,
            time_zone="UTC",
            bar_length=DAY,
            bars_per_year=bars_per_year,
            price_fields=["open", "close"],
        ),
        reference=Reference(benchmark=benchmark),
        simulation=SimulationParameters(**simulation),
        reporting=ReportingParameters(),
        mode="carry",
    )


def days(n: int, start: datetime = JANUARY) -> pd.DatetimeIndex:
    return pd.date_range(start, periods=n, freq="D").as_unit("us")


def equity(
    net: dict[str, list[float]],
    ts: pd.DatetimeIndex | None = None,
    *,
    cost: float = 0.0,
    turnover: float = 0.0,
) -> pd.DataFrame:
    """Equity rows of the given net returns; gross returns are `cost` higher on every bar."""
    entrants = sorted(net)
    ts = days(len(net[entrants[0]])) if ts is None else ts
    returns = np.array([net[e] for e in entrants]).T.ravel()
    rows = ts.repeat(len(entrants))
    frame = pd.DataFrame(
        {
            "ts": rows,
            "available_at": rows + DAY,
            "entrant": pd.array(entrants * len(ts), dtype="str"),
            "cash": 0.0,
            "position_value": 1000.0,
            "equity": 1000.0,
            "returns": returns,
            "gross_returns": returns + cost,
            "fees": 2.0,
            "slippage": 3.0,
            "funding": -1.0,
            "turnover": turnover,
        }
    )
    frame = frame.loc[np.flatnonzero(~np.isnan(returns))].reset_index(drop=True)
    return Equity.check_frame(frame, where="test equity")


def references(series: dict[str, list[float]], ts: pd.DatetimeIndex | None = None) -> pd.DataFrame:
    """ReferenceReturns of {role: returns}."""
    if not series:
        return ReferenceReturns.empty()
    roles = sorted(series)
    ts = days(len(series[roles[0]])) if ts is None else ts
    rows = ts.repeat(len(roles))
    frame = pd.DataFrame(
        {
            "ts": rows,
            "available_at": rows + DAY,
            "role": pd.array(roles * len(ts), dtype="str"),
            "symbol": pd.array(roles * len(ts), dtype="str"),
            "returns": np.array([series[r] for r in roles], dtype=float).T.ravel(),
            "assumed": False,
        }
    )
    return ReferenceReturns.check_frame(frame, where="test references")
