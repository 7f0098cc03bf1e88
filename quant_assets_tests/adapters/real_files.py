"""Real market data for the tests that check readers against it; they skip where it is absent.

The folder is the one that the variable names, else `shared/data` beside the checkout.
"""

import os
from pathlib import Path

import pytest

VARIABLE = "QUANT_ASSETS_REAL_DATA"
BESIDE = Path(__file__).parents[3] / "shared" / "data"


def real_folder() -> Path:
    """Folder of real market data; skips the test where there is none."""
    folder = Path(os.environ.get(VARIABLE) or BESIDE)
    if not folder.is_dir():
        pytest.skip(f"no real market data here: {VARIABLE} does not name a folder of it")
    return folder


def real_file(relative: str) -> Path:
    """A file in that folder; skips the test when it is not there."""
    path = real_folder() / relative
    if not path.is_file():
        pytest.skip(f"{relative} is not among the real market data here")
    return path
