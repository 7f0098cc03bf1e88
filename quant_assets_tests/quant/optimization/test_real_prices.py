"""The optimizers of risk, tails and trees on the bundled prices of 20 stocks, 1990 to 2022."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.moments.covariance import COVARIANCES, covariance_matrix, ledoit_wolf
from quant_assets.quant.moments.covariances.base import CovarianceEstimator
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.equal_risk_contribution import share_error
from quant_assets.quant.optimization.members import Offer, default_members, member
from quant_assets.quant.optimization.solvers.tail import tail_mean_loss
from quant_assets_tests.quant.optimization.solvers.test_tail import least_loss

pytestmark = pytest.mark.slow
BOX = Constraints(upper=0.2)


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    skfolio = pytest.importorskip("skfolio", reason="the extra `demo` brings the bundled prices")
    from skfolio.datasets import load_sp500_dataset

    assert skfolio
    return load_sp500_dataset().pct_change().iloc[1:]


@pytest.mark.parametrize("until", ["1993-01-04", "2000-03-10", "2009-03-09", "2020-03-23"])
def test_every_entrant_keeps_its_word_before_and_in_crashes(returns, until):
    rows = returns.loc[:until].to_numpy()[-252:]
    expected = np.linspace(-0.05, 0.25, rows.shape[1])
    for name in default_members():
        fitted = member(name, Offer(BOX)).fit(rows, expected_returns=expected)
        report = fitted.solver_report_
        assert report.status == "optimal", name
        assert report.fallback == "", name
        assert abs(fitted.weights_.sum() - 1.0) <= 1e-9, name
        if fitted.keeps_constraints:
            assert report.residual <= 1e-8, name
    tail = member("minimum_cvar", Offer(BOX)).fit(rows)
    assert abs(tail.solver_report_.gap) <= 1e-10
    least = least_loss(rows, 252 * 0.05, BOX)
    assert tail_mean_loss(rows @ tail.weights_, 252 * 0.05) == pytest.approx(least, rel=1e-9)
    parity = member("equal_risk_contribution", Offer(BOX)).fit(rows)
    assert share_error(ledoit_wolf(rows), parity.weights_) <= 1e-10


def test_every_estimator_is_psd_and_keeps_the_size_of_the_market(returns):
    from quant_assets.core.registry import discover

    rows = returns.loc["2007":"2009"].to_numpy()
    sample = np.trace(covariance_matrix(rows, estimator="sample"))
    for name in discover(COVARIANCES, CovarianceEstimator):
        if name in ("correlation", "given", "given_factors"):
            continue
        matrix = covariance_matrix(rows, estimator=name)
        assert np.linalg.eigvalsh(matrix)[0] >= -1e-14 * sample, name
        # the newest rows of 2009 are calmer than the years before
        least = 0.3 if name == "ewma" else 0.9
        assert least <= np.trace(matrix) / sample <= 1.1, name


def test_duplicated_and_constant_stock_and_more_stocks_than_rows_are_survived(returns):
    rows = returns.to_numpy()[-15:]
    rows = np.column_stack([rows, rows[:, 0], np.zeros(15)])
    for name in default_members():
        fitted = member(name, Offer(BOX)).fit(rows, expected_returns=[0.1] * rows.shape[1])
        assert abs(fitted.weights_.sum() - 1.0) <= 1e-9, name
        if fitted.keeps_constraints:
            assert fitted.solver_report_.residual <= 1e-8, name
