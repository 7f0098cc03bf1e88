"""The package offers the names of its modules without importing them."""

import subprocess
import sys

import pytest

from quant_assets.quant import moments


def test_package_offers_what_its_modules_state():
    assert {
        "absolute_view",
        "black_litterman",
        "blend_alphas",
        "covariance_matrix",
        "expected_returns",
        "hierarchical_labels",
        "ledoit_wolf",
        "nearest_correlation",
        "relative_view",
    } <= set(moments.__all__)
    assert all(callable(getattr(moments, name)) for name in moments.__all__)


@pytest.mark.slow
def test_package_import_loads_neither_scipy_nor_pandera():
    code = (
        "import sys; from quant_assets.quant import moments; moments.covariance_matrix; "
        "print([m for m in ('scipy.optimize', 'pandera', 'dagster') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
