"""The asset check on clocks, from dropped files to the symbol and the seconds that it tells."""

from datetime import date
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from quant_assets.core.config import Settings
from quant_assets.core.windows import Grid
from quant_assets.operations.intake.landing import take_in
from quant_assets.orchestration.cells import cell_spec
from quant_assets.orchestration.checks import doubts_evaluation
from quant_assets.orchestration.walk import Walker
from quant_assets.orchestration.workspace import Workspace
from quant_assets.quant.market.alignment import STAMPED_AT_CLOSE, TIME_SHIFT
from quant_assets_tests.orchestration.dropped_venue import MONTHS, NAME, bars, drop, write_dropped

pytestmark = pytest.mark.slow
REASONS = (STAMPED_AT_CLOSE, TIME_SHIFT)
KEYS = [f"{NAME}|{month}" for month in MONTHS[:3]]


def test_shifted_clocks_warns_with_symbol_and_seconds(tmp_path: Path):
    from quant_assets.defs.ingestion import assets

    write_dropped(tmp_path / "venues")
    grid = Grid(start=date(2023, 11, 1), end=date(2025, 1, 1))
    workspace = Workspace(
        Settings(
            data_root=tmp_path / "data",
            venues_folder=tmp_path / "venues",
            venues=[NAME],
            grid=grid,
        )
    )
    frame = bars(MONTHS[:3])
    late = frame["symbol"] == "CCC/USDT:USDT"
    frame["ts"] = frame["ts"].where(~late, frame["ts"] + pd.Timedelta(hours=8))
    file = drop(tmp_path / "data", frame.sort_values(["ts", "symbol"]), "late.csv")
    take_in(workspace.sources(NAME), workspace.venue(NAME), file)
    made = (
        *("raw_bars", "raw_doubts", "raw_order_book", "raw_adjustments", "raw_open_interest"),
        *("sessions", "bars", "order_book", "adjustments", "open_interest", "doubts"),
    )
    for name in made:
        spec = cell_spec(getattr(assets, name))
        assert spec is not None
        list(Walker(workspace, spec, "test-run", None).run(KEYS))
    found = doubts_evaluation(workspace, KEYS, REASONS)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    told = str(found.metadata["first doubts"].value)
    assert f"{KEYS[1]} CCC/USDT:USDT: stamped at the close by +28800 s" in told
    assert "AAA" not in told
    assert doubts_evaluation(workspace, [f"{NAME}|2024-07-01"], REASONS).passed
