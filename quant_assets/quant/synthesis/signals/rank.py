"""Signal `rank`: the mean of the features' ranks, each with the direction that it declares."""

from typing import ClassVar

import numpy as np

from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.ranks import rank_percentiles
from quant_assets.quant.synthesis.signals.base import Signal, SignalInputs, no_opinion


class Rank(Signal):
    """Mean of sign-adjusted cross-sectional percentiles over all features with a direction.

    p becomes 1 - p where a higher value is worse; the mean over a symbol's available features is
    mapped by 2p - 1. A feature whose `direction` is 0 is left out.
    """

    name: ClassVar[str] = "rank"

    def score(self, inputs: SignalInputs, telemetry: Telemetry) -> Floats:
        """See the base class; NaN for a symbol without any feature that has a direction."""
        names = [name for name in sorted(inputs.features) if inputs.directions.get(name)]
        telemetry.log_metrics(self.name, {"features": float(len(names))})
        if not names:
            return no_opinion(inputs)
        percentiles = rank_percentiles(np.stack([inputs.features[name] for name in names]))
        signs = np.array([inputs.directions[name] for name in names], dtype=np.float64)[:, None]
        centred = signs * (2.0 * percentiles - 1.0)
        available = ~np.isnan(centred)
        counts = available.sum(axis=0)
        total = np.where(available, centred, 0.0).sum(axis=0)
        return np.asarray(np.where(counts > 0, total / np.maximum(counts, 1), np.nan))
