"""Winners of the last year against its losers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy, ranked_weights, turns
from quant_assets.quant.strategies.signals import Signals

__all__ = ["CrossSectionalMomentum"]


TURN = "month.turns"


@dataclass(frozen=True, kw_only=True)
class CrossSectionalMomentum(RowStrategy):
    """Each month long the `share` that rose most over `lookback` bars, the last `skip` left out.

    `both`: half of equity long, half short in the `share` that rose least. Equal weights.
    """

    name: ClassVar[str] = "cross_sectional_momentum"
    source: ClassVar[str] = (
        "Jegadeesh & Titman (1993), Returns to Buying Winners and Selling Losers"
    )
    lookback: int = whole(252, least=2)
    skip: int = whole(21, least=0)
    share: float = number(0.3, above=0.0, most=0.5)
    sides: Literal["both", "long"] = choice("both", "long")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.skip >= self.lookback:
            raise ConfigError(
                f"{self.name}: skip = {self.skip}, lookback = {self.lookback}; skip must be less"
            )

    @property
    def back(self) -> int:
        """See the base class."""
        return self.lookback

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """See the base class."""
        return {TURN: turns(bars, "month")}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        gain = rows.before("close", self.skip) / rows.before("close", self.lookback)
        weights = ranked_weights(rows.among(gain), self.share, self.sides)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
