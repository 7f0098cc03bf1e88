"""Trials of searches on disk: appended batch by batch, never rewritten, and counted.

A batch is one parquet file that exists whole or not at all; it names the one before by its hash, so
that a batch that was taken out or changed is seen. The count beside them says how many there ever
were, so that batches that were taken from the end are seen too.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from quant_assets.core.clock import utc_now
from quant_assets.core.errors import IntegrityError
from quant_assets.core.hashing import canonical_json, digest
from quant_assets.storage.inventory import subfolders
from quant_assets.storage.locks import writer_lock
from quant_assets.storage.paths import Layout, encode
from quant_assets.storage.writer import make_folder, write_atomically

if TYPE_CHECKING:
    from quant_assets.quant.tuning.study import StoredTrial

FOLDER, COUNT, FIRST = "trials", "count.json", ""
WAIT_SECONDS = 60.0
SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("params", pa.string()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("figures", pa.string()),
        ("returns", pa.list_(pa.float64())),
        ("completed_at", pa.timestamp("us", tz="UTC")),
        ("periods_per_year", pa.float64()),  # null in batches of earlier versions
    ]
)
PREVIOUS, TRIED = b"previous", b"tried"


@dataclass(frozen=True)
class _Batch:
    """A file of trials: its hash, that of the one before, and how many trials there then were."""

    path: Path
    sha256: str
    previous: str
    tried: int
    table: pa.Table


class TrialFiles:
    """Trials of one strategy on one venue; a `TrialStore` for `tune` and `walk_forward`."""

    def __init__(self, root: Path, *, venue: str, strategy: str) -> None:
        self.layout = Layout(root)
        self.venue, self.strategy = venue, strategy
        self.folder = root / FOLDER / encode(venue) / encode(strategy)

    def load(self) -> Iterator["StoredTrial"]:
        """Every trial, the oldest first; a batch that was changed is an `IntegrityError`."""
        from quant_assets.quant.tuning.bench import Outcome
        from quant_assets.quant.tuning.study import StoredTrial

        for batch in self._batches():
            for row in batch.table.to_pylist():
                outcome = Outcome(
                    row["status"],
                    row["error"],
                    np.array(row["returns"], dtype=np.float64),
                    _numbers(row["figures"]),
                )
                per_year = row.get("periods_per_year")
                known = float("nan") if per_year is None else per_year
                yield StoredTrial(row["key"], json.loads(row["params"]), outcome, known)

    def append(self, trials: Sequence["StoredTrial"]) -> None:
        """Keep trials: all of them, or none when the process is killed meanwhile."""
        if not trials:
            return
        lock = self.layout.lock(FOLDER, self.venue)
        make_folder(lock.parent)
        what = f"trials of {self.strategy} on {self.venue}"
        with writer_lock(lock, what=what, wait_seconds=WAIT_SECONDS):
            make_folder(self.folder)
            last = self._last()
            tried = (last.tried if last is not None else 0) + len(trials)
            previous = last.sha256 if last is not None else FIRST
            number = int(last.path.stem) + 1 if last is not None else 1
            data = _encoded(trials, previous, tried)
            write_atomically(self.folder / f"{number:08d}.parquet", data, mode=0o444)
            head = {"tried": max(tried, self.counted()), "last": hashlib.sha256(data).hexdigest()}
            write_atomically(self.folder / COUNT, canonical_json(head).encode())

    def counted(self) -> int:
        """Trials that there ever were, as the count says; 0 without one."""
        path = self.folder / COUNT
        return int(json.loads(path.read_text("utf-8"))["tried"]) if path.is_file() else 0

    def present(self) -> int:
        """Trials that are there; damage is an `IntegrityError`."""
        return sum(batch.table.num_rows for batch in self._batches())

    def frame(self) -> Any:
        """All trials as a frame: key, params and figures as JSON, status, error, completed_at."""
        return self._table().drop_columns(["returns"]).to_pandas()

    def searched(self) -> Any:
        """All trials as rows of `SearchTrials`; one that came out before as it was known first."""
        from quant_assets.quant.statistics.per_period import sharpe

        table = self._table()
        kept = table.drop_columns(["returns"]).to_pandas()
        values = [one.values.to_numpy() for one in table["returns"]]
        ratios = np.array([float(sharpe(own)) if len(own) else np.nan for own in values])
        per_year = kept["periods_per_year"].to_numpy(dtype=np.float64)
        yearly = ratios * np.sqrt(per_year)
        columns = {
            "family": np.array([self.strategy] * len(kept), dtype=object),
            "trial": _looks(table),
            "available_at": kept["completed_at"].astype("datetime64[us, UTC]"),
            "status": kept["status"],
            "n_years": np.array([len(own) for own in values], dtype=np.float64) / per_year,
            "annual_sharpe_ratio": np.where(np.isfinite(yearly), yearly, np.nan),
        }
        frame = kept[[]].assign(**columns).drop_duplicates("trial")
        return frame.astype(dict.fromkeys(("family", "trial", "status"), "str"))

    def head(self) -> str:
        """Which trials there are, by the hash of the last batch; empty without any."""
        path = self.folder / COUNT
        return str(json.loads(path.read_text("utf-8"))["last"]) if path.is_file() else ""

    def distinct(self) -> int:
        """Trials that there ever were, each once: see `SearchTrials`."""
        looks = _looks(self._table())
        return max(self.counted(), len(looks)) - (len(looks) - len(set(looks)))

    def _table(self) -> pa.Table:
        tables = [batch.table for batch in self._batches()]
        return pa.concat_tables(tables or [SCHEMA.empty_table()], promote_options="default")

    def _batches(self) -> Iterator[_Batch]:
        previous, tried = FIRST, 0
        for path in self._files():
            batch = _read(path)
            tried += batch.table.num_rows
            if batch.previous != previous or batch.tried != tried:
                raise IntegrityError(
                    f"{path}: the batch of trials before it was changed or removed; put the folder "
                    "back from a backup. Missing trials make every deflated figure too good"
                )
            previous = batch.sha256
            yield batch

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))

    def _last(self) -> _Batch | None:
        files = self._files()
        return _read(files[-1]) if files else None


def _encoded(trials: Sequence["StoredTrial"], previous: str, tried: int) -> bytes:
    now = utc_now()
    rows = [
        {
            "key": one.key,
            "params": canonical_json(one.params),
            "status": one.outcome.status,
            "error": one.outcome.error,
            "figures": canonical_json(one.outcome.figures),
            "returns": one.outcome.returns,
            "completed_at": now,
            "periods_per_year": one.periods_per_year,
        }
        for one in trials
    ]
    marks = {PREVIOUS: previous.encode(), TRIED: str(tried).encode()}
    table = pa.Table.from_pylist(rows, schema=SCHEMA.with_metadata(marks))
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _read(path: Path) -> _Batch:
    data = path.read_bytes()
    try:
        table = pq.read_table(io.BytesIO(data))
        marks = table.schema.metadata
        previous, tried = marks[PREVIOUS].decode(), int(marks[TRIED])
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"{path} is no batch of trials ({error}); put it back") from error
    return _Batch(path, hashlib.sha256(data).hexdigest(), previous, tried, table)


def _looks(table: pa.Table) -> list[str]:
    """SHA-256 of parameters and returns of each trial, whatever code and search made them.

    A trial without returns, refused or failed, is known by its key alone.
    """
    values = [np.asarray(one.values).tobytes() for one in table["returns"]]
    rows = zip(
        *(table[name].to_pylist() for name in ("key", "params", "status")), values, strict=True
    )
    return [
        hashlib.sha256(f"{params} {status} ".encode() + returns).hexdigest() if returns else key
        for key, params, status, returns in rows
    ]


def _numbers(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in json.loads(text).items()}


def trial_files(root: Path, venue: str | None = None) -> list[TrialFiles]:
    """The trials of every strategy, of one venue or of all, by venue and strategy."""
    base = root / FOLDER
    venues = [venue] if venue is not None else subfolders(base)
    return [
        TrialFiles(root, venue=one, strategy=strategy)
        for one in venues
        for strategy in subfolders(base / encode(one))
    ]


def tuned_trials(root: Path, venue: str) -> int:
    """Trials that searches ever made on a venue: all of them deflate what its strategies show."""
    return sum(files.distinct() for files in trial_files(root, venue))


def searched_trials(root: Path, venue: str) -> Any:
    """Trials of all searches on a venue as rows of `SearchTrials`, each once, unsorted."""
    import pandas as pd

    from quant_assets.contracts.search_trials import SearchTrials

    found = [files.searched() for files in trial_files(root, venue)]
    return pd.concat(found, ignore_index=True) if found else SearchTrials.empty()


def trials_digest(root: Path, venue: str) -> str:
    """SHA-256 of which trials there are of all searches on a venue."""
    return digest([[files.strategy, files.head()] for files in trial_files(root, venue)])


def trial_problems(root: Path, venue: str | None = None) -> dict[Path, str]:
    """What to say of each folder whose trials were changed or are fewer than were counted."""
    found = {}
    for files in trial_files(root, venue):
        try:
            present = files.present()
        except IntegrityError as error:
            found[files.folder] = str(error)
            continue
        if present < files.counted():
            found[files.folder] = (
                f"{present} trials are left of the {files.counted()} that were counted: trials "
                "were removed, and every deflated figure of the strategy is too good"
            )
    return found
