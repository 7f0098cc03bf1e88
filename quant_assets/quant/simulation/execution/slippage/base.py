"""What a slippage model is: numbers of the price concession, and the arrays that they multiply."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import Parameters
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.simulation.execution.terms import SlippageTerms

SLIPPAGE = "quant_assets.quant.simulation.execution.slippage"
NOBODY_ASKS = np.empty((0, 0))
NO_SLIPPAGE = SlippageTerms(fixed=0.0, half_spread=0.0, impact=0.0, exponent=0.5, volume_share=0.0)


class ImpactArrays(NamedTuple):
    """`(time, symbol)`, or `(0, 0)` where nobody asks; no NaN. The kernel reads them as extras.

    `volatility` is per bar, `average_volume` in units a bar, `spread` relative to the price.
    """

    volatility: Floats = NOBODY_ASKS
    average_volume: Floats = NOBODY_ASKS
    spread: Floats = NOBODY_ASKS


@dataclass(frozen=True, kw_only=True)
class SlippageModel(Parameters, ABC):
    """Relative concession of market and stop fills: a buy pays `price x (1 + s)`.

    Limits and targets fill at their price. Several models add up.
    """

    @abstractmethod
    def terms(self) -> SlippageTerms:
        """What the kernel is told."""

    def arrays(self, bars: BarPanel) -> ImpactArrays:
        """The arrays that the terms multiply; row t from what was known before bar t opened."""
        del bars
        return ImpactArrays()

    @property
    def memory(self) -> Memory | None:
        """Earlier bars on which its arrays depend; None, unless told otherwise: all of them."""
        return NOTHING if type(self).arrays is SlippageModel.arrays else None

    @property
    def participation(self) -> float:
        """Largest share of a bar's volume for which the model holds; infinity: any."""
        return np.inf


def added_terms(models: Sequence[SlippageModel]) -> SlippageTerms:
    """The sum of several models; two impacts of different exponents are a `ConfigError`."""
    parts = [model.terms() for model in models]
    exponents = {part.exponent for part in parts if part.impact}
    if len(exponents) > 1:
        raise ConfigError(
            f"slippage: impacts with the exponents {sorted(exponents)} do not add up; keep one"
        )
    total = NO_SLIPPAGE
    for part in parts:
        total = SlippageTerms(
            fixed=total.fixed + part.fixed,
            half_spread=total.half_spread + part.half_spread,
            impact=total.impact + part.impact,
            exponent=part.exponent if part.impact else total.exponent,
            volume_share=total.volume_share + part.volume_share,
        )
    return total


def joined_arrays(models: Sequence[SlippageModel], bars: BarPanel) -> ImpactArrays:
    """The arrays of several models; of two that give the same one, they must agree."""
    found = ImpactArrays()
    for model in models:
        for name, values in model.arrays(bars)._asdict().items():
            known = getattr(found, name)
            if known.size and values.size and not np.array_equal(known, values):
                raise ConfigError(f"slippage: two models give a different {name}; keep one")
            if values.size:
                found = found._replace(**{name: values})
    return found
