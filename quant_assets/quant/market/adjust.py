"""Splits, dividends, forks and their like: prices adjusted on read, as of an instant."""

from datetime import datetime

import numpy as np
import pandas as pd

from quant_assets.contracts.adjustments import Adjustments
from quant_assets.core.context import IngestionContext
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.bars import instant, instants
from quant_assets.quant.market.keys import latest_rows
from quant_assets.quant.market.panel import Floats

PRICES = ("open", "high", "low", "close")
CHANGES_UNITS = ("denomination", "split")
GIVEN = ("airdrop", "dividend", "fork")  # what the holder got beside the instrument


def clean_adjustments(
    context: IngestionContext, telemetry: Telemetry, *, raw_adjustments: pd.DataFrame
) -> pd.DataFrame:
    """One window of events, one row per key; times and factors stay exactly as published.

    A dividend, fork or airdrop that would raise the prices before it (factor above 1) is refused
    with its row: it is the reciprocal of the factor, or a payment with the wrong sign.
    """
    frame = latest_rows(raw_adjustments, Adjustments)
    wrong = frame[frame["kind"].isin(GIVEN) & (frame["price_factor"] > 1.0)]
    if len(wrong):
        row = wrong.iloc[0]
        raise DataError(
            f"{context.venue}: the {row['kind']} of {row['symbol']} at {row['ts']} has the price "
            f"factor {row['price_factor']}, above 1; 1 - worth / close of the bar before is "
            "expected. Mend the source."
        )
    telemetry.log_metrics("adjustments", {"events": float(len(frame))})
    return frame if len(frame) else Adjustments.empty()


def unapplied(price_adjustment: str, adjustments: pd.DataFrame) -> pd.DataFrame:
    """Events that prices of a venue with this `price_adjustment` do not contain yet."""
    if price_adjustment == "none":
        return adjustments
    kinds = GIVEN if price_adjustment == "splits" else ()
    return adjustments[adjustments["kind"].isin(kinds)]


def adjust_bars(bars: pd.DataFrame, adjustments: pd.DataFrame, *, as_of: datetime) -> pd.DataFrame:
    """Bars as someone who read them at `as_of` would adjust them, a new `Bars` frame.

    Prices are multiplied by the product of the factors of the symbol's events with
    `bar ts < event ts`, volumes are divided by the part of it that changes units (splits,
    denominations). Only what was known and in effect counts: events with `available_at` and `ts`
    at or before `as_of`; bars that were not known at `as_of` are left out. `adjustments` are the
    events to apply: see `unapplied` for prices that contain some of them.
    """
    moment = pd.Timestamp(instant(as_of)).tz_localize("UTC")
    known = bars[bars["available_at"] <= moment].reset_index(drop=True)
    events = adjustments[(adjustments["available_at"] <= moment) & (adjustments["ts"] <= moment)]
    factor = later_factors(known, events)
    units = later_factors(known, events[events["kind"].isin(CHANGES_UNITS)])
    prices = {name: known[name] * factor for name in PRICES}
    return known.assign(**prices, volume=known["volume"] / units)


def later_factors(bars: pd.DataFrame, events: pd.DataFrame) -> Floats:
    """Product of the factors of each bar's later events, shape (rows,); 1 where there are none."""
    return _products(bars, events, later=True)


def earlier_factors(bars: pd.DataFrame, events: pd.DataFrame) -> Floats:
    """Product of the factors of events up to each bar, shape (rows,); 1 where there are none."""
    return _products(bars, events, later=False)


def _products(bars: pd.DataFrame, events: pd.DataFrame, *, later: bool) -> Floats:
    factors = np.ones(len(bars))
    ts, symbols = instants(bars["ts"]), bars["symbol"].to_numpy()
    for symbol, own in events.sort_values("ts").groupby("symbol", sort=True):
        rows = np.flatnonzero(symbols == symbol)
        each = own["price_factor"].to_numpy(dtype=np.float64)
        past = np.searchsorted(instants(own["ts"]), ts[rows], side="right")
        backward = np.append(np.cumprod(each[::-1])[::-1], 1.0)
        factors[rows] = (backward if later else np.append(1.0, np.cumprod(each)))[past]
    return factors
