"""Signal `elastic_net`: a linear model that may leave features out."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.market.panel import Floats
from quant_assets.quant.synthesis.signals.training import Learned, TrainingTable

L1_RATIO = 0.5
SHARES = (0.5, 0.2, 0.05, 0.01)  # of the penalty that leaves out every feature


class ElasticNet(Learned):
    """Elastic net (Zou & Hastie 2005) of demeaned forward returns on the features' ranks.

    The l1 share is 0.5; the candidates' penalties are shares of the smallest one that leaves out
    every feature. scikit-learn's coordinate descent.
    """

    name: ClassVar[str] = "elastic_net"
    by_default: ClassVar[bool] = False

    def predict(self, table: TrainingTable, ahead: Floats) -> Floats:
        """See the base class."""
        from sklearn.linear_model import enet_path

        centre, deviation = table.x.mean(axis=0), table.x.std(axis=0)
        scale = np.where(deviation > 0.0, deviation, 1.0)
        x = (table.x - centre) / scale
        y = table.y - table.y.mean()
        largest = np.abs(x.T @ y).max() / (len(y) * L1_RATIO)
        if largest == 0.0:
            return np.zeros((len(SHARES), len(ahead)))
        _, coefficients, _ = enet_path(
            x, y, l1_ratio=L1_RATIO, alphas=largest * np.array(SHARES), tol=1e-8, max_iter=5_000
        )
        return np.asarray(((ahead - centre) / scale @ coefficients).T)
