"""The windows and recursions that indicators share, over blocks of rows with carried state.

A kernel takes the next rows of its inputs, each (rows, symbol), then the number of rows seen
before them, its state (k, symbol), its parameters, and the arrays to fill, each (rows, symbol).
It walks forward in time with the symbols inside, where they fill the vector registers. As every
row depends on the state and itself only, the result does not depend on how rows are cut into
blocks.

Sliding windows keep one ring of n rows, in place (van Herk 1992; Gil & Werman 1993, for any
associative operation): time is cut into spans of n rows; slots at and after the current one hold
the running operation from there to the end of the last span, slots before it the plain values of
this span. A window is the end of one span and the start of the next, so nothing is ever
subtracted: a NaN or an outlier is forgotten with the window, and no drift is left behind. The
ring starts as NaN, which makes the warm-up.
"""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample


@compiled
def mask_infinities(block: Block) -> None:
    """Make NaN of every infinity, in place."""
    flat = block.ravel()
    for i in range(flat.size):
        value = flat[i]
        flat[i] = value if abs(value) < np.inf else np.nan


@compiled
def window_sum(x: Block, seen: int, state: Block, n: int, scale: float, out: Block) -> None:
    """Sum of the last n rows times `scale`; state: ring (n), running sum of this span (1)."""
    n_rows, n_symbols = x.shape
    running = state[n]
    for t in range(n_rows):
        slot = (seen + t) % n
        values, result, ring = x[t], out[t], state[slot]
        if slot == 0:
            for j in range(n_symbols):
                running[j] = 0.0
        if slot < n - 1:
            older = state[slot + 1]
            for j in range(n_symbols):
                value = values[j]
                total = running[j] + value
                running[j] = total
                ring[j] = value
                result[j] = (total + older[j]) * scale
            continue
        for j in range(n_symbols):
            ring[j] = values[j]
            result[j] = (running[j] + values[j]) * scale
        for i in range(n - 2, -1, -1):
            here, newer = state[i], state[i + 1]
            for j in range(n_symbols):
                here[j] += newer[j]


@compiled
def window_max(x: Block, seen: int, state: Block, n: int, sign: float, out: Block) -> None:
    """Largest of the last n rows; the smallest for `sign` -1.

    State as for `window_sum`. A NaN is larger than everything.
    """
    n_rows, n_symbols = x.shape
    running = state[n]
    for t in range(n_rows):
        slot = (seen + t) % n
        values, result, ring = x[t], out[t], state[slot]
        if slot == 0:
            for j in range(n_symbols):
                running[j] = -np.inf
        if slot < n - 1:
            older = state[slot + 1]
            for j in range(n_symbols):
                value = values[j] * sign
                best = running[j]
                best = best if (best > value) | np.isnan(best) else value
                running[j] = best
                ring[j] = value
                before = older[j]
                result[j] = sign * (before if (before > best) | np.isnan(before) else best)
            continue
        for j in range(n_symbols):
            value = values[j] * sign
            ring[j] = value
            best = running[j]
            result[j] = sign * (best if (best > value) | np.isnan(best) else value)
        for i in range(n - 2, -1, -1):
            here, newer = state[i], state[i + 1]
            for j in range(n_symbols):
                best, value = newer[j], here[j]
                here[j] = best if (best > value) | np.isnan(best) else value


@compiled
def _smoothed(
    value: float, count: float, average: float, n: int, alpha: float, skip: int
) -> tuple[float, float]:
    """Count and average after one more value."""
    count += 1.0
    moved = average + alpha * (value - average)
    total = average + value
    seed = total if count < n else total / n
    average = moved if count > n else (seed if count > 0.0 else 0.0)
    absent = np.isnan(value)
    return -1.0 * skip if absent else count, 0.0 if absent else average


@compiled
def smooth(x: Block, seen: int, state: Block, n: int, alpha: float, skip: int, out: Block) -> None:
    """Exponential smoothing, seeded with the mean of n values after `skip` others.

    State: values since the start or the last NaN, and the average (until it is seeded: the sum).
    A single symbol is walked with its state in registers.
    """
    n_rows, n_symbols = x.shape
    if n_symbols == 1:
        count, average = state[0, 0], state[1, 0]
        for t in range(n_rows):
            value = x[t, 0]
            if count >= n and not np.isnan(value):  # seeded: the rest of `_smoothed` in one step
                average += alpha * (value - average)
                count += 1.0
                out[t, 0] = average
                continue
            count, average = _smoothed(value, count, average, n, alpha, skip)
            out[t, 0] = average if count >= n else np.nan
        state[0, 0], state[1, 0] = count, average
        return
    for t in range(n_rows):
        for j in range(n_symbols):
            count, average = _smoothed(x[t, j], state[0, j], state[1, j], n, alpha, skip)
            state[0, j] = count
            state[1, j] = average
            out[t, j] = average if count >= n else np.nan


@compiled
def lag(x: Block, seen: int, state: Block, n: int, out: Block) -> None:
    """The value n rows ago; state: ring of the last n rows."""
    n_rows, n_symbols = x.shape
    for t in range(min(n, n_rows)):
        ring, result = state[(seen + t) % n], out[t]
        for j in range(n_symbols):
            result[j] = ring[j]
    if n_rows > n:
        values, results = x[:-n].ravel(), out[n:].ravel()
        for i in range(values.size):
            results[i] = values[i]
    for t in range(max(0, n_rows - n), n_rows):
        ring, row = state[(seen + t) % n], x[t]
        for j in range(n_symbols):
            ring[j] = row[j]


@compiled
def rate(x: Block, seen: int, state: Block, n: int, scale: float, out: Block) -> None:
    """`scale * (x - y) / y`, y the value n rows ago, 0 where y is 0; state: ring of n rows."""
    n_rows, n_symbols = x.shape
    for t in range(min(n, n_rows)):
        ring, values, result = state[(seen + t) % n], x[t], out[t]
        for j in range(n_symbols):
            change = scale * ((values[j] - ring[j]) / ring[j])
            result[j] = 0.0 if (ring[j] == 0.0) & (not np.isnan(values[j])) else change
    if n_rows > n:
        before, now, later = x[:-n].ravel(), x[n:].ravel(), out[n:].ravel()
        for i in range(now.size):
            change = scale * ((now[i] - before[i]) / before[i])
            later[i] = 0.0 if (before[i] == 0.0) & (not np.isnan(now[i])) else change
    for t in range(max(0, n_rows - n), n_rows):
        ring, row = state[(seen + t) % n], x[t]
        for j in range(n_symbols):
            ring[j] = row[j]


@compiled
def true_range(high: Block, low: Block, close: Block, seen: int, state: Block, out: Block) -> None:
    """Range of a row including the way from the last close; state: that close."""
    n_rows, n_symbols = close.shape
    last = state[0]
    for t in range(n_rows):
        highs, lows, closes, result = high[t], low[t], close[t], out[t]
        for j in range(n_symbols):
            top, bottom, before = highs[j], lows[j], last[j]
            top = top if (top > before) | np.isnan(top) else before
            bottom = bottom if (bottom < before) | np.isnan(bottom) else before
            result[j] = np.nan if np.isnan(closes[j]) else top - bottom
            last[j] = closes[j]


@compiled
def share(part: Block, whole: Block, scale: float) -> Block:
    """`scale * part / whole`; 0 where the whole is 0."""
    out = np.empty_like(part)
    parts, wholes, flat = part.ravel(), whole.ravel(), out.ravel()
    for i in range(flat.size):
        ratio = scale * (parts[i] / wholes[i])
        flat[i] = 0.0 if (wholes[i] == 0.0) & (not np.isnan(parts[i])) else ratio
    return out


@compiled
def known(result: Block, other: Block) -> Block:
    """The result, NaN where the other is."""
    out = np.empty_like(result)
    results, others, flat = result.ravel(), other.ravel(), out.ravel()
    for i in range(flat.size):
        flat[i] = np.nan if np.isnan(others[i]) else results[i]
    return out


def warm_up() -> None:
    """Compile every kernel of this file."""
    x, out = sample(), sample()
    rate(x, 0, sample(2), 2, 1.0, out)
    known(x, out)
    true_range(x, x, x, 0, sample(1), out)
    share(x, x, 1.0)
    mask_infinities(x)
    window_sum(x, 0, sample(3), 2, 0.5, out)
    window_max(x, 0, sample(3), 2, 1.0, out)
    smooth(x, 0, sample(2, value=0.0), 2, 0.5, 0, out)
    lag(x, 0, sample(2), 2, out)
