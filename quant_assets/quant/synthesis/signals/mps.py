"""Signal `mps`: the multiplicative probability score."""

from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.ranks import rank_percentiles
from quant_assets.quant.synthesis.signals.base import (
    Signal,
    SignalInputs,
    centred_ranks,
    no_opinion,
)


class MultiplicativeProbabilityScore(Signal):
    """Weighted geometric mean of percentiles, so that one bad feature cannot be outvoted.

    `score = exp(sum |w_i| log q_i / sum |w_i|)` with q = p for a positive weight and 1 - p for a
    negative one; p are cross-sectional percentiles, weights are `alpha.mps_weights`. Sums run
    over the features that a symbol has. The percentiles of the scores are mapped by 2p - 1.
    """

    name: ClassVar[str] = "mps"

    def score(self, inputs: SignalInputs, telemetry: Telemetry) -> Floats:
        """See the base class; NaN for a symbol without any weighted feature.

        Raises `ConfigError` for a weight whose feature does not exist.
        """
        weights = {name: w for name, w in sorted(inputs.alpha.mps_weights.items()) if w != 0.0}
        unknown = sorted(weights.keys() - inputs.features.keys())
        if unknown:
            raise ConfigError(
                f"alpha.mps_weights names unknown features {unknown}; "
                f"known: {sorted(inputs.features)}"
            )
        telemetry.log_metrics(self.name, {"features": float(len(weights))})
        if not weights:
            return no_opinion(inputs)
        percentiles = rank_percentiles(np.stack([inputs.features[name] for name in weights]))
        return centred_ranks(log_score(percentiles, np.array(list(weights.values()))))


def log_score(percentiles: Floats, weights: Floats) -> Floats:
    """Logarithm of the weighted geometric mean, shape (symbol,).

    percentiles : (feature, symbol) in (0, 1), NaN = left out of that symbol's mean.
    weights : (feature,).
    """
    signed = weights[:, None]
    probabilities = np.where(signed > 0, percentiles, 1.0 - percentiles)
    available = ~np.isnan(probabilities)
    size = np.where(available, np.abs(signed), 0.0)
    logs = np.log(np.where(available, probabilities, 1.0))
    total = size.sum(axis=0)
    mean = (size * logs).sum(axis=0) / np.where(total > 0, total, 1.0)
    return np.asarray(np.where(total > 0, mean, np.nan))
