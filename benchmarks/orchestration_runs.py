"""Starts `benchmarks._child` on an empty root with a venue of twenty years."""

import json
from pathlib import Path
from typing import Any

from benchmarks.processes import used_by
from quant_assets_tests.fixtures.venue_files import write_venue
from quant_assets_tests.reliability.fixture_venue import neutral_environment

FIRST, LAST, GRID_START, GRID_END = "2000-01-01", "2024-12-31", "1999-10-01", "2025-01-01"
MOST_CELLS = 290


def measured(
    folder: Path,
    *,
    what: str,
    cells: int,
    storage: str = "pooled",
    batching: bool = True,
    rows: int = 0,
) -> dict[str, Any]:
    """Seconds of one range run over `cells` windows, and of one over a single window."""
    place = folder / f"{what}-{storage}-{batching}-{rows}"
    write_venue(place / "venues", "bench", first=FIRST, last=LAST)
    environment = neutral_environment() | {
        "QUANT_ASSETS_DATA_ROOT": str(place / "data"),
        "QUANT_ASSETS_VENUES_FOLDER": str(place / "venues"),
        "QUANT_ASSETS_VENUES": '["bench"]',
        "QUANT_ASSETS_GRID__START": GRID_START,
        "QUANT_ASSETS_GRID__END": GRID_END,
        "DAGSTER_EVENT_BATCH_SIZE": "1000" if batching else "0",
        "BENCHMARK_ROWS": str(rows),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    words = ["-m", "benchmarks._child", what, str(cells), storage]
    used = used_by(words, environment, place)
    return dict(json.loads(used.output.strip().splitlines()[-1]))


def milliseconds_per_cell(facts: dict[str, Any], cells: int, *, key: str = "changed") -> float:
    """Cost of one more cell: the fixed cost of a run is taken off."""
    return 1000.0 * (facts[key] - facts["fixed"]) / ((cells - 1) * facts["assets"])
