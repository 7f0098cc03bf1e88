"""How sure it is that the Sharpe ratio is above what luck gives the best of many trials."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import whole
from quant_assets.quant.statistics.sharpe_inference import deflated_sharpe_ratio
from quant_assets.quant.tuning.objectives.base import Floats, Objective

__all__ = ["DeflatedSharpe"]


@dataclass(frozen=True, kw_only=True)
class DeflatedSharpe(Objective):
    """Deflated Sharpe ratio, a probability, against the best of `n_trials` without skill.

    While a search runs, the variance of all its Sharpe ratios is not known yet: here it is that
    of independent trials without skill, `1 / (rows - 1)`. `overfitting_scores` takes the observed
    one afterwards.
    """

    name: ClassVar[str] = "deflated_sharpe"
    n_trials: int = whole(100, least=1)

    def measure(self, returns: Floats, periods_per_year: float) -> float:
        """See the base class."""
        del periods_per_year
        if len(returns) < 2:
            return float("nan")
        variance = 1.0 / (len(returns) - 1.0)
        return float(
            deflated_sharpe_ratio(returns, n_trials=self.n_trials, trial_variance=variance)
        )
