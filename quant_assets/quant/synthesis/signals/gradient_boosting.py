"""Signal `gradient_boosting`: many small trees, for what no line can say."""

from typing import ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from quant_assets.quant.market.panel import Floats
from quant_assets.quant.synthesis.signals.training import Learned, TrainingTable

SIZES = (10, 30, 100)  # trees


class GradientBoosting(Learned):
    """Boosted regression trees (Friedman 2001) of depth 3 on the features' ranks.

    Least squares, learning rate 0.05, at least 50 rows a leaf; the candidates are the first 10, 30
    and 100 trees of one model. scikit-learn's histogram version, seed 0. Slow: about a hundred
    times the time of `model`.
    """

    name: ClassVar[str] = "gradient_boosting"
    by_default: ClassVar[bool] = False

    def predict(self, table: TrainingTable, ahead: Floats) -> Floats:
        """See the base class."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        model = HistGradientBoostingRegressor(
            max_iter=SIZES[-1],
            max_depth=3,
            learning_rate=0.05,
            min_samples_leaf=50,
            early_stopping=False,
            random_state=0,
        )
        with threadpool_limits(1):  # its threads wait for each other longer than they work
            stages = list(model.fit(table.x, table.y).staged_predict(ahead))
        return np.stack([stages[size - 1] for size in SIZES])
