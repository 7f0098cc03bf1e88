"""Small deliveries for the intake tests."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from quant_assets.adapters.layouts.base import Raw
from quant_assets.core.venues import Venue
from quant_assets.operations.intake.delivery import Origin
from quant_assets.storage.paths import Layout
from quant_assets.storage.sources import SourceStore

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def files_venue(**market: object) -> Venue:
    """An hourly crypto venue whose data are dropped as files."""
    return Venue.model_validate(
        {
            "name": "dropped",
            "title": "test",
            "provider": {"name": "files"},
            "history": {"first": "2024-01-01"},
            "market": {
                "asset_class": "crypto_perpetual",
                "currency": "USDT",
                "calendar": "24/7",
                "time_zone": "UTC",
                "bar_length": "1h",
                "bars_per_year": 8760,
                "price_fields": ["open", "high", "low", "close", "volume"],
                "funding": "required",
                **market,
            },
            "reference": {"benchmark": "BTC/USDT:USDT"},
            "alpha": {"month_bars": 24},
        }
    )


def source_store(folder: Path) -> SourceStore:
    return SourceStore(Layout(folder), "dropped")


def origin(name: str, **changes: object) -> Origin:
    facts = {"name": name, "sha256": name, "size": 1, "layout": "test", "received_at": NOW}
    return Origin(**{**facts, **changes})  # type: ignore[arg-type]


def raw_bars(first: str, hours: int, *, symbol: str = "BTC/USDT:USDT", close: float = 100.0) -> Raw:
    """Hourly bars whose closes climb by 1 from `close`."""
    ts = pd.Series(pd.date_range(first, periods=hours, freq="h", tz="UTC", unit="us"))
    closes = close + np.arange(hours, dtype=float)
    return Raw(
        "bars",
        pd.DataFrame(
            {
                "ts": ts,
                "symbol": pd.Series([symbol] * hours, dtype="str"),
                "open": closes,
                "high": closes + 1,
                "low": closes - 1,
                "close": closes,
                "volume": np.ones(hours),
                "line": np.arange(1, hours + 1),
            }
        ),
    )


def raw_funding(first: str, count: int) -> Raw:
    ts = pd.Series(pd.date_range(first, periods=count, freq="8h", tz="UTC", unit="us"))
    return Raw(
        "funding",
        pd.DataFrame(
            {
                "ts": ts + pd.Timedelta(milliseconds=7),
                "symbol": pd.Series(["BTC/USDT:USDT"] * count, dtype="str"),
                "rate": np.full(count, 1e-4),
                "line": np.arange(1, count + 1),
            }
        ),
    )


def raw_marks(first: str, count: int) -> Raw:
    ts = pd.Series(pd.date_range(first, periods=count, freq="8h", tz="UTC", unit="us"))
    return Raw(
        "marks",
        pd.DataFrame(
            {
                "ts": ts,
                "symbol": pd.Series(["BTC/USDT:USDT"] * count, dtype="str"),
                "mark_price": 100.0 + np.arange(count),
                "line": np.arange(1, count + 1),
            }
        ),
    )
