"""Out of a squeeze: Bollinger bands leave the Keltner channel."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.indicators.oscillators import Momentum
from quant_assets.quant.indicators.volatility import BollingerBands, KeltnerChannels
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, flags
from quant_assets.quant.strategies.signals import Signals

__all__ = ["KeltnerSqueeze"]


@dataclass(frozen=True, kw_only=True)
class KeltnerSqueeze(RowStrategy):
    """In on the first bar whose Bollinger bands are no longer inside the Keltner channel.

    The side is that of the momentum (close less the close `momentum` bars before); out when the
    momentum changes its sign. `both`: short where it is below 0.
    """

    name: ClassVar[str] = "keltner_squeeze"
    source: ClassVar[str] = "Carter (2005), Mastering the Trade, chapter 11"
    symbolwise: ClassVar[bool] = True
    n: int = whole(20, least=2)
    deviations: float = number(2.0, above=0.0)
    ranges: float = number(1.5, above=0.0)
    momentum: int = whole(12, least=1)
    sides: Literal["both", "long"] = choice("both", "long")

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        bands = BollingerBands(self.n, self.deviations)
        channel = KeltnerChannels(self.n, self.n, self.ranges)
        edges = tuple(Line(of, name) for of in (bands, channel) for name in ("upper", "lower"))
        return *edges, Line(Momentum(self.momentum))

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        upper, lower, top, bottom, momentum = self.lines()
        was_inside = rows.before(upper, 1) < rows.before(top, 1)
        was_inside &= rows.before(lower, 1) > rows.before(bottom, 1)
        released = was_inside & ((rows[upper] >= rows[top]) | (rows[lower] <= rows[bottom]))
        rises, falls = rows[momentum] > 0.0, rows[momentum] < 0.0
        return flags(self.sides, long=(released & rises, falls), short=(released & falls, rises))
