"""A backfill on a file system that is too small, then on the same one made larger.

Run by a test inside a mount namespace of its own: `python -m … FOLDER VENUES_FOLDER`. Prints JSON.
"""

import json
import subprocess
import sys
from pathlib import Path

from quant_assets_tests.reliability.backfills import Lake, run
from quant_assets_tests.reliability.fixture_venue import Fixture

SIZES = ("1m", "3m", "14m")  # full in Dagster's database, among the cells, at the tear sheet
ENOUGH = "200m"


def mount(folder: Path, options: str) -> None:
    """Mount or remount a tmpfs at `folder`; only this namespace sees it."""
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    subprocess.run(command, check=True)


def main() -> None:
    """Fill the small disks one after the other, then end on a large one."""
    folder, venues = Path(sys.argv[1]), Path(sys.argv[2])
    fixture = Fixture(venues, ("fixture",))
    root = folder / "data"
    steps = []
    mount(folder, f"size={SIZES[0]}")
    for size in (*SIZES, ENOUGH):
        mount(folder, f"remount,size={size}")
        before = Lake(root).temps
        done = run(fixture, root)
        lake = Lake(root)
        steps.append(
            {
                "size": size,
                "code": done.returncode,
                "text": done.stdout,
                "cells": len(lake.manifests),
                "damaged": lake.damaged,
                "stale": sorted(before & lake.temps),
                "temps": sorted(lake.temps),
                "problems": lake.problems if done.returncode == 0 else [],
                "digest": lake.digest,
            }
        )
    print(json.dumps(steps))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main()
