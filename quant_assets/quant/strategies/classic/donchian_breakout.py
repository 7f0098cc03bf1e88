"""Out of the Donchian channel, sized and stopped by N: the turtle rules."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.indicators.channels import DonchianChannels
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.atr_stop import AtrStop
from quant_assets.quant.risk.combined import exit_terms
from quant_assets.quant.sizing.entry.atr_risk import AtrRisk
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, flags
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

__all__ = ["DonchianBreakout"]


@dataclass(frozen=True, kw_only=True)
class DonchianBreakout(RowStrategy):
    """In when the close leaves the channel of the last `entry` bars, out when it leaves `leave`.

    An average true range (`n`) against the position costs `risk` of equity, and `stop` of them from
    the fill end it. `both`: short below the channel likewise. The turtles bought intraday, at the
    edge itself, and added to winners; here the close decides, and there is one unit.
    """

    name: ClassVar[str] = "donchian_breakout"
    source: ClassVar[str] = "Donchian (1960); Faith (2007), Way of the Turtle"
    symbolwise: ClassVar[bool] = True
    entry: int = whole(20, least=1)
    leave: int = whole(10, least=1)
    n: int = whole(20, least=1)
    stop: float = number(2.0, above=0.0)
    risk: float = number(0.01, above=0.0, below=1.0)
    sides: Literal["both", "long"] = choice("both", "long")

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        channels = DonchianChannels(self.entry), DonchianChannels(self.leave)
        return tuple(Line(of, name) for of in channels for name in ("upper", "lower"))

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    @property
    def warm_up(self) -> int:
        """See the base class."""
        return max(super().warm_up, self.n)

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        close = rows["close"]
        top, bottom, ceiling, floor = (rows.before(line, 1) for line in self.lines())
        return flags(
            self.sides, long=(close > top, close < floor), short=(close < bottom, close > ceiling)
        )

    def plan(self, bars: BarPanel) -> Plan:
        """See the base class."""
        return Plan(
            sizes=AtrRisk(risk=self.risk, multiple=1.0, n=self.n).sizes(bars),
            exits=exit_terms([AtrStop(multiple=self.stop, n=self.n)], bars),
        )
