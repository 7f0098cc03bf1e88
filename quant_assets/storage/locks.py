"""One writer per (asset, venue): a file lock that says who holds it."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from quant_assets.core.clock import timestamp
from quant_assets.core.errors import CellLockedError
from quant_assets.storage.inventory import list_folder, subfolders
from quant_assets.storage.paths import Layout, decode
from quant_assets.storage.writer import make_folder, storage_error

HOLDER_SUFFIX = ".holder"


@dataclass(frozen=True)
class Holder:
    """Who wrote beside the lock file that it holds the lock. `alive` is None on another host."""

    pid: int
    host: str
    since: str
    alive: bool | None

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}"


def read_holder(path: Path) -> Holder | None:
    """The last process that took the lock `path`; None when nothing readable was left."""
    try:
        who = json.loads(path.with_suffix(HOLDER_SUFFIX).read_text(encoding="utf-8"))
        pid, host, since = int(who["pid"]), str(who["host"]), str(who["since"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    alive = psutil.pid_exists(pid) if host == platform.node() else None
    return Holder(pid, host, since, alive)


def is_locked(path: Path) -> bool:
    """True when some process holds the lock `path` now."""
    if not path.exists():
        return False
    probe = FileLock(path)
    try:
        probe.acquire(timeout=0)
    except Timeout:
        return True
    except OSError as error:
        raise storage_error(error, path, doing="open") from error
    probe.release()
    return False


@dataclass(frozen=True)
class HeldLock:
    """A lock that some living process holds now."""

    what: str
    path: str
    holder: Holder | None


def held_locks(layout: Layout) -> list[HeldLock]:
    """Locks of the data root that are held now, by asset and venue.

    Each free lock is taken for an instant to find out.
    """
    held = []
    for asset in subfolders(layout.root / "locks"):
        for entry in list_folder(layout.lock(asset, "x").parent):
            path = Path(entry.path)
            if path.suffix == ".lock" and is_locked(path):
                what = f"{asset} of {decode(path.stem)}"
                held.append(HeldLock(what, entry.path, read_holder(path)))
    return held


@contextmanager
def writer_lock(path: Path, *, what: str, wait_seconds: float) -> Iterator[None]:
    """Hold the lock file `path` while writing `what`.

    Waits at most `wait_seconds`, then raises `CellLockedError` naming the holder. The lock is
    the operating system's, so a killed process never leaves it behind.
    """
    lock = _acquire(path, what, wait_seconds)
    try:
        _sign(path)
        yield
    finally:
        lock.release()


def _acquire(path: Path, what: str, wait_seconds: float) -> FileLock:
    try:
        make_folder(path.parent)
        lock = FileLock(path)
        lock.acquire(timeout=wait_seconds, poll_interval=0.1)
    except Timeout:
        holder = read_holder(path)
        who = str(holder) if holder is not None and holder.alive is not False else "another process"
        raise CellLockedError(
            f"{what} is being written by {who}; waited {wait_seconds:g} s. "
            "Let it finish (or stop it), then run again: finished cells are kept."
        ) from None
    except OSError as error:
        raise storage_error(error, path) from error
    return lock


def _sign(path: Path) -> None:
    """Say who holds the lock: for people and `doctor`; the lock itself does not depend on it."""
    me = {"pid": os.getpid(), "host": platform.node(), "since": timestamp()}
    try:
        path.with_suffix(HOLDER_SUFFIX).write_text(json.dumps(me), encoding="utf-8")
    except OSError as error:
        raise storage_error(error, path) from error
