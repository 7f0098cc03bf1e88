"""The README's feature and the guide's optimizer, installed as another package's plug-ins."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.features.base import FeatureInputs
from quant_assets.quant.market.panel import Panel
from quant_assets.quant.market.returns import equal_weight_market, simple_returns
from quant_assets_tests.docs.conftest import environment_of
from quant_assets_tests.docs.pages import REPOSITORY, Page
from quant_assets_tests.plugin_checks.prefix_invariance import assert_prefix_invariant

PLUGINS = {
    "range_position": "quant_assets.features",
    "inverse_variance": "quant_assets.optimization",
}
METADATA = "Metadata-Version: 2.1\nName: readme-plugins\nVersion: 1.0\n"
FOUND = """
from quant_assets.core.registry import discover
from quant_assets.quant.features.base import Feature
from quant_assets.quant.optimization.base import Optimizer
print("range_position" in discover("quant_assets.quant.features", Feature))
print("inverse_variance" in discover("quant_assets.quant.optimization", Optimizer))
"""


def source_of(name: str) -> str:
    pages = (Page(REPOSITORY / page) for page in ("README.md", "docs/extending.md"))
    blocks = (block for page in pages for block in page.of("python"))
    return next(block.text for block in blocks if block.text.startswith(f"# {name}.py\n"))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder that looks like an installed package with entry points."""
    package, facts = tmp_path / "readme_plugins", tmp_path / "readme_plugins-1.0.dist-info"
    package.mkdir()
    facts.mkdir()
    (package / "__init__.py").touch()
    groups = []
    for name, group in PLUGINS.items():
        (package / f"{name}.py").write_text(source_of(name), encoding="utf-8")
        groups.append(f"[{group}]\n{name} = readme_plugins.{name}\n")
    (facts / "METADATA").write_text(METADATA, encoding="utf-8")
    (facts / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    return tmp_path


def run(site: Path, *words: str, **environment: str) -> str:
    """A Python process that sees the installed package."""
    paths = f"{site}:{REPOSITORY}"
    done = subprocess.run(
        [sys.executable, *words],
        env={**environment_of(site / "data"), "PYTHONPATH": paths, **environment},
        cwd=site,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


@pytest.mark.slow
def test_readme_plugins_are_found_by_their_entry_points(site):
    assert run(site, "-c", FOUND).split() == ["True", "True"]


@pytest.mark.slow
def test_readme_plugins_make_exactly_their_readers_stale(site, demo_root):
    words = ["-m", "quant_assets.cli.main", "plan", "--venue", "sp500_demo", "--json"]
    words += ["--windows", "1990-01-01...1991-03-01"]
    rows = json.loads(run(site, *words, QUANT_ASSETS_DATA_ROOT=str(demo_root)))
    changed = {row["asset"] for row in rows if row["cause"] == "code changed"}
    assert {"alpha_features", "target_weights"} <= changed
    assert changed.isdisjoint(
        {"raw_bars", "bars", "returns_matrix", "universe", "candidate_clusters"}
    )


def test_readme_feature_has_hand_worked_values_and_keeps_the_prefix():
    namespace: dict = {"__name__": "range_position"}
    exec(compile(source_of("range_position"), "range_position.py", "exec"), namespace)  # noqa: S102 - our own page
    feature = namespace["RangePosition"]()

    def compute(arrays: dict) -> np.ndarray:
        return feature.compute(inputs_from(arrays["close"]))

    close = np.array([[10.0], [20.0], [15.0], [18.0], [20.0], [20.0]])
    np.testing.assert_allclose(compute({"close": close})[:, 0], [np.nan] * 3 + [0.8, 1.0, 1.0])
    noise = np.random.default_rng(0).lognormal(size=(30, 3))
    assert_prefix_invariant(compute, {"close": noise}, cuts=(1, 4, 17))


def inputs_from(close: np.ndarray) -> FeatureInputs:
    ts = pd.date_range("2024-01-01", periods=len(close), freq="D", tz="UTC")
    symbols = tuple(f"S{column}" for column in range(close.shape[1]))
    returns = simple_returns(Panel(close, ts, symbols))
    return FeatureInputs.of(
        close=close,
        returns=returns,
        market=equal_weight_market(returns),
        month_bars=1,
        bars_per_year=252,
        ts=ts,
        symbols=symbols,
    )
