"""Shared set-up: every test process works on a data root of its own, never on the user's."""

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from quant_assets_tests.fast_suite import FAST, files_of_worker

# Set before any test imports the definitions, because the grid and the venues are read there.
os.environ["QUANT_ASSETS_DATA_ROOT"] = tempfile.mkdtemp(prefix="quant-assets-tests-")
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
for name in ("QUANT_ASSETS_VENUES_FOLDER", "QUANT_ASSETS_MODE", "DAGSTER_HOME"):
    os.environ.pop(name, None)


# No deadline: how long an example takes on a busy machine says nothing about what it computes.
settings.register_profile("whole", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=20)


def pytest_configure(config):
    fast = config.option.markexpr == FAST
    settings.load_profile("fast" if fast else "whole")
    given = getattr(config, "workerinput", {})
    share = (given["share"], given["workercount"]) if "share" in given else (0, 1)
    config.imported_files = files_of_worker(*share) if fast else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """`--dist each` of the fast suite shares the files out: each worker gets its number."""
    if node.config.option.markexpr == FAST and node.config.option.dist == "each":
        node.workerinput["share"] = int(node.gateway.id.removeprefix("gw"))


def pytest_ignore_collect(collection_path: Path, config) -> bool | None:
    """The fast suite does not even import files that are slow as a whole, nor their oracles."""
    if config.imported_files is None or not collection_path.match("test_*.py"):
        return None
    return None if collection_path in config.imported_files else True


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Modules and tests stay to the end: they are not searched for cycles, a tenth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config, items: list[pytest.Item]) -> None:
    """Files that say `slow(seconds=…)` start first, the longest before the others.

    Left to the end, one of them would run beside an idle worker. A file that is named on the
    command line is imported by every worker, and run by the one whose share it is in.
    """
    if config.imported_files is not None:
        items[:] = [item for item in items if item.path in config.imported_files]

    def seconds(item: pytest.Item) -> float:
        marks = item.iter_markers("slow")
        return max((float(mark.kwargs.get("seconds", 0.0)) for mark in marks), default=0.0)

    items.sort(key=lambda item: -seconds(item))
