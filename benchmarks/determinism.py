"""Counts the hashes of two venues over all workers, hash seeds and time zones."""

import shutil
import time
from pathlib import Path

from benchmarks.page import Row
from quant_assets_tests.reliability.determinism import all_circumstances, digest_under
from quant_assets_tests.reliability.fixture_venue import write_fixture

TITLE = "One hash, whatever workers, hash seed and time zone"
TARGET = "10 runs x {1, 2} workers x 3 hash seeds x 2 time zones: 1 hash"
REPEATS = 10
QUICK_WINDOWS = ("--windows", "2024-01-01...2024-04-01")


def measure(folder: Path, *, quick: bool) -> list[Row]:
    fixture = write_fixture(folder / "venues", ("first", "second"))
    circumstances = all_circumstances()
    windows = QUICK_WINDOWS if quick else ()
    chosen = circumstances[:: len(circumstances) - 1] if quick else circumstances
    rows: list[Row] = []
    for each in chosen:
        began = time.perf_counter()
        hashes: set[str] = set()
        repeats = 1 if quick else REPEATS
        for _ in range(repeats):
            root = folder / "root"
            hashes.add(digest_under(each, fixture, root, windows))
            shutil.rmtree(root)
        rows.append(
            {
                "circumstances": str(each),
                "runs": repeats,
                "hashes": len(hashes),
                "hash": " ".join(sorted(found[:12] for found in hashes)),
                "s per run": (time.perf_counter() - began) / repeats,
            }
        )
    different = {str(row["hash"]) for row in rows}
    total = sum(repeats for _ in rows)
    return [
        *rows,
        {
            "circumstances": "all",
            "runs": total,
            "hashes": len(different),
            "hash": " ".join(sorted(different)),
            "s per run": 0.0,
        },
    ]
