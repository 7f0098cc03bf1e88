"""Windows as the textbook has them: every window by itself, with exact or plain arithmetic."""

from fractions import Fraction

import numpy as np


def assert_close(ours, theirs, *, unit=1.0):
    """The same rows without a number, and elsewhere 1e-9 relative or 1e-12 of the unit."""
    theirs = np.asarray(theirs, dtype=np.float64)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12 * unit)


def by_window(function, n, *columns):
    """`function` of the last n values of each column, row by row and symbol by symbol.

    NaN before the first whole window and while one of the values is NaN.
    """
    tables = [np.asarray(c, dtype=float).reshape(len(c), -1) for c in columns]
    out = np.full(tables[0].shape, np.nan)
    for t in range(n - 1, len(out)):
        for j in range(out.shape[1]):
            windows = [table[t - n + 1 : t + 1, j] for table in tables]
            if not np.isnan(windows).any():
                out[t, j] = function(*windows)
    return out.reshape(np.shape(columns[0]))


def before(x, n=1):
    """The value n rows ago."""
    out = np.full(np.shape(x), np.nan)
    out[n:] = x[:-n]
    return out


def exact_moments(window):
    """Mean distance of the last value, and central sums of power 2, 3 and 4, as fractions."""
    values = [Fraction(float(value)) for value in window]
    mean = sum(values) / len(values)
    sums = [sum((value - mean) ** power for value in values) for power in (2, 3, 4)]
    return values[-1] - mean, *sums


def exact_pair(x, y):
    """Sums about the means of x x, y y and x y, as fractions."""
    first, second = ([Fraction(float(value)) for value in values] for values in (x, y))
    n, mean_x, mean_y = len(first), sum(first) / len(first), sum(second) / len(second)
    pairs = [(first[i] - mean_x, second[i] - mean_y) for i in range(n)]
    return sum(a * a for a, _ in pairs), sum(b * b for _, b in pairs), sum(a * b for a, b in pairs)
