"""Covariance estimators against their papers written out, scikit-learn, skfolio, PyPortfolioOpt."""

import warnings
from itertools import product

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.moments.covariance import covariance_matrix, ledoit_wolf
from quant_assets.quant.moments.covariances import ledoit_wolf_nonlinear
from quant_assets.quant.moments.covariances.base import to_correlation
from quant_assets.quant.moments.covariances.correlation import Correlation
from quant_assets.quant.moments.covariances.denoised import noise_variance
from quant_assets.quant.moments.covariances.detoned import DetonedCovariance
from quant_assets.quant.moments.covariances.gerber import GerberCovariance
from quant_assets.quant.moments.covariances.given import GivenCovariance
from quant_assets.quant.moments.covariances.given_factors import GivenFactorModel
from quant_assets.quant.moments.covariances.ledoit_wolf_constant_correlation import (
    shrink_to_constant_correlation,
)
from quant_assets.quant.moments.covariances.sample import SampleCovariance
from quant_assets.quant.moments.covariances.statistical_factors import StatisticalFactorModel
from quant_assets_tests.quant.moments.test_covariance import market


def constant_correlation_by_loops(rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Ledoit & Wolf (2004), Honey, appendix A and B, term by term."""
    n_rows, n = rows.shape
    x = rows - rows.mean(axis=0)
    s = x.T @ x / n_rows
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    rbar = np.mean([s[i, j] / np.sqrt(s[i, i] * s[j, j]) for i, j in pairs])
    target = np.array(
        [
            [s[i, i] if i == j else rbar * np.sqrt(s[i, i] * s[j, j]) for j in range(n)]
            for i in range(n)
        ]
    )
    pi = rho = 0.0
    for i, j in product(range(n), repeat=2):
        pi_ij = np.mean((x[:, i] * x[:, j] - s[i, j]) ** 2)
        pi += pi_ij
        if i == j:
            rho += pi_ij
            continue
        theta_i = np.mean((x[:, i] ** 2 - s[i, i]) * (x[:, i] * x[:, j] - s[i, j]))
        theta_j = np.mean((x[:, j] ** 2 - s[j, j]) * (x[:, i] * x[:, j] - s[i, j]))
        ratio = np.sqrt(s[j, j] / s[i, i])
        rho += rbar / 2 * (ratio * theta_i + theta_j / ratio)
    kappa = (pi - rho) / ((target - s) ** 2).sum()
    delta = max(0.0, min(kappa / n_rows, 1.0))
    return delta * target + (1 - delta) * s, delta


@pytest.mark.parametrize(("n_rows", "n_assets"), [(60, 6), (20, 12), (12, 30)])
def test_constant_correlation_equals_the_paper_term_by_term(n_rows, n_assets):
    rows = market(n_rows, n_assets) * np.linspace(0.5, 3.0, n_assets)
    expected, delta = constant_correlation_by_loops(rows)
    actual, intensity = shrink_to_constant_correlation(rows)
    assert intensity == pytest.approx(delta, abs=1e-12)
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-18)


def test_constant_correlation_of_two_assets_is_the_sample():
    rows = market(30, 2)  # one correlation is its own mean
    actual, intensity = shrink_to_constant_correlation(rows)
    np.testing.assert_allclose(actual, np.cov(rows.T, ddof=0), rtol=1e-12)
    assert intensity == 0.0


@pytest.mark.slow
def test_constant_correlation_approaches_pyportfolioopt_for_many_rows():
    from pypfopt.risk_models import CovarianceShrinkage

    rows = market(1500, 8) * np.linspace(0.5, 3.0, 8)
    theirs = CovarianceShrinkage(pd.DataFrame(rows), returns_data=True, frequency=1).ledoit_wolf(
        shrinkage_target="constant_correlation"
    )
    # they divide by T - 1 where the paper divides by T
    actual, _ = shrink_to_constant_correlation(rows)
    np.testing.assert_allclose(actual, theirs.to_numpy(), rtol=3e-3)


def nonlinear_by_the_paper(rows: np.ndarray) -> np.ndarray:
    """Ledoit & Wolf (2020), the programming code of their appendix D, eigenvalue by eigenvalue."""
    n_rows, p = rows.shape
    n = n_rows - 1
    x = rows - rows.mean(axis=0)
    values, vectors = np.linalg.eigh(x.T @ x / n)
    h = n ** (-1 / 3)
    level = values[max(0, p - n) :]
    shrunk = []
    for i in range(len(level)):
        f = hilbert = 0.0
        for j in range(len(level)):
            width = h * level[j]
            z = (level[i] - level[j]) / width
            f += 3 / (4 * np.sqrt(5)) * max(1 - z**2 / 5, 0) / width
            inner = -3 / (10 * np.pi) * z
            if abs(abs(z) - np.sqrt(5)) > 1e-14:
                inner += (
                    3
                    / (4 * np.sqrt(5) * np.pi)
                    * (1 - z**2 / 5)
                    * np.log(abs((np.sqrt(5) - z) / (np.sqrt(5) + z)))
                )
            hilbert += inner / width
        f, hilbert, c = f / len(level), hilbert / len(level), p / n
        if p <= n:
            lower = (np.pi * c * level[i] * f) ** 2
            lower += (1 - c - np.pi * c * level[i] * hilbert) ** 2
            shrunk.append(level[i] / lower)
        else:
            shrunk.append(1 / (np.pi**2 * level[i] * (f**2 + hilbert**2)))
    if p > n:
        root = np.sqrt(5)
        middle = 3 / 10 / h**2 + 3 / 4 / root / h * (1 - 1 / 5 / h**2) * np.log(
            (1 + root * h) / (1 - root * h)
        )
        zero = 1 / np.pi * middle * np.mean(1 / level)
        shrunk = [1 / (np.pi * (p - n) / n * zero)] * (p - n) + shrunk
    return (vectors * np.array(shrunk)) @ vectors.T


@pytest.mark.parametrize(("n_rows", "n_assets"), [(60, 10), (120, 60), (40, 39), (30, 70)])
def test_nonlinear_shrinkage_equals_the_papers_code(n_rows, n_assets):
    rows = market(n_rows, n_assets)
    actual = covariance_matrix(rows, estimator="ledoit_wolf_nonlinear")
    expected = nonlinear_by_the_paper(rows)
    np.testing.assert_allclose(actual, expected, atol=1e-9 * np.trace(expected))


def test_nonlinear_shrinkage_is_nearer_to_the_truth_than_linear():
    # two levels of eigenvalues: what a single intensity cannot follow
    rng = np.random.default_rng(3)
    truth = np.diag(np.repeat([1.0, 10.0], 30))
    rows = rng.standard_normal((120, 60)) @ np.sqrt(truth)
    losses = [
        np.linalg.norm(covariance_matrix(rows, estimator=name) - truth)
        for name in ("ledoit_wolf_nonlinear", "ledoit_wolf", "sample")
    ]
    assert losses[0] < losses[1] < losses[2]


def test_nonlinear_shrinkage_of_few_rows_is_refused():
    with pytest.raises(DataError, match="needs 13 whole rows, found 12"):
        covariance_matrix(market(12, 3), estimator="ledoit_wolf_nonlinear")


@pytest.mark.parametrize("scale", [1e-8, 1e6])
@pytest.mark.parametrize(("n_rows", "n_assets"), [(252, 20), (30, 60), (5, 3), (100, 1)])
def test_oas_any_shape_and_scale_equals_sklearn(n_rows, n_assets, scale):
    from sklearn.covariance import oas

    rows = market(n_rows, n_assets, scale=scale)
    expected = oas(rows)[0]
    actual = covariance_matrix(rows, estimator="oas")
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize(("n_rows", "n_assets"), [(300, 10), (100, 60), (252, 100)])
def test_detoned_and_gerber_equal_skfolio(n_rows, n_assets):
    from skfolio.moments import DetoneCovariance
    from skfolio.moments import GerberCovariance as TheirGerber

    rows = market(n_rows, n_assets)
    detoned = covariance_matrix(rows, estimator="detoned")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they clip the mode that was taken out to be above zero
        theirs = DetoneCovariance().fit(rows).covariance_
    np.testing.assert_allclose(detoned, theirs, atol=1e-7 * np.abs(detoned).max())
    gerber = covariance_matrix(rows, estimator=GerberCovariance(0.7))
    theirs = TheirGerber(threshold=0.7, psd_variant=False).fit(rows).covariance_
    # their volatilities divide by T
    np.testing.assert_allclose(gerber, theirs * n_rows / (n_rows - 1), rtol=1e-10, atol=1e-18)


@pytest.mark.slow
@pytest.mark.parametrize(("n_rows", "n_assets"), [(300, 60), (252, 100), (600, 50)])
def test_denoised_equals_skfolio_or_fits_the_law_better(n_rows, n_assets):
    from scipy.optimize import minimize
    from skfolio.moments import DenoiseCovariance
    from sklearn.neighbors import KernelDensity

    rows = market(n_rows, n_assets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = DenoiseCovariance().fit(rows).covariance_
    ours = covariance_matrix(rows, estimator="denoised")
    values = np.linalg.eigvalsh(np.corrcoef(rows.T))

    def distance(variance: float) -> float:
        """Their objective, with scikit-learn's density."""
        q = n_rows / n_assets
        low, high = (variance * (1 + sign * np.sqrt(1 / q)) ** 2 for sign in (-1, 1))
        x = np.linspace(low, high, 1000)
        law = q / (2 * np.pi * variance * x) * np.sqrt(np.maximum((high - x) * (x - low), 0))
        density = KernelDensity(kernel="gaussian", bandwidth=0.01).fit(values[:, None])
        return float(((np.exp(density.score_samples(x[:, None])) - law) ** 2).sum())

    q = n_rows / n_assets
    variance = noise_variance(values[::-1].copy(), q)
    everywhere = [distance(v) for v in np.linspace(0.02, 0.99, 98)]
    assert distance(variance) <= min(everywhere) * (1 + 1e-3)
    # their search starts at 0.5 and may stay in another valley
    search = minimize(lambda x: distance(x[0]), x0=[0.5], bounds=((1e-5, 1 - 1e-5),))
    edges = np.array([variance, search.x[0]]) * (1 + np.sqrt(1 / q)) ** 2
    kept = (values[:, None] > edges).sum(axis=0)
    if kept[0] == kept[1]:
        np.testing.assert_allclose(ours, theirs, atol=1e-8 * np.abs(ours).max())
    else:
        assert distance(variance) < search.fun


def test_denoised_market_keeps_its_mode_and_evens_out_the_noise():
    rng = np.random.default_rng(5)
    rows = rng.standard_normal((400, 40)) + rng.standard_normal((400, 1))
    before = np.linalg.eigvalsh(to_correlation(covariance_matrix(rows, estimator="sample"))[0])
    after = np.linalg.eigvalsh(to_correlation(covariance_matrix(rows, estimator="denoised"))[0])
    assert after[-1] == pytest.approx(before[-1], rel=0.05)
    assert np.ptp(after[:20]) < 0.25 * np.ptp(before[:20])


def test_detoned_without_markets_is_the_sample_and_its_first_mode_is_gone():
    rows = market(200, 6)
    plain = covariance_matrix(rows, estimator=DetonedCovariance(0))
    np.testing.assert_allclose(plain, np.cov(rows.T), rtol=1e-9, atol=1e-18)
    common = rows + 0.05 * np.random.default_rng(0).standard_normal((200, 1))
    before = to_correlation(covariance_matrix(common, estimator="sample"))[0]
    after = to_correlation(covariance_matrix(common, estimator="detoned"))[0]
    off = ~np.eye(6, dtype=bool)
    assert before[off].mean() > 0.9
    assert abs(after[off].mean()) < 0.25


def test_statistical_factors_by_hand_two_equal_assets():
    # correlation r: the first mode is (1, 1)/sqrt(2) with 1 + r; its off-diagonal is (1 + r)/2
    rows = market(100, 2)
    correlation, volatility = to_correlation(np.cov(rows.T))
    expected = (1 + correlation[0, 1]) / 2 * volatility[0] * volatility[1]
    actual = covariance_matrix(rows, estimator=StatisticalFactorModel(1))
    assert actual[0, 1] == pytest.approx(expected)
    np.testing.assert_allclose(np.diag(actual), volatility**2)


def test_statistical_factors_all_modes_are_the_sample():
    rows = market(100, 5)
    actual = covariance_matrix(rows, estimator=StatisticalFactorModel(5))
    np.testing.assert_allclose(actual, np.cov(rows.T), rtol=1e-9, atol=1e-18)


@pytest.mark.slow
def test_given_factors_equal_statsmodels_regressions():
    from statsmodels.api import OLS, add_constant

    rng = np.random.default_rng(2)
    factors = 0.01 * rng.standard_normal((120, 2))
    rows = market(120, 4) + factors @ rng.standard_normal((2, 4))
    fits = [OLS(rows[:, i], add_constant(factors)).fit() for i in range(4)]
    loadings = np.array([fit.params[1:] for fit in fits])
    expected = loadings @ np.cov(factors.T) @ loadings.T
    expected += np.diag([fit.mse_resid for fit in fits])
    actual = covariance_matrix(rows, estimator=GivenFactorModel(factors))
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize("factors", [np.ones(5), np.ones((4, 1)), np.full((5, 1), np.nan)])
def test_given_factors_of_other_rows_are_refused(factors):
    with pytest.raises(DataError, match=r"factors must be \(5, factor\)"):
        covariance_matrix(market(5, 2), estimator=GivenFactorModel(factors))


def test_gerber_by_hand():
    # moves beyond half a volatility: both up twice, both down once, apart once: (3 - 1) / 4
    rows = np.array([[2.0, 2.0], [2.0, 2.0], [-2.0, -2.0], [2.0, -2.0], [0.0, 0.0]])
    correlation = to_correlation(covariance_matrix(rows, estimator="gerber"))[0]
    assert correlation[0, 1] == pytest.approx(0.5)


def test_gerber_one_wild_row_counts_as_one_move():
    rows = market(250, 2)
    wild = rows.copy()
    wild[100] = [0.5, 0.5]
    before, after = (
        to_correlation(covariance_matrix(r, estimator="sample"))[0][0, 1] for r in (rows, wild)
    )
    calm, shaken = (
        to_correlation(covariance_matrix(r, estimator=GerberCovariance(0.1)))[0][0, 1]
        for r in (rows, wild)
    )
    assert after - before > 0.5
    assert abs(shaken - calm) < 0.25


def test_given_matrix_is_returned_and_checked():
    matrix = np.array([[2.0, 1.0], [1.0, 3.0]])
    rows = market(5, 2)
    np.testing.assert_array_equal(
        covariance_matrix(rows, estimator=GivenCovariance(matrix)), matrix
    )
    with pytest.raises(DataError, match=r"shape \(2, 2\), 3 assets"):
        covariance_matrix(market(5, 3), estimator=GivenCovariance(matrix))
    skewed = GivenCovariance(np.array([[2.0, 1.0], [0.9, 3.0]]))
    with pytest.raises(DataError, match="not symmetric"):
        covariance_matrix(rows, estimator=skewed)


def test_correlation_of_an_estimate_has_its_correlations():
    rows = market(50, 3)
    actual = covariance_matrix(rows, estimator=Correlation(SampleCovariance()))
    np.testing.assert_allclose(actual, np.corrcoef(rows.T), rtol=1e-12)
    shrunk = covariance_matrix(rows, estimator="correlation")
    volatility = np.sqrt(np.diag(ledoit_wolf(rows)))
    np.testing.assert_allclose(shrunk, ledoit_wolf(rows) / np.outer(volatility, volatility))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GerberCovariance(1.0), "threshold is 1.0"),
        (lambda: DetonedCovariance(-1), "n_markets is -1"),
        (lambda: StatisticalFactorModel(0), "n_factors is 0"),
    ],
)
def test_estimator_parameters_outside_their_range_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize("n_assets", [1, 7, 40])
def test_nonlinear_shrinkage_does_not_depend_on_how_many_eigenvalues_are_held(
    monkeypatch, n_assets
):
    returns = np.random.default_rng(5).normal(0.0, 0.01, (60, n_assets))
    results = []
    for size in (1, 1000, 1 << 30):  # one at a time, some, all
        monkeypatch.setattr(ledoit_wolf_nonlinear, "BLOCK_BYTES", size)
        results.append(ledoit_wolf_nonlinear.LedoitWolfNonlinear().estimate(returns).tobytes())
    assert results[0] == results[1] == results[2]
