"""Rules beyond box and budget in the problems of tails, growth and reductions."""

from itertools import combinations

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.quant.moments.covariances.gerber import GerberCovariance
from quant_assets.quant.optimization.base import Constraints, Optimizer
from quant_assets.quant.optimization.benchmark_tracking import BenchmarkTracking
from quant_assets.quant.optimization.black_litterman import BlackLitterman
from quant_assets.quant.optimization.constraints.cardinality import Cardinality
from quant_assets.quant.optimization.constraints.group_limits import GroupLimits
from quant_assets.quant.optimization.equal_risk_contribution import EqualRiskContribution
from quant_assets.quant.optimization.hierarchical_risk_parity import HierarchicalRiskParity
from quant_assets.quant.optimization.kelly import Kelly
from quant_assets.quant.optimization.maximum_decorrelation import MaximumDecorrelation
from quant_assets.quant.optimization.maximum_diversification import MaximumDiversification
from quant_assets.quant.optimization.minimum_cdar import MinimumCDaR
from quant_assets.quant.optimization.minimum_cvar import MinimumCVaR
from quant_assets.quant.optimization.minimum_semivariance import MinimumSemivariance
from quant_assets.quant.optimization.minimum_variance import MinimumVariance
from quant_assets.quant.optimization.minimum_worst_loss import MinimumWorstLoss
from quant_assets_tests.quant.optimization.samples import market

KINDS = [
    BlackLitterman,
    Kelly,
    MaximumDecorrelation,
    MaximumDiversification,
    MinimumCDaR,
    MinimumCVaR,
    MinimumSemivariance,
    MinimumWorstLoss,
]
TECH = GroupLimits(("tech", "tech", "tech", "rest", "rest", "rest"), {"tech": (0.7, 0.75)})


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_group_limit_is_kept_and_costs_something(kind):
    returns = market(120, 6)
    free = kind().fit(returns)
    bound = kind(constraints=Constraints(rules=(TECH,))).fit(returns)
    share = bound.weights_[:3].sum()
    assert 0.7 - 1e-8 <= share <= 0.75 + 1e-8
    assert bound.solver_report_.residual <= 1e-8
    assert bound.weights_.sum() == pytest.approx(1.0, abs=1e-9)
    gained = free.solver_report_.objective - bound.solver_report_.objective
    best_is_most = kind in (BlackLitterman, Kelly, MaximumDiversification)
    assert gained >= -1e-9 if best_is_most else gained <= 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("kind", [MinimumCVaR, MinimumSemivariance, MinimumWorstLoss, Kelly])
def test_cardinality_finds_what_trying_all_pairs_finds(kind):
    returns = market(80, 5)
    fitted = kind(constraints=Constraints(rules=(Cardinality(2),))).fit(returns)
    assert (fitted.weights_ > 1e-9).sum() <= 2
    values = [
        kind().fit(returns[:, list(pair)]).solver_report_.objective
        for pair in combinations(range(5), 2)
    ]
    best = max(values) if kind is Kelly else min(values)
    assert fitted.solver_report_.objective == pytest.approx(best, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [MinimumCVaR, MinimumSemivariance, MinimumCDaR, Kelly])
def test_rules_that_cannot_hold_are_named(kind):
    groups = GroupLimits(("tech",) * 3, {"tech": (0.0, 0.5)})
    with pytest.raises(SolverError, match="group"):
        kind(constraints=Constraints(rules=(groups,))).fit(market(60, 3))


@pytest.mark.parametrize("kind", [EqualRiskContribution, HierarchicalRiskParity])
def test_rules_of_those_that_know_none_are_refused(kind):
    with pytest.raises(ConfigError, match="cannot keep group while it optimises"):
        kind(constraints=Constraints(rules=(TECH,))).fit(market(60, 6))


@pytest.mark.parametrize("kind", [MinimumSemivariance, MinimumCVaR, Kelly, BlackLitterman])
def test_cash_may_be_kept(kind):
    # everything loses, so that what may be kept is kept
    returns = market(150, 4) - 0.02
    constraints = Constraints(min_net=0.2)
    fitted = kind(constraints=constraints).fit(returns, expected_returns=[-1.0] * 4)
    assert fitted.weights_.sum() == pytest.approx(0.2, abs=1e-6)
    assert fitted.solver_report_.residual <= 1e-8


@pytest.mark.parametrize(
    "make",
    [
        lambda c: MinimumVariance(covariance=c),
        lambda c: MaximumDiversification(covariance=c),
        lambda c: EqualRiskContribution(covariance=c),
        lambda c: HierarchicalRiskParity(covariance=c),
    ],
)
def test_covariance_may_be_an_estimator_with_its_parameters(make):
    returns = market(120, 5)
    named: Optimizer = make("gerber").fit(returns)
    same: Optimizer = make(GerberCovariance(0.5)).fit(returns)
    other: Optimizer = make(GerberCovariance(0.9)).fit(returns)
    np.testing.assert_array_equal(named.weights_, same.weights_)
    assert np.abs(named.weights_ - other.weights_).max() > 1e-4


def test_tracking_keeps_a_gross_limit():
    returns = market(100, 4)
    constraints = Constraints(lower=-0.5, upper=1.5, max_gross=1.2)
    benchmark = returns @ [1.4, -0.4, 0.0, 0.0]
    fitted = BenchmarkTracking(constraints=constraints).fit(returns, benchmark=benchmark)
    assert np.abs(fitted.weights_).sum() <= 1.2 + 1e-8
    assert fitted.weights_[1] == pytest.approx(-0.1, abs=1e-6)
