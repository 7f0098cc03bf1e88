"""The benchmark of twenty factors runs, and both its sides give the same factors."""

import numpy as np
import pytest
import talib

from benchmarks import factors

pytestmark = pytest.mark.slow


def test_both_ways_are_measured_on_the_same_factors(tmp_path):
    rows = factors.measure(tmp_path, quick=True)
    assert [row["way"] for row in rows] == [factors.OURS, factors.TALIB]
    columns = factors.prices(3, 200, 0.01)
    mine = factors.ours(columns)
    series = {name: np.ascontiguousarray(values.T) for name, values in columns.items()}
    theirs = factors.talib_factors(talib, series)
    assert len(mine) == 20
    assert set(theirs) < set(mine)
    for name, values in theirs.items():
        np.testing.assert_allclose(mine[name][-100:], values.T[-100:], rtol=1e-7, atol=1e-12)
