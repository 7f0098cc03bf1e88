"""Clusters of trials need scikit-learn, which takes a second to import: slow."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.model_selection.effective_trials import (
    cluster_trials,
    effective_trials_by_eigenvalues,
)

slow = pytest.mark.slow


def rng(seed=0):
    return np.random.default_rng(seed)


def _families(sizes=(8, 5, 10, 4, 6, 7), noise=0.4, rows=400):
    generator = rng()
    ideas = generator.normal(size=(rows, len(sizes)))
    return np.repeat(ideas, sizes, axis=1) + noise * generator.normal(size=(rows, sum(sizes)))


def test_eigenvalue_number_equals_its_definition():
    returns = _families()
    values = np.linalg.eigvalsh(np.corrcoef(returns.T))
    expected = values.sum() ** 2 / (values**2).sum()
    assert effective_trials_by_eigenvalues(returns) == pytest.approx(expected, rel=1e-9)


def test_eigenvalue_number_of_copies_is_1_and_of_strangers_theirs():
    column = rng().normal(size=(50, 1))
    assert effective_trials_by_eigenvalues(np.repeat(column, 9, axis=1)) == pytest.approx(1.0)
    strangers = np.linalg.qr(rng().normal(size=(50, 7)))[0]
    strangers -= strangers.mean(axis=0)
    assert effective_trials_by_eigenvalues(strangers) == pytest.approx(7.0, rel=0.05)


@slow
def test_clusters_find_the_planted_families():
    sizes = (8, 5, 10, 4, 6, 7)
    returns = _families(sizes)
    found = cluster_trials(returns, max_clusters=8, rng=rng())
    np.testing.assert_array_equal(found.labels, np.repeat(np.arange(6), sizes))
    assert found.n_trials == 6
    weight = 1 / returns[:, :8].var(axis=0)
    first = returns[:, :8] @ weight / weight.sum()
    assert found.cluster_sharpes[0] == pytest.approx(first.mean() / first.std(ddof=1), rel=1e-9)
    assert found.trial_variance == pytest.approx(np.var(found.cluster_sharpes, ddof=1))


@slow
def test_clusters_of_copies_are_the_distinct_strategies():
    ideas = rng().normal(size=(300, 5))
    found = cluster_trials(np.repeat(ideas, 3, axis=1), max_clusters=7, rng=rng())
    np.testing.assert_array_equal(found.labels, np.repeat(np.arange(5), 3))


@slow
def test_clusters_are_the_same_for_the_same_generator_and_any_scale():
    returns = _families((5, 4, 6))
    one = cluster_trials(returns, max_clusters=5, rng=rng(4))
    for scale in (1.0, 1e6, 1e-8):
        other = cluster_trials(returns * scale, max_clusters=5, rng=rng(4))
        np.testing.assert_array_equal(other.labels, one.labels)
        np.testing.assert_allclose(other.cluster_sharpes, one.cluster_sharpes, rtol=1e-9)


@slow
def test_clusters_with_a_strategy_that_never_moves_are_found():
    returns = _families((4, 4))
    returns[:, 3] = 0.0
    found = cluster_trials(returns, max_clusters=4, rng=rng())
    assert len(found.labels) == 8
    assert found.n_trials >= 2


@pytest.mark.parametrize(
    "call",
    [lambda x: cluster_trials(x, max_clusters=3, rng=rng()), effective_trials_by_eigenvalues],
)
def test_bad_tables_are_refused(call):
    with pytest.raises(DataError, match="row 2 of strategy 1 is not finite"):
        call(np.where(np.arange(12).reshape(4, 3) == 7, np.nan, 1.0))
    with pytest.raises(DataError, match="shape"):
        call(np.zeros((5, 2)))


def test_a_single_cluster_cannot_be_asked_for():
    with pytest.raises(ConfigError, match="max_clusters 1"):
        cluster_trials(np.zeros((5, 4)), max_clusters=1, rng=rng())
