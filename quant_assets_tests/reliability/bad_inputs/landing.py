"""Files that are dropped for a venue, and what became of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from quant_assets.core.venues import Venue
from quant_assets.operations.intake.landing import take_in
from quant_assets.storage.sources import Receipt, SourceStore
from quant_assets_tests.operations.intake.deliveries import files_venue, source_store

HEADER = "ts,symbol,open,high,low,close,volume"
BTC = "BTC/USDT:USDT"
SPAN = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
NEW_YORK = {"asset_class": "equity", "calendar": "XNYS", "time_zone": "America/New_York"}


def bar(hour: int, *, close: str = "100.5", symbol: str = BTC, volume: str = "10") -> str:
    """A line of a tidy file: the bar of an hour from 2024-03-01 on."""
    ts = pd.Timestamp("2024-03-01", tz="UTC") + pd.Timedelta(hours=hour)
    return f"{ts:%Y-%m-%dT%H:%M:%SZ},{symbol},100,101,99,{close},{volume}"


def table(lines: Iterable[str], *, header: str = HEADER) -> str:
    """A tidy file; its first bar stands on line 2."""
    return "\n".join([header, *lines, ""])


@dataclass(frozen=True)
class Dropped:
    """Receipt and rows of one file, or why it was refused."""

    receipt: Receipt | None
    refusal: str
    bars: pd.DataFrame
    doubts: pd.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """What became of the rows of the bars."""
        assert self.receipt is not None, self.refusal
        return self.receipt.counts["bars"]

    @property
    def told(self) -> list[tuple[int, str, str]]:
        """Line, outcome and reason of every doubt."""
        found = self.doubts[["line", "outcome", "reason"]].itertuples(index=False, name=None)
        return sorted(found)

    def refused(self, *words: str) -> None:
        """Nothing was stored, and the message has all of these words."""
        assert self.receipt is None
        for word in words:
            assert word in self.refusal, self.refusal


class Landing:
    """The landing folder of one venue."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store: SourceStore = source_store(folder / "data")

    def drop(self, content: str | bytes, *, name: str = "bars.csv", **market: object) -> Dropped:
        """Take in a file with this content."""
        return self.drop_for(files_venue(**market), content, name=name)

    def drop_for(self, venue: Venue, content: str | bytes, *, name: str) -> Dropped:
        """Take in a file for a venue of one's own."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        outcome = take_in(self.store, venue, path)
        known = outcome.receipt.sequence if outcome.receipt else -1
        return Dropped(
            outcome.receipt,
            outcome.refusal,
            self.rows("bars", known),
            self.rows("doubts", known),
        )

    def rows(self, dataset: str, sequence: int) -> pd.DataFrame:
        """What one delivery brought."""
        chunks = [c for c in self.store.chunks(dataset, *SPAN) if c.sequence == sequence]
        if not chunks:
            return pd.DataFrame(columns=["line", "outcome", "reason"])
        return pd.concat([self.store.read(chunk) for chunk in chunks], ignore_index=True)
