"""Compiled walks: every file warms itself up, and a second process compiles nothing."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from quant_assets.quant import indicators

pytestmark = pytest.mark.slow

PACKAGE = "quant_assets.quant.indicators"
FILES = sorted(path.stem for path in Path(indicators.__file__).parent.glob("*_kernel.py"))
SECOND = f"""
import numpy as np
from importlib import import_module
from numba.core.dispatcher import Dispatcher
from quant_assets.quant import indicators

bars = np.linspace(1.0, 2.0, 40)[:, None] + np.zeros(3)
for kind in indicators.catalogue().values():
    indicator = kind()
    indicator.compute(*[bars] * len(indicator.inputs))
    indicator.stream(2).update(*[np.ones(2)] * len(indicator.inputs))
for file in {FILES!r}:
    for name, value in vars(import_module("{PACKAGE}." + file)).items():
        if isinstance(value, Dispatcher) and value.__module__.endswith(file) and name[0] != "_":
            compiled = len(value.overloads)
            assert compiled == len(value.stats.cache_hits), f"{{file}}.{{name}}: compiled again"
            assert compiled <= 1, f"{{file}}.{{name}}: {{compiled}} types of arguments"
"""


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_kernels_warm_up(file):
    module = importlib.import_module(f"{PACKAGE}.{file}")
    module.warm_up()
    kernels = [
        value
        for name, value in vars(module).items()
        if hasattr(value, "py_func") and value.__module__ == module.__name__ and name[0] != "_"
    ]
    assert kernels
    for kernel in kernels:
        assert kernel.signatures, f"{kernel.__name__} is not warmed up"


@pytest.mark.slow
def test_a_second_process_compiles_nothing_that_the_warm_up_has_compiled():
    for file in FILES:
        importlib.import_module(f"{PACKAGE}.{file}").warm_up()
    run = subprocess.run(
        [sys.executable, "-c", SECOND], capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
