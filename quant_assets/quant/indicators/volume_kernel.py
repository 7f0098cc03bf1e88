"""Running totals that pass over unknown rows, over blocks of rows with carried state.

Calling convention as in `nodes_kernel`. A row with a NaN gives NaN and adds nothing; the row after
it is compared with the last known one.
"""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample


@compiled
def total(x: Block, seen: int, state: Block, out: Block) -> None:
    """Sum of all known rows so far; state: the sum (1)."""
    n_rows, n_symbols = x.shape
    sums = state[0]
    for t in range(n_rows):
        values, result = x[t], out[t]
        for j in range(n_symbols):
            value = values[j]
            added = sums[j] + value
            sums[j] = added if not np.isnan(value) else sums[j]
            result[j] = added


@compiled
def balance(close: Block, volume: Block, seen: int, state: Block, out: Block) -> None:
    """Sum of the volumes of rises less those of falls, from the first volume on.

    State: last close, NaN before the first, and the sum (2).
    """
    n_rows, n_symbols = close.shape
    before, sums = state[0], state[1]
    for t in range(n_rows):
        for j in range(n_symbols):
            price, amount, old = close[t, j], volume[t, j], before[j]
            known = ~np.isnan(price) & ~np.isnan(amount)
            sign = 1.0 if (price > old) | np.isnan(old) else (-1.0 if price < old else 0.0)
            added = sums[j] + sign * amount
            sums[j] = added if known else sums[j]
            before[j] = price if known else old
            out[t, j] = added if known else np.nan


@compiled
def weighted_changes(close: Block, volume: Block, seen: int, state: Block, out: Block) -> None:
    """Sum of `volume * (close / last known close - 1)`; NaN on the first known row.

    State: last close, NaN before the first, and the sum (2).
    """
    n_rows, n_symbols = close.shape
    before, sums = state[0], state[1]
    for t in range(n_rows):
        for j in range(n_symbols):
            price, amount, old = close[t, j], volume[t, j], before[j]
            known = ~np.isnan(price) & ~np.isnan(amount)
            added = sums[j] + amount * (price / old - 1.0)
            sums[j] = added if not np.isnan(added) else sums[j]
            before[j] = price if known else old
            out[t, j] = added


@compiled
def volume_index(
    close: Block, volume: Block, seen: int, state: Block, sign: float, out: Block
) -> None:
    """Index that follows the close on rows whose volume rose (`sign` 1) or fell (-1).

    State: last close and volume, NaN before the first, and the index (3).
    """
    n_rows, n_symbols = close.shape
    before, amounts, index = state[0], state[1], state[2]
    for t in range(n_rows):
        for j in range(n_symbols):
            price, amount = close[t, j], volume[t, j]
            known = ~np.isnan(price) & ~np.isnan(amount)
            follows = known & (sign * (amount - amounts[j]) > 0.0)
            moved = index[j] * (price / before[j])
            index[j] = moved if follows else index[j]
            before[j] = price if known else before[j]
            amounts[j] = amount if known else amounts[j]
            out[t, j] = index[j] if known else np.nan


@compiled
def session_average(
    x: Block, weight: Block, session: Block, seen: int, state: Block, out: Block
) -> None:
    """Weighted mean of x since its session began; state: session, weighted sum, weights (3)."""
    n_rows, n_symbols = x.shape
    label, sums, weights = state[0], state[1], state[2]
    for t in range(n_rows):
        for j in range(n_symbols):
            value, amount, here = x[t, j], weight[t, j], session[t, j]
            known = ~np.isnan(value) & ~np.isnan(amount) & ~np.isnan(here)
            goes_on = here == label[j]
            top = (sums[j] if goes_on else 0.0) + value * amount
            bottom = (weights[j] if goes_on else 0.0) + amount
            sums[j] = top if known else sums[j]
            weights[j] = bottom if known else weights[j]
            label[j] = here if known else label[j]
            out[t, j] = top / bottom if known & (bottom > 0.0) else np.nan


@compiled
def smooth_from_first(
    x: Block, seen: int, state: Block, alpha: float, least: int, out: Block
) -> None:
    """Exponential smoothing that starts at the first value; NaN for `least` - 1 rows.

    State: values since the start or the last NaN, and the average (2).
    """
    n_rows, n_symbols = x.shape
    counts, averages = state[0], state[1]
    for t in range(n_rows):
        for j in range(n_symbols):
            value = x[t, j]
            known = not np.isnan(value)
            average = averages[j] + alpha * (value - averages[j]) if counts[j] > 0.0 else value
            counts[j] = counts[j] + 1.0 if known else 0.0
            averages[j] = average if known else 0.0
            out[t, j] = average if counts[j] >= least else np.nan


def warm_up() -> None:
    """Compile every kernel of this file."""
    x = sample()
    total(x, 0, sample(1), sample())
    balance(x, x, 0, sample(2), sample())
    weighted_changes(x, x, 0, sample(2), sample())
    volume_index(x, x, 0, sample(3), 1.0, sample())
    session_average(x, x, x, 0, sample(3), sample())
    smooth_from_first(x, 0, sample(2), 0.5, 2, sample())
