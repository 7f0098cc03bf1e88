"""Least squares over a sliding window; see `nodes_kernel` for how kernels are called."""

from quant_assets.quant.indicators.compiled import Block, compiled, sample

# A sum of squares below this share of the squared distance to the reference is rounding: flat.
FLAT = 1e-13


@compiled
def _end_span(x: Block, t: int, state: Block, n: int) -> None:
    """Make row t the reference, and the rings sums from each row of the span to its end."""
    plain, weighted, squared, reference = 3 * n, 3 * n + 1, 3 * n + 2, 3 * n + 3
    for j in range(x.shape[1]):
        state[n - 1, j] = x[t, j]
        state[reference, j] = x[t, j]
        state[plain, j] = 0.0
        state[weighted, j] = 0.0
        state[squared, j] = 0.0
    for i in range(n - 1, -1, -1):
        for j in range(x.shape[1]):
            distance = state[i, j] - state[reference, j]
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
    reference. All sums are of distances to the last row of the span before, which lies in the
    window, so that no digits are lost to the level; the last row of a span is the next reference,
    and sums its whole span about itself.
    """
    n_rows, n_symbols = x.shape
    plain, weighted, squared, reference = 3 * n, 3 * n + 1, 3 * n + 2, 3 * n + 3
    part, centre, spread = 1.0 / n, (n + 1.0) / 2.0, 12.0 / (n * (n * n - 1.0))
    for t in range(n_rows):
        slot = (seen + t) % n
        ends = slot == n - 1
        if ends:
            _end_span(x, t, state, n)
        if ends or slot == 0:
            for j in range(n_symbols):
                state[plain, j] = 0.0
                state[weighted, j] = 0.0
                state[squared, j] = 0.0
        older, missing = 0 if ends else slot + 1, n - 1.0 - slot
        for j in range(n_symbols):
            distance = x[t, j] - state[reference, j]
            total = state[plain, j] + distance
            moment = state[weighted, j] + (slot + 1.0) * distance
            state[plain, j] = total
            state[weighted, j] = moment
            mean[t, j] = total + state[older, j]
            slope[t, j] = moment + missing * total + state[n + older, j]
        for j in range(n_symbols):
            distance = x[t, j] - state[reference, j]
            power = state[squared, j] + distance * distance
            state[squared, j] = power
            power += state[2 * n + older, j]
            about = power - mean[t, j] * (mean[t, j] * part)
            flat = about <= FLAT * power
            squares[t, j] = 0.0 if flat else about
            slope[t, j] = 0.0 if flat else (slope[t, j] - centre * mean[t, j]) * spread
        for j in range(n_symbols):
            mean[t, j] = state[reference, j] + mean[t, j] * part
        if not ends:
            for j in range(n_symbols):
                state[slot, j] = x[t, j]


def warm_up() -> None:
    """Compile every kernel of this file."""
    window_regression(sample(), 0, sample(10), 2, sample(), sample(), sample())
