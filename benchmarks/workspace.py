"""Peak memory of a walk-forward's covariances, with and without a pool of buffers.

Each way runs in a process of its own: its peak is the operating system's figure for the whole
process, the interpreter, numpy and the returns included.
"""

import json
import os
import sys
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path

import numpy as np

from benchmarks.page import Row
from benchmarks.processes import used_by

TITLE = "Covariances of a walk-forward with and without a `NumericalWorkspace`, one thread"
TARGET = "peak memory of the process at least 20 % lower with the pool, results equal bit for bit"
TRAIN, TEST = 252, 21
JOBS = {
    "shrunk to constant correlation": ("ledoit_wolf_constant_correlation", "complete_rows"),
    "2 % missing, pairwise": ("sample", "pairwise"),
    "2 % missing, available": ("sample", "available"),
}
SIZES = {  # assets, windows
    "shrunk to constant correlation": (2_000, 12),
    "2 % missing, pairwise": (1_000, 2),
    "2 % missing, available": (1_000, 2),
}
QUICK_SIZE = (40, 2)


def measure(folder: Path, *, quick: bool) -> list[Row]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    rows: list[Row] = []
    for job, full in SIZES.items():
        n_assets, n_windows = QUICK_SIZE if quick else full
        peaks, digests = [], []
        for pool in ("off", "on"):
            words = [*("-m", "benchmarks.workspace", job), pool, str(n_assets), str(n_windows)]
            used = used_by(words, environment | {"PYTHONPATH": _root()}, folder)
            facts = json.loads(used.output.splitlines()[-1])
            peaks.append(used.peak_megabytes)
            digests.append(facts["digest"])
            rows.append(
                {
                    "covariance": job,
                    "assets": n_assets,
                    "windows": n_windows,
                    "pool": pool,
                    "CPU s": used.cpu,
                    "of which system": facts["system"],
                    "peak MB": used.peak_megabytes,
                    "less than without, %": 100.0 * (1.0 - peaks[-1] / peaks[0]),
                    "equal bit for bit": digests[-1] == digests[0],
                }
            )
        if digests[0] != digests[1]:
            raise RuntimeError(f"{job}: the pool changes results")
    return rows


def _root() -> str:
    return str(Path(__file__).resolve().parent.parent)


def main() -> None:
    """Walk once and print JSON: a digest of all covariances, and seconds in the system."""
    from quant_assets.core.workspace import NumericalWorkspace
    from quant_assets.quant.moments.covariance import covariance_matrix

    job, pool, n_assets, n_windows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    estimator, missing = JOBS[job]
    rng = np.random.default_rng(0)
    n_rows = TRAIN + TEST * (n_windows - 1)
    common = 0.008 * rng.standard_normal((n_rows, 1)) * rng.uniform(0.5, 1.5, n_assets)
    returns = common + 0.02 * rng.standard_normal((n_rows, n_assets))
    if missing != "complete_rows":
        returns[rng.random(returns.shape) < 0.02] = np.nan
    digest = sha256()
    with NumericalWorkspace() if pool == "on" else nullcontext():
        for first in range(0, n_windows * TEST, TEST):
            window = returns[first : first + TRAIN]
            digest.update(covariance_matrix(window, estimator=estimator, missing=missing).data)
    print(json.dumps({"digest": digest.hexdigest(), "system": os.times().system}))


if __name__ == "__main__":
    main()
