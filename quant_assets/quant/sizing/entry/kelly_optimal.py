"""The growth-optimal portfolio of all symbols together."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import number, optional_number, whole
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.sizing.entry.base import EntrySizer, bars_per_year
from quant_assets.quant.sizing.entry.portfolio import weights_every
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION
from quant_assets.quant.sizing.kelly import Kelly

__all__ = ["KellyOptimal"]


@dataclass(frozen=True, kw_only=True)
class KellyOptimal(EntrySizer):
    """`fraction` of the w >= 0 with the largest `mu'w - w' Sigma w / 2`; gross at most the limit.

    For several symbols `inv(Sigma) mu`, for one `(mu - rf) / sigma^2` [Kelly 1956; Thorp 2006],
    from the returns of the last `lookback` bars of positions on the side of their entries; Sigma
    by Ledoit & Wolf (2004). A symbol without an edge beside the others gets 0. Stakes are found
    every `refit_bars` bars (the sizer `kelly` of `quant.sizing`).

    risk_free_rate : per year, geometric. max_leverage : limit of the sum of all stakes.
    periods_per_year : None counts the bars so far over their time.
    """

    name: ClassVar[str] = "kelly_optimal"
    unit: ClassVar[int] = EQUITY_FRACTION
    risk_free_rate: float = number(0.0, above=-1.0)
    max_leverage: float = number(1.0, above=0.0)
    fraction: float = number(0.5, above=0.0)
    lookback: int = whole(250, least=20)
    refit_bars: int = whole(21, least=1)
    periods_per_year: float | None = optional_number(above=0.0)

    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """See the base class."""
        years = bars_per_year(bars, self.periods_per_year)

        def sizer_at(row: int) -> Kelly:
            return Kelly(
                periods_per_year=float(years[row, 0]),
                risk_free_rate=self.risk_free_rate,
                fraction=self.fraction,
                max_leverage=self.max_leverage,
            )

        return weights_every(
            sizer_at, bars, sides, lookback=self.lookback, refit_bars=self.refit_bars
        )
