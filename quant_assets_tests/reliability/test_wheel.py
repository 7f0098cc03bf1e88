"""A wheel holds everything: installed elsewhere it loads the same graph as the checkout."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from quant_assets_tests.reliability.fixture_venue import neutral_environment

pytestmark = pytest.mark.slow
CHECKOUT = Path(__file__).parents[2]
BUILD_FILES = ("pyproject.toml", "README.md", "LICENSE")
PROGRAM = """
import json
import quant_assets
from quant_assets.definitions import defs
from quant_assets.orchestration.graph import ordered_specs
from quant_assets.orchestration.workspace import current_workspace

graph = defs.resolve_asset_graph()
print(json.dumps({
    "file": quant_assets.__file__,
    "assets": sorted(key.to_user_string() for key in graph.get_all_asset_keys()),
    "versions": {spec.main: spec.code_version for spec in ordered_specs()},
    "venues": sorted(current_workspace().venues),
}))
"""


def pip(*words: str) -> None:
    quiet = ["--quiet", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words, *quiet], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that the checkout gets no build folder."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(CHECKOUT / "quant_assets", source / "quant_assets", ignore=ignored)
    for name in BUILD_FILES:
        shutil.copy(CHECKOUT / name, source / name)
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    (found,) = folder.glob("*.whl")
    return found


def ask(folder: Path, package: Path) -> dict:
    """What a process finds that imports the package from `package`."""
    folder.mkdir()
    environment = neutral_environment()
    environment |= {"PYTHONPATH": str(package), "QUANT_ASSETS_DATA_ROOT": str(folder / "data")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_wheel_holds_every_file_of_the_package(wheel: Path):
    own = {
        str(path.relative_to(CHECKOUT))
        for path in (CHECKOUT / "quant_assets").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if not name.split("/")[0].endswith("-info")}
    assert inside == own


def test_wheel_installed_elsewhere_loads_the_graph_of_the_checkout(wheel: Path, tmp_path: Path):
    target = tmp_path / "site"
    pip("install", "--target", str(target), str(wheel))
    installed = ask(tmp_path / "elsewhere", target)
    checkout = ask(tmp_path / "here", CHECKOUT)
    assert Path(installed.pop("file")).is_relative_to(target)
    assert Path(checkout.pop("file")).is_relative_to(CHECKOUT)
    assert installed == checkout
    assert {"sp500_demo", "simulated_perps"} <= set(installed["venues"])
    assert "portfolio_weights" in installed["assets"]
