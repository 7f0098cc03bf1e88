import subprocess
import sys

import pytest

from quant_assets.quant import research

PUBLIC = {"aggregate_evaluation", "stratified_effect", "cost_surface", "interaction_lift"}
PUBLIC |= {"edge_by_delay", "robustness_over_paths", "FeatureSchema", "group_contrast"}


def test_the_package_offers_what_its_modules_offer():
    assert set(research.__all__) >= PUBLIC
    assert all(callable(getattr(research, name)) for name in research.__all__)


@pytest.mark.slow
def test_importing_the_package_loads_none_of_its_modules():
    code = "import sys, quant_assets.quant.research as r; r.__all__; print(*sys.modules)"
    run = [sys.executable, "-c", code]
    loaded = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60).stdout
    heavy = {"numpy", "pandas", "numba", "scipy", "sklearn", "dagster", "pandera"}
    assert heavy & set(loaded.split()) == set()
