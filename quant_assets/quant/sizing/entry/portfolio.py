"""Weights of a portfolio sizer, found again every few bars, as sizes of entries."""

from collections.abc import Callable

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.moments.past import bar_returns
from quant_assets.quant.sizing.base import Sizer


def weights_every(
    sizer_at: Callable[[int], Sizer],
    bars: BarPanel,
    sides: Floats,
    *,
    lookback: int,
    refit_bars: int,
) -> Floats:
    """Absolute weights `(time, symbol)` of all symbols together, from the last `lookback` returns.

    They are found at every `refit_bars`-th bar from the first on that has `lookback` returns, and
    held in between. A symbol takes part at a refit when it has a close and half of its returns;
    rows in which one of these is unknown are left out. `sizer_at` gives the sizer of a row.
    """
    returns = bar_returns(bars.close)
    result = np.zeros(returns.shape)
    for row in range(lookback, len(returns), refit_bars):
        past = returns[row + 1 - lookback : row + 1]
        known = (
            ~np.isnan(bars.close[row])
            & bars.members[row]
            & ((~np.isnan(past)).sum(axis=0) * 2 >= lookback)
        )
        weights = np.abs(sizer_at(row).weights(np.where(known, sides[row], 0.0), past))
        result[row : row + refit_bars] = weights
    return result
