"""Minimum CVaR on tiny discrete examples."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.minimum_cvar import MinimumCVaR
from quant_assets.quant.optimization.solvers.tail import tail_mean_loss
from quant_assets_tests.quant.optimization.samples import market


@pytest.mark.parametrize(
    ("tail", "loss"),
    [
        (1.0, 4.0),
        (2.0, 3.5),  # (4 + 3) / 2
        (1.5, 3.6666666666666665),  # (4 + 0.5 * 3) / 1.5
        (0.5, 4.0),  # half a row is still the worst row
        (4.0, 1.5),  # the mean of all
    ],
)
def test_tail_mean_loss_fractional_rows_by_hand(tail, loss):
    assert tail_mean_loss(np.array([1.0, -3.0, 0.0, -4.0]), tail) == pytest.approx(loss)


def test_minimum_cvar_two_assets_by_hand():
    # four rows, level 75 %: the worst row. Losses w: 0.10 w1, 0.02 w2, others gain. They are
    # equal at 0.10 w1 = 0.02 w2, so w = (1/6, 5/6) and the loss is 1/60
    returns = np.array([[-0.10, 0.0], [0.0, -0.02], [0.05, 0.03], [0.02, 0.04]])
    fitted = MinimumCVaR(level=0.75).fit(returns)
    np.testing.assert_allclose(fitted.weights_, [1 / 6, 5 / 6], rtol=1e-9)
    assert fitted.solver_report_.objective == pytest.approx(1 / 60)
    assert fitted.solver_report_.solver == "tail pivots"


def test_minimum_cvar_cap_binds_by_hand():
    # as above, but at most 0.7 each: 0.10 * 0.3 is the worst loss
    returns = np.array([[-0.10, 0.0], [0.0, -0.02], [0.05, 0.03], [0.02, 0.04]])
    fitted = MinimumCVaR(constraints=Constraints(upper=0.7), level=0.75).fit(returns)
    np.testing.assert_allclose(fitted.weights_, [0.3, 0.7], rtol=1e-9)
    assert fitted.solver_report_.objective == pytest.approx(0.03)


def test_minimum_cvar_low_level_maximises_the_mean():
    # a tail of nearly all rows is the mean loss
    returns = market(50, 3)
    weights = MinimumCVaR(level=1e-9).fit(returns).weights_
    assert weights.argmax() == returns.mean(axis=0).argmax()
    assert weights.max() == pytest.approx(1.0)


def test_minimum_cvar_short_hedges_by_hand():
    # asset 2 is asset 1 doubled: long 2, short 1 of it leaves nothing to lose
    base = np.array([0.01, -0.02, 0.03, -0.01])
    returns = np.column_stack([base, 2 * base])
    constraints = Constraints(lower=-1.0, upper=2.0)
    fitted = MinimumCVaR(constraints=constraints, level=0.5).fit(returns)
    np.testing.assert_allclose(fitted.weights_, [2.0, -1.0], atol=1e-9)
    assert fitted.solver_report_.objective == pytest.approx(0.0, abs=1e-12)


def test_minimum_cvar_gross_limit_goes_through_cvxpy():
    base = np.array([0.01, -0.02, 0.03, -0.01])
    returns = np.column_stack([base, 2 * base])
    constraints = Constraints(lower=-1.0, upper=2.0, max_gross=2.0)
    fitted = MinimumCVaR(constraints=constraints, level=0.5).fit(returns)
    np.testing.assert_allclose(fitted.weights_, [1.5, -0.5], atol=1e-8)
    assert fitted.solver_report_.fallback == "cvxpy"


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1])
def test_minimum_cvar_level_outside_zero_one_is_refused(level):
    with pytest.raises(ConfigError, match="level is"):
        MinimumCVaR(level=level).fit(market(10, 2))


def test_minimum_cvar_constant_returns_are_survived():
    fitted = MinimumCVaR().fit(np.zeros((20, 3)))
    assert fitted.solver_report_.objective == 0.0
    assert fitted.weights_.sum() == pytest.approx(1.0)
