"""One delivery: raw rows are checked, compared with what is known, and committed with a receipt."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd

from quant_assets.adapters.layouts.base import Raw
from quant_assets.adapters.providers.base import contract_of
from quant_assets.adapters.stored import MARKS, newest_rows
from quant_assets.contracts.base import Contract
from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.mark_prices import MarkPrices
from quant_assets.core.venues import Venue
from quant_assets.operations.intake.revisions import delta
from quant_assets.quant.market.alignment import MIN_PAIRS, time_shifts
from quant_assets.quant.market.bars import instants
from quant_assets.quant.market.forward_adjust import adjustments_of_closes
from quant_assets.quant.market.row_checks.check import Checked, check_rows
from quant_assets.quant.market.row_checks.rules import RowRules
from quant_assets.storage.sources import Receipt, SourceStore

MAX_TEXT = 200
MONTHLY_ROWS = 1000  # a month with fewer rows is no file of its own: daily bars go by the year


@dataclass(frozen=True)
class Origin:
    """What was delivered: its name, the hash of its bytes, its size, and when it came."""

    name: str
    sha256: str
    size: int
    layout: str
    received_at: datetime
    archived_as: str = ""
    confirmed: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict)


def deliver(store: SourceStore, venue: Venue, origin: Origin, raws: Iterable[Raw]) -> Receipt:
    """Check all rows, store what is new, and write the receipt. The caller holds the lock.

    Raises `DataError` when the rows as a whole are not what they seem; nothing is stored then.
    """
    work = _Work(store, venue, origin)
    by_dataset = _by_dataset(raws, work.notes)
    if "adjustments" not in by_dataset:
        by_dataset |= _adjustments_of(by_dataset.get("bars", []), venue)
    for dataset, parts in by_dataset.items():
        work.take(dataset, parts)
    return work.commit()


def _adjustments_of(parts: list[Raw], venue: Venue) -> dict[str, list[Raw]]:
    """Events that the source's own adjusted closes tell of, where it publishes such closes."""
    frames = [part.frame for part in parts if "adjusted_close" in part.frame.columns]
    if not frames:
        return {}
    rows = pd.concat(frames, ignore_index=True)
    rows = rows[rows["ts"].notna()].sort_values("ts", kind="stable").reset_index(drop=True)
    published = venue.provider.settings.get("published") or venue.market.price_adjustment
    events = adjustments_of_closes(
        rows,
        rows["adjusted_close"],
        splits_are_in=published in ("splits", "total_return"),
        collected_at=rows.get("collected_at"),
    )
    if not len(events):
        return {}
    lines = np.arange(1, len(events) + 1)
    return {"adjustments": [Raw("adjustments", events.assign(line=lines))]}


def _by_dataset(raws: Iterable[Raw], notes: list[str]) -> dict[str, list[Raw]]:
    found: dict[str, list[Raw]] = {}
    for raw in raws:
        found.setdefault(raw.dataset, []).append(raw)
        notes += [note for note in raw.notes if note not in notes]
    return dict(sorted(found.items()))


class _Work:
    """The state of one delivery until its commit."""

    def __init__(self, store: SourceStore, venue: Venue, origin: Origin) -> None:
        self.store, self.venue, self.origin = store, venue, origin
        self.rules = RowRules.of(venue, file=origin.name, received_at=origin.received_at)
        self.notes: list[str] = []
        self.frames: dict[str, pd.DataFrame] = {}
        self.doubts: list[pd.DataFrame] = []
        self.counts: dict[str, dict[str, int]] = {}
        self.symbols: dict[str, list[str]] = {}
        self.spans: dict[str, tuple[datetime, datetime]] = {}

    def take(self, dataset: str, parts: list[Raw]) -> None:
        """Check the rows of one dataset and keep what the store does not have."""
        frames = [part.frame for part in parts]
        raw = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
        checked = check_rows(dataset, raw, self.rules)
        counts = {"rows": len(raw), **checked.counts}
        rejected = _rejects(parts)
        counts["rows"] += len(rejected)
        counts["quarantined"] = counts.get("quarantined", 0) + len(rejected)
        self._keep_undated(dataset, checked, rejected)
        self.doubts.append(checked.doubts)
        frame = checked.frame
        if len(frame):
            self.symbols[dataset] = sorted(frame["symbol"].unique().tolist())
            first, last = frame["ts"].iloc[0], frame["ts"].iloc[-1]
            self.spans[dataset] = (first.to_pydatetime(), last.to_pydatetime())
            known = self._known(dataset, frame)
            fresh = delta(frame, known, _contract(dataset).key_columns())
            counts |= {"unchanged": fresh.unchanged, "revised": len(fresh.revised)}
            if len(fresh.revised):
                self.doubts.append(_revision_doubts(dataset, fresh.revised, self.origin.name))
            if dataset == "bars" and len(fresh.revised) >= MIN_PAIRS:
                shifts = time_shifts(frame, known, self.rules.bar_length)
                self.doubts.append(shifts.assign(file=self.origin.name))
            frame = fresh.frame
        counts["stored"] = len(frame)
        self.counts[dataset] = {name: int(count) for name, count in sorted(counts.items())}
        self.frames[dataset] = frame

    def _known(self, dataset: str, frame: pd.DataFrame) -> pd.DataFrame:
        first, last = (frame["ts"].iloc[row].to_pydatetime() for row in (0, -1))
        end = last + timedelta(microseconds=1)
        symbols = frozenset(self.symbols[dataset])
        return newest_rows(self.store, dataset, _contract(dataset), (first, end), symbols)

    def _keep_undated(self, dataset: str, checked: Checked, rejected: pd.DataFrame) -> None:
        """Rows without a time belong to no window: they stand in the receipt's own table."""
        parts = [checked.undated]
        if len(rejected):
            parts.append(
                pd.DataFrame(
                    {
                        "dataset": dataset,
                        "symbol": rejected["symbol"],
                        "outcome": "quarantined",
                        "reason": rejected["reason"],
                        "value": float("nan"),
                        "file": self.origin.name,
                        "line": rejected["line"].astype("int64"),
                        "text": rejected["text"].str.slice(0, MAX_TEXT),
                    }
                )
            )
        kept = [part for part in parts if len(part)]
        if kept:
            known = self.frames.get(UNDATED)
            rows = pd.concat([*([known] if known is not None else []), *kept], ignore_index=True)
            words = ["dataset", "symbol", "outcome", "reason", "file", "text"]
            self.frames[UNDATED] = rows.astype(dict.fromkeys(words, "str"))

    def commit(self) -> Receipt:
        """Write the chunks and the receipt."""
        doubts = [frame for frame in self.doubts if len(frame)]
        if doubts:
            key = Doubts.key_columns()
            rows = pd.concat(doubts, ignore_index=True).sort_values(key, kind="stable")
            self.frames["doubts"] = rows.drop_duplicates(key).reset_index(drop=True)
        origin = self.origin
        receipt = Receipt(
            sequence=self.store.next_sequence(),
            name=origin.name,
            sha256=origin.sha256,
            size=origin.size,
            layout=origin.layout,
            received_at=origin.received_at,
            archived_as=origin.archived_as,
            counts=self.counts,
            symbols=self.symbols,
            spans=self.spans,
            confirmed=dict(origin.confirmed),
            notes=self.notes,
        )
        return self.store.commit(receipt, self._chunks())

    def _chunks(self) -> Iterator[tuple[str, str, pd.DataFrame]]:
        for dataset, frame in sorted(self.frames.items()):
            if not len(frame):
                continue
            if dataset == UNDATED:
                yield UNDATED, UNDATED, frame
                continue
            _contract(dataset).check_frame(frame, where=f"{self.origin.name} {dataset}")
            periods = instants(frame["ts"]).astype("datetime64[M]")
            if len(frame) < MONTHLY_ROWS * len(np.unique(periods)):
                periods = periods.astype("datetime64[Y]")
            begins = np.flatnonzero(np.concatenate([[True], periods[1:] != periods[:-1]]))
            for first, after in pairwise([*begins.tolist(), len(frame)]):
                yield dataset, str(periods[first]), frame.iloc[first:after].reset_index(drop=True)


UNDATED = "undated"


def _contract(dataset: str) -> type[Contract]:
    return MarkPrices if dataset == MARKS else contract_of(dataset)


def _rejects(parts: list[Raw]) -> pd.DataFrame:
    found = [part.rejects for part in parts if part.rejects is not None and len(part.rejects)]
    empty = pd.DataFrame({"line": [], "symbol": [], "reason": [], "text": []})
    return pd.concat(found, ignore_index=True) if found else empty


def _revision_doubts(dataset: str, before: pd.DataFrame, file: str) -> pd.DataFrame:
    """One flag per row that the source has changed, with the old values as text."""
    key = {"ts", "available_at", "symbol"}
    values = [name for name in before.columns if name not in key]
    texts = [
        " ".join(f"{name}={value}" for name, value in zip(values, row, strict=True))[:MAX_TEXT]
        for row in before[values].itertuples(index=False)
    ]
    count = len(before)
    return pd.DataFrame(
        {
            "ts": before["ts"],
            "available_at": before["available_at"],
            "dataset": pd.Series([dataset] * count, dtype="str"),
            "symbol": before["symbol"],
            "outcome": pd.Series(["flagged"] * count, dtype="str"),
            "reason": pd.Series(["revised"] * count, dtype="str"),
            "value": pd.Series([float("nan")] * count),
            "file": pd.Series([file] * count, dtype="str"),
            "line": pd.Series(range(1, count + 1), dtype="int64"),
            "text": pd.Series(texts, dtype="str"),
        }
    )
