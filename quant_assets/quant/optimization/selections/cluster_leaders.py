"""Selection `cluster_leaders`: the best-scored half of every cluster."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.selections.base import Mask, Offered, Selection, best


class ClusterLeaders(Selection):
    """The better half of each cluster by `alpha`, rounded up: good names, and no cluster lost."""

    name: ClassVar[str] = "cluster_leaders"

    def choose(self, offered: Offered) -> Mask:
        """See the base class."""
        chosen = np.zeros(len(offered.alpha), dtype=bool)
        for label in np.unique(offered.cluster):
            members = np.flatnonzero(offered.cluster == label)
            chosen[members] = best(offered.alpha[members], -(-len(members) // 2))
        return chosen
