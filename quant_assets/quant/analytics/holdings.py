"""What weights do between decisions: drift, turnover, and which instrument earned what.

`weights` are fractions of equity `(time, symbol)`, short ones negative, held through the row's
period; `returns` are the simple returns of that period, in the same shape. What the weights leave
of 1 is cash, which earns `cash_return`. A NaN weight is a `DataError`; a NaN return too, unless
nothing is held.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.linking import link_effects
from quant_assets.quant.market.panel import Floats

__all__ = ["Contributions", "instrument_contributions"]  # `turnover` is offered by `metrics`


class Contributions(NamedTuple):
    """Who earned what; cash is the last column.

    per_period : `(time, symbol + 1)`, weight × return; rows sum to `portfolio`, `(time,)`.
    linked : `(symbol + 1,)`; sums to `total_return`, the compounded return of all rows.
    """

    per_period: Floats
    linked: Floats
    portfolio: Floats
    total_return: float


def earned(weights: npt.ArrayLike, returns: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Weights and returns, checked; a return that nobody earned is 0."""
    held, grown = np.asarray(weights, dtype=np.float64), np.asarray(returns, dtype=np.float64)
    if held.ndim != 2 or held.shape != grown.shape:
        raise DataError(
            f"weights and returns must be (time, symbol) alike, found {held.shape}, {grown.shape}"
        )
    lacking = np.argwhere(np.isnan(held) | (np.isnan(grown) & (held != 0.0)))
    if len(lacking):
        row, column = lacking[0]
        raise DataError(
            f"{len(lacking)} cells lack a weight or the return of a held position, the first is "
            f"row {row}, column {column}: weight {held[row, column]}, return {grown[row, column]}"
        )
    return held, np.where(np.isnan(grown), 0.0, grown)


def turnover(weights: npt.ArrayLike, returns: npt.ArrayLike) -> Floats:
    """Two-way turnover at the start of each row, `(time,)`: Σ |weight - drifted weight|.

    Drifted: w (1 + r) / (1 + Σ w r) of the row before, cash earning nothing; the first row is
    bought from cash. Cash itself is not counted.
    """
    held, grown = earned(weights, returns)
    equity = 1.0 + (held * grown).sum(axis=1, keepdims=True)
    if (equity <= 0.0).any():
        raise DataError(f"equity is lost in row {int(np.argmax(equity[:, 0] <= 0.0))}")
    drifted = np.vstack([np.zeros((1, held.shape[1])), (held * (1.0 + grown) / equity)[:-1]])
    return np.asarray(np.abs(held - drifted[: len(held)]).sum(axis=1))


def instrument_contributions(
    weights: npt.ArrayLike, returns: npt.ArrayLike, cash_return: npt.ArrayLike = 0.0
) -> Contributions:
    """Contribution of each instrument to the portfolio's return, per period and linked.

    Linked by Cariño's factors, so that contributions of periods add up to the compounded return.
    """
    held, grown = earned(weights, returns)
    cash = (1.0 - held.sum(axis=1)) * np.asarray(cash_return, dtype=np.float64)
    per_period = np.column_stack([held * grown, cash])
    portfolio = per_period.sum(axis=1)
    linked = link_effects(per_period, portfolio, np.zeros(len(portfolio)))
    total = float(np.expm1(np.log1p(portfolio).sum()))
    return Contributions(per_period, linked, portfolio, total)
