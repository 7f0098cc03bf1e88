"""Funding is taken as zero, and the report says so."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.funding.base import NO_EVENTS, FundingModel
from quant_assets.quant.simulation.state import Events


@dataclass(frozen=True, kw_only=True)
class AssumeZero(FundingModel):
    """No settlement is paid or received, even where some are known."""

    name: ClassVar[str] = "assume_zero"

    def events(self, bars: BarPanel, funding: pd.DataFrame | None) -> Events:
        """See the base class."""
        del bars, funding
        return NO_EVENTS
