"""The same inputs give the same bytes under any number of workers, hash seed and time zone."""

from pathlib import Path

import pytest

from quant_assets_tests.reliability.backfills import Lake
from quant_assets_tests.reliability.determinism import Circumstances, digest_under
from quant_assets_tests.reliability.fixture_venue import SHORTEST_LAST, Fixture, write_fixture

pytestmark = pytest.mark.slow(seconds=65)
# Three decision windows of two venues; `python -m benchmarks determinism` does all of everything.
WINDOWS = ("--windows", "2024-01-01...2024-06-01")
REFERENCE = Circumstances(1, "0", "UTC")
OTHERS = [Circumstances(2, "1", "Asia/Tokyo"), Circumstances(2, "4242", "America/St_Johns")]


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Fixture:
    return write_fixture(tmp_path_factory.mktemp("venues"), ("first", "second"), last=SHORTEST_LAST)


@pytest.fixture(scope="module")
def reference(fixture: Fixture, tmp_path_factory: pytest.TempPathFactory) -> str:
    return digest_under(REFERENCE, fixture, tmp_path_factory.mktemp("reference"), WINDOWS)


@pytest.mark.parametrize("circumstances", OTHERS, ids=str)
def test_backfill_under_other_circumstances_gives_the_same_hash(
    circumstances: Circumstances, fixture: Fixture, reference: str, tmp_path: Path
):
    assert digest_under(circumstances, fixture, tmp_path / "root", WINDOWS) == reference


def test_backfill_of_brief_detail_draws_no_picture(undisturbed: Lake):
    written = [file for file in (undisturbed.root / "dagster").rglob("*") if file.is_file()]
    assert any(b"dagster/row_count" in file.read_bytes() for file in written)
    assert not any(b"data:image/png" in file.read_bytes() for file in written)
