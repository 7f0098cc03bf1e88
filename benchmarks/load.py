"""How long a fresh process needs to load the code location."""

from pathlib import Path
from statistics import median

from benchmarks.page import Row
from benchmarks.processes import used_by
from quant_assets_tests.reliability.fixture_venue import neutral_environment

TITLE = "Loading the code location"
TARGET = "under 3 s"
CASES = {
    "import quant_assets.definitions": "import quant_assets.definitions",
    "import dagster alone": "import dagster",
    "quant-assets --help": "import sys; sys.argv[1:] = ['--help']; "
    "from quant_assets.cli.main import main; main()",
}


def measure(folder: Path, *, quick: bool) -> list[Row]:
    environment = neutral_environment() | {"QUANT_ASSETS_DATA_ROOT": str(folder / "data")}
    rows: list[Row] = []
    for name, program in CASES.items():
        runs = [used_by(["-c", program], environment, folder) for _ in range(2 if quick else 7)]
        rows.append(
            {
                "fresh process": name,
                "best s": min(run.wall for run in runs),
                "median s": median(run.wall for run in runs),
                "CPU s": median(run.cpu for run in runs),
                "peak MB": max(run.peak_megabytes for run in runs),
            }
        )
    return rows
