"""What a strategy is: bar by bar, over arrays, or both with the same trades."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import Memory
from quant_assets.quant.strategies.orders import Cancel, OpenOrder, Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

if TYPE_CHECKING:
    from quant_assets.quant.market.data_window import DataWindow

__all__ = ["Account", "BarStrategy", "Strategy", "VectorStrategy"]

Floats = npt.NDArray[np.float64]
Decision = Signals | Sequence[Order | Cancel] | None


@dataclass(frozen=True)
class Account:
    """The account at the close of the current bar; read-only arrays `(symbol,)`.

    position : signed units. entry_price : average price of the open position, NaN where flat.
    bars_held : bars since the position was opened. drawdown : 1 - equity / highest equity.
    heat : money that is lost when every stop is met, as a fraction of equity.
    open_orders : what waits for its fill, oldest first.
    """

    symbols: tuple[str, ...]
    cash: float
    equity: float
    position: Floats
    entry_price: Floats
    bars_held: npt.NDArray[np.int64]
    drawdown: float
    heat: float
    open_orders: tuple[OpenOrder, ...] = ()

    def position_of(self, symbol: str) -> float:
        """Signed units of one symbol."""
        return float(self.position[self.symbols.index(symbol)])


@dataclass(frozen=True, kw_only=True)
class Strategy(ABC):
    """Name, version and parameters (dataclass fields) of a trading rule.

    Subclass `VectorStrategy` or `BarStrategy`, or both; the two forms of one strategy give the same
    trades. The signals of bar t may use bars up to t. `warm_up` bars come before the first trade.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1.0.0"

    @property
    def warm_up(self) -> int:
        """Bars that must be known before the first decision; no order is placed before."""
        return 0

    def warm_up_on(self, bars: BarPanel) -> int:
        """Bars of these that must be known before the first decision: `warm_up` or more.

        More where longer timeframes are read, whose bars are not counted before there are bars.
        """
        del bars
        return self.warm_up

    def memory(self, bar_length: timedelta) -> Memory | None:
        """Earlier bars on which its decisions and its plan depend, to the last bit.

        None, unless told otherwise: all of them. Assets then read the whole history in each window.
        """
        del bar_length
        return None

    def plan(self, bars: BarPanel) -> Plan:
        """Sizes, protective exits, limits and labels of its decisions; row t from bars up to t."""
        del bars
        return Plan()


class VectorStrategy(Strategy):
    """A strategy over arrays: all decisions at once.

    `symbolwise` promises that signals and plan of a symbol depend on the bars of that symbol alone:
    accounts of one symbol may then be simulated a few symbols at a time.
    """

    symbolwise: ClassVar[bool] = False

    @abstractmethod
    def signals(self, bars: BarPanel) -> Signals:
        """Decisions `(time, symbol)`: row t from bars up to t."""


class BarStrategy(Strategy):
    """A strategy that sees bar after bar what was known, and its account."""

    def indicators(self, bars: BarPanel) -> Mapping[str, Floats]:
        """Causal arrays `(time, symbol)` that the window shows up to its own row."""
        del bars
        return {}

    @abstractmethod
    def on_bar(self, window: "DataWindow", account: Account) -> Decision:
        """Decide at the close of the window's last bar.

        Returns signals of one bar (`(symbol,)` arrays), orders and cancels, or None.
        """
