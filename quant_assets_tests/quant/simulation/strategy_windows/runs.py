"""Strategies walked window by window without Dagster, for comparison with one backtest."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.funding import Funding
from quant_assets.contracts.strategy_state import StrategyState
from quant_assets.core.context import StrategyContext
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.core.venues import Market
from quant_assets.core.windows import Grid, Window
from quant_assets.core.yaml_loader import parse_yaml
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.strategy_windows.stage import WINDOW_FRAMES, strategy_window
from quant_assets.quant.strategies.config import TEXT

Frames = dict[str, pd.DataFrame]
STARTS = {"monthly": date(2000, 1, 1), "weekly": date(2000, 1, 3)}


def market(**changes) -> Market:
    facts = {
        "asset_class": "crypto_spot",
        "currency": "USDT",
        "calendar": "24/7",
        "time_zone": "UTC",
        "bar_length": "1d",
        "bars_per_year": 365,
        "price_fields": ["open", "high", "low", "close", "volume"],
    }
    return Market.model_validate(facts | changes)


def bars_frame(bars: BarPanel) -> pd.DataFrame:
    """Rows of `Bars`; an absent bar is a gap."""
    n = len(bars.symbols)
    columns = {name: values.ravel() for name, values in bars.columns().items()}
    frame = pd.DataFrame(
        {
            "ts": pd.DatetimeIndex(np.repeat(bars.ts, n), tz="UTC"),
            "available_at": pd.DatetimeIndex(np.repeat(bars.available_at, n), tz="UTC"),
            "symbol": pd.array(list(bars.symbols) * len(bars), dtype="str"),
            **columns,
            "is_gap": np.isnan(bars.close).ravel(),
        }
    )
    return Bars.check_frame(frame, where="bars")


def windows_of(bars: BarPanel, cadence: str = "monthly") -> list[Window]:
    """The windows of a grid that hold the bars."""
    grid = Grid(start=STARTS[cadence], cadence=cadence)
    first, last = (pd.Timestamp(ts, tz="UTC").to_pydatetime() for ts in bars.ts[[0, -1]])
    return [grid.window(key) for key in grid.between(grid.key_at(first), grid.key_at(last))]


def values_of(text: str) -> dict:
    """Plain values of a strategy file's text."""
    return parse_yaml(text, TEXT).data


def walked(text: str, bars: pd.DataFrame, windows: list[Window], **given) -> list[Frames]:
    """Frames of every window, by their names without the strategy; contracts are checked."""
    state, found = StrategyState.empty(), []
    for window in windows:
        found.append(step(text, bars, window, state, **given))
        state = found[-1]["state"]
    return found


def step(
    text: str,
    bars: pd.DataFrame,
    window: Window,
    state: pd.DataFrame,
    facts: Market,
    *,
    funding: pd.DataFrame | None = None,
    mode: str = "carry",
) -> Frames:
    """Frames of one window, which sees the rows before its end."""
    values = values_of(text)
    name = values["strategy"]
    stamps = {"venue": "v", "window": window, "decided_at": window.start}
    context = StrategyContext(**stamps, market=facts, strategy=values, mode=mode)
    tables = {"bars": bars, "funding": Funding.empty() if funding is None else funding}
    known = {
        key: frame[frame["ts"] < pd.Timestamp(window.end)].reset_index(drop=True)
        for key, frame in tables.items()
    }
    frames = strategy_window(context, NullTelemetry(), **known, **{f"{name}_state": state})
    plain = {part: frames[f"{name}_{part}"] for part in WINDOW_FRAMES}
    for part, contract in WINDOW_FRAMES.items():
        contract.check_frame(plain[part], where=f"{part} of {window.key}")
        ts = plain[part]["ts"]
        assert ((ts >= window.start) & (ts < window.end)).all(), (part, window.key)
    return plain


def whole(found: list[Frames], part: str) -> pd.DataFrame:
    """All windows' rows of one frame."""
    filled = [one[part] for one in found if len(one[part])]
    return pd.concat(filled, ignore_index=True) if filled else found[0][part]


def moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)
