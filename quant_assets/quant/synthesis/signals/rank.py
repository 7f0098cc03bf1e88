"""Signal `rank`: the mean of the features' ranks, each with the sign that the literature gives."""

from typing import ClassVar

import numpy as np

from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.ranks import rank_percentiles
from quant_assets.quant.synthesis.signals.base import Signal, SignalInputs, no_opinion

# +1: a higher value is better. Momentum: Jegadeesh & Titman (1993); trend: Moskowitz et al.
# (2012); 52-week high: George & Hwang (2004); volatility: Ang et al. (2006); beta: Frazzini &
# Pedersen (2014); reversal: Jegadeesh (1990), already signed so that losers of the month score
# high. Drawdown is negative, so nearer to 0 is higher.
SIGNS: dict[str, int] = {
    "beta": -1,
    "distance_52w_high": +1,
    "drawdown": +1,
    "momentum_12_1": +1,
    "reversal_1m": +1,
    "trend": +1,
    "volatility": -1,
}


class Rank(Signal):
    """Mean of sign-adjusted cross-sectional percentiles over all features of known sign.

    p becomes 1 - p where the sign is negative; the mean over a symbol's available features is
    mapped by 2p - 1. A feature without an entry in `SIGNS` has no direction and is left out.
    """

    name: ClassVar[str] = "rank"

    def score(self, inputs: SignalInputs, telemetry: Telemetry) -> Floats:
        """See the base class; NaN for a symbol without any feature of known sign."""
        names = [name for name in sorted(inputs.features) if name in SIGNS]
        telemetry.log_metrics(self.name, {"features": float(len(names))})
        if not names:
            return no_opinion(inputs)
        percentiles = rank_percentiles(np.stack([inputs.features[name] for name in names]))
        signs = np.array([SIGNS[name] for name in names], dtype=np.float64)[:, None]
        centred = signs * (2.0 * percentiles - 1.0)
        available = ~np.isnan(centred)
        counts = available.sum(axis=0)
        total = np.where(available, centred, 0.0).sum(axis=0)
        return np.asarray(np.where(counts > 0, total / np.maximum(counts, 1), np.nan))
