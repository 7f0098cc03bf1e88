"""Logarithms of price ratios, over blocks of rows: the same for every length of the block.

Calling convention as in `nodes_kernel`; these kernels remember nothing, their state has no rows.
"""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample


@compiled
def log_ratio(x: Block, y: Block, seen: int, state: Block, out: Block) -> None:
    """ln(x / y); NaN unless both are positive."""
    n_rows, n_symbols = x.shape
    for t in range(n_rows):
        for j in range(n_symbols):
            sound = (x[t, j] > 0.0) & (y[t, j] > 0.0)
            out[t, j] = np.log(x[t, j] / y[t, j]) if sound else np.nan


@compiled
def exponential(x: Block, seen: int, state: Block, out: Block) -> None:
    """exp(x)."""
    n_rows, n_symbols = x.shape
    for t in range(n_rows):
        for j in range(n_symbols):
            out[t, j] = np.exp(x[t, j])


def warm_up() -> None:
    """Compile every kernel of this file."""
    log_ratio(sample(), sample(), 0, sample(0), sample())
    exponential(sample(), 0, sample(0), sample())
