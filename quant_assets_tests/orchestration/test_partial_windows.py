"""Until when a window is partial: its last bar has to be delivered."""

from pathlib import Path

import pandas as pd
import pytest

from quant_assets.operations.intake.landing import take_in
from quant_assets_tests.orchestration.dropped_venue import (
    NAME,
    bars,
    drop,
    root,
    workspace_of,
    workspace_of_folder,
)

pytestmark = pytest.mark.slow


def test_window_is_partial_until_its_last_bar_was_delivered(tmp_path: Path):
    """January has 93 bars of 8 hours; without the last one the month is not over."""
    workspace = workspace_of(tmp_path)
    store, venue = workspace.sources(NAME), workspace.venue(NAME)
    january = workspace.grid.window("2024-01-01")
    frame = bars(["2024-01-01"])
    last = frame["ts"] == frame["ts"].max()
    take_in(store, venue, drop(root(workspace), frame[~last], "a.csv"))
    assert workspace.is_partial(venue, january)
    take_in(store, venue, drop(root(workspace), frame[last], "b.csv"))
    assert not workspace.is_partial(venue, january)


@pytest.mark.parametrize(
    ("newest", "expected"),
    [("2024-05-31 08:00", True), ("2024-05-31 16:00", False), ("2024-05-30 16:00", True)],
)
def test_window_of_sessions_is_partial_until_their_last_bar_was_delivered(
    tmp_path: Path, newest: str, expected: bool
):
    """Currencies on Friday 31 May: bars of 8 hours at 0:00, 8:00 and 16:00, until 21:00 UTC."""
    workspace_of(tmp_path)
    path = tmp_path / "venues" / f"{NAME}.yaml"
    text = path.read_text().replace("calendar: 24/7", "calendar: 24/5")
    path.write_text(text.replace("bars_per_year: 1095", "bars_per_year: 782"))
    workspace = workspace_of_folder(tmp_path)
    venue = workspace.venue(NAME)
    frame = bars(["2024-05-01"])
    frame = frame[(frame["ts"].dt.day_of_week < 5) & (frame["ts"] <= pd.Timestamp(newest + "Z"))]
    take_in(workspace.sources(NAME), venue, drop(root(workspace), frame, "a.csv"))
    assert workspace.is_partial(venue, workspace.grid.window("2024-05-01")) is expected
