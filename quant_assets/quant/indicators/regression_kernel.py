"""Least squares over a sliding window; see `nodes_kernel` for how kernels are called."""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample

# A sum of squares below this share of the squared distance to the reference is rounding: flat.
FLAT = 1e-13


@compiled
def _end_span(state: Block, n: int) -> None:
    """Make of the plain values of a span the sums from each of them to its end."""
    n_symbols = state.shape[1]
    plain, weighted, squared, last = 3 * n, 3 * n + 1, 3 * n + 2, 3 * n + 4
    for j in range(n_symbols):
        state[plain, j] = 0.0
        state[weighted, j] = 0.0
        state[squared, j] = 0.0
    for i in range(n - 1, -1, -1):
        for j in range(n_symbols):
            distance = state[i, j] - state[last, j]
            state[squared, j] += distance * distance
            state[2 * n + i, j] = state[squared, j]
            state[plain, j] += distance
            state[weighted, j] += state[plain, j]
            state[i, j] = state[plain, j]
            state[n + i, j] = state[weighted, j]


@compiled
def window_regression(
    x: Block, seen: int, state: Block, n: int, mean: Block, slope: Block, squares: Block
) -> None:
    """Mean, slope on time and sum of squares about the mean, of the last n rows.

    State: three rings (n each) of values, weighted values and squares; their running sums; the
    reference and the last value present. All sums are of distances to a reference that both parts
    of a window share, the last value of the span before, so that no digits are lost to the level.
    """
    n_rows, n_symbols = x.shape
    plain, weighted, squared, reference, last = 3 * n, 3 * n + 1, 3 * n + 2, 3 * n + 3, 3 * n + 4
    part, centre, spread = 1.0 / n, (n + 1.0) / 2.0, 12.0 / (n * (n * n - 1.0))
    for t in range(n_rows):
        slot = (seen + t) % n
        if slot == 0:
            for j in range(n_symbols):
                start = x[t, j] if np.isnan(state[last, j]) else state[last, j]
                state[reference, j] = start
                state[plain, j] = 0.0
                state[weighted, j] = 0.0
                state[squared, j] = 0.0
        whole = slot == n - 1
        older, missing = min(slot + 1, n - 1), n - 1.0 - slot
        for j in range(n_symbols):
            distance = x[t, j] - state[reference, j]
            total = state[plain, j] + distance
            moment = state[weighted, j] + (slot + 1.0) * distance
            state[plain, j] = total
            state[weighted, j] = moment
            moment += missing * total
            total = total if whole else total + state[older, j]
            moment = moment if whole else moment + state[n + older, j]
            mean[t, j] = total
            slope[t, j] = moment
        for j in range(n_symbols):
            distance = x[t, j] - state[reference, j]
            power = state[squared, j] + distance * distance
            state[squared, j] = power
            power = power if whole else power + state[2 * n + older, j]
            about = power - mean[t, j] * (mean[t, j] * part)
            flat = about <= FLAT * power
            squares[t, j] = 0.0 if flat else about
            slope[t, j] = 0.0 if flat else (slope[t, j] - centre * mean[t, j]) * spread
        for j in range(n_symbols):
            mean[t, j] = state[reference, j] + mean[t, j] * part
            state[slot, j] = x[t, j]
            state[last, j] = state[last, j] if np.isnan(x[t, j]) else x[t, j]
        if whole:
            _end_span(state, n)


def warm_up() -> None:
    """Compile every kernel of this file."""
    window_regression(sample(), 0, sample(11), 2, sample(), sample(), sample())
