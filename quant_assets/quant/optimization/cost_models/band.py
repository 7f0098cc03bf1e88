"""Cost model `band`: leave small differences alone."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.cost_models.base import CostModel, Floats

WIDTH = 0.01  # of equity


class Band(CostModel):
    """Hold what lies within 1 % of equity of its target; trade the rest to the edge of that band.

    With proportional costs there is a region of no trade, and the best trade ends on its edge
    (Davis & Norman 1990). What the target leaves out is sold whole.
    """

    name: ClassVar[str] = "band"

    def aim(self, target: Floats, previous: Floats) -> Floats:
        """See the base class."""
        edge = np.clip(previous, target - WIDTH, target + WIDTH)
        return np.where(target == 0.0, 0.0, edge)
