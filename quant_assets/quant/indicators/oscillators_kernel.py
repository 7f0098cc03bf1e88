"""The oscillators' own walks; see `nodes_kernel` for how kernels are called."""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample

# A mean deviation below this share of the level is the rounding of (high + low + close) / 3.
FLAT = 4.0 * 2.0**-52


@compiled
def _moved(
    change: float, count: float, rises: float, falls: float, n: int
) -> tuple[float, float, float]:
    """Count and both averages after one more change."""
    alpha = 1.0 / n
    rise = change if change > 0.0 else 0.0
    fall = rise - change
    count += 1.0
    risen, fallen = rises + rise, falls + fall
    seeding = count < n
    seed_rise = risen if seeding else risen * alpha
    seed_fall = fallen if seeding else fallen * alpha
    risen = rises + alpha * (rise - rises)
    fallen = falls + alpha * (fall - falls)
    risen = risen if count > n else seed_rise
    fallen = fallen if count > n else seed_fall
    absent = np.isnan(change)
    return 0.0 if absent else count, 0.0 if absent else risen, 0.0 if absent else fallen


@compiled
def _strength_of_one(x: Block, state: Block, n: int, up: Block, down: Block) -> None:
    """`strength` of a single symbol, its state in registers."""
    count, rises, falls, last = state[0, 0], state[1, 0], state[2, 0], state[3, 0]
    alpha = 1.0 / n
    for t in range(x.shape[0]):
        change = x[t, 0] - last
        last = x[t, 0]
        if count >= n and not np.isnan(change):  # seeded: the rest of `_moved` in one step
            rise = change if change > 0.0 else 0.0
            rises += alpha * (rise - rises)
            falls += alpha * (rise - change - falls)
            count += 1.0
        else:
            count, rises, falls = _moved(change, count, rises, falls, n)
        up[t, 0] = rises if count >= n else np.nan
        down[t, 0] = falls if count >= n else np.nan
    state[0, 0], state[1, 0], state[2, 0], state[3, 0] = count, rises, falls, last


@compiled
def strength(x: Block, seen: int, state: Block, n: int, up: Block, down: Block) -> None:
    """Wilder's averages of the rises and of the falls, seeded by the mean of the first n.

    State: changes since the start or the last NaN, both averages (until they are seeded: sums),
    the last value.
    """
    n_rows, n_symbols = x.shape
    if n_symbols == 1:
        _strength_of_one(x, state, n, up, down)
        return
    counts, rises, falls, last = state[0], state[1], state[2], state[3]
    for t in range(n_rows):
        values, ups, downs = x[t], up[t], down[t]
        for j in range(n_symbols):
            count, risen, fallen = _moved(values[j] - last[j], counts[j], rises[j], falls[j], n)
            counts[j] = count
            rises[j] = risen
            falls[j] = fallen
            last[j] = values[j]
            ups[j] = risen if count >= n else np.nan
            downs[j] = fallen if count >= n else np.nan


@compiled
def deviation(x: Block, seen: int, state: Block, n: int, distance: Block, spread: Block) -> None:
    """Distance of x from the mean of the last n rows, and their mean absolute deviation from it.

    State: ring of the n values, a row to work in. Everything is reckoned from the newest value,
    so that the level costs no digits. The deviation is 0 in a window that is flat but for rounding.
    """
    n_rows, n_symbols = x.shape
    total = state[n]
    for t in range(n_rows):
        values, away, spreads = x[t], distance[t], spread[t]
        ring = state[(seen + t) % n]
        for j in range(n_symbols):
            ring[j] = values[j]
            total[j] = 0.0
            spreads[j] = 0.0
        for i in range(n):
            row = state[i]
            for j in range(n_symbols):
                total[j] += row[j] - values[j]
        for j in range(n_symbols):
            total[j] /= n
            away[j] = -total[j]
        for i in range(n):
            row = state[i]
            for j in range(n_symbols):
                spreads[j] += abs(row[j] - values[j] - total[j])
        for j in range(n_symbols):
            mean_spread = spreads[j] / n
            spreads[j] = 0.0 if mean_spread <= FLAT * abs(values[j]) else mean_spread


@compiled
def buying_pressure(
    high: Block, low: Block, close: Block, seen: int, state: Block, pressure: Block, reach: Block
) -> None:
    """Close above the true low, and the true range; state: the last close."""
    n_rows, n_symbols = close.shape
    last = state[0]
    for t in range(n_rows):
        for j in range(n_symbols):
            before, now = last[j], close[t, j]
            top, bottom = high[t, j], low[t, j]
            top = top if (top > before) | np.isnan(top) else before
            bottom = bottom if (bottom < before) | np.isnan(bottom) else before
            pressure[t, j] = now - bottom
            reach[t, j] = np.nan if np.isnan(now) else top - bottom
            last[j] = now


def warm_up() -> None:
    """Compile every kernel of this file."""
    x, out = sample(), sample()
    strength(x, 0, sample(4), 2, out, sample())
    deviation(x, 0, sample(3), 2, out, sample())
    buying_pressure(x, x, x, 0, sample(1), out, sample())
