"""Machine code gives what its source says: the same runs, kernels compiled and as plain Python."""

import hashlib
import os
import subprocess
import sys

import pytest

from quant_assets_tests.docs.pages import REPOSITORY
from quant_assets_tests.quant.simulation.execution.random_runs import logs, random_run
from quant_assets_tests.quant.simulation.execution.test_random_orders import run_stream

pytestmark = pytest.mark.slow(seconds=10)

SEEDS, ORDER_SEEDS = range(40), range(10)
PROGRAM = """
import numpy as np
from quant_assets_tests.plain_kernels import put_twins
put_twins()
np.seterr(all="ignore")
from quant_assets_tests.quant.simulation.execution.test_plain_kernels import digests
print("\\n".join(digests()))
"""


def digests() -> list[str]:
    """One for each run of signals, then one for each run of orders."""
    found = []
    for seed in SEEDS:
        parts = (part.tobytes() for part in logs(random_run(seed).run()[1]))
        found.append(hashlib.sha256(b"".join(parts)).hexdigest())
    return found + [run_stream(seed).hash() for seed in ORDER_SEEDS]


def test_kernels_as_plain_python_give_the_same_runs():
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    plain = done.stdout.split()
    assert len(plain) == len(SEEDS) + len(ORDER_SEEDS)
    assert plain == digests()
