"""Changing the sinks changes no result."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from quant_assets.adapters.telemetry_sinks.base import TelemetrySink, TelemetrySinks
from quant_assets.core.config import Settings
from quant_assets.core.errors import PluginError
from quant_assets.core.windows import Grid
from quant_assets.orchestration.cells import cell_spec
from quant_assets.orchestration.walk import Walker
from quant_assets.orchestration.workspace import Workspace
from quant_assets_tests.fixtures import counter_location
from quant_assets_tests.fixtures.venue_files import write_venue

WINDOWS = ["2020-01-01", "2020-02-01"]


def telling(context, telemetry):
    """Ticks that also tell how many there are, and a word."""
    frame = counter_location.tick_window(context, telemetry)
    telemetry.log_metrics("ticks", {"n": float(len(frame))})
    telemetry.log_solver_diagnostics("none", {"status": "optimal"})
    return frame


TICKS = replace(cell_spec(counter_location.ticks), step=telling)


class Recording(TelemetrySink):
    """Keeps what it was handed, then spoils the frame, then fails if it is told to."""

    name = "recording"

    def __init__(self, folder: Path, *, fails: bool) -> None:
        super().__init__(folder)
        self.fails = fails
        self.seen: list[tuple[str, pd.DataFrame]] = []

    def write(self, run_id: str, frame: pd.DataFrame) -> None:
        self.seen.append((run_id, frame.copy()))
        frame["value"] = -1.0
        if self.fails:
            raise OSError("sink is full")


def workspace(tmp_path: Path, root: str, **settings: object) -> Workspace:
    write_venue(tmp_path / "venues", "v", first="2020-01-01", last="2020-07-31")
    return Workspace(
        Settings(
            data_root=tmp_path / root,
            venues_folder=tmp_path / "venues",
            venues=["v"],
            grid=Grid(start=date(2019, 10, 1)),
            **settings,
        )
    )


def hashes(space: Workspace) -> list[str]:
    """Walk two windows; hashes of the manifests and of the parquet telemetry."""
    list(Walker(space, TICKS, "r1", None).run([f"v|{w}" for w in WINDOWS]))
    layout = space.store.layout
    telemetry = pd.read_parquet(layout.run("r1") / "telemetry" / "ticks--v.parquet")
    manifests = [space.store.require(cell).hash() for cell in space.store.cells()]
    return [*manifests, telemetry.to_csv()]


def test_results_are_the_same_with_a_sink_without_one_and_with_one_that_fails(tmp_path: Path):
    alone = hashes(workspace(tmp_path, "alone"))
    assert len(alone) == 3
    for fails in (False, True):
        space = workspace(tmp_path, f"sink-{fails}")
        sink = Recording(tmp_path, fails=fails)
        space.telemetry_sinks = TelemetrySinks([sink])
        if fails:
            with pytest.warns(RuntimeWarning, match="OSError: sink is full"):
                assert hashes(space) == alone
        else:
            assert hashes(space) == alone
        ((run_id, frame),) = sink.seen
        assert run_id == "r1"
        assert frame["window"].tolist() == ["2020-01-01"] * 2 + ["2020-02-01"] * 2
        assert frame["text"].tolist() == ["", "optimal"] * 2


def test_unknown_sink_in_the_settings_stops_before_any_cell(tmp_path: Path):
    space = workspace(tmp_path, "data", telemetry_sinks=["nowhere"])
    with pytest.raises(PluginError, match="'nowhere'"):
        Walker(space, TICKS, "r1", None)
    assert not (tmp_path / "data").exists()
