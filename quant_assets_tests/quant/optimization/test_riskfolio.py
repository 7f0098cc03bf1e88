"""Numbers that riskfolio-lib 7.4.0 (Clarabel) gives for the shared sample, tail 10 %, long only."""

import numpy as np
import pytest

from quant_assets.quant.optimization.base import Optimizer
from quant_assets.quant.optimization.cvar_budgeting import CVaRBudgeting
from quant_assets.quant.optimization.equal_risk_contribution import EqualRiskContribution
from quant_assets.quant.optimization.hierarchical_equal_risk import HierarchicalEqualRisk
from quant_assets.quant.optimization.hierarchical_risk_parity import HierarchicalRiskParity
from quant_assets.quant.optimization.minimum_cdar import MinimumCDaR
from quant_assets.quant.optimization.minimum_cvar import MinimumCVaR
from quant_assets.quant.optimization.minimum_semivariance import MinimumSemivariance
from quant_assets.quant.optimization.minimum_worst_loss import MinimumWorstLoss
from quant_assets_tests.quant.optimization.samples import market


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (MinimumCVaR(level=0.9), [0.15273788, 0.08184339, 0.11750004, 0.09499334, 0.55292535]),
        (MinimumWorstLoss(), [0.23989508, 0.0, 0.25071107, 0.05277525, 0.45661861]),
        (MinimumSemivariance(), [0.16702511, 0.07465627, 0.15214501, 0.15456897, 0.45160465]),
        (
            EqualRiskContribution(covariance="sample"),
            [0.18247023, 0.16108753, 0.20907185, 0.17757008, 0.26980031],
        ),
        (
            HierarchicalRiskParity(covariance="sample", distance="of_correlations"),
            [0.151136087, 0.1256019971, 0.2109970224, 0.1416961121, 0.3705687815],
        ),
        (
            HierarchicalEqualRisk(covariance="sample", n_clusters=2),
            [0.1347679925, 0.1256019971, 0.2109970224, 0.1462236434, 0.3824093447],
        ),
        pytest.param(
            MinimumCDaR(level=0.9),
            [0.34328345, 0.307539, 0.0, 0.0, 0.34917754],
            marks=pytest.mark.slow,
        ),
        pytest.param(
            CVaRBudgeting(level=0.9),
            [0.20202261, 0.14183309, 0.1754632, 0.18137751, 0.29930359],
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Optimizer) else "",
)
def test_weights_equal_riskfolio(optimizer, expected):
    weights = optimizer.fit(market(120, 5)).weights_
    # trees are closed forms, the others come from an interior point or a rounded print
    accuracy = 1e-9 if optimizer.name.startswith("hierarchical") else 2e-5
    np.testing.assert_allclose(weights, expected, atol=accuracy)
