"""Every example runs; the notebook is valid and its cells run in order."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from quant_assets_tests.adapters.real_files import real_file
from quant_assets_tests.docs.conftest import environment_of
from quant_assets_tests.docs.pages import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
NOTEBOOK = EXAMPLES / "load_in_a_notebook.ipynb"


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
    strategies = {"backtest_in_ten_lines.py", "backtest_perpetuals.py", "tune_and_walk_forward.py"}
    assert found == {"draw_graph.py", "stage_without_dagster.py", NOTEBOOK.name, *strategies}


def assets_drawn(path: Path) -> set[str]:
    """Names that `draw_graph.py` writes into its picture."""
    with Image.open(path) as picture:
        return set(picture.text["Description"].split())


@pytest.mark.slow
def test_draw_graph_writes_a_picture_of_every_asset(tmp_path):
    printed = run("draw_graph.py", tmp_path, "graph.png")
    drawn = assets_drawn(tmp_path / "graph.png")
    assert f"{len(drawn)} assets" in printed
    assert {"raw_bars", "fills", "league"} <= drawn


@pytest.mark.slow
def test_picture_in_the_docs_shows_the_graph_of_today():
    import dagster as dg

    import quant_assets.defs

    declared = {
        key.to_user_string()
        for asset in dg.load_assets_from_package_module(quant_assets.defs)
        for key in asset.keys
    }
    again = "python examples/draw_graph.py docs/images/graph.png"
    assert assets_drawn(REPOSITORY / "docs" / "images" / "graph.png") == declared, again


@pytest.mark.slow
def test_stage_without_dagster_names_the_rule_of_each_exclusion(tmp_path):
    verdicts = dict(
        line.split(maxsplit=1) for line in run("stage_without_dagster.py", tmp_path).splitlines()
    )
    assert verdicts["CALM"] == verdicts["SWINGS"] == "candidate"
    assert "listed (0, limit 1)" in verdicts["GONE"]
    assert "min_volatility (0, limit 0.02)" in verdicts["PEGGED"]


@pytest.mark.slow
def test_backtest_in_ten_lines_is_trusted_and_its_costs_add_up(demo_root):
    lines = run("backtest_in_ten_lines.py", demo_root.parent).splitlines()
    told = dict(line.rsplit(maxsplit=1) for line in lines if " " in line)
    assert "leak check: trusted" in lines
    (closed,) = [line for line in lines if "closed trades" in line]
    made = 1000.0 * float(closed.rsplit(maxsplit=1)[1].rstrip("%"))  # of 100,000
    parts = ("price_gains", "commission", "slippage", "penalty", "borrow", "interest", "funding")
    assert sum(float(told[name]) for name in parts) == pytest.approx(made, abs=6.0)


@pytest.mark.slow
def test_backtest_on_perpetuals_pays_funding_and_worse_fills_earn_less(tmp_path):
    first, *rows = run("backtest_perpetuals.py", tmp_path).splitlines()
    assert first == "funding_carry on 696 hours of 5 perpetuals"
    returns = {row.split()[0]: float(row.split()[1].rstrip("%")) for row in rows}
    assert returns["optimistic"] > returns["default"] > returns["pessimistic"]
    assert all(float(row.split()[3]) != 0.0 for row in rows)


@pytest.mark.slow
def test_tuning_on_a_real_stock_is_judged_and_reported(tmp_path):
    prices = real_file("us_equities/stocknet/XOM.csv.gz")
    printed = run("tune_and_walk_forward.py", tmp_path, str(prices), "report.html").splitlines()
    assert printed[0].startswith("best of 9 trials: {'fast': ")
    assert printed[-2].startswith("out of sample over 6 windows: Sharpe ")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'id="figure-windows"' in page
    assert 'id="figure-parameters"' in page


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
