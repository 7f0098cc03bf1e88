"""Benchmarks of this room at their quick size: they raise when the ways compared disagree."""

import pytest

from benchmarks import bootstrap, monte_carlo, scan


@pytest.mark.slow
@pytest.mark.parametrize(
    "benchmark", [scan, bootstrap, monte_carlo], ids=["scan", "bootstrap", "monte_carlo"]
)
def test_benchmark_at_its_quick_size_compares_equal_results(benchmark, tmp_path):
    rows = benchmark.measure(tmp_path, quick=True)
    assert len(rows) >= 2
    assert all(row["median CPU s"] > 0 for row in rows)
