"""Selection `all`: every stream."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.selections.base import Mask, Offered, Selection


class AllStreams(Selection):
    """Every stream that synthesis offers."""

    name: ClassVar[str] = "all"

    def choose(self, offered: Offered) -> Mask:
        """See the base class."""
        return np.ones(len(offered.alpha), dtype=bool)
