"""What our storages of Dagster share: where their SQLite files lie, patience, one check each."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

BUSY_TIMEOUT_SECONDS = 60
_CHECKED: dict[Path, tuple[int, int]] = {}

Storage = TypeVar("Storage")


def dagster_home() -> Path:
    """DAGSTER_HOME; without it (plain `dagster dev`) the one of the default data root."""
    return Path(os.environ.get("DAGSTER_HOME") or "data/dagster").absolute()


def opened(file: Path, *, checked: Callable[[], Storage], plain: Callable[[], Storage]) -> Storage:
    """Open a database file: `checked` the first time in this process, `plain` from then on.

    Dagster's check makes the tables and reads every migration that it ever had. It is done for each
    instance, and a code server makes one for each look of each sensor: a fifth of the processor
    time of an idle machine. A file that was deleted or replaced meanwhile is checked again.
    """
    if file in _CHECKED and _CHECKED[file] == _identity(file):
        return plain()
    storage = checked()
    identity = _identity(file)
    if identity is not None:
        _CHECKED[file] = identity
    return storage


def _identity(file: Path) -> tuple[int, int] | None:
    """Device and inode; None where there is no file."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
