"""The benchmark of the performance table runs, and its ways agree."""

import numpy as np
import pytest

from benchmarks import metrics

pytestmark = pytest.mark.slow


def test_quick_size_measures_every_way(tmp_path):
    rows = metrics.measure(tmp_path, quick=True)
    assert [row["way"].split(",")[0] for row in rows[:3]] == ["ours", "ours", "numpy"]
    assert all(row["median CPU s"] > 0 for row in rows)


def test_a_way_that_computes_something_else_is_refused():
    ours = {"cagr": np.array([0.1, 0.2])}
    with pytest.raises(RuntimeError, match=r"numpy: cagr differs from ours by up to 1.0e-01"):
        metrics._require_equal(ours, {"cagr": np.array([0.1, 0.3])}, "numpy")
