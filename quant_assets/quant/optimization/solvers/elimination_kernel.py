"""Small dense systems in place: LU with row pivots, and both ways to solve with it.

Import this module lazily: it loads numba.
"""

import numpy as np
import numpy.typing as npt

from quant_assets.core.kernels import across_files

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
compiled = across_files(error_model="numpy")


@compiled
def factor(matrix: Floats, size: int, order: Places) -> bool:
    """LU with row pivots in place; `order` gets the pivots. Returns whether it is regular."""
    for step in range(size):
        best, pivot = 0.0, step
        for row in range(step, size):
            if abs(matrix[row, step]) > best:
                best, pivot = abs(matrix[row, step]), row
        if best < 1e-12:
            return False
        order[step] = pivot
        for column in range(size):
            kept = matrix[step, column]
            matrix[step, column] = matrix[pivot, column]
            matrix[pivot, column] = kept
        inverse = 1.0 / matrix[step, step]
        for row in range(step + 1, size):
            share = matrix[row, step] * inverse
            matrix[row, step] = share
            for column in range(step + 1, size):
                matrix[row, column] -= share * matrix[step, column]
    return True


@compiled
def solve(matrix: Floats, order: Places, size: int, vector: Floats) -> None:
    """Solve K x = b in place, K factored."""
    for step in range(size):
        pivot = order[step]
        kept = vector[step]
        vector[step] = vector[pivot]
        vector[pivot] = kept
    for row in range(1, size):
        total = vector[row]
        for column in range(row):
            total -= matrix[row, column] * vector[column]
        vector[row] = total
    for row in range(size - 1, -1, -1):
        total = vector[row]
        for column in range(row + 1, size):
            total -= matrix[row, column] * vector[column]
        vector[row] = total / matrix[row, row]


@compiled
def solve_transposed(matrix: Floats, order: Places, size: int, vector: Floats) -> None:
    """Solve K'x = b in place, K factored."""
    for row in range(size):
        vector[row] /= matrix[row, row]
        for column in range(row + 1, size):
            vector[column] -= matrix[row, column] * vector[row]
    for row in range(size - 1, 0, -1):
        for column in range(row):
            vector[column] -= matrix[row, column] * vector[row]
    for step in range(size - 1, -1, -1):
        pivot = order[step]
        kept = vector[step]
        vector[step] = vector[pivot]
        vector[pivot] = kept
