"""Moments of a sliding window, of one series or of two, over blocks of rows with carried state.

Calling convention and ring as in `nodes_kernel`: the window is the end of one span of n rows and
the start of the next, so that nothing is subtracted and a NaN leaves with its row. Sums are of
powers of `x - reference`, where the reference is the last row of the span before: that row lies in
the window, hence the sum of squares about it is at most n times the one about the mean, and no
digits cancel, whatever the level of the series. The last row of a span is the next reference, and
sums the whole span about itself.

State: for each sum a ring of n slots, those after the current one with the sum from there to the
end of the last span; the plain values of this span stand in the others, of the first ring (of two
series: the first two). Then the running sums of this span, the references, and a spare row.
"""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample

VARIANCE, DEVIATION, SCORE = range(3)


@compiled
def _end_spread(values: Block, state: Block, n: int) -> None:
    """Make the last row of a span the reference, and the rings sums to the end of the span."""
    reference, last, last_2 = state[2 * n + 2], state[n - 1], state[2 * n - 1]
    for j in range(values.size):
        reference[j] = values[j]
        last[j] = values[j] - values[j]  # 0, or NaN
        last_2[j] = last[j]
    for i in range(n - 2, -1, -1):
        here, newer = state[i], state[i + 1]
        here_2, newer_2 = state[n + i], state[n + i + 1]
        for j in range(values.size):
            y = here[j] - reference[j]
            here[j] = newer[j] + y
            here_2[j] = newer_2[j] + y * y


@compiled
def _second(
    value: float, state: Block, j: int, n: int, at: int, plain: int
) -> tuple[float, float, float]:
    """Take a value of symbol j: its distance from the reference, the sum, the sum of squares."""
    y = value - state[2 * n + 2, j]
    total, total_2 = state[2 * n, j] + y, state[2 * n + 1, j] + y * y
    state[2 * n, j] = total
    state[2 * n + 1, j] = total_2
    state[plain, j] = value
    total += state[at, j]
    spread = total_2 + state[n + at, j] - total * (1.0 / n) * total
    return y, total, 0.0 if spread < 0.0 else spread


@compiled
def window_spread(
    x: Block, seen: int, state: Block, n: int, divisor: float, mean: Block, deviation: Block
) -> None:
    """Mean, and root of the sum of squared distances from it over `divisor`; state (2 n + 4)."""
    n_rows, n_symbols = x.shape
    scale = 1.0 / divisor
    for t in range(n_rows):
        slot = (seen + t) % n
        ends = slot == n - 1
        if ends:
            _end_spread(x[t], state, n)
        if ends or slot == 0:
            for j in range(n_symbols):
                state[2 * n, j] = 0.0
                state[2 * n + 1, j] = 0.0
        at, plain = 0 if ends else slot + 1, 2 * n + 3 if ends else slot
        for j in range(n_symbols):
            _, total, spread = _second(x[t, j], state, j, n, at, plain)
            mean[t, j] = state[2 * n + 2, j] + total * (1.0 / n)
            deviation[t, j] = np.sqrt(spread * scale)


@compiled
def window_second(
    x: Block, seen: int, state: Block, n: int, divisor: float, kind: int, out: Block
) -> None:
    """Sum of squared distances from the mean over `divisor`, or by `kind` what is made from it.

    VARIANCE; DEVIATION, its root; SCORE, distance of the row from the mean over that. State as for
    `window_spread`. Each kind has a loop of its own, which spares the others its division.
    """
    n_rows, n_symbols = x.shape
    scale = 1.0 / divisor
    for t in range(n_rows):
        slot = (seen + t) % n
        ends = slot == n - 1
        if ends:
            _end_spread(x[t], state, n)
        if ends or slot == 0:
            for j in range(n_symbols):
                state[2 * n, j] = 0.0
                state[2 * n + 1, j] = 0.0
        at, plain = 0 if ends else slot + 1, 2 * n + 3 if ends else slot
        if kind == VARIANCE:
            for j in range(n_symbols):
                _, _, spread = _second(x[t, j], state, j, n, at, plain)
                out[t, j] = spread * scale
        elif kind == DEVIATION:
            for j in range(n_symbols):
                _, _, spread = _second(x[t, j], state, j, n, at, plain)
                out[t, j] = np.sqrt(spread * scale)
        else:
            for j in range(n_symbols):
                y, total, spread = _second(x[t, j], state, j, n, at, plain)
                out[t, j] = (y - total * (1.0 / n)) / np.sqrt(spread * scale)


@compiled
def _end_shape(values: Block, state: Block, n: int) -> None:
    """As `_end_spread`, for four powers; several short loops as in `window_pair`."""
    reference = state[4 * n + 4]
    for j in range(values.size):
        reference[j] = values[j]
        zero = values[j] - values[j]  # or NaN
        state[n - 1, j] = zero
        state[2 * n - 1, j] = zero
        state[3 * n - 1, j] = zero
        state[4 * n - 1, j] = zero
    for i in range(n - 2, -1, -1):
        here, newer = state[i], state[i + 1]
        here_2, newer_2 = state[n + i], state[n + i + 1]
        here_3, newer_3 = state[2 * n + i], state[2 * n + i + 1]
        here_4, newer_4 = state[3 * n + i], state[3 * n + i + 1]
        for j in range(values.size):
            y = here[j] - reference[j]
            here_3[j] = newer_3[j] + y * (y * y)
        for j in range(values.size):
            y = here[j] - reference[j]
            here_4[j] = newer_4[j] + y * y * (y * y)
        for j in range(values.size):
            y = here[j] - reference[j]
            here[j] = newer[j] + y
            here_2[j] = newer_2[j] + y * y


@compiled
def window_shape(
    x: Block,
    seen: int,
    state: Block,
    n: int,
    squares: Block,
    cubes: Block,
    fourths: Block,
) -> None:
    """Sums of the second, third and fourth power of the distance from the mean; state (4 n + 6)."""
    n_rows, n_symbols = x.shape
    inverse = 1.0 / n
    sums, reference = 4 * n, 4 * n + 4
    for t in range(n_rows):
        slot = (seen + t) % n
        ends = slot == n - 1
        if ends:
            _end_shape(x[t], state, n)
        if ends or slot == 0:
            for k in range(sums, sums + 4):
                for j in range(n_symbols):
                    state[k, j] = 0.0
        at, plain = 0 if ends else slot + 1, 4 * n + 5 if ends else slot
        for j in range(n_symbols):
            y = x[t, j] - state[reference, j]
            state[sums + 2, j] += y * (y * y)
            state[sums + 3, j] += y * y * (y * y)
        for j in range(n_symbols):
            y = x[t, j] - state[reference, j]
            s_1, s_2 = state[sums, j] + y, state[sums + 1, j] + y * y
            state[sums, j] = s_1
            state[sums + 1, j] = s_2
            state[plain, j] = x[t, j]
            s_1, s_2 = s_1 + state[at, j], s_2 + state[n + at, j]
            s_3 = state[sums + 2, j] + state[2 * n + at, j]
            s_4 = state[sums + 3, j] + state[3 * n + at, j]
            m = s_1 * inverse
            spread = s_2 - m * s_1
            squares[t, j] = 0.0 if spread < 0.0 else spread
            cubes[t, j] = s_3 - m * (3.0 * s_2 - 2.0 * m * s_1)
            fourths[t, j] = s_4 - m * (4.0 * s_3 - m * (6.0 * s_2 - 3.0 * m * s_1))


@compiled
def _end_pair(x: Block, y: Block, state: Block, n: int) -> None:
    """As `_end_spread`, for two series and their products."""
    reference_x, reference_y = state[5 * n + 5], state[5 * n + 6]
    for j in range(x.size):
        reference_x[j] = x[j]
        reference_y[j] = y[j]
    for j in range(x.size):
        zero_x, zero_y = x[j] - x[j], y[j] - y[j]  # or NaN
        state[n - 1, j] = zero_x
        state[2 * n - 1, j] = zero_y
        state[3 * n - 1, j] = zero_x
        state[4 * n - 1, j] = zero_y
        state[5 * n - 1, j] = zero_x + zero_y
    for i in range(n - 2, -1, -1):
        here_x, newer_x = state[i], state[i + 1]
        here_y, newer_y = state[n + i], state[n + i + 1]
        here_xx, newer_xx = state[2 * n + i], state[2 * n + i + 1]
        here_yy, newer_yy = state[3 * n + i], state[3 * n + i + 1]
        here_xy, newer_xy = state[4 * n + i], state[4 * n + i + 1]
        for j in range(x.size):
            product = (here_x[j] - reference_x[j]) * (here_y[j] - reference_y[j])
            here_xy[j] = newer_xy[j] + product
        for j in range(x.size):
            a = here_x[j] - reference_x[j]
            here_x[j] = newer_x[j] + a
            here_xx[j] = newer_xx[j] + a * a
        for j in range(x.size):
            b = here_y[j] - reference_y[j]
            here_y[j] = newer_y[j] + b
            here_yy[j] = newer_yy[j] + b * b


@compiled
def window_pair(
    x: Block,
    y: Block,
    seen: int,
    state: Block,
    n: int,
    squares_x: Block,
    squares_y: Block,
    products: Block,
) -> None:
    """Sums about the means of x x, y y and x y; state (5 n + 9).

    Several short loops over the symbols: the compiler vectorises a loop only as long as it can
    tell all its arrays apart.
    """
    n_rows, n_symbols = x.shape
    inverse = 1.0 / n
    sums, reference = 5 * n, 5 * n + 5
    for t in range(n_rows):
        slot = (seen + t) % n
        ends = slot == n - 1
        if ends:
            _end_pair(x[t], y[t], state, n)
        if ends or slot == 0:
            for k in range(sums, sums + 5):
                for j in range(n_symbols):
                    state[k, j] = 0.0
        at, plain = 0 if ends else slot + 1, 5 * n + 7 if ends else slot
        plain_y = plain + 1 if ends else n + plain
        for j in range(n_symbols):
            a, b = x[t, j] - state[reference, j], y[t, j] - state[reference + 1, j]
            total = state[sums + 4, j] + a * b
            total_x, total_y = state[sums, j] + a, state[sums + 1, j] + b
            state[sums + 4, j] = total
            state[sums, j] = total_x
            state[sums + 1, j] = total_y
            total_x, total_y = total_x + state[at, j], total_y + state[n + at, j]
            products[t, j] = total + state[4 * n + at, j] - total_x * inverse * total_y
        for j in range(n_symbols):
            a = x[t, j] - state[reference, j]
            total, total_x = state[sums + 2, j] + a * a, state[sums, j] + state[at, j]
            state[sums + 2, j] = total
            spread = total + state[2 * n + at, j] - total_x * inverse * total_x
            squares_x[t, j] = 0.0 if spread < 0.0 else spread
        for j in range(n_symbols):
            b = y[t, j] - state[reference + 1, j]
            total, total_y = state[sums + 3, j] + b * b, state[sums + 1, j] + state[n + at, j]
            state[sums + 3, j] = total
            spread = total + state[3 * n + at, j] - total_y * inverse * total_y
            squares_y[t, j] = 0.0 if spread < 0.0 else spread
        for j in range(n_symbols):
            state[plain, j] = x[t, j]
            state[plain_y, j] = y[t, j]


@compiled
def skewness(
    squares: Block, cubes: Block, seen: int, state: Block, scale: float, out: Block
) -> None:
    """`scale * cubes / squares^1.5`; this kernel and the next ones remember nothing."""
    x, y, result = squares.ravel(), cubes.ravel(), out.ravel()
    for i in range(x.size):
        result[i] = scale * y[i] / (x[i] * np.sqrt(x[i]))


@compiled
def kurtosis(
    squares: Block, fourths: Block, seen: int, state: Block, scale: float, shift: float, out: Block
) -> None:
    """`scale * fourths / squares^2 + shift`."""
    x, y, result = squares.ravel(), fourths.ravel(), out.ravel()
    for i in range(x.size):
        result[i] = scale * y[i] / (x[i] * x[i]) + shift


@compiled
def slope(yy: Block, xy: Block, seen: int, state: Block, out: Block) -> None:
    """`xy / yy`."""
    y, z, result = yy.ravel(), xy.ravel(), out.ravel()
    for i in range(y.size):
        result[i] = z[i] / y[i]


@compiled
def correlation(xx: Block, yy: Block, xy: Block, seen: int, state: Block, out: Block) -> None:
    """`xy / (sqrt(xx) sqrt(yy))`, held within -1 and 1."""
    x, y, z, result = xx.ravel(), yy.ravel(), xy.ravel(), out.ravel()
    for i in range(x.size):
        ratio = z[i] / (np.sqrt(x[i]) * np.sqrt(y[i]))
        ratio = -1.0 if ratio < -1.0 else ratio
        result[i] = 1.0 if ratio > 1.0 else ratio


def warm_up() -> None:
    """Compile every kernel of this file."""
    x, room = sample(), (sample(), sample(), sample())
    window_spread(x, 0, sample(8), 2, 1.0, *room[:2])
    window_second(x, 0, sample(8), 2, 1.0, VARIANCE, sample())
    window_shape(x, 0, sample(14), 2, *room)
    window_pair(x, x, 0, sample(19), 2, *room)
    skewness(x, x, 0, sample(0), 1.0, sample())
    kurtosis(x, x, 0, sample(0), 1.0, 1.0, sample())
    slope(x, x, 0, sample(0), sample())
    correlation(x, x, x, 0, sample(0), sample())
