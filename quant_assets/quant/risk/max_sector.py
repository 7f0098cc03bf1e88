"""A limit of one group of symbols."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import ExposureLimit, named_symbols

__all__ = ["MaxSector"]


@dataclass(frozen=True, kw_only=True)
class MaxSector(ExposureLimit):
    """`sum of |position x price| of one sector <= pct x equity`; its positions are cut alike.

    sectors : symbol to the name of its sector. Symbols without one form a group of their own each.
    """

    name: ClassVar[str] = "max_sector"
    pct: float = number(0.30, above=0.0)
    sectors: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.sectors, Mapping):
            raise ConfigError(f"max_sector: sectors is {self.sectors!r}; map symbols to sectors")
        object.__setattr__(self, "sectors", dict(sorted(self.sectors.items())))

    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """See the base class."""
        named_symbols(self, self.sectors, bars)
        names = sorted(set(self.sectors.values()))
        codes = [
            names.index(self.sectors[symbol]) if symbol in self.sectors else len(names) + column
            for column, symbol in enumerate(bars.symbols)
        ]
        sector = np.array(codes, dtype=np.int64)
        return {**self.bounds("sector", self.pct), "sector": sector}
