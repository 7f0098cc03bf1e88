"""The compiled comparison of two lines; import it lazily, it loads numba."""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.compiled import compiled

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@compiled
def crossed(fast: Floats, slow: Floats, step: int, up: Bools, down: Bools) -> None:
    """Mark crossings in flat `(time x symbol)` arrays; the row before is `step` values back."""
    for i in range(step, fast.size):
        now, level = fast[i], slow[i]
        before, was = fast[i - step], slow[i - step]
        up[i] = (now > level) & (before <= was)
        down[i] = (now < level) & (before >= was)


def warm_up() -> None:
    """Compile the kernel of this file, also for the read-only lines of a cache."""
    values, cached = np.zeros(3), np.zeros(3)
    cached.flags.writeable = False
    marks = np.zeros(3, dtype=np.bool_)
    for line in (values, cached):
        crossed(line, line, 1, marks, marks.copy())
