"""Estimates are the same bit for bit whether their steps lie in a workspace or not."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.core.errors import QuantAssetsError
from quant_assets.core.workspace import NumericalWorkspace
from quant_assets.quant.moments.covariance import covariance_matrix
from quant_assets.quant.moments.missing import nearest_correlation

WAYS = [
    ("ledoit_wolf_constant_correlation", "complete_rows"),
    ("sample", "pairwise"),
    ("sample", "available"),
]


def returns(seed, n_rows, n_assets, missing=0.0):
    rng = np.random.default_rng(seed)
    found = 0.01 * rng.standard_normal((n_rows, n_assets)) @ rng.normal(size=(n_assets, n_assets))
    found[rng.random(found.shape) < missing] = np.nan
    return found


@pytest.mark.parametrize(("estimator", "missing"), WAYS)
def test_estimates_of_one_window_after_the_other_are_equal_bit_for_bit(estimator, missing):
    gaps = 0.0 if missing == "complete_rows" else 0.2
    windows = [returns(seed, 40, 12 + seed, gaps) for seed in range(3)]
    plain = [covariance_matrix(x, estimator=estimator, missing=missing) for x in windows]
    with NumericalWorkspace(least_bytes=1) as workspace:
        found = [covariance_matrix(x, estimator=estimator, missing=missing) for x in windows]
        assert workspace.nbytes > 0
    # compared after all windows: a result in the pool would have been written over
    for ours, theirs in zip(found, plain, strict=True):
        assert ours.tobytes() == theirs.tobytes()


def test_nearest_correlation_is_equal_and_leaves_its_argument_alone():
    rng = np.random.default_rng(0)
    rough = rng.uniform(-1.0, 1.0, (9, 9))
    rough = (rough + rough.T) / 2.0
    np.fill_diagonal(rough, 1.0)
    before, plain = rough.copy(), nearest_correlation(rough)
    with NumericalWorkspace(least_bytes=1):
        found = nearest_correlation(rough)
        again = nearest_correlation(found)
    assert found.tobytes() == plain.tobytes()
    assert again is not found
    assert rough.tobytes() == before.tobytes()


def test_estimates_with_a_workspace_hold_less_memory_at_a_time():
    window = returns(1, 130, 260)

    def peak():
        tracemalloc.start()
        covariance_matrix(window, estimator="ledoit_wolf_constant_correlation")
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    plain = peak()
    with NumericalWorkspace():
        assert peak() < 0.8 * plain  # the pool's own memory is made, and counted, in here


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.integers(8, 60),
    n_assets=st.integers(1, 20),
    scale=st.sampled_from([1.0, 1e6, 1e-8]),
    constant=st.booleans(),
    way=st.sampled_from(WAYS),
)
def test_estimates_of_any_window_are_equal_bit_for_bit(
    seed, n_rows, n_assets, scale, constant, way
):
    estimator, missing = way
    window = scale * returns(seed, n_rows, n_assets, 0.0 if missing == "complete_rows" else 0.1)
    if constant:
        window[:, 0] = scale
    plain = outcome(window, estimator, missing)
    with NumericalWorkspace(least_bytes=1):
        first, second = (outcome(window, estimator, missing) for _ in range(2))
    assert first == plain
    assert second == plain


def outcome(window, estimator, missing):
    """Bytes of the estimate, or the words of its refusal."""
    try:
        return covariance_matrix(window, estimator=estimator, missing=missing).tobytes()
    except QuantAssetsError as refusal:
        return str(refusal)
