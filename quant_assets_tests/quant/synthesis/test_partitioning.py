import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.candidate_clusters import CandidateClusters
from quant_assets.contracts.candidate_pool import CandidatePool
from quant_assets.contracts.returns import Returns
from quant_assets.core.errors import LookAheadError
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.moments.clustering import shrunk_correlation
from quant_assets.quant.synthesis.partitioning import (
    candidate_clusters_window,
    mean_correlation_within,
)
from quant_assets_tests.quant.synthesis.synthetic import (
    bars_before,
    candidate_pool,
    long_frame,
    symbols_of,
    synthesis_context,
)

NAN = np.nan


def _block_returns(groups, rows=400, seed=0):
    """Returns whose columns of one group share a factor (correlation about 0.8)."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(rows, max(groups) + 1))
    return 0.01 * (2 * factors[:, groups] + rng.normal(size=(rows, len(groups))))


def _clusters(returns, symbols=None, pool=None, telemetry=None, **synthesis):
    symbols = symbols or symbols_of(returns.shape[1])
    frame = candidate_clusters_window(
        synthesis_context(**synthesis),
        telemetry or NullTelemetry(),
        candidate_pool=candidate_pool(symbols) if pool is None else pool,
        returns_matrix=long_frame({"returns": returns}, bars_before(len(returns)), symbols),
    )
    return CandidateClusters.check_frame(frame, where="test")


def test_candidate_clusters_of_block_returns_are_the_blocks():
    frame = _clusters(_block_returns([0, 1, 0, 2, 1, 2, 0]))
    assert frame["cluster"].tolist() == [1, 2, 1, 3, 2, 3, 1]
    assert frame["symbol"].tolist() == list(symbols_of(7))
    assert frame["mean_correlation"].between(0.7, 0.9).all()


def test_candidate_clusters_of_permuted_returns_are_permuted():
    returns = _block_returns([0, 1, 0, 2, 1, 2, 0])
    order = np.array([6, 3, 0, 2, 5, 1, 4])
    plain, moved = _clusters(returns), _clusters(returns[:, order])
    groups, shuffled = plain["cluster"].to_numpy()[order], moved["cluster"].to_numpy()
    np.testing.assert_array_equal(groups[:, None] == groups, shuffled[:, None] == shuffled)
    assert shuffled.tolist() == [1, 2, 1, 1, 2, 3, 3]
    np.testing.assert_allclose(
        moved["mean_correlation"], plain["mean_correlation"].to_numpy()[order], atol=1e-12
    )


def test_candidate_clusters_mean_correlation_is_with_the_others_of_the_cluster():
    returns = _block_returns([0, 0, 0, 1])
    frame = _clusters(returns, max_clusters=2)
    corr, _ = shrunk_correlation(returns)
    assert frame["cluster"].tolist() == [1, 1, 1, 2]
    assert frame["mean_correlation"][0] == pytest.approx((corr[0, 1] + corr[0, 2]) / 2)
    assert np.isnan(frame["mean_correlation"][3])


def test_mean_correlation_within_by_hand():
    corr = np.array([[1.0, 0.4, 0.2], [0.4, 1.0, 0.6], [0.2, 0.6, 1.0]])
    together = mean_correlation_within(corr, np.array([1, 1, 1]))
    np.testing.assert_allclose(together, [0.3, 0.5, 0.4])
    np.testing.assert_allclose(mean_correlation_within(corr, np.array([1, 2, 1])), [0.2, NAN, 0.2])


def test_candidate_clusters_hold_only_candidates():
    pool = candidate_pool(("S00", "S02"), rejected=("S01",))
    frame = _clusters(_block_returns([0, 0, 0]), pool=pool)
    assert frame["symbol"].tolist() == ["S00", "S02"]


def test_candidate_clusters_without_candidates_are_empty():
    assert len(_clusters(_block_returns([0, 0]), pool=CandidatePool.empty())) == 0


def test_candidate_clusters_without_returns_are_one_cluster_of_unrelated_symbols():
    frame = candidate_clusters_window(
        synthesis_context(),
        NullTelemetry(),
        candidate_pool=candidate_pool(("A", "B", "C")),
        returns_matrix=Returns.empty(),
    )
    CandidateClusters.check_frame(frame, where="test")
    assert frame["cluster"].tolist() == [1, 1, 1]
    assert frame["mean_correlation"].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("count", [1, 2])
def test_candidate_clusters_of_one_or_two_symbols_are_one_cluster(count):
    frame = _clusters(_block_returns([0] * count))
    assert frame["cluster"].tolist() == [1] * count
    assert frame["mean_correlation"].isna().all() == (count == 1)


def test_candidate_clusters_survive_missing_and_constant_series():
    returns = _block_returns([0, 1, 0, 1, 0, 1])
    returns[:, 4] = 0.0
    returns[:150, 1] = NAN
    returns[::7, 0] = NAN
    returns[:, 5] = NAN
    labels = _clusters(returns)["cluster"].tolist()
    assert labels[0] == labels[2] == 1
    assert labels[1] == labels[3] == 2


def test_candidate_clusters_never_exceed_max_clusters():
    returns = _block_returns([0, 0, 1, 1, 2, 2, 3, 3])
    assert _clusters(returns, max_clusters=2)["cluster"].max() == 2
    assert _clusters(returns, max_clusters=1)["cluster"].tolist() == [1] * 8


def test_candidate_clusters_refuse_rows_from_the_future():
    late = long_frame(
        {"returns": np.zeros((2, 2))}, bars_before(2) + pd.Timedelta(days=1), ("A", "B")
    )
    with pytest.raises(LookAheadError, match="returns_matrix"):
        candidate_clusters_window(
            synthesis_context(),
            NullTelemetry(),
            candidate_pool=candidate_pool(("A", "B")),
            returns_matrix=late,
        )


def test_candidate_clusters_tell_their_number_and_shrinkage():
    telemetry = RecordingTelemetry()
    _clusters(_block_returns([0, 1, 0, 1]), telemetry=telemetry)
    (row,) = telemetry.rows
    assert row["clusters"] == 2.0
    assert row["rows"] == 400.0
    assert 0 < row["shrinkage"] < 0.1
