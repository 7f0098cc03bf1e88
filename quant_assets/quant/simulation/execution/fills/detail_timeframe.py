"""Bars of a finer clock decide what was met first inside of a bar."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from quant_assets.core.errors import ConfigError
from quant_assets.core.venues import parse_duration
from quant_assets.quant.simulation.execution.fills.base import FillModel
from quant_assets.quant.simulation.execution.terms import NEXT_OPEN


@dataclass(frozen=True, kw_only=True)
class DetailTimeframe(FillModel):
    """At the next open; stops, targets and limits are followed on bars of `timeframe`.

    Of 1h bars with 5m detail, the first of the twelve that meets stop or target decides; only a
    detail bar that meets both falls back to `same_bar`. The finer bars are given with the run, and
    the run is refused without them. timeframe : `5m`, `1h`.
    """

    name: ClassVar[str] = "detail_timeframe"
    model: ClassVar[int] = NEXT_OPEN
    timeframe: str = "5m"

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            length = parse_duration(self.timeframe)
        except ValueError as cause:
            raise ConfigError(f"detail_timeframe: timeframe: {cause}") from cause
        if not isinstance(length, timedelta) or length <= timedelta(0):
            raise ConfigError(f"detail_timeframe: timeframe is {self.timeframe!r}; write 5m or 1h")

    @property
    def detail(self) -> timedelta | None:
        """See the base class."""
        length: timedelta = parse_duration(self.timeframe)
        return length
