"""What a cost model is: how far an entrant goes from what it holds towards its target."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class CostModel(ABC):
    """Turn a target into the weights worth trading to; add one by adding a file.

    Hardening then brings the answer within the venue's limits, so it need not sum to the budget.
    """

    name: ClassVar[str]

    @abstractmethod
    def aim(self, target: Floats, previous: Floats) -> Floats:
        """Weights (instrument,) to trade to; `previous` are those held, drifted to now.

        An entrant that holds nothing yet is not asked: it trades to its target.
        """
