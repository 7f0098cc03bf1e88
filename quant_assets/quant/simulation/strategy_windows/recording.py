"""A strategy that is run bar by bar, and what it decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.data_window import DataWindow
from quant_assets.quant.strategies.base import Account, BarStrategy, Decision
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import FLAGS, Signals

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Recorded(BarStrategy):
    """Passes everything on to `strategy`, and keeps the signals of each bar by its row."""

    name: str  # type: ignore[misc]  # that of the other
    strategy: BarStrategy
    rows: dict[int, Signals] = field(default_factory=dict)

    @property
    def warm_up(self) -> int:
        """See the base class."""
        return self.strategy.warm_up

    def plan(self, bars: BarPanel) -> Plan:
        """See the base class."""
        return self.strategy.plan(bars)

    def indicators(self, bars: BarPanel) -> Mapping[str, npt.NDArray[np.float64]]:
        """See the base class."""
        return self.strategy.indicators(bars)

    def on_bar(self, window: DataWindow, account: Account) -> Decision:
        """See the base class."""
        decision = self.strategy.on_bar(window, account)
        if isinstance(decision, Signals):
            self.rows[len(window) - 1] = decision
        return decision

    def signals(self, shape: tuple[int, int]) -> Arrays:
        """All signals as arrays `(time, symbol)`, by their fields."""
        found: Arrays = {}
        for row, decision in self.rows.items():
            for name in Signals.__dataclass_fields__:
                values = getattr(decision, name)
                if values is None:
                    continue
                if name not in found:
                    found[name] = np.full(shape, False if name in FLAGS else np.nan)
                found[name][row] = values
        return found
