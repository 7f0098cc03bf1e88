"""Cash and carry: spot against a perpetual that is too dear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number, whole
from quant_assets.quant.indicators.rolling import ZScore
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION, EntrySizes
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

__all__ = ["Basis"]


DEAR, SIDE = "basis.z", "basis.side"


@dataclass(frozen=True, kw_only=True)
class Basis(RowStrategy):
    """Long spot and short its perpetual where the premium is `entry` deviations above its mean.

    The premium is perpetual over spot, less 1; mean and deviation are those of `n` bars. Both legs
    are closed when it is back at the mean. A perpetual is called as its spot with the settlement
    behind a colon (`BTC/USDT`, `BTC/USDT:USDT`); symbols without a partner are left alone. Each leg
    has an equal part of equity.
    """

    name: ClassVar[str] = "basis"
    source: ClassVar[str] = (
        "He, Manela, Ross & von Wachter (2022), Fundamentals of Perpetual Futures"
    )
    n: int = whole(288, least=2)
    entry: float = number(2.0, above=0.0)

    @property
    def back(self) -> int:
        """See the base class."""
        return self.n - 1

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """How dear the perpetual is, on both legs, and which leg is spot (1) or perpetual (-1)."""
        dear, side = np.full_like(bars.close, np.nan), np.zeros_like(bars.close)
        for perpetual, spot in _pairs(bars.symbols):
            premium = bars.close[:, perpetual] / bars.close[:, spot] - 1.0
            both = bars.members[:, perpetual] & bars.members[:, spot]
            premium = np.where(both, ZScore(self.n).compute(premium), 0.0)
            dear[:, perpetual] = dear[:, spot] = premium
            side[:, spot], side[:, perpetual] = 1.0, -1.0
        return {DEAR: dear, SIDE: side}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        enters, leaves = rows[DEAR] > self.entry, rows[DEAR] <= 0.0
        spot, perpetual = rows[SIDE] > 0.0, rows[SIDE] < 0.0
        return Signals(
            entry_long=enters & spot,
            exit_long=leaves & spot,
            entry_short=enters & perpetual,
            exit_short=leaves & perpetual,
        )

    def plan(self, bars: BarPanel) -> Plan:
        """See the base class."""
        n_legs = 2 * len(_pairs(bars.symbols))
        size = np.full((1, len(bars.symbols)), 1.0 / n_legs)
        return Plan(sizes=EntrySizes(size, EQUITY_FRACTION))


def _pairs(symbols: tuple[str, ...]) -> list[tuple[int, int]]:
    """Columns of each perpetual and its spot; a `ConfigError` when there is none."""
    at = {symbol: column for column, symbol in enumerate(symbols)}
    spots = {symbol: symbol.partition(":")[0] for symbol in symbols if ":" in symbol}
    found = [(at[perpetual], at[spot]) for perpetual, spot in spots.items() if spot in at]
    if not found:
        raise ConfigError(
            f"basis: no perpetual and its spot, as ABC/USD:USD and ABC/USD, among "
            f"{', '.join(symbols) or 'no symbols'}"
        )
    return found
