"""What type checkers are told about lazy packages is what the packages offer."""

import importlib
import subprocess
import sys

import pytest

from quant_assets_tests.core.stubs import CHECKOUT, lazy_packages, stub

PACKAGES = lazy_packages()
SNIPPET = """
from typing import assert_type

import numpy as np
import numpy.typing as npt
from quant_assets.quant import indicators, moments, optimization, statistics
from quant_assets.quant.moments import ledoit_wolf_shrinkage

assert_type(moments.covariance_matrix([[0.1, 0.2], [0.2, 0.1]]), npt.NDArray[np.float64])
assert_type(ledoit_wolf_shrinkage([[0.1, 0.2], [0.2, 0.1]]), float)
assert_type(optimization.MinimumVariance().constraints, optimization.Constraints)
statistics.Resampling("four", 100)
indicators.no_such_indicator
"""


def test_lazy_packages_of_the_library_are_found():
    rooms = ("analytics", "indicators", "model_selection", "moments", "statistics")
    assert {f"quant_assets.quant.{room}" for room in rooms} <= set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_stub_tells_in_which_modules_the_public_names_are(package):
    written = (PACKAGES[package] / "__init__.pyi").read_text(encoding="utf-8")
    assert written == stub(package), "stale: run python -m quant_assets_tests.core.stubs"


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_names_of_a_stub_are_the_objects_that_the_package_gives(package):
    space = {}
    code = (PACKAGES[package] / "__init__.pyi").read_text(encoding="utf-8")
    exec(code, space)  # noqa: S102 - a stub of plain imports
    del space["__builtins__"]
    door = importlib.import_module(package)
    assert set(space) == set(door.__all__)
    assert [name for name, value in space.items() if value is not getattr(door, name)] == []


@pytest.mark.slow(20)
def test_mypy_knows_the_types_behind_a_lazy_package(tmp_path):
    user = tmp_path / "user.py"
    user.write_text(SNIPPET, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(user)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if "error:" in line]
    assert [line.split(": ", 1)[0].rsplit(":", 1)[-1] for line in errors] == ["12", "13"], errors
    assert 'incompatible type "str"; expected "float"' in errors[0]
    assert 'has no attribute "no_such_indicator"' in errors[1]
