"""What an entry sizer is: bars in, the size of an entry at every bar and symbol out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.parameters import Parameters, number, whole
from quant_assets.core.registry import discover
from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.market.bars import microseconds
from quant_assets.quant.market.memory import Memory
from quant_assets.quant.sizing.entry.units import ENTRIES_ONLY, EQUITY_FRACTION, EntrySizes, Resize

__all__ = ["EntrySizer", "FollowedSizer", "entry_sizers"]

MICROSECONDS_PER_DAY = 86_400_000_000.0
ENTRY_SIZERS = "quant_assets.quant.sizing.entry"


@dataclass(frozen=True, kw_only=True)
class EntrySizer(Parameters, ABC):
    """How large a position is opened when a signal asks for it.

    Row t is for entries decided at the close of bar t and uses bars up to t. What is not known well
    enough gets 0: no entry. `unit` is one of the constants of `sizing.entry.units`.
    """

    unit: ClassVar[int]

    @property
    def memory(self) -> Memory | None:
        """Earlier bars on which a size depends; None, unless told otherwise: all of them."""
        return None

    @property
    def resize(self) -> Resize:
        """Whether positions follow the sizes of later bars; unless told otherwise they do not."""
        return ENTRIES_ONLY

    @abstractmethod
    def size(self, bars: BarPanel, sides: Floats) -> Floats:
        """`(time or 1, symbol)`, at least 0 or NaN for unknown; `sides` as in `sizes`."""

    def sizes(self, bars: BarPanel, sides: npt.ArrayLike | None = None) -> EntrySizes:
        """Sizes and their unit; never NaN or below 0.

        sides : `(time, symbol)`, -1 where an entry would be short, else it is long; without it all
        are long. Only sizers that bet on an edge look at it.
        """
        size = np.asarray(self.size(bars, _sides(sides, bars)), dtype=np.float64)
        known = np.fmax(size, 0.0)
        known[known == np.inf] = 0.0
        return EntrySizes(np.ascontiguousarray(known), self.unit)

    def everywhere(self, bars: BarPanel, value: float) -> Floats:
        """One size for all bars and symbols."""
        return np.full((1, len(bars.symbols)), value)


@dataclass(frozen=True, kw_only=True)
class FollowedSizer(EntrySizer):
    """A sizer of weights that positions can follow after their entry.

    resize_bars : positions are looked at every so many bars after their entry; 0: never.
    resize_band : those whose weight differs from the size of that bar by more than this share of it
        are brought there at the next fill. Unknown sizes change nothing.
    """

    unit: ClassVar[int] = EQUITY_FRACTION
    resize_bars: int = whole(0, least=0)
    resize_band: float = number(0.10, least=0.0)

    @property
    def resize(self) -> Resize:
        """See the base class."""
        return Resize(self.resize_bars, self.resize_band if self.resize_bars else 0.0)


def _sides(sides: npt.ArrayLike | None, bars: BarPanel) -> Floats:
    if sides is None:
        return np.broadcast_to(np.ones((1, 1)), bars.close.shape)
    given = np.asarray(sides, dtype=np.float64)
    if given.shape != bars.close.shape:
        raise DataError(f"sides have shape {given.shape}, the bars {bars.close.shape}")
    return np.where(given < 0.0, -1.0, 1.0)


def bars_per_year(bars: BarPanel, stated: float | None) -> Floats:
    """Bars in a year `(time, 1)`: as stated, or bars so far over the time they took, up to row t.

    NaN in row 0. A year has 365.25 days.
    """
    if stated is not None:
        return np.full((len(bars), 1), stated)
    moments = microseconds(bars.ts)  # numpy divides whole numbers ten times faster than timedeltas
    elapsed = (moments - moments[:1]).astype(np.float64)
    elapsed /= MICROSECONDS_PER_DAY
    elapsed /= 365.25
    elapsed[:1] = np.nan
    found: Floats = np.divide(np.arange(float(len(bars))), elapsed, out=elapsed)
    return found[:, None]


def free_returns(bars: BarPanel, risk_free_rate: float, stated: float | None) -> Floats:
    """Risk-free return of each bar `(time, 1)`: geometric, by bars a year or by the clock."""
    if risk_free_rate <= -1.0:
        raise ConfigError(f"risk_free_rate is {risk_free_rate}; it must be above -1")
    if stated is not None:
        share = np.full(len(bars), 1.0 / stated)
    else:
        share = np.diff(bars.ts, prepend=bars.ts[:1]) / np.timedelta64(1, "D") / 365.25
    return np.asarray((1.0 + risk_free_rate) ** share - 1.0)[:, None]


def entry_sizers() -> dict[str, type[EntrySizer]]:
    """Every entry sizer of the package and of plug-ins, by name."""
    return discover(ENTRY_SIZERS, EntrySizer)
