"""Bollinger bands inside the Keltner channel: volatility has contracted."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.volatility import BollingerBands, KeltnerChannels
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["BollingerSqueeze"]


@dataclass(frozen=True, kw_only=True)
class BollingerSqueeze(Rule):
    """Both bands lie strictly inside the channel (Carter 2005).

    Bands: `period` closes, `std_dev` deviations; channel: EMA of `period`, `multiple` average true
    ranges of `period` bars.
    """

    name: ClassVar[str] = "bollinger_squeeze"
    period: int = 20
    std_dev: float = 2.0
    multiple: float = 1.5

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        bands = BollingerBands(self.period, self.std_dev)
        channel = KeltnerChannels(self.period, self.period, self.multiple)
        return tuple(Line(kind, edge) for kind in (bands, channel) for edge in ("upper", "lower"))

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return tuple(rows[line] for line in self.read_lines)

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        upper, lower, above, below = values
        return (upper < above) & (lower > below)
