"""Rows across symbols, one at a time. Import this module lazily: it loads numba."""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.compiled import Block, compiled

Codes = npt.NDArray[np.int64]


@compiled
def _first_known(row: Block) -> float:
    """The first finite value of a row: distances from it keep the digits of close values."""
    for value in row:
        if np.isfinite(value):
            return float(value)
    return 0.0


@compiled
def standardise(values: Block, ddof: int, out: Block) -> None:
    """Distance from the row's mean in standard deviations (divisor: known values less `ddof`)."""
    n_rows, n_symbols = values.shape
    for t in range(n_rows):
        row, result = values[t], out[t]
        count, total, reference = 0, 0.0, _first_known(row)
        for j in range(n_symbols):
            known = np.isfinite(row[j])
            count += known
            total += row[j] - reference if known else 0.0
        mean, squares = total / count, 0.0
        for j in range(n_symbols):
            distance = row[j] - reference - mean if np.isfinite(row[j]) else np.nan
            result[j] = distance
            squares += 0.0 if np.isnan(distance) else distance * distance
        deviation = np.sqrt(squares / (count - ddof)) if count > ddof else np.nan
        for j in range(n_symbols):
            result[j] /= deviation if deviation > 0.0 else np.nan


@compiled
def centre_groups(values: Block, codes: Codes, n_groups: int, out: Block) -> None:
    """Distance from the mean of the row's group; codes : (rows or 1, symbol), -1 for none."""
    n_rows, n_symbols = values.shape
    sums, counts = np.empty(n_groups), np.empty(n_groups)
    for t in range(n_rows):
        row, groups = values[t], codes[t if codes.shape[0] == n_rows else 0]
        reference = _first_known(row)
        sums[:] = 0.0
        counts[:] = 0.0
        for j in range(n_symbols):
            if groups[j] >= 0 and np.isfinite(row[j]):
                sums[groups[j]] += row[j] - reference
                counts[groups[j]] += 1.0
        for j in range(n_symbols):
            known = groups[j] >= 0 and np.isfinite(row[j])
            group = max(groups[j], 0)
            distance = row[j] - reference - sums[group] / counts[group]
            out[t, j] = distance if known else np.nan


def warm_up() -> None:
    """Compile every kernel of this file."""
    for writable in (True, False):
        values, codes = np.ones((2, 3)), np.zeros((2, 3), dtype=np.int64)
        values.setflags(write=writable)
        standardise(values, 1, np.empty((2, 3)))
        centre_groups(values, codes, 1, np.empty((2, 3)))
