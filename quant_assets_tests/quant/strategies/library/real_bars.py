"""Real closes, and a generated market with funding and forced orders; both offline."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd

from quant_assets.adapters.providers.base import provider_for
from quant_assets.adapters.providers.bundled import PRICES, data_file, read_prices
from quant_assets.adapters.venues.loader import load_venues
from quant_assets.core.windows import Window
from quant_assets.quant.market.bar_panel import BarPanel

PERPETUALS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT", "XRP/USDT:USDT")
SPOT = tuple(symbol.partition(":")[0] for symbol in PERPETUALS)
BEGIN, END = datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)


@cache
def stocks():
    """Twenty adjusted closes of S&P 500 members, daily 2008 to 2022; there are no opens."""
    prices = read_prices(data_file(*PRICES)).loc["2008":]
    return BarPanel.from_arrays(
        prices.index.to_numpy(), tuple(prices.columns), timedelta(days=1), close=prices.to_numpy()
    )


@cache
def weeks():
    """The closes since 1995 as weekly bars: first, highest, lowest and last close of each week."""
    prices = read_prices(data_file(*PRICES)).loc["1995":]
    week = prices.index - pd.to_timedelta(prices.index.day_of_week, unit="D")
    of_week = prices.groupby(week)
    how = {"open": "first", "high": "max", "low": "min", "close": "last"}
    fields = {name: of_week.agg(word) for name, word in how.items()}
    return BarPanel.from_arrays(
        fields["open"].index.to_numpy(),
        tuple(prices.columns),
        timedelta(days=7),
        **{name: frame.to_numpy() for name, frame in fields.items()},
    )


@cache
def _fetched(dataset):
    venue = load_venues(None)["simulated_perps"]
    return provider_for(venue).fetch(dataset, Window(key="test", start=BEGIN, end=END))


@cache
def funding():
    """Settlements of the perpetuals."""
    frame = _fetched("funding")
    return frame[frame["symbol"].isin(PERPETUALS)].reset_index(drop=True)


@cache
def perpetuals(*, spot=False, minutes=60):
    """Four simulated perpetuals, with the last funding rate and forced orders."""
    symbols = sorted(PERPETUALS + SPOT) if spot else list(PERPETUALS)
    step = pd.Timedelta(minutes=minutes)
    frame = _fetched("bars")
    frame = frame[frame["symbol"].isin(symbols)].assign(bar=lambda f: f["ts"].dt.floor(step))
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    table = frame.pivot_table(index="bar", columns="symbol", values=list(how), aggfunc=how)
    fields = {name: table[name][symbols].to_numpy() for name in how}
    extras = {"funding_rate": _rates(table.index + step, symbols)}
    for name, side in (("liquidated_long", "sell"), ("liquidated_short", "buy")):
        extras[name] = _forced(table.index, step, symbols, side)
    ts = table.index.tz_localize(None).to_numpy()
    return BarPanel.from_arrays(ts, symbols, step.to_pytimedelta(), extras=extras, **fields)


def _rates(ended, symbols):
    """Rate of the last settlement that was known when each bar ended; NaN for spot."""
    frame = _fetched("funding")
    table = frame.pivot_table(index="available_at", columns="symbol", values="rate")
    known = table.reindex(columns=symbols).sort_index()
    return known.reindex(known.index.union(ended)).ffill().loc[ended].to_numpy()


def _forced(starts, step, symbols, side):
    """Money of forced orders of one side within each bar; NaN for spot."""
    frame = _fetched("liquidations")
    frame = frame[frame["side"] == side]
    frame = frame.assign(money=frame["price"] * frame["quantity"], bar=frame["ts"].dt.floor(step))
    table = frame.pivot_table(index="bar", columns="symbol", values="money", aggfunc="sum")
    table = table.reindex(index=starts).fillna(0.0)
    perpetual = np.where([":" in symbol for symbol in symbols], 0.0, np.nan)
    return table.reindex(columns=symbols).to_numpy() + perpetual
