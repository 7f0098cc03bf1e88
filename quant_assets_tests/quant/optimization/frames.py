"""Contexts and frames for the two stages of this room."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from quant_assets.contracts.alpha_streams import AlphaStreams
from quant_assets.contracts.portfolio_weights import PortfolioWeights
from quant_assets.contracts.returns import Returns
from quant_assets.contracts.target_weights import TargetWeights
from quant_assets.core.context import HardeningContext, OptimizationContext
from quant_assets.core.venues import Market, OptimizationParameters
from quant_assets.core.windows import Grid

UTC_MICROSECONDS = "datetime64[us, UTC]"
FIRST = "2020-01-01"
SECOND = "2020-02-01"
THIRD = "2020-03-01"


def market_facts() -> Market:
    """A daily equity venue."""
    return Market(
        asset_class="equity",
        currency="USD",
        calendar="XNYS",
        time_zone="America/New_York",
        bar_length="1d",
        bars_per_year=252,
        price_fields=["close"],
    )


def context(kind: type, key: str = FIRST, *, mode: str = "carry", **limits: Any):
    """A context of `kind` for one window, with the given optimization parameters."""
    window = Grid().window(key)
    return kind(
        venue="test",
        window=window,
        decided_at=window.start,
        market=market_facts(),
        optimization=OptimizationParameters(**limits),
        mode=mode,
    )


def optimization_context(key: str = FIRST, **limits: Any) -> OptimizationContext:
    """Context of `optimize_window`."""
    return context(OptimizationContext, key, **limits)


def hardening_context(key: str = FIRST, *, mode: str = "carry", **limits: Any) -> HardeningContext:
    """Context of `harden_window`."""
    return context(HardeningContext, key, mode=mode, **limits)


def start_of(key: str) -> datetime:
    """The decision time of a window."""
    return datetime.fromisoformat(key).replace(tzinfo=UTC)


def streams(
    symbols: list[str],
    *,
    sides: list[int] | None = None,
    expected: list[float] | None = None,
    key: str = FIRST,
) -> pd.DataFrame:
    """One stream per (symbol, side), checked against its contract."""
    sides = sides or [1] * len(symbols)
    names = [f"{s}:{'long' if d > 0 else 'short'}" for s, d in zip(symbols, sides, strict=True)]
    frame = pd.DataFrame(
        {
            "decided_at": pd.Series([start_of(key)] * len(symbols), dtype=UTC_MICROSECONDS),
            "stream": names,
            "symbol": symbols,
            "side": sides,
            "cluster": 1,
            "alpha": 0.1,
            "expected_return": expected or [0.05] * len(symbols),
        }
    ).sort_values("stream", ignore_index=True)
    return AlphaStreams.check_frame(frame, where="test streams")


def returns_frame(
    values: np.ndarray, symbols: list[str], *, first_day: str | None = None, before: str = FIRST
) -> pd.DataFrame:
    """Daily returns (time, symbol): from `first_day` on, or ending the day before `before`."""
    if first_day is None:
        days = pd.date_range(end=before, periods=len(values) + 1, tz="UTC", unit="us")[:-1]
    else:
        days = pd.date_range(first_day, periods=len(values), tz="UTC", unit="us")
    days = days.astype(UTC_MICROSECONDS)
    table = pd.DataFrame(values, index=days, columns=symbols)
    table = table.rename_axis("ts").reset_index()
    frame = table.melt("ts", var_name="symbol", value_name="returns")
    frame["symbol"] = frame["symbol"].astype("str")
    frame.insert(1, "available_at", frame["ts"] + pd.Timedelta(days=1))
    frame = frame.sort_values(["ts", "symbol"], ignore_index=True)
    return Returns.check_frame(frame, where="test returns")


def targets(weights: dict[str, dict[str, float]], *, key: str = FIRST) -> pd.DataFrame:
    """Target weights per entrant and symbol."""
    rows = [(e, s, w) for e in sorted(weights) for s, w in sorted(weights[e].items())]
    frame = pd.DataFrame(rows, columns=["entrant", "symbol", "weight"])
    frame.insert(0, "decided_at", pd.Series([start_of(key)] * len(rows), dtype=UTC_MICROSECONDS))
    frame = frame.assign(
        solver="hand", status="optimal", iterations=0, objective=0.0, residual=0.0, fallback=""
    )
    return TargetWeights.check_frame(frame, where="test targets")


def no_returns() -> pd.DataFrame:
    """No rows."""
    return Returns.empty()


def no_weights() -> pd.DataFrame:
    """The start of the chain."""
    return PortfolioWeights.empty()


def weights_of(frame: pd.DataFrame, entrant: str, column: str = "weight") -> dict[str, float]:
    """Column of one entrant, by symbol."""
    rows = frame[frame["entrant"] == entrant]
    return dict(zip(rows["symbol"], rows[column], strict=True))
