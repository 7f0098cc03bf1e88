"""Screen `duplicates`: of two lines that move as one, keep the one with the longer history."""

from typing import ClassVar

import numpy as np

from quant_assets.core.venues import DiscoveryParameters
from quant_assets.quant.discovery.base import Bools, Screen, ScreenInputs
from quant_assets.quant.market.panel import Floats

DECIMALS = 12


class Duplicates(Screen):
    """Largest correlation of returns with an instrument that comes earlier, and is kept.

    Symbols are ordered by longer history (closes), then by name. Only symbols that pass every
    other screen and are no duplicates themselves can displace one, so that a dead or illiquid
    line never takes the place of its living twin. Does not apply (NaN, passes) to a symbol that
    has nobody to be compared with.
    """

    name: ClassVar[str] = "duplicates"
    relative: ClassVar[bool] = True
    nan_passes: ClassVar[bool] = True

    def measure(self, inputs: ScreenInputs) -> Floats:
        """See the base class."""
        limit = self.limit(inputs.parameters)
        correlations = pairwise_correlations(
            inputs.returns.values, min_rows=inputs.parameters.min_history_bars - 1
        )
        n_closes = (~np.isnan(inputs.close.values)).sum(axis=0)
        by_name = np.argsort(np.array(inputs.close.symbols, dtype=object), kind="stable")
        order = by_name[np.argsort(-n_closes[by_name], kind="stable")]
        values = np.full(len(order), np.nan)
        kept: list[int] = []
        for column in order:
            earlier = correlations[column, kept]
            earlier = earlier[~np.isnan(earlier)]
            if len(earlier):
                values[column] = earlier.max()
            if inputs.eligible[column] and not values[column] > limit:
                kept.append(int(column))
        return values

    def limit(self, parameters: DiscoveryParameters) -> float:
        """`max_correlation`."""
        return parameters.max_correlation

    def accepts(self, values: Floats, limit: float) -> Bools:
        """At most the limit."""
        return values <= limit


def pairwise_correlations(returns: Floats, *, min_rows: int) -> Floats:
    """Pearson correlations (symbol, symbol) over the rows that both columns have.

    NaN where fewer than `min_rows` (at least 3) rows are shared, or a column does not move on
    them. Rounded to 12 decimals: how a linear algebra library orders its sums leaves no trace.
    """
    present = ~np.isnan(returns)
    count = np.maximum(present.sum(axis=0), 1)
    centred = np.where(present, returns - np.where(present, returns, 0.0).sum(axis=0) / count, 0.0)
    largest = np.abs(centred).max(axis=0, initial=0.0)
    magnitude = np.abs(np.where(present, returns, 0.0)).max(axis=0, initial=0.0)
    moves = largest > magnitude * 1e-12
    x, p = centred / np.where(moves, largest, 1.0), present.astype(np.float64)
    shared = p.T @ p
    rows = np.maximum(shared, 1.0)
    total, squares = x.T @ p, (x * x).T @ p
    variance = np.where(squares > 0, squares - total * total / rows, 0.0)
    covariance = x.T @ x - total * total.T / rows
    usable = (shared >= max(min_rows, 3)) & moves[:, None] & moves[None, :]
    usable &= (variance > 1e-12 * squares) & (variance.T > 1e-12 * squares.T)
    scale = np.sqrt(np.where(usable, variance * variance.T, 1.0))
    return np.where(usable, np.round(np.clip(covariance / scale, -1.0, 1.0), DECIMALS), np.nan)
