"""Least squares over a sliding window; see `nodes_kernel` for how kernels are called."""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample

# A sum of squares below this share of the squared distance to the reference is rounding: flat.
FLAT = 1e-13


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
    plain, weighted, squared = state[3 * n], state[3 * n + 1], state[3 * n + 2]
    reference, last = state[3 * n + 3], state[3 * n + 4]
    centre = (n + 1.0) / 2.0
    spread = n * (n * n - 1.0) / 12.0
    for t in range(n_rows):
        slot = (seen + t) % n
        values, ring = x[t], state[slot]
        means, slopes, sums = mean[t], slope[t], squares[t]
        if slot == 0:
            for j in range(n_symbols):
                reference[j] = values[j] if np.isnan(last[j]) else last[j]
                plain[j] = 0.0
                weighted[j] = 0.0
                squared[j] = 0.0
        whole = slot == n - 1
        ahead = min(slot + 1, n - 1)
        older, older_weighted, older_squared = state[ahead], state[n + ahead], state[2 * n + ahead]
        missing = n - 1.0 - slot
        for j in range(n_symbols):
            distance = values[j] - reference[j]
            plain[j] += distance
            weighted[j] += (slot + 1.0) * distance
            squared[j] += distance * distance
            total = plain[j] if whole else plain[j] + older[j]
            moment = weighted[j] + missing * plain[j]
            moment = moment if whole else moment + older_weighted[j]
            power = squared[j] if whole else squared[j] + older_squared[j]
            about = power - total * (total / n)
            flat = about <= FLAT * power
            means[j] = reference[j] + total / n
            slopes[j] = 0.0 if flat else (moment - centre * total) / spread
            sums[j] = 0.0 if flat else about
        for j in range(n_symbols):
            ring[j] = values[j]
            last[j] = last[j] if np.isnan(values[j]) else values[j]
        if not whole:
            continue
        for j in range(n_symbols):
            plain[j] = 0.0
            weighted[j] = 0.0
            squared[j] = 0.0
        for i in range(n - 1, -1, -1):
            first, second, third = state[i], state[n + i], state[2 * n + i]
            for j in range(n_symbols):
                distance = first[j] - last[j]
                plain[j] += distance
                weighted[j] += plain[j]
                squared[j] += distance * distance
                first[j] = plain[j]
                second[j] = weighted[j]
                third[j] = squared[j]


def warm_up() -> None:
    """Compile every kernel of this file."""
    window_regression(sample(), 0, sample(11), 2, sample(), sample(), sample())
