"""`quant-assets demo` on an empty root, again with nothing changed, and over all years."""

from pathlib import Path

from benchmarks.page import Row
from benchmarks.processes import used_by
from quant_assets_tests.reliability.fixture_venue import neutral_environment

TITLE = "quant-assets demo"
TARGET = "10 years 60 s, unchanged 6 s, all years 180 s, peak memory 1,500 MB"
TEN_YEARS = {"10 years": ("demo",), "10 years, nothing changed": ("demo",)}
ALL_YEARS = {
    "all 33 years, going on from 10": ("demo", "--all"),
    "all 33 years, nothing changed": ("demo", "--all"),
}
QUICK = {"3 windows": ("demo", "--windows", "3")}
QUICK |= {"3 windows, nothing changed": ("demo", "--windows", "3")}


def measure(folder: Path, *, quick: bool) -> list[Row]:
    rows = _series(folder, "kept", QUICK if quick else TEN_YEARS)
    if not quick:
        rows += _series(folder, "fresh", {"all 33 years, empty root": ("demo", "--all")})
        rows += _series(folder, "kept", ALL_YEARS)
    return rows


def _series(folder: Path, root: str, cases: dict[str, tuple[str, ...]]) -> list[Row]:
    environment = neutral_environment() | {"QUANT_ASSETS_DATA_ROOT": str(folder / root)}
    rows: list[Row] = []
    for name, words in cases.items():
        used = used_by(["-m", "quant_assets.cli.main", *words], environment, folder)
        rows.append(
            {"run": name, "s": used.wall, "CPU s": used.cpu, "peak MB": used.peak_megabytes}
        )
    return rows
