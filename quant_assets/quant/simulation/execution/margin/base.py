"""What a margin model is: how much may stand per unit of equity, and when it is taken away."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quant_assets.core.parameters import Parameters
from quant_assets.quant.simulation.execution.terms import MarginTerms
from quant_assets.quant.simulation.settlements import is_inverse, is_linear

MARGIN = "quant_assets.quant.simulation.execution.margin"
Tiers = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class MarginModel(Parameters, ABC):
    """Buying power, maintenance margin and liquidation of an account."""

    @abstractmethod
    def terms(self, symbols: Sequence[str]) -> MarginTerms:
        """What the kernel is told."""


def margin_terms(
    symbols: Sequence[str],
    *,
    leverage: float,
    tiers: Sequence[Tiers] = (),
    liquidation_fee: float = 0.0,
) -> MarginTerms:
    """Terms of one ladder of (notional from, rate) for each symbol, or of none at all.

    The deduction keeps the margin continuous: that of a tier is the one before it plus
    `notional from x (rate - rate before)`. Shorter ladders end with tiers that begin at infinity.
    """
    shape = (len(symbols), max((len(ladder) for ladder in tiers), default=0))
    notional, rate, deduction = np.full(shape, np.inf), np.zeros(shape), np.zeros(shape)
    for row, ladder in enumerate(tiers):
        begins, rates = (np.array(column, dtype=np.float64) for column in zip(*ladder, strict=True))
        n = len(begins)
        notional[row, :n], rate[row, :n], rate[row, n:] = begins, rates, rates[-1]
        deduction[row, :n] = np.cumsum(begins * np.diff(rates, prepend=0.0))
        deduction[row, n:] = deduction[row, n - 1]
    inverse = np.array([is_inverse(symbol) for symbol in symbols], dtype=np.bool_)
    linear = np.array([is_linear(symbol) for symbol in symbols], dtype=np.bool_)
    return MarginTerms(leverage, notional, rate, deduction, liquidation_fee, inverse, linear)
