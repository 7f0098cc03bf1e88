"""How the lean kernels are compiled: without counting references to arrays.

At every call numba counts those to each array that is handed over, also inside of tuples and of
what is inlined, with an atomic operation; that takes longer than an order does. Nothing is
allocated in these kernels, so there is nothing to count. Import this module lazily: it loads numba.
"""

from typing import Any

from quant_assets.core.kernels import across_files

PLAIN: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
uncounted = across_files(**PLAIN)
inlined = across_files(forceinline=True, **PLAIN)
# sums and extremes in the order that fills the vector registers; of numbers that are not NaN
reordered = across_files(forceinline=True, fastmath={"reassoc", "nnan", "nsz"}, **PLAIN)
