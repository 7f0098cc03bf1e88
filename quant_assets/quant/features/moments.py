"""Moments of trailing windows, in O(rows), centred so that no digit is lost to a level.

All results have the shape of the values, (time, column): NaN in the first `n_rows - 1` rows and
where one value of the window is missing. A window's scatter below 1e-12 of its mean square is
rounding: such a window is flat, its scatter NaN.
"""

from typing import NamedTuple

import numpy as np

from quant_assets.quant.features.base import (
    FLAT,
    centred_blocks,
    rows_from,
    to_blocks,
    trailing,
)
from quant_assets.quant.market.panel import Floats


class Joint(NamedTuple):
    """Means of x and y, and the sums of products of their deviations, over the last rows."""

    mean_x: Floats
    mean_y: Floats
    xx: Floats
    xy: Floats
    yy: Floats

    @property
    def slope(self) -> Floats:
        """Least-squares slope of y on x, with intercept."""
        return self.xy / self.xx

    @property
    def residual(self) -> Floats:
        """Sum of the squared residuals of that regression, at least 0."""
        return np.maximum(self.yy - self.xy * self.xy / self.xx, 0.0)


def trailing_sum(values: Floats, n_rows: int) -> Floats:
    """Sum of the last `n_rows` rows."""
    if len(values) < n_rows:
        return np.full(values.shape, np.nan)
    blocks = to_blocks(values, n_rows)
    return rows_from(trailing(np.add, blocks, blocks, len(values)), len(values))


def trailing_max(values: Floats, n_rows: int) -> Floats:
    """Largest of the last `n_rows` rows."""
    if len(values) < n_rows:
        return np.full(values.shape, np.nan)
    blocks = to_blocks(values, n_rows)
    return rows_from(trailing(np.maximum, blocks, blocks, len(values)), len(values))


def trailing_scatter(values: Floats, n_rows: int, *, power: int) -> Floats:
    """Sum of the deviations from the window's mean, to the `power` 2, 3 or 4."""
    if len(values) < n_rows:
        return np.full(values.shape, np.nan)
    parts = centred_blocks(values, n_rows)
    sums, powers = [], parts
    for _ in range(power):
        sums.append(trailing(np.add, *powers, n_times=len(values)))
        powers = powers[0] * parts[0], powers[1] * parts[1]
    mean, second = sums[0] / n_rows, sums[1]
    scatter = second - sums[0] * mean
    if power == 2:
        result = scatter
    elif power == 3:
        result = sums[2] - 3.0 * mean * second + 2.0 * n_rows * mean**3
    else:
        result = sums[3] - 4.0 * mean * sums[2] + mean**2 * (6.0 * second - 3.0 * n_rows * mean**2)
    return rows_from(np.where(scatter > FLAT * second, result, np.nan), len(values))


def joint(x: Floats, y: Floats, n_rows: int) -> Joint:
    """First and second moments of `x` (time,) or (time, column) and `y` (time, column)."""
    x = x[:, None] if x.ndim == 1 else x
    n_times = len(y)
    if n_times < n_rows:
        return Joint(*(np.full(y.shape, np.nan) for _ in Joint._fields))
    (x_old, x_new), (y_old, y_new) = centred_blocks(x, n_rows), centred_blocks(y, n_rows)
    total_x = trailing(np.add, x_old, x_new, n_times)
    total_y = trailing(np.add, y_old, y_new, n_times)
    xx = trailing(np.add, x_old * x_old, x_new * x_new, n_times)
    yy = trailing(np.add, y_old * y_old, y_new * y_new, n_times)
    xy = trailing(np.add, x_old * y_old, x_new * y_new, n_times)
    scatter_x, scatter_y = xx - total_x**2 / n_rows, yy - total_y**2 / n_rows
    rows = (
        trailing_sum(x, n_rows) / n_rows,
        trailing_sum(y, n_rows) / n_rows,
        rows_from(np.where(scatter_x > FLAT * xx, scatter_x, np.nan), n_times),
        rows_from(xy - total_x * total_y / n_rows, n_times),
        rows_from(np.where(scatter_y > FLAT * yy, scatter_y, np.nan), n_times),
    )
    return Joint(*rows)


def autocovariance(values: Floats, n_rows: int) -> Joint:
    """Moments of the pairs (row before, row), the last `n_rows` of them."""
    before = np.full(values.shape, np.nan)
    before[1:] = values[:-1]
    return joint(before, values, n_rows)
