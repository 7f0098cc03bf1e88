"""The benchmark of the risk optimizers runs, and its ways agree."""

import numpy as np
import pytest

from benchmarks import risk_optimizers

pytestmark = pytest.mark.slow


def test_quick_size_measures_every_way(tmp_path):
    rows = risk_optimizers.measure(tmp_path, quick=True)
    ways = [str(row["way"]) for row in rows]
    assert ways[:2] == ["risk parity, ours", "hierarchical, ours"]
    assert "CVaR, HiGHS directly" in ways
    assert all(row["CPU ms per window"] > 0 for row in rows)


def test_a_way_that_computes_something_else_is_refused():
    spans = risk_optimizers.windows(8)
    even = (spans, lambda returns: np.full(returns.shape[1], 1 / 8))
    best = (spans, risk_optimizers.ours(risk_optimizers.MinimumCVaR))
    ways = {"CVaR, ours": best, "CVaR, HiGHS directly": even, "risk parity, ours": even}
    with pytest.raises(RuntimeError, match="CVaR: ours gives"):
        risk_optimizers.check(ways)
    alike = {"CVaR, ours": even, "CVaR, HiGHS directly": even, "risk parity, ours": even}
    with pytest.raises(RuntimeError, match="risk shares differ"):
        risk_optimizers.check(alike)
