"""How the lean kernels are compiled: without counting references to arrays.

At every call numba counts those to each array that is handed over, also inside of tuples and of
what is inlined, with an atomic operation; that takes longer than an order does. Nothing is
allocated in these kernels, so there is nothing to count. Import this module lazily: it loads numba.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
PLAIN: dict[str, Any] = {"cache": True, "error_model": "numpy", "_nrt": False}
uncounted = cast("Callable[[Function], Function]", njit(**PLAIN))
inlined = cast("Callable[[Function], Function]", njit(forceinline=True, **PLAIN))
# sums and extremes in the order that fills the vector registers; of numbers that are not NaN
reordered = cast(
    "Callable[[Function], Function]",
    njit(forceinline=True, fastmath={"reassoc", "nnan", "nsz"}, **PLAIN),
)
