from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from quant_assets.contracts.candidate_pool import CandidatePool
from quant_assets.contracts.correlations import Correlations
from quant_assets.contracts.returns import Returns
from quant_assets.core.errors import LookAheadError
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.synthesis.correlations import (
    correlation_matrix,
    correlations_window,
    semidefinite,
)
from quant_assets_tests.quant.synthesis.synthetic import (
    START,
    bars_before,
    candidate_pool,
    long_frame,
    symbols_of,
    synthesis_context,
)

NAN = np.nan
IMPOSSIBLE = np.array([[1.0, 0.9, 0.9], [0.9, 1.0, -0.9], [0.9, -0.9, 1.0]])


def _returns(rows=300, columns=4, seed=0):
    rng = np.random.default_rng(seed)
    market = rng.normal(size=(rows, 1))
    return 0.01 * (market + rng.normal(size=(rows, columns)))


def _contradictory():
    """Three symbols whose pairs, each on rows of its own, cannot be correlated so together."""
    rng = np.random.default_rng(3)
    rows = np.full((300, 3), NAN)
    for block, (first, second, sign) in enumerate([(0, 1, 1), (0, 2, 1), (1, 2, -1)]):
        common = rng.normal(size=100)
        rows[100 * block : 100 * block + 100, first] = common
        rows[100 * block : 100 * block + 100, second] = sign * common
    return rows


def _frame(returns, pool=None, telemetry=None):
    symbols = symbols_of(returns.shape[1])
    frame = correlations_window(
        synthesis_context(),
        telemetry or NullTelemetry(),
        candidate_pool=candidate_pool(symbols) if pool is None else pool,
        returns_matrix=long_frame({"returns": returns}, bars_before(len(returns)), symbols),
    )
    return Correlations.check_frame(frame, where="test")


@pytest.mark.slow
def test_correlations_of_complete_rows_are_shrunk_as_in_the_paper():
    from sklearn.covariance import ledoit_wolf

    returns = _returns()
    telemetry = RecordingTelemetry()
    standardised = (returns - returns.mean(axis=0)) / returns.std(axis=0)
    expected, intensity = ledoit_wolf(standardised, assume_centered=True)
    assert_allclose(correlation_matrix(_frame(returns, telemetry=telemetry)), expected, atol=1e-12)
    (row,) = telemetry.rows
    assert row["shrinkage"] == pytest.approx(intensity)
    assert row["mixed"] == 0.0
    assert (row["symbols"], row["rows"]) == (4.0, 300.0)


def test_correlations_hold_each_pair_once_with_its_diagonal_and_date():
    frame = _frame(_returns())
    assert len(frame) == 4 * 5 / 2
    assert (frame["symbol"] <= frame["other"]).all()
    assert (frame["correlation"][frame["symbol"] == frame["other"]] == 1.0).all()
    assert (frame["decided_at"] == pd.Timestamp(START)).all()


def test_correlations_as_a_matrix_are_symmetric_with_the_symbols_in_order():
    matrix = correlation_matrix(_frame(_returns()))
    assert list(matrix.index) == list(matrix.columns) == list(symbols_of(4))
    assert_array_equal(matrix, matrix.T)


def test_correlation_matrix_of_two_decisions_is_refused():
    frame = _frame(_returns())
    later = frame.assign(decided_at=frame["decided_at"] + pd.Timedelta(days=31))
    with pytest.raises(ValueError, match="duplicate"):
        correlation_matrix(pd.concat([frame, later]))


def test_correlations_count_the_common_rows():
    returns = _returns(rows=10, columns=2)
    returns[:3, 0] = NAN
    returns[2:5, 1] = NAN
    assert _frame(returns)["n_rows"].tolist() == [7, 5, 7]


def test_correlations_of_contradicting_pairs_become_semidefinite():
    telemetry = RecordingTelemetry()
    matrix = correlation_matrix(_frame(_contradictory(), telemetry=telemetry)).to_numpy()
    (row,) = telemetry.rows
    assert row["mixed"] > 0.1
    assert np.linalg.eigvalsh(matrix)[0] == pytest.approx(0.0, abs=1e-12)
    assert matrix[0, 1] > 0.4
    assert matrix[1, 2] < -0.4


def test_semidefinite_mixes_no_more_than_needed():
    moved, mixed = semidefinite(IMPOSSIBLE)
    lowest = 1.0 - 2 * 0.9  # of the matrix 1 and +-0.9 whose product of signs is negative
    assert mixed == pytest.approx(-lowest / (1 - lowest))
    assert np.linalg.eigvalsh(moved)[0] == pytest.approx(0.0, abs=1e-12)
    assert_allclose(moved[~np.eye(3, dtype=bool)], (1 - mixed) * IMPOSSIBLE[~np.eye(3, dtype=bool)])
    assert_array_equal(np.diag(moved), 1.0)


def test_semidefinite_leaves_a_correlation_matrix_alone():
    given = np.corrcoef(_returns(), rowvar=False)
    np.fill_diagonal(given, 1.0)
    moved, mixed = semidefinite(given)
    assert mixed == 0.0
    assert_array_equal(moved, given)


def test_correlations_survive_constant_and_missing_series():
    returns = _returns()
    returns[:, 1] = 0.0
    returns[:, 3] = NAN
    matrix = correlation_matrix(_frame(returns)).to_numpy()
    assert_array_equal(matrix[1], [0.0, 1.0, 0.0, 0.0])
    assert_array_equal(matrix[3], [0.0, 0.0, 0.0, 1.0])
    assert np.linalg.eigvalsh(matrix)[0] >= 0.0


def test_correlations_hold_only_candidates_of_the_decision():
    pool = candidate_pool(("S00", "S02"), rejected=("S01",))
    earlier = candidate_pool(("S01", "S03"), decided_at=datetime(2020, 2, 1, tzinfo=UTC))
    frame = _frame(_returns(), pool=pd.concat([earlier, pool], ignore_index=True))
    assert sorted(set(frame["symbol"]) | set(frame["other"])) == ["S00", "S02"]


def test_correlations_without_candidates_or_returns_are_empty_or_zero():
    assert len(_frame(_returns(), pool=CandidatePool.empty())) == 0
    frame = correlations_window(
        synthesis_context(),
        NullTelemetry(),
        candidate_pool=candidate_pool(("A", "B")),
        returns_matrix=Returns.empty(),
    )
    Correlations.check_frame(frame, where="test")
    assert frame["correlation"].tolist() == [1.0, 0.0, 1.0]
    assert frame["n_rows"].tolist() == [0, 0, 0]


def test_correlations_refuse_rows_from_the_future():
    late = bars_before(2) + pd.Timedelta(days=1)
    with pytest.raises(LookAheadError, match="returns_matrix"):
        correlations_window(
            synthesis_context(),
            NullTelemetry(),
            candidate_pool=candidate_pool(("A", "B")),
            returns_matrix=long_frame({"returns": np.zeros((2, 2))}, late, ("A", "B")),
        )
