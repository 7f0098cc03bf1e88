"""How the kernels of this package are compiled.

Import this module lazily: it loads numba, whose disk cache notices changes of one file only. A
kernel therefore calls functions of its own file only.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Block = npt.NDArray[np.float64]
Cube = npt.NDArray[np.float64]  # of three dimensions
Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy"))


def sample(n_rows: int = 3, *, value: float = 1.0) -> Block:
    """A small block of the very type that kernels are called with, for their `warm_up`."""
    return np.full((n_rows, 2), value)
