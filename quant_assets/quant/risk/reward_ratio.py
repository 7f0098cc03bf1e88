"""A target at a multiple of what is risked."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.risk.base import ExitRule
from quant_assets.quant.risk.terms import (
    STOP_FRACTION,
    STOP_PRICE,
    TARGET_FRACTION,
    TARGET_PRICE,
    TRAIL_FRACTION,
    TRAIL_PRICE,
    ExitTerms,
    Floats,
)

__all__ = ["RewardRatio"]

TARGET_OF = {
    STOP_FRACTION: TARGET_FRACTION,
    TRAIL_FRACTION: TARGET_FRACTION,
    STOP_PRICE: TARGET_PRICE,
    TRAIL_PRICE: TARGET_PRICE,
}


@dataclass(frozen=True, kw_only=True)
class RewardRatio(ExitRule):
    """Target at `ratio` x the distance of the first stop from the fill price.

    It gives a target for every stop; the nearest, which is that of the tightest stop, is met first.
    Without a stop there is nothing to multiply: a `ConfigError`.
    """

    name: ClassVar[str] = "reward_ratio"
    after_stops: ClassVar[bool] = True
    ratio: float = number(2.0, above=0.0)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return NOTHING

    def level(self, bars: BarPanel) -> Floats:
        """None of its own: see `exits`."""
        return self.everywhere(bars, np.nan)

    def exits(self, bars: BarPanel, stops: ExitTerms) -> ExitTerms:
        """See the base class."""
        del bars
        rows = [row for row, kind in enumerate(stops.kind.tolist()) if kind in TARGET_OF]
        if not rows:
            raise ConfigError(
                "reward_ratio needs a stop to measure the risk by: add stop_loss, atr_stop, "
                "trailing_stop or atr_trailing"
            )
        kind = np.array([TARGET_OF[int(stops.kind[row])] for row in rows], dtype=np.int8)
        return ExitTerms(kind, self.ratio * stops.level[rows])
