"""A code location loads quickly, because what is heavy is imported where it is used."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quant_assets_tests.reliability.fixture_venue import neutral_environment

pytestmark = pytest.mark.slow
HEAVY = ("cvxpy", "sklearn", "numba", "plotly", "matplotlib", "skfolio", "arch", "duckdb")
# Three seconds of wall time on a quiet machine are the aim (`python -m benchmarks load` measures
# them); CPU time with a wide margin is what a busy machine can be held to.
MOST_CPU_SECONDS = 9.0
PROGRAM = """
import json, sys, time
import quant_assets.definitions
names = [a.key.to_user_string() for a in quant_assets.definitions.defs.resolve_all_asset_specs()]
print(json.dumps({"cpu": time.process_time(), "modules": sorted(sys.modules), "assets": names}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder: Path = tmp_path_factory.mktemp("load")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**neutral_environment(), "QUANT_ASSETS_DATA_ROOT": str(folder / "data")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = json.loads(done.stdout)
    found["left"] = [path.name for path in folder.iterdir()]
    return found


@pytest.mark.parametrize("package", HEAVY)
def test_load_of_definitions_does_not_import(loaded: dict, package: str):
    assert package not in loaded["modules"]


def test_load_of_definitions_stays_within_its_cpu_time(loaded: dict):
    assert "portfolio_weights" in loaded["assets"]
    assert loaded["cpu"] < MOST_CPU_SECONDS


def test_load_of_definitions_writes_nothing(loaded: dict):
    assert loaded["left"] == []
