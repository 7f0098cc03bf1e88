"""Every example runs; the notebook is valid and its cells run in order."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from quant_assets_tests.docs.conftest import environment_of
from quant_assets_tests.docs.pages import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
NOTEBOOK = EXAMPLES / "load_in_a_notebook.ipynb"
PNG = b"\x89PNG\r\n\x1a\n"


def run(example: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / example), *arguments],
        env=environment_of(folder / "data"),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stderr == ""
    return done.stdout


def test_every_example_has_a_test():
    found = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")}
    assert found == {"draw_graph.py", "stage_without_dagster.py", NOTEBOOK.name}


@pytest.mark.slow
def test_draw_graph_draws_every_asset_and_the_same_bytes_twice(tmp_path):
    first = run("draw_graph.py", tmp_path, "first.png")
    run("draw_graph.py", tmp_path, "second.png")
    assert int(re.search(r"(\d+) assets", first)[1]) >= 24
    pictures = [(tmp_path / name).read_bytes() for name in ("first.png", "second.png")]
    assert pictures[0].startswith(PNG)
    assert pictures[0] == pictures[1]


@pytest.mark.slow
def test_stage_without_dagster_names_the_rule_of_each_exclusion(tmp_path):
    verdicts = dict(
        line.split(maxsplit=1) for line in run("stage_without_dagster.py", tmp_path).splitlines()
    )
    assert verdicts["CALM"] == verdicts["SWINGS"] == "candidate"
    assert "listed (0, limit 1)" in verdicts["GONE"]
    assert "min_volatility (0, limit 0.02)" in verdicts["PEGGED"]


def notebook() -> dict:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def test_notebook_follows_nbformat_4():
    book = notebook()
    assert (book["nbformat"], book["nbformat_minor"] >= 5) == (4, True)
    assert set(book) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    names = [cell["id"] for cell in book["cells"]]
    assert len(set(names)) == len(names)
    for cell in book["cells"]:
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell["id"])
        assert all(isinstance(line, str) for line in cell["source"])
        extra = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | extra
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


@pytest.mark.slow
def test_notebook_cells_run_on_the_demo(demo_root, tmp_path, monkeypatch):
    monkeypatch.setenv("QUANT_ASSETS_DATA_ROOT", str(demo_root))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)
    namespace: dict = {"__name__": "__main__"}
    for cell in notebook()["cells"]:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            exec(compile(source, f"{NOTEBOOK.name}:{cell['id']}", "exec"), namespace)  # noqa: S102 - our own notebook
    assert namespace["leaderboard"]["rank"].tolist() == list(range(len(namespace["leaderboard"])))
    assert (namespace["curves"] > 0).all(axis=None)
    assert abs(namespace["newest"]["weight"].sum() - 1.0) < 1e-9
    assert "alpha" in namespace["summary"].index
