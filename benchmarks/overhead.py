"""What Dagster and our IO manager cost per cell when the cell itself costs nothing."""

from pathlib import Path

from benchmarks.orchestration_runs import measured, milliseconds_per_cell
from benchmarks.page import Row

TITLE = "Orchestration overhead per cell of one range run"
TARGET = "4 ms on the embedded default"
CELLS, QUICK_CELLS = 240, 24
CASES = {
    "pooled log, event batching (the default)": ("pooled", True),
    "pooled log, no batching": ("pooled", False),
    "stock SQLite log, event batching": ("stock", True),
    "stock SQLite log, no batching (Dagster as shipped)": ("stock", False),
}


def measure(folder: Path, *, quick: bool) -> list[Row]:
    cells = QUICK_CELLS if quick else CELLS
    rows: list[Row] = []
    for name, (storage, batching) in CASES.items():
        facts = measured(folder, what="trivial", cells=cells, storage=storage, batching=batching)
        each = milliseconds_per_cell(facts, cells)
        rows.append(
            {
                "instance": name,
                "cells": cells * facts["assets"],
                "ms per cell": each,
                "times the default": each / float(str(rows[0]["ms per cell"])) if rows else 1.0,
                "fixed ms per run": 1000.0 * facts["fixed"],
                "run s": facts["changed"],
            }
        )
    return rows
