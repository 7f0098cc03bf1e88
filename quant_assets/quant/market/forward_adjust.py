"""Prices that go on as if no split or dividend had happened, by past events alone.

The usual adjustment multiplies old prices by later factors, so every price changes whenever an
event comes. Here later prices are divided by the factors of earlier events: a price once written
never changes, and returns are the same.
"""

import numpy as np
import pandas as pd

from quant_assets.quant.market.adjust import CHANGES_UNITS, PRICES, earlier_factors

MIN_EVENT = 1e-4
SPLIT_BEYOND = 0.8


def forward_adjusted(
    bars: pd.DataFrame, adjustments: pd.DataFrame, *, dividends: bool
) -> pd.DataFrame:
    """Bars with prices divided by the factors of the symbol's events with `event ts <= bar ts`.

    Volumes are multiplied by those that change units. Without `dividends` only splits and
    denominations count, with them also forks and airdrops. `adjustments` must hold all events
    since the symbol's first bar.
    """
    units = adjustments[adjustments["kind"].isin(CHANGES_UNITS)]
    counted = adjustments if dividends else units
    if not len(counted):
        return bars
    factor = earlier_factors(bars, counted)
    prices = {name: bars[name] / factor for name in PRICES}
    return bars.assign(**prices, volume=bars["volume"] * earlier_factors(bars, units))


def adjustments_of_closes(
    bars: pd.DataFrame,
    adjusted_close: pd.Series,
    *,
    splits_are_in: bool,
    collected_at: pd.Series | None = None,
) -> pd.DataFrame:
    """Events that explain a source's own adjusted closes; columns ts, symbol, kind, price_factor.

    `bars` has ts, symbol and close, sorted by ts. An event is a step of `adjusted / close` between
    two bars of a symbol beyond 1e-4, which rounding to cents or millionths does not make. Where
    prices already contain the splits (`splits_are_in`) all of them are dividends; else a factor
    beyond 0.8 or 1.25 is a split. Closes of two vintages are adjusted as of two days, so only
    rows of one `collected_at` are compared.
    """
    close = bars["close"].to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # a price of 0 is set aside elsewhere
        ratio = adjusted_close.to_numpy(dtype=np.float64) / close
    known = np.isfinite(ratio) & (ratio > 0)
    frame = bars.loc[known, ["ts", "symbol"]].assign(ratio=ratio[known])
    groups = [frame["symbol"]] if collected_at is None else [frame["symbol"], collected_at[known]]
    before = frame.groupby(groups, sort=True)["ratio"].shift(1)
    factor = (before / frame["ratio"]).to_numpy(dtype=np.float64)
    steps = np.isfinite(factor) & (np.abs(factor - 1.0) > MIN_EVENT)
    found: pd.DataFrame = frame.loc[steps, ["ts", "symbol"]].reset_index(drop=True)
    factors = factor[steps]
    is_split = (factors < SPLIT_BEYOND) | (factors > 1.0 / SPLIT_BEYOND)
    if splits_are_in:
        is_split[:] = False
    kinds = np.where(is_split, "split", "dividend")
    return found.assign(kind=pd.Series(kinds, dtype="str"), price_factor=factors)
