"""How far long cells are, told every 5 % in Dagster's log and at the terminal."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from quant_assets.cli import progress as terminal
from quant_assets.orchestration.announcing import Announced
from quant_assets.orchestration.walk import FORCE, Walker
from quant_assets_tests.orchestration.strategies.places import MONTHS, Place, specs_of


def shares_of(lines: list[str]) -> list[int]:
    return [int(line.split(": ")[1].split(" %")[0]) for line in lines]


@pytest.fixture
def untiring(monkeypatch: pytest.MonkeyPatch):
    """No pause between two messages."""
    monkeypatch.setattr(Announced, "PAUSE_SECONDS", -1.0)


def test_parts_of_one_cell_are_told_every_twentieth(untiring):
    said: list[str] = []
    told = Announced(said.append, 1, None)
    for trial in range(1, 1_001):
        told.part("dip_walk_state", "v|2022-03-01", trial / 1_000)
    told("dip_walk_state", "v|2022-03-01", unchanged=False)
    assert shares_of(said) == list(range(5, 105, 5))
    assert said[0] == "dip_walk_state: 5 %, 0 of 1 cells, in work v|2022-03-01"


def test_parts_and_cells_together_never_go_back(untiring):
    said: list[str] = []
    told = Announced(said.append, 4, None)
    for cell in range(4):
        for share in (0.1, 0.5, 0.3, 1.0, 1.0):
            told.part("a", f"v|{cell}", share)
        told("a", f"v|{cell}", unchanged=False)
    assert shares_of(said) == sorted(set(shares_of(said)))
    assert shares_of(said)[-1] == 100
    assert len(said) <= 20


@pytest.mark.slow
def test_a_search_and_a_run_inside_their_cells_are_told(place: Place, untiring):
    """The walker passes on what stages tell: trials of a search, bars of a backtest."""
    workspace, said, parts = place.workspace(), [], []

    class Seen:
        def __call__(self, asset: str, key: str, unchanged: bool) -> None:
            parts.append((key, 1.0))

        def part(self, asset: str, key: str, share: float) -> None:
            parts.append((key, share))

    windows, _, _, walked = specs_of(workspace, "cross")
    token = FORCE.set(True)
    try:
        for spec in (walked, windows):
            told = Announced(said.append, 1, Seen())
            list(Walker(workspace, spec, "run", told).run([f"v|{MONTHS[-1]}"]))
    finally:
        FORCE.reset(token)
    search = [line for line in said if line.startswith("cross_walk_state")]
    run = [line for line in said if line.startswith("cross_state")]
    for lines in (search, run):
        shares = shares_of(lines)
        assert shares == sorted(set(shares))
        assert shares[-1] == 100
        assert len(lines) <= 21
    assert len(run) >= 15, "a backtest tells every twentieth of its bars"
    assert {share for _, share in parts} >= {1.0}
    assert np.all(np.array([share for _, share in parts]) <= 1.0)


def test_lines_where_there_is_no_terminal_are_at_most_one_in_twenty(
    untiring, monkeypatch: pytest.MonkeyPatch
):
    spec = SimpleNamespace(main="dip_state", group="dip", kind="series")
    cells = [SimpleNamespace(spec=spec, window=f"{n:04d}") for n in range(40)]
    plan = SimpleNamespace(windows=lambda: ("0000", "0039"), pending=cells, cells=cells)
    monkeypatch.setattr(terminal, "ordered_specs", lambda: [spec])
    written = io.StringIO()
    with terminal.pillar_progress(plan, Console(file=written, width=200)) as bars:
        for cell in cells:
            for share in np.linspace(0.0, 1.0, 7):
                bars.part("dip_state", f"v|{cell.window}", float(share))
            bars("dip_state", f"v|{cell.window}", False)
    lines = [line for line in written.getvalue().splitlines() if line.startswith("dip_state: ")]
    assert shares_of(lines) == list(range(5, 105, 5))
