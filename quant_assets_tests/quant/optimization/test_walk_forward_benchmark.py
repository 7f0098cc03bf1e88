"""The walk-forward benchmark runs in its small size, and its ways agree (else it raises)."""

import pytest

from benchmarks import walk_forward

pytestmark = pytest.mark.slow


def test_quick_size_measures_every_problem_beside_a_peer(tmp_path):
    rows = walk_forward.measure(tmp_path, quick=True)
    ours = {row["problem"] for row in rows if row["way"] == "ours"}
    assert ours == {
        "minimum variance",
        "mean-variance",
        "maximum Sharpe",
        "mean-variance, turnover",
    }
    assert {row["way"] for row in rows} >= {"ours", "skfolio", "cvxpy and Clarabel"}
    assert all(row["CPU ms per window"] > 0 for row in rows)
    assert list(tmp_path.iterdir()) == []


def test_peer_that_is_better_is_an_error():
    spans = walk_forward.windows(30)
    held = walk_forward.np.full(30, 1 / 30)
    good, bad = walk_forward.ours(0.2)["minimum variance"], lambda returns, held: held
    with pytest.raises(RuntimeError, match="peer reaches"):
        walk_forward.compared(
            "minimum variance", {"ours": bad, "peer": good}, spans, held, repeats=1
        )
