"""Each name as a bet of its own that is won or lost, by how often and how much it was."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.analytics.kelly import binary_kelly, long_only_bet
from quant_assets.quant.sizing.base import Floats, Sizer


@dataclass(frozen=True, kw_only=True)
class KellyBets(Sizer):
    """`fraction` of `(p - (1 - p) / b) / L` of equity in each name, 0 for a negative edge.

    p is the share of gains among the position's returns that are not 0, b the mean gain over the
    mean loss, L the mean loss: staking w of equity loses `w L`. Exact for returns of two outcomes
    (Kelly 1956); names are taken as independent. A name that never lost, or never gained, gets 0:
    its odds are unknown.
    """

    name: ClassVar[str] = "kelly_bets"
    fraction: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("fraction")

    def size(self, sides: Floats, rows: Floats) -> Floats:
        """`side * fraction * bet`."""
        earned = sides * rows
        gains, losses = (earned > 0.0).sum(axis=0), (earned < 0.0).sum(axis=0)
        priced = (gains > 0) & (losses > 0)
        gain = np.maximum(earned, 0.0).sum(axis=0)[priced] / gains[priced]
        loss = np.maximum(-earned, 0.0).sum(axis=0)[priced] / losses[priced]
        rate = gains[priced] / (gains + losses)[priced]
        bet = np.zeros(len(sides))
        bet[priced] = long_only_bet(binary_kelly(rate, gain / loss) / loss, share=self.fraction)
        return sides * bet
