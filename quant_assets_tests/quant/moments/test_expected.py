"""Expected returns against their papers, skfolio, PyPortfolioOpt and pandas."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.moments.covariances.given import GivenCovariance
from quant_assets.quant.moments.covariances.ledoit_wolf import LedoitWolf
from quant_assets.quant.moments.expected import blend_alphas, expected_returns
from quant_assets.quant.moments.means.bayes_stein import BayesSteinMean
from quant_assets.quant.moments.means.bodnar import BodnarMean
from quant_assets.quant.moments.means.equilibrium import EquilibriumMean
from quant_assets.quant.moments.means.ewma import EwmaMean
from quant_assets.quant.moments.means.james_stein import JamesSteinMean
from quant_assets_tests.quant.moments.test_covariance import market


def rising(n_rows: int, n_assets: int) -> np.ndarray:
    """A market whose means differ."""
    return market(n_rows, n_assets) + np.linspace(-0.002, 0.006, n_assets)


def test_sample_mean_equals_numpy():
    rows = rising(50, 4)
    np.testing.assert_allclose(expected_returns(rows), rows.mean(axis=0))


@pytest.mark.parametrize("half_life", [1.0, 20.0])
def test_ewma_mean_equals_pandas(half_life):
    rows = rising(80, 3)
    expected = pd.DataFrame(rows).ewm(halflife=half_life).mean().iloc[-1].to_numpy()
    actual = expected_returns(rows, estimator=EwmaMean(half_life))
    np.testing.assert_allclose(actual, expected, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("n_rows", "n_assets"), [(250, 6), (60, 20), (1000, 5)])
def test_shrunk_means_equal_skfolio(n_rows, n_assets):
    from skfolio.moments import ShrunkMu, ShrunkMuMethods

    rows = rising(n_rows, n_assets)
    theirs = ShrunkMu(method=ShrunkMuMethods.JAMES_STEIN).fit(rows)
    assert 0 < theirs.beta_ < 1  # else the positive part differs
    np.testing.assert_allclose(
        expected_returns(rows, estimator="james_stein"), theirs.mu_, rtol=1e-9
    )
    theirs = ShrunkMu(method=ShrunkMuMethods.BAYES_STEIN, vol_weighted_target=True).fit(rows)
    np.testing.assert_allclose(
        expected_returns(rows, estimator="bayes_stein"), theirs.mu_, rtol=1e-8
    )
    theirs = ShrunkMu(method=ShrunkMuMethods.BODNAR_OKHRIN).fit(rows)
    np.testing.assert_allclose(expected_returns(rows, estimator="bodnar"), theirs.mu_, rtol=1e-8)


def test_james_stein_three_assets_by_hand():
    # unit variances, no correlation: noise (3 - 2) / T = 0.1; means 1, 2, 3 lie 2 from their own
    # mean, so that 0.05 of the way is gone
    rows = np.array([1.0, 2.0, 3.0]) + np.linalg.qr(np.vander(np.arange(10.0), 4, increasing=True))[
        0
    ][:, 1:] * np.sqrt(9)
    actual = expected_returns(rows, estimator="james_stein")
    np.testing.assert_allclose(actual, [1.05, 2.0, 2.95], rtol=1e-9)


def test_james_stein_never_leaves_the_span_of_mean_and_target():
    rows = market(20, 8)  # means differ by noise only: all of the way
    mean = rows.mean(axis=0)
    actual = expected_returns(rows, estimator="james_stein")
    low, high = np.minimum(mean, mean.mean()), np.maximum(mean, mean.mean())
    assert ((actual >= low - 1e-15) & (actual <= high + 1e-15)).all()
    # two assets: one eigenvalue outweighs the rest, and nothing is shrunk
    np.testing.assert_allclose(
        expected_returns(rows[:, :2], estimator="james_stein"), mean[:2], rtol=1e-12
    )


def test_bayes_stein_by_hand_on_a_diagonal():
    # covariance diag(1, 4), means 1 and 2: the target is (1 + 2/4) / (1 + 1/4) = 1.2
    rows = np.array([[0.0, 0.0], [2.0, 4.0]])
    estimator = BayesSteinMean(GivenCovariance(np.diag([1.0, 4.0])))
    away = np.array([1.0, 2.0]) - 1.2
    shrinkage = 4.0 / (4.0 + 2.0 * (away[0] ** 2 + away[1] ** 2 / 4.0))
    expected = (1 - shrinkage) * np.array([1.0, 2.0]) + shrinkage * 1.2
    np.testing.assert_allclose(expected_returns(rows, estimator=estimator), expected)


@pytest.mark.parametrize("name", ["bayes_stein", "bodnar"])
def test_shrinkage_of_a_singular_covariance_is_refused_with_advice(name):
    rows = rising(50, 4)
    rows[:, 1] = rows[:, 0]
    with pytest.raises(DataError, match=rf"{name} inverts .* singular: 50 rows of 4 assets"):
        expected_returns(rows, estimator=name)
    shrunk = {"bayes_stein": BayesSteinMean, "bodnar": BodnarMean}[name](LedoitWolf())
    assert np.isfinite(expected_returns(rows, estimator=shrunk)).all()


def test_bodnar_of_more_assets_than_rows_is_refused():
    with pytest.raises(DataError, match="more rows than assets: 10 and 12"):
        expected_returns(rising(10, 12), estimator="bodnar")


def test_equilibrium_makes_the_market_optimal():
    # reverse optimisation: the unconstrained optimum at these means is the market itself
    rows, weights = rising(100, 4), np.array([0.4, 0.3, 0.2, 0.1])
    sigma = np.cov(rows.T)
    estimator = EquilibriumMean(3.0, tuple(weights), GivenCovariance(sigma))
    mean = expected_returns(rows, estimator=estimator)
    np.testing.assert_allclose(np.linalg.solve(3.0 * sigma, mean), weights, rtol=1e-9)


@pytest.mark.slow
def test_equilibrium_equals_skfolio():
    from skfolio.moments import EquilibriumMu
    from skfolio.moments import LedoitWolf as TheirLedoitWolf

    rows = rising(100, 5)
    theirs = EquilibriumMu(risk_aversion=2.5, covariance_estimator=TheirLedoitWolf()).fit(rows)
    np.testing.assert_allclose(
        expected_returns(rows, estimator="equilibrium"), theirs.mu_, rtol=1e-9
    )


def test_equilibrium_of_other_weights_is_refused():
    with pytest.raises(DataError, match="3 assets, but market weights"):
        expected_returns(market(9, 3), estimator=EquilibriumMean(weights=(0.5, 0.5)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EwmaMean(0.0), "half_life is 0"),
        (lambda: EquilibriumMean(0.0), "risk_aversion is 0"),
    ],
)
def test_mean_parameters_outside_their_range_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_means_shrink_towards_the_truth_on_average():
    # the promise of James & Stein: smaller squared error than the sample mean, for many assets
    rng, truth = np.random.default_rng(1), np.linspace(-0.1, 0.1, 12)
    losses = []
    for _ in range(40):
        rows = truth + rng.standard_normal((30, 12))
        for estimator in ("sample", JamesSteinMean()):
            losses.append(((expected_returns(rows, estimator=estimator) - truth) ** 2).sum())
    sample, shrunk = np.reshape(losses, (-1, 2)).mean(axis=0)
    assert shrunk < 0.6 * sample


def test_blend_alphas_one_signal_is_volatility_times_skill_times_score():
    # Grinold (1994): 30 % a year, IC 0.05, score 2: 3 %
    alpha = blend_alphas([[2.0], [-1.0]], information_coefficients=[0.05], volatility=[0.3, 0.2])
    np.testing.assert_allclose(alpha, [0.03, -0.01])


@pytest.mark.slow
def test_blend_alphas_equal_the_regression_of_returns_on_scores():
    # scores of correlation r with skills IC1, IC2: the best linear forecast, by statsmodels
    from statsmodels.api import OLS

    rng = np.random.default_rng(0)
    scores = rng.standard_normal((4000, 2)) @ np.linalg.cholesky([[1.0, 0.6], [0.6, 1.0]]).T
    scores = (scores - scores.mean(axis=0)) / scores.std(axis=0)
    later = scores @ [0.1, 0.02] + rng.standard_normal(4000)
    later = 0.2 * (later - later.mean()) / later.std()
    fit = OLS(later, scores).fit()
    skill = [np.corrcoef(scores[:, k], later)[0, 1] for k in range(2)]
    alpha = blend_alphas(
        scores,
        information_coefficients=skill,
        volatility=np.full(4000, 0.2),
        score_correlation=np.corrcoef(scores.T),
    )
    np.testing.assert_allclose(alpha, fit.fittedvalues, atol=1e-12)


def test_blend_alphas_duplicated_signal_adds_nothing_and_missing_scores_count_zero():
    together = blend_alphas(
        [[2.0, np.nan]],
        information_coefficients=[0.05, 0.05],
        volatility=[0.3],
        score_correlation=[[1.0, 0.0], [0.0, 1.0]],
    )
    assert together[0] == pytest.approx(0.03)
    with pytest.raises(ConfigError, match="not positive definite"):
        blend_alphas(
            [[1.0, 1.0]],
            information_coefficients=[0.1, 0.1],
            volatility=[0.3],
            score_correlation=[[1.0, 1.0], [1.0, 1.0]],
        )


@pytest.mark.parametrize(
    ("scores", "skill", "volatility", "message"),
    [
        ([[1.0]], [0.1, 0.1], [0.3], "one coefficient per column"),
        ([[1.0]], [0.1], [0.3, 0.2], "one volatility per row"),
        ([[1.0]], [1.1], [0.3], r"correlations in \[-1, 1\]"),
    ],
)
def test_blend_alphas_of_other_shapes_is_refused(scores, skill, volatility, message):
    with pytest.raises(ConfigError, match=message):
        blend_alphas(scores, information_coefficients=skill, volatility=volatility)
