"""Both strategies walked over all windows of venue v."""

import pytest

from quant_assets_tests.orchestration.strategies.places import (
    CROSS,
    DIP,
    Place,
    walk_all,
)


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Place:
    """Both strategies walked over all windows of v."""
    place = Place(tmp_path_factory.mktemp("strategies"))
    place.write_venues(v="8h", w="4h")
    place.write(DIP)
    place.write(CROSS)
    workspace = place.workspace()
    assert walk_all(workspace, "dip") == [True] * 8
    assert walk_all(workspace, "cross") == [True] * 8
    return place
