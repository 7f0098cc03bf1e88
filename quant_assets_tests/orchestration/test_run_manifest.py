"""What a launch writes about itself when it ends."""

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from quant_assets.cli.main import cli
from quant_assets.core.config import Settings
from quant_assets.core.windows import Grid
from quant_assets.orchestration.cells import cell_spec
from quant_assets.orchestration.plan import CellState, Plan
from quant_assets.orchestration.run_manifest import RunJournal
from quant_assets.orchestration.walk import Walker
from quant_assets.orchestration.workspace import Workspace
from quant_assets_tests.fixtures import counter_location
from quant_assets_tests.fixtures.venue_files import write_venue

pytestmark = pytest.mark.slow

TICKS = cell_spec(counter_location.ticks)
WINDOWS = ["2020-01-01", "2020-02-01"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    write_venue(tmp_path / "venues", "v", first="2020-01-01", last="2020-07-31")
    return Workspace(
        Settings(
            data_root=tmp_path / "data",
            venues_folder=tmp_path / "venues",
            venues=["v"],
            grid=Grid(start=date(2019, 10, 1)),
        )
    )


def finished(workspace: Workspace, dagster_run_id: str) -> Path:
    """A launch that walked two windows; the path of its manifest."""
    plan = Plan("v", tuple(CellState(TICKS, "v", window, "missing") for window in WINDOWS))
    journal = RunJournal(workspace, plan, {})
    journal.start()
    folder = workspace.store.layout.run(journal.run_id)
    (folder / "extra.txt").write_bytes(b"rows")
    list(Walker(workspace, TICKS, dagster_run_id, None).run([f"v|{w}" for w in WINDOWS]))
    journal.finish([dagster_run_id], [])
    return folder / "run_manifest.json"


def test_finish_lists_the_files_of_the_run_with_their_hashes(workspace: Workspace):
    record = json.loads(finished(workspace, "d1").read_text())
    assert record["artifacts"] == {
        # echo -n rows | sha256sum
        "extra.txt": ("bc51e9e65d79e1c90ba544ab2eae1044ccdf8c1af7a559ba375cba4276f7d99e")
    }
    assert record["late_artifacts"] == []


def test_late_file_and_late_cell_are_told_by_verify_with_exit_code_0(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    path = finished(workspace, "d1")
    monkeypatch.setenv("QUANT_ASSETS_DATA_ROOT", str(workspace.store.layout.root))
    clean = CliRunner().invoke(cli, ["verify", "--json"])
    assert json.loads(clean.output)["warnings"] == []
    (path.parent / "late.txt").write_text("late")
    list(Walker(workspace, TICKS, "d1", None).run(["v|2020-03-01"]))
    told = CliRunner().invoke(cli, ["verify", "--json"])
    assert told.exit_code == 0
    report = json.loads(told.output)
    assert report["ok"] is True
    assert [entry["what"].split(" ", 2)[:2] for entry in report["warnings"]] == [
        ["ticks", "v|2020-03-01"],
        ["late.txt", "appeared"],
    ]
    text = CliRunner().invoke(cli, ["verify"])
    assert text.exit_code == 0
    assert text.output.count("warning: ") == 2
    assert "all intact" in text.output
