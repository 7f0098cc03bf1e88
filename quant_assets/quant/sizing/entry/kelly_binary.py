"""Each symbol as a bet that is won or lost."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number, optional_number, whole
from quant_assets.quant.analytics.kelly import binary_kelly, long_only_bet
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.moments.past import bar_returns, past_moments
from quant_assets.quant.sizing.entry.base import EntrySizer
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION

__all__ = ["KellyBinary"]


@dataclass(frozen=True, kw_only=True)
class KellyBinary(EntrySizer):
    """`fraction x (p - (1 - p) / b)`, 0 for a negative edge, at most `max_leverage` [Kelly 1956].

    With `win_rate` p and `payoff_ratio` b (gain over loss) given, the same stake everywhere: the
    share of equity that a lost bet costs. Without them they are those of the bar returns of the
    last `lookback` bars on the side of the entry, and the stake is divided by the mean loss L,
    because equity w loses w L: `(p - (1 - p) / b) / L`, exact for two outcomes. A symbol that never
    lost or never won, or of which less than half of the bars are known, gets 0.
    """

    name: ClassVar[str] = "kelly_binary"
    unit: ClassVar[int] = EQUITY_FRACTION
    win_rate: float | None = optional_number(least=0.0)
    payoff_ratio: float | None = optional_number(above=0.0)
    fraction: float = number(0.5, above=0.0)
    lookback: int = whole(250, least=2)
    max_leverage: float = number(1.0, above=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.win_rate is None) != (self.payoff_ratio is None):
            raise ConfigError(
                f"kelly_binary: win_rate is {self.win_rate} and payoff_ratio {self.payoff_ratio}; "
                "give both, or neither"
            )
        if self.win_rate is not None and self.win_rate > 1.0:
            raise ConfigError(f"kelly_binary: win_rate is {self.win_rate}; it must be at most 1")

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        if self.win_rate is not None and self.payoff_ratio is not None:
            bet = binary_kelly(self.win_rate, self.payoff_ratio)
            return self.everywhere(bars, float(self._staked(bet)))
        returns = bar_returns(bars.close)
        known = past_moments(returns, self.lookback).known
        gains, losses = (self._past(side) for side in (returns, -returns))
        long, short = self._bet(gains, losses), self._bet(losses, gains)
        stake = self._staked(np.where(sides > 0.0, long, short))
        return np.where(2.0 * known >= self.lookback, stake, 0.0)

    def _past(self, side: Floats) -> tuple[Floats, Floats]:
        """How many of the last bars were above 0 on this side, and their mean; NaN without one."""
        past = past_moments(np.where(side > 0.0, side, np.nan), self.lookback)
        return past.known, past.mean

    def _bet(self, gains: tuple[Floats, Floats], losses: tuple[Floats, Floats]) -> Floats:
        """`(p - (1 - p) / b) / L` of the last bars, NaN without gains or losses."""
        priced = (gains[0] > 0.0) & (losses[0] > 0.0)
        gain, loss = (np.where(priced, side[1], 1.0) for side in (gains, losses))
        rate = np.where(priced, gains[0], 0.0) / np.where(priced, gains[0] + losses[0], 1.0)
        return np.where(priced, binary_kelly(rate, gain / loss) / loss, np.nan)

    def _staked(self, bet: Floats) -> Floats:
        return long_only_bet(bet, share=self.fraction, cap=self.max_leverage)
