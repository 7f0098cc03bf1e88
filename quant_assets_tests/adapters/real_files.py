"""Real market data for the tests that check readers against it; they skip where it is absent."""

import os
from pathlib import Path

import pytest

VARIABLE = "QUANT_ASSETS_REAL_DATA"


def real_file(relative: str) -> Path:
    """A file under the folder that the variable names; skips the test when it is not there."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"no real market data here: {VARIABLE} does not name a folder of it")
    path = Path(folder) / relative
    if not path.is_file():
        pytest.skip(f"{path.name} is not in the folder that {VARIABLE} names")
    return path
