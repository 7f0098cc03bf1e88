"""The averages that need a walk of their own; see `nodes_kernel` for how kernels are called."""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample


@compiled
def window_weighted(x: Block, seen: int, state: Block, n: int, scale: float, out: Block) -> None:
    """Sum of the last n rows with the weights 1..n (the newest n), times `scale`.

    State: the ring of sums (n), the ring of weighted sums (n), both running sums of this span.
    """
    n_rows, n_symbols = x.shape
    plain, weighted = 2 * n, 2 * n + 1
    for t in range(n_rows):
        slot = (seen + t) % n
        if slot == 0:
            for j in range(n_symbols):
                state[plain, j] = 0.0
                state[weighted, j] = 0.0
        whole, missing = slot == n - 1, n - 1.0 - slot
        older = min(n + slot + 1, 2 * n - 1)
        for j in range(n_symbols):
            value = x[t, j]
            total = state[plain, j] + value
            moment = state[weighted, j] + (slot + 1.0) * value
            state[plain, j] = total
            state[weighted, j] = moment
            state[slot, j] = value
            moment += missing * total
            out[t, j] = (moment if whole else moment + state[older, j]) * scale
        if not whole:
            continue
        for j in range(n_symbols):
            state[plain, j] = 0.0
            state[weighted, j] = 0.0
        for i in range(n - 1, -1, -1):
            for j in range(n_symbols):
                state[plain, j] += state[i, j]
                state[weighted, j] += state[plain, j]
                state[i, j] = state[plain, j]
                state[n + i, j] = state[weighted, j]


@compiled
def adapt(
    x: Block,
    change: Block,
    path: Block,
    seen: int,
    state: Block,
    fastest: float,
    slowest: float,
    out: Block,
) -> None:
    """Kaufman's recursion from change and path over n rows; state: average, last value.

    It starts from the last value before the first row that has a change.
    """
    n_rows, n_symbols = x.shape
    averages, last = state[0], state[1]
    for t in range(n_rows):
        values, changes, paths, result = x[t], change[t], path[t], out[t]
        for j in range(n_symbols):
            ratio = abs(changes[j]) / paths[j]
            ratio = 1.0 if (paths[j] <= abs(changes[j])) | (paths[j] == 0.0) else ratio
            speed = ratio * (fastest - slowest) + slowest
            start = last[j] if np.isnan(averages[j]) else averages[j]
            average = start + speed * speed * (values[j] - start)
            average = np.nan if np.isnan(paths[j]) else average
            averages[j] = average
            last[j] = values[j]
            result[j] = average


def warm_up() -> None:
    """Compile every kernel of this file."""
    x, out = sample(), sample()
    window_weighted(x, 0, sample(6), 2, 1.0, out)
    adapt(x, x, x, 0, sample(2), 0.6, 0.1, out)
