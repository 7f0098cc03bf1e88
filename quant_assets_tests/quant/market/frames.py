"""Small frames and contexts that tests of market, features and discovery share."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.returns import Returns
from quant_assets.core.context import AlphaContext, DiscoveryContext, IngestionContext
from quant_assets.core.venues import (
    AlphaParameters,
    DiscoveryParameters,
    Market,
    ProviderSpec,
    Reference,
)
from quant_assets.core.windows import Grid, Window

DAY = timedelta(days=1)
FIELDS = ("open", "high", "low", "close", "volume")


def make_market(**changes: object) -> Market:
    values = {
        "asset_class": "equity",
        "currency": "USD",
        "calendar": "XNYS",
        "time_zone": "UTC",
        "bar_length": DAY,
        "bars_per_year": 252,
        "price_fields": list(FIELDS),
    }
    return Market(**(values | changes))


def window(key: str = "2020-02-01") -> Window:
    return Grid().window(key)


def ingestion(
    key: str = "2020-02-01", *, partial: bool = False, **market: object
) -> IngestionContext:
    span = window(key)
    return IngestionContext(
        venue="test",
        window=span,
        decided_at=span.start,
        partial=partial,
        market=make_market(**market),
        provider=ProviderSpec(name="none"),
        reference=Reference(),
    )


def discovery(key: str = "2020-02-01", *, rules: dict | None = None, **market: object):
    span = window(key)
    return DiscoveryContext(
        venue="test",
        window=span,
        decided_at=span.start,
        market=make_market(**market),
        discovery=DiscoveryParameters(**(rules or {})),
    )


def alpha(key: str = "2020-02-01", *, month_bars: int = 2, **market: object) -> AlphaContext:
    span = window(key)
    return AlphaContext(
        venue="test",
        window=span,
        decided_at=span.start,
        market=make_market(**market),
        alpha=AlphaParameters(month_bars=month_bars),
    )


def timestamps(moments: object) -> pd.Series:
    return pd.Series(pd.DatetimeIndex(moments).as_unit("us"))


def bars_frame(
    closes: dict[str, list[float | None]],
    *,
    start: datetime | str = "2020-02-01",
    step: timedelta = DAY,
    delay: timedelta = timedelta(0),
) -> pd.DataFrame:
    """Bars with open = high = low = close and volume 10; None = no row, NaN = a gap row."""
    rows = []
    first = pd.Timestamp(start, tz="UTC")
    for symbol, values in closes.items():
        rows += [(first + i * step, symbol, v) for i, v in enumerate(values) if v is not None]
    rows.sort(key=lambda row: row[:2])
    if not rows:
        return Bars.empty()
    close = pd.Series([row[2] for row in rows], dtype="float64")
    ts = timestamps([row[0] for row in rows])
    frame = pd.DataFrame(
        {
            "ts": ts,
            "available_at": timestamps(ts + step + delay),
            "symbol": pd.Series([row[1] for row in rows], dtype="str"),
            **dict.fromkeys(FIELDS[:4], close),
            "volume": close.isna().map({True: 0.0, False: 10.0}),
            "is_gap": close.isna(),
        }
    )
    return Bars.check_frame(frame, where="the test's bars")


def random_bars(
    n_times: int, n_symbols: int, *, seed: int = 0, missing: float = 0.0, **how: object
) -> pd.DataFrame:
    """Random walks; a share `missing` of the rows is absent."""
    generator = np.random.default_rng(seed)
    prices = 100.0 * np.exp(np.cumsum(generator.normal(0.0, 0.02, (n_times, n_symbols)), axis=0))
    absent = generator.random(prices.shape) < missing
    closes = {
        f"S{column:02d}": [None if a else float(v) for v, a in zip(values, gone, strict=True)]
        for column, (values, gone) in enumerate(zip(prices.T, absent.T, strict=True))
    }
    return bars_frame(closes, **how)


def returns_frame(bars: pd.DataFrame) -> pd.DataFrame:
    """Returns of all bars by pandas: the oracle of `returns_window`, and an input of screens."""
    wide = bars.pivot_table(index="ts", columns="symbol", values="close", dropna=False)
    returns = wide.pct_change(fill_method=None).to_numpy()
    rows, columns = wide.index.get_indexer(bars["ts"]), wide.columns.get_indexer(bars["symbol"])
    frame = bars[["ts", "available_at", "symbol"]].assign(returns=returns[rows, columns])
    return Returns.check_frame(frame, where="the test's returns")
