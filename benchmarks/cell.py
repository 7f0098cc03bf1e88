"""A cell all in: validate, encode, write, fsync, hash, manifest, link, event, preview."""

from pathlib import Path

from benchmarks.orchestration_runs import measured, milliseconds_per_cell
from benchmarks.page import Row

TITLE = "A cell all in, without the time of its own step"
TARGET = "15 ms for a frame of 100 kB"
CELLS, QUICK_CELLS = 240, 24
ROWS = (20, 3_200, 32_000)  # about 4 kB, 100 kB and 1 MB


def measure(folder: Path, *, quick: bool) -> list[Row]:
    cells = QUICK_CELLS if quick else CELLS
    rows: list[Row] = []
    for count in ROWS[:2] if quick else ROWS:
        facts = measured(folder, what="wide", cells=cells, rows=count)
        step = 1000.0 * facts["step"] / cells
        rows.append(
            {
                "frame": f"{facts['rows']:,} rows, {facts['bytes'] / 1000:,.0f} kB",
                "ms computed": milliseconds_per_cell(facts, cells) - step,
                "ms unchanged": milliseconds_per_cell(facts, cells, key="unchanged"),
                "ms step itself": step,
            }
        )
    return rows
