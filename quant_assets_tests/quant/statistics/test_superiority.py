import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.statistics.bootstrap import Resampling, stationary_bootstrap
from quant_assets.quant.statistics.superiority import (
    reality_check,
    superior_models,
    superior_predictive_ability,
)

pytestmark = pytest.mark.slow

HOW = Resampling(5.0, 400)


def rng(seed=3):
    return np.random.default_rng(seed)


def _excess(best=0.25, rows=150, models=12):
    return rng(0).normal(size=(rows, models)) + np.linspace(-0.4, best, models)


def _plain(x, how, *, studentize):
    """Hansen's test from its formulas: loops over lags, rows drawn one by one."""
    n, p = len(x), 1 / how.block
    rows = stationary_bootstrap(n, mean_block=how.block, n_draws=how.n_draws, rng=rng())
    e = x - x.mean(axis=0)
    variance = (e * e).sum(axis=0) / n
    for i in range(1, n):
        kappa = (1 - i / n) * (1 - p) ** i + i / n * (1 - p) ** (n - i)
        variance += 2 * kappa * (e[i:] * e[:-i]).sum(axis=0) / n
    omega = np.sqrt(variance)
    scale = omega / np.sqrt(n) if studentize else 1.0
    mean, draws = x.mean(axis=0), x[rows].mean(axis=1)
    largest = (mean / scale).max()
    relevant = mean >= -omega / np.sqrt(n) * np.sqrt(2 * np.log(np.log(n)))
    centres = [np.maximum(mean, 0), np.where(relevant, mean, 0), mean]
    return [(((draws - c) / scale).max(axis=1) > largest).mean() for c in centres], largest


@pytest.mark.parametrize("studentize", [False, True])
@pytest.mark.parametrize("best", [0.05, 0.25])
def test_superior_predictive_ability_equals_its_formulas(studentize, best):
    x = _excess(best)
    result = superior_predictive_ability(x, HOW, rng(), studentize=studentize)
    expected, largest = _plain(x, HOW, studentize=studentize)
    np.testing.assert_allclose([result.lower, result.consistent, result.upper], expected)
    assert result.statistic == pytest.approx(largest, rel=1e-9)
    assert result.best == 11
    assert result.lower <= result.consistent <= result.upper


def test_reality_check_is_the_upper_bound_without_studentizing():
    x = _excess(0.1)
    expected = superior_predictive_ability(x, HOW, rng(), studentize=False).upper
    assert reality_check(x, HOW, rng()) == expected


@pytest.mark.slow
def test_tests_equal_arch_on_the_same_rows():
    from arch.bootstrap import SPA, StepM

    x = _excess(0.35)
    rows = stationary_bootstrap(150, mean_block=5.0, n_draws=400, rng=rng())
    spa = SPA(np.zeros(150), -x, block_size=5, reps=400)
    given = iter(rows)
    spa.bootstrap.update_indices = lambda: next(given)
    spa.compute()
    ours = superior_predictive_ability(x, HOW, rng(), studentize=False)
    assert (ours.lower, ours.consistent, ours.upper) == tuple(spa.pvalues)
    step = StepM(np.zeros(150), -x, size=0.1, block_size=5, reps=400)
    again = iter(rows)
    step.spa.bootstrap.update_indices = lambda: next(again)
    step.compute()
    found = superior_models(x, HOW, rng(), fwer=0.1, studentize=False)
    assert np.flatnonzero(found).tolist() == step.superior_models
    assert 1 < len(step.superior_models) < 12


def test_one_model_is_a_column_and_clear_cases_are_clear():
    good = rng(1).normal(size=200) + 1.0
    result = superior_predictive_ability(good, HOW, rng())
    assert result == superior_predictive_ability(good[:, None], HOW, rng())
    assert result.consistent == 0.0
    assert superior_predictive_ability(-good, HOW, rng()).consistent > 0.4
    assert superior_models(np.column_stack([good, -good]), HOW, rng()).tolist() == [True, False]
    assert superior_models(np.column_stack([good, good]), HOW, rng()).all()


@pytest.mark.parametrize("scale", [1e6, 1e-8])
def test_tests_do_not_depend_on_the_scale(scale):
    x = _excess(0.15)
    for studentize in (False, True):
        one = superior_predictive_ability(x, HOW, rng(), studentize=studentize)
        other = superior_predictive_ability(x * scale, HOW, rng(), studentize=studentize)
        assert (other.lower, other.consistent, other.upper) == (
            one.lower,
            one.consistent,
            one.upper,
        )


def test_models_that_do_not_vary_are_named_where_they_must():
    x = np.column_stack([rng(0).normal(size=50), np.full(50, 0.1)])
    with pytest.raises(DataError, match="model 1 does not vary"):
        superior_predictive_ability(x, HOW, rng())
    assert superior_predictive_ability(x, HOW, rng(), studentize=False).best in {0, 1}


@pytest.mark.parametrize("x", [np.ones((2, 3)), np.empty((5, 0)), [[np.nan]] * 5, []])
def test_tables_that_prove_nothing_are_refused(x):
    with pytest.raises(DataError):
        superior_predictive_ability(x, HOW, rng())


def test_an_impossible_error_rate_is_refused():
    with pytest.raises(ConfigError, match="fwer"):
        superior_models(_excess(), HOW, rng(), fwer=0.0)
