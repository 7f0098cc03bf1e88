"""Selection `calm_half`: the half of the streams that moved least."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.selections.base import Mask, Offered, Selection, best


class CalmHalf(Selection):
    """The half, rounded up, with the least standard deviation over the training rows.

    Fewer than two rows choose every stream.
    """

    name: ClassVar[str] = "calm_half"

    def choose(self, offered: Offered) -> Mask:
        """See the base class."""
        if len(offered.returns) < 2:
            return np.ones(len(offered.alpha), dtype=bool)
        return best(-offered.returns.std(axis=0, ddof=1), -(-len(offered.alpha) // 2))
