"""In for the winter half of the year."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import whole
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, next_weekday
from quant_assets.quant.strategies.signals import Signals

__all__ = ["Halloween"]


@dataclass(frozen=True, kw_only=True)
class Halloween(RowStrategy):
    """Held from the month `first` to the end of the month `last`: November to April.

    The decision is for the next weekday.
    """

    name: ClassVar[str] = "halloween"
    source: ClassVar[str] = "Bouman & Jacobsen (2002), Sell in May and Go Away"
    symbolwise: ClassVar[bool] = True
    first: int = whole(11, least=1)
    last: int = whole(4, least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.first > 12 or self.last > 12:
            raise ConfigError(f"{self.name}: months are {self.first} and {self.last}; 12 at most")

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        month = next_weekday(rows).astype("datetime64[M]").astype(np.int64) % 12 + 1
        begun, ends = month >= self.first, month <= self.last
        inside = begun & ends if self.first <= self.last else begun | ends
        here = np.broadcast_to(inside[:, None], rows.shape)
        return Signals(entry_long=np.array(here), exit_long=~here)
