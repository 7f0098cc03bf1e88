"""One hash whatever the number of workers, the hash seed and the time zone."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quant_assets_tests.reliability.backfills import completed
from quant_assets_tests.reliability.fixture_venue import Fixture

WORKERS = (1, 2)
HASH_SEEDS = ("0", "1", "4242")
TIME_ZONES = ("UTC", "Asia/Tokyo")


@dataclass(frozen=True)
class Circumstances:
    """What must not change a result."""

    workers: int
    hash_seed: str
    time_zone: str

    def __str__(self) -> str:
        return f"{self.workers} workers, hash seed {self.hash_seed}, {self.time_zone}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables for the subprocess; children of it inherit them."""
        return {"PYTHONHASHSEED": self.hash_seed, "TZ": self.time_zone}


def all_circumstances() -> list[Circumstances]:
    """Every combination: 2 x 3 x 2."""
    return [Circumstances(*c) for c in itertools.product(WORKERS, HASH_SEEDS, TIME_ZONES)]


def digest_under(
    circumstances: Circumstances, fixture: Fixture, root: Path, windows: Sequence[str] = ()
) -> str:
    """Backfill every venue of `fixture` on an empty root; the digest of all its manifests."""
    arguments = ["backfill", "--workers", str(circumstances.workers), *windows]
    return completed(fixture, root, arguments, **circumstances.environment).digest
