"""Whether a trial ledger still holds what runs have counted: a shorter one is shown, not believed.

Every run that writes a ledger logs how many trials it then had. A ledger with fewer trials was
deleted or replaced, and every deflated Sharpe ratio made from it is too good.
"""

import pyarrow.compute as pc
import pyarrow.parquet as pq

from quant_assets.core.errors import StorageError
from quant_assets.storage.paths import Cell, decode, encode
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.trial_store import tuned_trials

LEDGER = "trial_ledger"


def counted_trials(store: SnapshotStore) -> dict[str, tuple[int, str]]:
    """Most trials that any run counted, and that run, by venue."""
    most: dict[str, tuple[int, str]] = {}
    pattern = f"*/telemetry/{encode(LEDGER)}--*.parquet"
    for file in sorted(store.layout.runs.glob(pattern)):
        venue = decode(file.stem.partition("--")[2])
        table = pq.read_table(file, columns=["scope", "name", "value"])
        own = pc.and_(pc.equal(table["scope"], LEDGER), pc.equal(table["name"], "trials"))
        counts = table.filter(own)["value"].to_pylist()
        count = int(max(counts, default=0.0))
        if count > most.get(venue, (0, ""))[0]:
            most[venue] = (count, file.parent.parent.name)
    return most


def all_trials(store: SnapshotStore, venue: str) -> int:
    """Trials that were ever made on a venue: of its entrants, and of searches over strategies."""
    entrants, _ = counted_trials(store).get(venue, (0, ""))
    return entrants + tuned_trials(store.layout.root, venue)


def shortened_ledgers(store: SnapshotStore) -> dict[Cell, str]:
    """What to say of each ledger that holds fewer trials than a run had counted."""
    found = {}
    for venue, (count, run) in counted_trials(store).items():
        cell = Cell(LEDGER, venue, "all")
        try:
            trials = store.read(cell)["trial"] if store.manifest(cell) is not None else ()
        except StorageError:
            continue  # `verify` names the damage itself
        present = max(trials, default=0)
        if present < count:
            found[cell] = (
                f"{present} trials are left of the {count} that run {run} counted: trials were "
                "removed, and every deflated Sharpe ratio of the venue is too good"
            )
    return found
