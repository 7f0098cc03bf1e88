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
def _end_ages(state: Block, n: int) -> None:
    """Make of the plain values of a span the largest from each of them to its end, and its row."""
    for i in range(n - 2, -1, -1):
        for j in range(state.shape[1]):
            here, newer = state[i, j], state[i + 1, j]
            row, newer_row = state[n + i, j], state[n + i + 1, j]
            keep = (here > newer) | (np.isnan(here) & (not np.isnan(newer)))
            state[i, j] = here if keep else newer
            state[n + i, j] = row if keep else newer_row


@compiled
def window_age(x: Block, seen: int, state: Block, n: int, sign: float, out: Block) -> None:
    """Rows since the largest of the last n rows (the smallest for `sign` -1), the newest of equals.

    State: the rings of values (n) and of their row numbers (n), the best value and row of this
    span. NaN while a row of the window is NaN.
    """
    n_rows, n_symbols = x.shape
    best, place = 2 * n, 2 * n + 1
    for t in range(n_rows):
        now = float(seen + t)
        slot = (seen + t) % n
        if slot == 0:
            for j in range(n_symbols):
                state[best, j] = -np.inf
        for j in range(n_symbols):
            value, before, row = x[t, j] * sign, state[best, j], state[place, j]
            newer = (value >= before) | np.isnan(value)
            state[best, j] = value if newer else before
            state[place, j] = now if newer else row
        if slot < n - 1:
            for j in range(n_symbols):
                older, newest = state[slot + 1, j], state[best, j]
                older_row, newest_row = state[n + slot + 1, j], state[place, j]
                found = older_row if older > newest else newest_row
                out[t, j] = np.nan if np.isnan(older + newest) else now - found
            for j in range(n_symbols):
                state[slot, j] = x[t, j] * sign
                state[n + slot, j] = now
            continue
        for j in range(n_symbols):
            newest, age = state[best, j], now - state[place, j]
            out[t, j] = np.nan if np.isnan(newest) else age
            state[slot, j] = x[t, j] * sign
            state[n + slot, j] = now
        _end_ages(state, n)


def warm_up() -> None:
    """Compile every kernel of this file."""
    x, out = sample(), sample()
    movement(x, x, x, 0, sample(3), out, sample())
    wilder_sum(x, 0, sample(2), 2, out)
    window_age(x, 0, sample(6), 2, 1.0, out)
