"""Risk budgets by cyclical coordinate descent, compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["descend", "warm_up"]

Floats = npt.NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy"))


@compiled
def descend(
    correlation: Floats, budgets: Floats, position: Floats, tolerance: float, max_sweeps: int
) -> int:
    """Minimise `x'Cx/2 - sum(b log x)` over x > 0 from `position`, in place; gives the sweeps.

    correlation : (asset, asset), C-ordered, diagonal 1. Each coordinate has a closed form:
    `x_i = (sqrt(c^2 + 4 b_i) - c) / 2` with `c = sum_{j != i} C_ij x_j` (Griveau-Billion, Richard &
    Roncalli 2013). Ends when no coordinate moves by more than `tolerance` of itself; `max_sweeps`
    sweeps mean that it did not.
    """
    n_assets = len(position)
    product = correlation @ position
    for sweep in range(max_sweeps):
        worst = 0.0
        for asset in range(n_assets):
            old = position[asset]
            others = product[asset] - old
            root = np.sqrt(others * others + 4.0 * budgets[asset])
            # the same number twice: the second does not cancel
            new = 0.5 * (root - others) if others <= 0.0 else 2.0 * budgets[asset] / (root + others)
            move = new - old
            if move != 0.0:
                position[asset] = new
                row = correlation[asset]
                for other in range(n_assets):
                    product[other] += row[other] * move
                worst = max(worst, abs(move) / new)
        if worst <= tolerance:
            return sweep + 1
    return max_sweeps


def warm_up() -> None:
    """Compile with the types that production uses."""
    descend(np.eye(2), np.full(2, 0.5), np.full(2, 0.5), 1e-10, 5)
