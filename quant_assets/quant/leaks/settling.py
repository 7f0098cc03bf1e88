"""After how many bars an output no longer depends on where the data begin."""

import numpy as np

from quant_assets.quant.leaks.outputs import Array


def settled(expected: Array, found: Array, tolerance: float) -> int | None:
    """Rows after which two series stay together; None when they still differ near the end.

    tolerance : of the largest magnitude of the column; for flags any difference counts.
    """
    expected, found = expected.astype(np.float64), found.astype(np.float64)
    size = np.abs(np.where(np.isfinite(expected), expected, 0.0)).max(axis=0, initial=0.0)
    with np.errstate(invalid="ignore"):  # equal infinities: a limit that there is not
        near = np.abs(expected - found) <= tolerance * size
    apart = ~(near | (np.isnan(expected) & np.isnan(found)) | (expected == found)).all(axis=1)
    rows = np.flatnonzero(apart)
    needed = 0 if rows.size == 0 else int(rows[-1]) + 1
    return needed if needed <= 0.9 * len(expected) else None
