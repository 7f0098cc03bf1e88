"""What an objective is: one number of a trial's returns, the larger the better."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.core.parameters import Parameters

__all__ = ["Objective"]

OBJECTIVES = "quant_assets.quant.tuning.objectives"
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Objective(Parameters, ABC):
    """One number of a trial; a search keeps the largest."""

    @abstractmethod
    def measure(self, returns: Floats, periods_per_year: float) -> float:
        """The value for simple returns `(time,)`, one or more; NaN: undefined, never chosen."""
