"""Strategies walked window by window without Dagster, for comparison with one backtest."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.funding import Funding
from quant_assets.contracts.strategy_state import StrategyState
from quant_assets.core.context import StrategyContext
from quant_assets.core.telemetry import RecordingTelemetry
from quant_assets.core.venues import Market
from quant_assets.core.windows import Grid, Window
from quant_assets.core.yaml_loader import parse_yaml
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.strategy_windows.history import (
    BEFORE,
    enough_history,
    memory_of,
    standing_before,
    times_of,
)
from quant_assets.quant.simulation.strategy_windows.reading import strategy_of
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
    earlier: list[Window] | None = None,
    read: list[int] | None = None,
) -> Frames:
    """Frames of one window, which sees the rows before its end.

    earlier : windows before it, read one after the other, the newest first, until they suffice;
    None: all rows. read : gets the number of rows of bars that were read.
    """
    values = values_of(text)
    name = values["strategy"]
    stamps = {"venue": "v", "window": window, "decided_at": window.start}
    context = StrategyContext(**stamps, market=facts, strategy=values, mode=mode)
    tables = {"bars": bars, "funding": Funding.empty() if funding is None else funding}

    def rows_from(start: datetime | None) -> dict[str, pd.DataFrame]:
        known = {}
        for key, frame in tables.items():
            inside = frame["ts"] < pd.Timestamp(window.end)
            if start is not None:
                inside &= frame["ts"] >= pd.Timestamp(start)
            known[key] = frame[inside].reset_index(drop=True)
        return known

    carried = {f"{name}_state": state}
    known = rows_from(None)
    more = {}
    memory = memory_of(strategy_of(values), context)
    if mode == "independent" and memory is not None and earlier:
        before = known["bars"]["ts"] < pd.Timestamp(window.start)
        settings = strategy_of(values).settings
        times = times_of(known["bars"][before], settings.backtest)
        paid = None if facts.funding == "none" else rows_from(None)["funding"]
        more = {BEFORE: standing_before(context, [times], paid, memory)}
    enough = None if earlier is None else enough_history(context, carried | more)
    for first in reversed([*(earlier or []), window] if enough is not None else []):
        some = rows_from(first.start)
        if enough(some):
            known = some
            break
    telemetry = RecordingTelemetry()
    frames = strategy_window(context, telemetry, **known, **carried, **more)
    if read is not None:
        read.append(len(known["bars"]))
    plain = {part: frames[f"{name}_{part}"] for part in WINDOW_FRAMES}
    for part, contract in WINDOW_FRAMES.items():
        contract.check_frame(plain[part], where=f"{part} of {window.key}")
        ts = plain[part]["ts"]
        assert ((ts >= window.start) & (ts < window.end)).all(), (part, window.key)
    return plain


def walked_back(
    text: str, bars: pd.DataFrame, windows: list[Window], **given
) -> tuple[list[Frames], list[int]]:
    """Frames of every window, each of which reads back as far as it must; and rows read."""
    state, found, read = StrategyState.empty(), [], []
    for at, window in enumerate(windows):
        more = {"earlier": windows[:at], "read": read}
        found.append(step(text, bars, window, state, **more, **given))
        state = found[-1]["state"]
    return found, read


def whole(found: list[Frames], part: str) -> pd.DataFrame:
    """All windows' rows of one frame."""
    filled = [one[part] for one in found if len(one[part])]
    return pd.concat(filled, ignore_index=True) if filled else found[0][part]


def moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)
