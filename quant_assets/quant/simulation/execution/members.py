"""The universe of bars as the event kernel and the preparation of a run read it."""

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.book import Codes, Integers
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION, EntrySizes


def equal_parts(bars: BarPanel) -> EntrySizes:
    """Equity in equal parts: one for each symbol, or for each member at the decision."""
    n_symbols = len(bars.symbols)
    if bars.universe is None:
        return EntrySizes(np.full((1, n_symbols), 1.0 / n_symbols), EQUITY_FRACTION)
    n = np.maximum(bars.members.sum(axis=1, keepdims=True), 1)
    parts = np.ascontiguousarray(np.broadcast_to(1.0 / n, bars.close.shape))
    return EntrySizes(parts, EQUITY_FRACTION)


def member_codes(bars: BarPanel, order: Integers) -> Codes:
    """1 for members of the universe, columns in this order; empty without one."""
    if bars.universe is None:
        return np.zeros((0, 0), dtype=np.int8)
    return np.ascontiguousarray(bars.members[:, order], dtype=np.int8)


def closes_left(bars: BarPanel) -> bool:
    """Whether positions are closed whose symbols have left the universe."""
    return bars.universe is not None and bars.universe.on_exit == "close"
