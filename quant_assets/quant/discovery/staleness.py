"""Screen `staleness`: the price moved recently."""

from typing import ClassVar

import numpy as np

from quant_assets.core.venues import DiscoveryParameters
from quant_assets.quant.discovery.base import Bools, Screen, ScreenInputs
from quant_assets.quant.market.panel import Floats


class Staleness(Screen):
    """Grid rows at the end of the history without a new price, against `max_stale_bars`.

    Counted from the last row whose close differs from the close before it (or is the first one).
    A missing close is no new price. NaN, which fails, for a symbol without any close.
    """

    name: ClassVar[str] = "staleness"

    def measure(self, inputs: ScreenInputs) -> Floats:
        """See the base class."""
        close = inputs.close.values
        present = ~np.isnan(close)
        if len(close) == 0:
            return np.full(close.shape[1], np.nan)
        rows = np.arange(len(close))[:, None]
        newest = np.maximum.accumulate(np.where(present, rows, -1), axis=0)
        before = np.concatenate([np.full((1, close.shape[1]), -1), newest[:-1]])
        previous = np.take_along_axis(close, np.maximum(before, 0), axis=0)
        is_new = present & ((before < 0) | (close != previous))
        stale = np.argmax(is_new[::-1], axis=0).astype(np.float64)
        return np.where(present.any(axis=0), stale, np.nan)

    def limit(self, parameters: DiscoveryParameters) -> float:
        """`max_stale_bars`."""
        return float(parameters.max_stale_bars)

    def accepts(self, values: Floats, limit: float) -> Bools:
        """At most the limit."""
        return values <= limit
