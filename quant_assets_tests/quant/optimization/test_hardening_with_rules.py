"""Hardening towards targets that also have to keep a rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.constraints.base import HardeningProblem
from quant_assets.quant.optimization.constraints.cardinality import Cardinality
from quant_assets.quant.optimization.constraints.factor_exposure import FactorExposure
from quant_assets.quant.optimization.constraints.group_limits import GroupLimits
from quant_assets.quant.optimization.constraints.lots import Lots
from quant_assets.quant.optimization.constraints.maximum_correlation import MaximumCorrelation
from quant_assets.quant.optimization.constraints.tracking_error import TrackingErrorLimit
from quant_assets.quant.optimization.constraints.volatility_cap import VolatilityCap
from quant_assets.quant.optimization.hardening import constraints_of, harden, is_reachable

CASH = np.zeros(3)


@st.composite
def ruled_problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    n_assets = 8
    sample = rng.standard_normal((40, n_assets)) * rng.uniform(0.5, 2.0, n_assets) * 0.01
    covariance = np.cov(sample.T) * 252
    previous, target = rng.dirichlet(np.ones(n_assets)), rng.dirichlet(np.full(n_assets, 0.3))
    loadings = rng.standard_normal((n_assets, 2))
    middle = previous @ loadings
    risk = float(np.sqrt(previous @ covariance @ previous))
    rule = draw(
        st.sampled_from(
            [
                GroupLimits(tuple("abababab"), {"a": (0.2, 0.3)}),
                FactorExposure(loadings, middle - 0.05, middle + 0.05),
                VolatilityCap(covariance, risk * draw(st.sampled_from([0.3, 1.0]))),
                TrackingErrorLimit(previous, covariance, 0.02),
                Cardinality(3, 0.05),
                Lots(np.full(n_assets, 0.1)),
                MaximumCorrelation(np.corrcoef(sample.T), 0.1),
            ]
        )
    )
    limit = draw(st.sampled_from([None, 1.2, 0.3]))
    cap = draw(st.sampled_from([0.9, 0.3, 0.11]))
    return target, previous, HardeningProblem(max_weight=cap, max_turnover=limit, rules=(rule,))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(ruled_problems())
def test_harden_with_a_rule_keeps_everything_or_names_the_conflict(drawn):
    target, previous, problem = drawn
    rule = problem.rules[0]
    if not is_reachable(problem, previous):
        with pytest.raises(SolverError, match=" conflict for 8 assets"):
            harden(target, constraints=problem, previous=previous)
        return
    hardened = harden(target, constraints=problem, previous=previous)
    weights = hardened.weights
    assert rule.violation(weights) <= 1e-9
    for constraint in constraints_of(problem):
        assert constraint.violation(weights, previous) <= 1e-9
    if hardened.distance > 1e-5:
        assert hardened.binding != ()
    again = harden(weights, constraints=problem, previous=previous)
    np.testing.assert_allclose(again.weights, weights, atol=2e-5)


def test_harden_group_limit_by_hand():
    # the first two may hold 0.5: each gives 0.15, and the others take it
    rules = (GroupLimits(("a", "a", "b", "b"), {"a": (0.0, 0.5)}),)
    problem = HardeningProblem(rules=rules)
    hardened = harden([0.5, 0.3, 0.1, 0.1], constraints=problem, previous=np.zeros(4))
    np.testing.assert_allclose(hardened.weights, [0.35, 0.15, 0.25, 0.25], atol=1e-8)
    assert hardened.binding == ("group",)
