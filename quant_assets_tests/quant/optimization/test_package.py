"""The package offers the classes of its files, without importing them."""

import subprocess
import sys

import numpy as np
import pytest

from quant_assets.core.registry import discover
from quant_assets.quant import optimization


def test_package_offers_every_optimizer_that_discovery_finds():
    found = discover("quant_assets.quant.optimization", optimization.Optimizer)
    assert len(found) > 20
    for kind in found.values():
        assert getattr(optimization, kind.__name__) is kind


def test_package_is_used_by_name():
    returns = np.random.default_rng(0).normal(0.0, [0.01, 0.02], size=(50, 2))
    fitted = optimization.InverseVolatility(covariance="sample").fit(returns)
    inverse = 1.0 / returns.std(axis=0)
    np.testing.assert_allclose(fitted.weights_, inverse / inverse.sum(), rtol=1e-9)


@pytest.mark.slow
def test_importing_the_package_loads_none_of_its_modules():
    code = "import sys, quant_assets.quant.optimization as o; o.__all__; print(*sys.modules)"
    run = [sys.executable, "-c", code]
    loaded = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60).stdout
    heavy = {"numpy", "pandas", "numba", "scipy", "sklearn", "cvxpy", "dagster", "pandera"}
    assert heavy & set(loaded.split()) == set()
