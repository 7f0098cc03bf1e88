import pytest

from benchmarks import workspace

pytestmark = pytest.mark.slow(8)


def test_measure_runs_every_way_in_a_process_of_its_own(tmp_path):
    rows = workspace.measure(tmp_path, quick=True)
    assert [(row["covariance"], row["pool"]) for row in rows] == [
        (job, pool) for job in workspace.JOBS for pool in ("off", "on")
    ]
    assert all(row["equal bit for bit"] for row in rows)
    assert all(row["peak MB"] > 20.0 for row in rows)
