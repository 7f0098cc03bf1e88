"""The sample mean."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.means.base import Floats, MeanEstimator


@dataclass(frozen=True)
class SampleMean(MeanEstimator):
    """Arithmetic mean of the rows."""

    name: ClassVar[str] = "sample"

    def estimate(self, rows: Floats) -> Floats:
        """Average over time."""
        return np.asarray(rows.mean(axis=0))
