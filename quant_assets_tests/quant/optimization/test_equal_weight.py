"""Equal weights by hand."""

import numpy as np
import pytest

from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.equal_weight import EqualWeight
from quant_assets_tests.quant.optimization.samples import market


@pytest.mark.parametrize(("n_assets", "budget"), [(1, 1.0), (4, 1.0), (5, 0.5)])
def test_equal_weight_splits_the_budget(n_assets, budget):
    fitted = EqualWeight(constraints=Constraints(budget=budget)).fit(market(10, n_assets))
    np.testing.assert_array_equal(fitted.weights_, np.full(n_assets, budget / n_assets))
    assert fitted.solver_report_.solver == "closed form"
    assert fitted.solver_report_.objective == budget / n_assets
