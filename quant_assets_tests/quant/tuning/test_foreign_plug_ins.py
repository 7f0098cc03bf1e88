"""A search and an objective of another package; no file of ours changes."""

import json
import subprocess
import sys

import pytest

from quant_assets_tests.docs.conftest import environment_of
from quant_assets_tests.docs.pages import REPOSITORY

pytestmark = pytest.mark.slow

OBJECTIVE = """
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.tuning.objectives.base import Objective


@dataclass(frozen=True, kw_only=True)
class WorstDay(Objective):
    name: ClassVar[str] = "worst_day"

    def measure(self, returns, periods_per_year):
        return float(returns.min())
"""
SEARCH = """
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.tuning.searches.base import Search


@dataclass(frozen=True, kw_only=True)
class Corners(Search):
    name: ClassVar[str] = "corners"

    def proposals(self, space):
        values = yield [space.at([0.0] * len(space.names))]
        last = 0.999 if values[0] < 0.0 else 0.0
        yield [space.at([last] * len(space.names))]
"""
PROGRAM = """
import json
from quant_assets.quant.tuning.study import tune
from quant_assets_tests.quant.tuning.samples import Cross, market

space = {"fast": [2, 3, 4], "slow": [6, 8]}
found = tune(Cross, space, market(90), search="corners", objective="worst_day")
lows = [float(one.outcome.returns.min()) for one in found.items]
values = [one.value for one in found.items]
print(json.dumps({"params": [one.params for one in found.items], "values": values, "lows": lows}))
"""


def test_search_and_objective_of_another_package_are_found_by_name(tmp_path):
    package, facts = tmp_path / "foreign_tuning", tmp_path / "foreign_tuning-1.0.dist-info"
    package.mkdir()
    facts.mkdir()
    (package / "__init__.py").touch()
    (package / "objective.py").write_text(OBJECTIVE, encoding="utf-8")
    (package / "search.py").write_text(SEARCH, encoding="utf-8")
    groups = (
        "[quant_assets.tuning.searches]\ncorners = foreign_tuning.search\n"
        "[quant_assets.tuning.objectives]\nworst_day = foreign_tuning.objective\n"
    )
    (facts / "entry_points.txt").write_text(groups, encoding="utf-8")
    metadata = "Metadata-Version: 2.1\nName: foreign-tuning\nVersion: 1.0\n"
    (facts / "METADATA").write_text(metadata, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**environment_of(tmp_path / "data"), "PYTHONPATH": f"{tmp_path}:{REPOSITORY}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["params"] == [{"fast": 2, "slow": 6}, {"fast": 4, "slow": 8}]
    assert found["values"] == found["lows"]
