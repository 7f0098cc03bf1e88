"""What warms the kernels up compiles the very types that the optimizers pass."""

import numpy as np
import pytest

from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.equal_risk_contribution import EqualRiskContribution
from quant_assets.quant.optimization.hierarchical_risk_parity import HierarchicalRiskParity
from quant_assets.quant.optimization.minimum_cvar import MinimumCVaR
from quant_assets.quant.optimization.minimum_worst_loss import MinimumWorstLoss
from quant_assets.quant.optimization.risk_budgeting import RiskBudgeting
from quant_assets.quant.optimization.solvers import risk_budget_kernel, tail_kernel, tree_kernel
from quant_assets_tests.quant.optimization.samples import market

MODULES = (risk_budget_kernel, tail_kernel, tree_kernel)


def compiled(module: object) -> dict[str, int]:
    """Number of compiled signatures of each kernel."""
    kernels = {n: k for n, k in vars(module).items() if hasattr(k, "signatures")}
    assert kernels
    return {name: len(kernel.signatures) for name, kernel in kernels.items()}


@pytest.mark.parametrize("writeable", [True, False])
@pytest.mark.parametrize("order", ["C", "F"])
def test_kernels_compile_nothing_beyond_their_warm_up(order, writeable):
    for module in MODULES:
        module.warm_up()
    before = [compiled(module) for module in MODULES]
    returns = np.array(market(60, 5), order=order)
    returns.flags.writeable = writeable
    for optimizer in (
        EqualRiskContribution(),
        RiskBudgeting(budgets=(1.0, 2.0, 3.0, 4.0, 5.0)),
        HierarchicalRiskParity(),
        HierarchicalRiskParity(covariance="sample", distance="of_correlations"),
        MinimumCVaR(constraints=Constraints(upper=0.4), level=0.9),
        MinimumWorstLoss(),
    ):
        optimizer.fit(returns)
    assert [compiled(module) for module in MODULES] == before
