"""Directional movement; see `nodes_kernel` for how kernels are called."""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample


@compiled
def movement(
    high: Block, low: Block, close: Block, seen: int, state: Block, up: Block, down: Block
) -> None:
    """+DM and -DM; state: the last high, low and close.

    NaN where the true range is: on the first row, on a NaN and behind it.
    """
    n_rows, n_symbols = close.shape
    last_high, last_low, last_close = state[0], state[1], state[2]
    for t in range(n_rows):
        highs, lows, closes, ups, downs = high[t], low[t], close[t], up[t], down[t]
        for j in range(n_symbols):
            rise, fall = highs[j] - last_high[j], last_low[j] - lows[j]
            absent = np.isnan(rise + fall + last_close[j] + closes[j])
            plus = rise if (rise > fall) & (rise > 0.0) else 0.0
            minus = fall if (fall > rise) & (fall > 0.0) else 0.0
            ups[j] = np.nan if absent else plus
            downs[j] = np.nan if absent else minus
            last_high[j] = highs[j]
            last_low[j] = lows[j]
            last_close[j] = closes[j]


@compiled
def wilder_sum(x: Block, seen: int, state: Block, n: int, out: Block) -> None:
    """Wilder's running sum `s - s / n + x`, seeded with the sum of n - 1 values.

    State: values since the start or the last NaN, and the sum.
    """
    n_rows, n_symbols = x.shape
    counts, sums = state[0], state[1]
    for t in range(n_rows):
        values, result = x[t], out[t]
        for j in range(n_symbols):
            value, total = values[j], sums[j]
            count = counts[j] + 1.0
            total = total + value if count < n else total - total / n + value
            absent = np.isnan(value)
            count = 0.0 if absent else count
            total = 0.0 if absent else total
            counts[j] = count
            sums[j] = total
            result[j] = total if count >= n else np.nan


@compiled
def window_age(x: Block, seen: int, state: Block, n: int, sign: float, out: Block) -> None:
    """Rows since the largest of the last n rows (the smallest for `sign` -1), the newest of equals.

    State: the rings of values (n) and of their row numbers (n), the best value and row of this
    span. NaN while a row of the window is NaN.
    """
    n_rows, n_symbols = x.shape
    best, place = state[2 * n], state[2 * n + 1]
    for t in range(n_rows):
        now = seen + t
        slot = now % n
        values, result, ring, places = x[t], out[t], state[slot], state[n + slot]
        if slot == 0:
            for j in range(n_symbols):
                best[j] = -np.inf
        whole = slot == n - 1
        older, older_places = state[min(slot + 1, n - 1)], state[n + min(slot + 1, n - 1)]
        for j in range(n_symbols):
            value = values[j] * sign
            newer = (value >= best[j]) | np.isnan(value)
            best[j] = value if newer else best[j]
            place[j] = now if newer else place[j]
            before = (older[j] > best[j]) | np.isnan(older[j])
            before = before & (not whole)
            absent = np.isnan(best[j]) | (np.isnan(older[j]) & (not whole))
            found = older_places[j] if before else place[j]
            result[j] = np.nan if absent else now - found
        for j in range(n_symbols):
            ring[j] = values[j] * sign
            places[j] = now
        if not whole:
            continue
        for i in range(n - 2, -1, -1):
            here, rows, next_, next_rows = state[i], state[n + i], state[i + 1], state[n + i + 1]
            for j in range(n_symbols):
                keep = (here[j] > next_[j]) | np.isnan(here[j])
                keep = keep & (not np.isnan(next_[j]))
                here[j] = here[j] if keep else next_[j]
                rows[j] = rows[j] if keep else next_rows[j]


def warm_up() -> None:
    """Compile every kernel of this file."""
    x, out = sample(), sample()
    movement(x, x, x, 0, sample(3), out, sample())
    wilder_sum(x, 0, sample(2), 2, out)
    window_age(x, 0, sample(6), 2, 1.0, out)
