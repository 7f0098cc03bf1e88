"""Black-Litterman against closed forms, He & Litterman's formulas and PyPortfolioOpt."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.moments.views import (
    View,
    absolute_view,
    black_litterman,
    relative_view,
)

SIGMA = np.array([[0.04, 0.01, 0.0], [0.01, 0.09, 0.02], [0.0, 0.02, 0.16]])
PRIOR = np.array([0.05, 0.07, 0.09])


def test_black_litterman_one_asset_by_hand():
    # prior 5 % and view 9 % are equally uncertain: 7 %; variance 0.04 + 0.05 * 0.04 / 2
    posterior = black_litterman([[0.04]], [0.05], [absolute_view(0, 0.09)])
    assert posterior.mean[0] == pytest.approx(0.07)
    assert posterior.covariance[0, 0] == pytest.approx(0.041)


def test_black_litterman_equals_the_precision_form():
    views = [absolute_view(0, 0.08), relative_view(2, 1, 0.05)]
    picks, expected, tau = np.array([[1.0, 0, 0], [0, -1.0, 1.0]]), np.array([0.08, 0.05]), 0.1
    omega = np.diag(np.diag(picks @ (tau * SIGMA) @ picks.T))
    precision = np.linalg.inv(tau * SIGMA) + picks.T @ np.linalg.inv(omega) @ picks
    pull = np.linalg.inv(tau * SIGMA) @ PRIOR + picks.T @ np.linalg.inv(omega) @ expected
    posterior = black_litterman(SIGMA, PRIOR, views, tau=tau)
    np.testing.assert_allclose(posterior.mean, np.linalg.solve(precision, pull), rtol=1e-12)
    np.testing.assert_allclose(
        posterior.covariance, SIGMA + np.linalg.inv(precision), rtol=1e-12, atol=1e-16
    )


@pytest.mark.slow
def test_black_litterman_confidences_equal_pyportfolioopt():
    from pypfopt import BlackLittermanModel

    picks, expected = np.array([[1.0, 0, 0], [0, -1.0, 1.0]]), np.array([0.08, 0.05])
    theirs = BlackLittermanModel(
        SIGMA,
        pi=PRIOR,
        P=picks,
        Q=expected,
        omega="idzorek",
        view_confidences=[0.3, 0.8],
        tau=0.05,
    )
    views = [absolute_view(0, 0.08, confidence=0.3), relative_view(2, 1, 0.05, confidence=0.8)]
    posterior = black_litterman(SIGMA, PRIOR, views)
    np.testing.assert_allclose(posterior.mean, theirs.bl_returns().to_numpy(), rtol=1e-9)
    np.testing.assert_allclose(posterior.covariance, theirs.bl_cov().to_numpy(), rtol=1e-9)


def test_black_litterman_certain_view_holds_exactly():
    posterior = black_litterman(SIGMA, PRIOR, [relative_view(0, 1, 0.03, confidence=1.0)])
    assert posterior.mean[0] - posterior.mean[1] == pytest.approx(0.03, abs=1e-15)


@pytest.mark.parametrize("views", [[], [absolute_view(1, 0.5, confidence=0.0)]])
def test_black_litterman_without_a_view_is_the_prior(views):
    posterior = black_litterman(SIGMA, PRIOR, views)
    np.testing.assert_array_equal(posterior.mean, PRIOR)
    np.testing.assert_allclose(posterior.covariance, 1.05 * SIGMA)


def test_black_litterman_view_that_the_prior_shares_changes_no_mean():
    posterior = black_litterman(SIGMA, PRIOR, [relative_view(1, 0, 0.02)])
    np.testing.assert_allclose(posterior.mean, PRIOR, rtol=1e-12)


def test_black_litterman_more_confidence_moves_the_mean_further():
    means = [
        black_litterman(SIGMA, PRIOR, [absolute_view(0, 0.2, confidence=c)]).mean[0]
        for c in (0.1, 0.5, 0.9)
    ]
    # Idzorek: the confidence is the share of the way to the view
    np.testing.assert_allclose((np.array(means) - 0.05) / 0.15, [0.1, 0.5, 0.9], rtol=1e-12)


def test_black_litterman_riskless_asset_keeps_its_prior():
    sigma = np.diag([0.04, 0.0])
    views = [absolute_view(0, 0.1), absolute_view(1, 0.2)]
    posterior = black_litterman(sigma, [0.05, 0.01], views)
    np.testing.assert_allclose(posterior.mean, [0.075, 0.01])


def test_black_litterman_posterior_covariance_is_psd_between_sigma_and_the_prior():
    views = [absolute_view(i, 0.1, confidence=0.7) for i in range(3)]
    covariance = black_litterman(SIGMA, PRIOR, views).covariance
    assert np.linalg.eigvalsh(covariance - SIGMA)[0] >= -1e-15
    assert np.linalg.eigvalsh(1.05 * SIGMA - covariance)[0] >= -1e-15


def test_black_litterman_two_certain_views_of_one_thing_are_refused():
    views = [absolute_view(0, 0.1, confidence=1.0), absolute_view(0, 0.2, confidence=1.0)]
    with pytest.raises(DataError, match="cannot all be certain"):
        black_litterman(SIGMA, PRIOR, views)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: absolute_view(0, 0.1, confidence=1.5), ConfigError, "confidence is 1.5"),
        (lambda: View((), 0.1), ConfigError, "a view needs assets"),
        (lambda: absolute_view(0, np.nan), ConfigError, "finite numbers"),
        (
            lambda: black_litterman(SIGMA, PRIOR, [absolute_view(3, 0.1)]),
            DataError,
            "names asset 3 of 3",
        ),
        (lambda: black_litterman(SIGMA, PRIOR[:2], []), DataError, "does not fit"),
        (lambda: black_litterman(SIGMA, PRIOR, [], tau=0.0), ConfigError, "tau is 0"),
    ],
)
def test_black_litterman_input_that_makes_no_sense_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
