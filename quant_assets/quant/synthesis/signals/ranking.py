"""Signal `ranking`: a linear model that learns which of two symbols will do better."""

from itertools import pairwise
from typing import ClassVar

import numpy as np

from quant_assets.quant.market.panel import Floats
from quant_assets.quant.synthesis.signals.training import Learned, Rows, TrainingTable

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)  # scikit-learn's C: the inverse of the penalty


class Ranking(Learned):
    """Pairwise logistic ranking (Burges et al. 2005, RankNet, with a linear score).

    On each date the symbol with the highest forward return is paired with the lowest, the second
    with the second lowest, and so on; the model learns the probability that the first one wins
    from the difference of their features' ranks. Sizes of returns do not count, only their order.
    """

    name: ClassVar[str] = "ranking"
    by_default: ClassVar[bool] = False

    def predict(self, table: TrainingTable, ahead: Floats) -> Floats:
        """See the base class."""
        from sklearn.linear_model import LogisticRegression

        winners, losers = pairs(table)
        if len(winners) == 0:
            return np.zeros((len(STRENGTHS), len(ahead)))
        difference = table.x[winners] - table.x[losers]
        # Both orders of a pair: without them there would be one class, and the sign no meaning.
        x = np.concatenate([difference, -difference])
        won = np.repeat([1, 0], len(difference))
        scores = []
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, fit_intercept=False, tol=1e-8, max_iter=500)
            scores.append(ahead @ model.fit(x, won).coef_[0])
        return np.stack(scores)


def pairs(table: TrainingTable) -> tuple[Rows, Rows]:
    """Rows of the winners and the losers; equal returns make no pair."""
    order = np.lexsort((table.y, table.label_start))
    starts = table.label_start[order]
    bounds = [0, *(np.flatnonzero(starts[1:] != starts[:-1]) + 1).tolist(), len(order)]
    winners, losers = [], []
    for first, last in pairwise(bounds):
        half = (last - first) // 2
        losers.append(order[first : first + half])
        winners.append(order[last - half : last][::-1])
    high = np.concatenate([np.empty(0, dtype=np.intp), *winners])
    low = np.concatenate([np.empty(0, dtype=np.intp), *losers])
    unequal = table.y[high] > table.y[low]
    return high[unequal], low[unequal]
