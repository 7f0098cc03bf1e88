"""One undisturbed backfill per test session, shared by all xdist workers."""

import json
from pathlib import Path

import pytest
from filelock import FileLock

from quant_assets_tests.reliability.backfills import Lake, completed
from quant_assets_tests.reliability.fixture_venue import SHORT_LAST, Fixture, write_fixture


@pytest.fixture(scope="session")
def fixture_venue(tmp_path_factory: pytest.TempPathFactory) -> Fixture:
    return write_fixture(tmp_path_factory.mktemp("one-venue"), last=SHORT_LAST)


@pytest.fixture(scope="session")
def undisturbed(
    fixture_venue: Fixture,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Lake:
    """The lake that nobody disturbed; tests copy it and never write into it."""
    base = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        base = base.parent
    root, note = base / "undisturbed", base / "undisturbed.json"
    with FileLock(base / "undisturbed.lock"):
        if not note.exists():
            completed(fixture_venue, root)
            note.write_text(json.dumps({"digest": Lake(root).digest}), encoding="utf-8")
    return Lake(Path(root))
