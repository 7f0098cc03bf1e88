"""Shorts pay a yearly rate, each symbol its own where one is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number, numbers_by_symbol
from quant_assets.quant.simulation.execution.borrow.base import BorrowModel
from quant_assets.quant.simulation.execution.terms import Floats
from quant_assets.quant.simulation.settlements import is_perpetual


@dataclass(frozen=True, kw_only=True)
class AnnualRate(BorrowModel):
    """`rate` a year for every symbol, `rates_of` for those that it names; ACT/365.

    A constant short of one year at 3 % costs 3.00 % of its value. Perpetuals are not borrowed: 0,
    unless they are named. The default is the value-weighted cost of the loans that D'Avolio saw in
    the United States from April 2000 to September 2001 ("The market for borrowing stock", Journal
    of Financial Economics 66, 2002): 0.25 %; 91 % of the stocks cost less than 1 %, the others
    4.3 % on average. What is hard to find today costs more: name it. A symbol in `rates_of`
    that the bars do not have is a `ConfigError`: a typo would be cheap to borrow.
    """

    name: ClassVar[str] = "annual_rate"
    rate: float = number(0.0025, least=0.0)
    rates_of: Mapping[str, float] = numbers_by_symbol(least=0.0)

    def rates(self, symbols: Sequence[str]) -> Floats:
        """See the base class."""
        unknown = sorted(set(self.rates_of) - set(symbols))
        if unknown:
            raise ConfigError(f"annual_rate: rates_of names {unknown}, which the bars do not have")
        plain = [0.0 if is_perpetual(symbol) else self.rate for symbol in symbols]
        return np.array(
            [self.rates_of.get(s, rate) for s, rate in zip(symbols, plain, strict=True)]
        )
