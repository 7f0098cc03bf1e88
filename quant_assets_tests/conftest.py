"""Shared set-up: every test process works on a data root of its own, never on the user's."""

import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# Set before any test imports the definitions, because the grid and the venues are read there.
os.environ["QUANT_ASSETS_DATA_ROOT"] = tempfile.mkdtemp(prefix="quant-assets-tests-")
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
for name in ("QUANT_ASSETS_VENUES_FOLDER", "QUANT_ASSETS_MODE", "DAGSTER_HOME"):
    os.environ.pop(name, None)


FAST = "not slow"
SLOW_FILE = re.compile(r"^pytestmark = \[?pytest\.mark\.slow", re.MULTILINE)
# No deadline: how long an example takes on a busy machine says nothing about what it computes.
settings.register_profile("whole", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=20)


def pytest_configure(config):
    settings.load_profile("fast" if config.option.markexpr == FAST else "whole")


def pytest_ignore_collect(collection_path: Path, config) -> bool | None:
    """The fast suite does not even import files that are slow as a whole, nor their oracles."""
    if config.option.markexpr != FAST or collection_path.suffix != ".py":
        return None
    return True if SLOW_FILE.search(collection_path.read_text(encoding="utf-8")) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that say `slow(seconds=…)` start first, the longest before the others.

    Left to the end, one of them would run beside an idle worker.
    """

    def seconds(item: pytest.Item) -> float:
        marks = item.iter_markers("slow")
        return max((float(mark.kwargs.get("seconds", 0.0)) for mark in marks), default=0.0)

    items.sort(key=lambda item: -seconds(item))
