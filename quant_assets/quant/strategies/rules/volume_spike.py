"""Volume far above its average."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.averages import Sma
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["VolumeSpike"]


@dataclass(frozen=True, kw_only=True)
class VolumeSpike(Rule):
    """Volume is above `multiple` times its mean of the `period` bars before."""

    name: ClassVar[str] = "volume_spike"
    period: int = 20
    multiple: float = 2.0

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Sma(self.period).on("volume")),)

    @property
    def back(self) -> int:
        """See the base class."""
        return 1

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return rows["volume"], rows.before(self.read_lines[0], 1)

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        volume, average = values
        return volume > self.multiple * average
