"""What our storages of Dagster share: where their SQLite files lie, patience, one check each."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, cast

import sqlalchemy as db
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._serdes import ConfigurableClassData

BUSY_TIMEOUT_SECONDS = 60
_CHECKED: dict[Path, tuple[int, ...]] = {}

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


class WithoutOptions:
    """A storage that `dagster.yaml` names alone: one place, beside the rest of the instance."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No options."""
        return {}


class InHome(WithoutOptions):
    """One of Dagster's SQLite storages, in a folder of DAGSTER_HOME.

    place : the folder, and the database in it without its suffix.
    """

    place: ClassVar[tuple[str, str]]

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """As Dagster asks."""
        del config_value
        stock, (inside, name) = cast("Any", cls), cls.place
        folder = dagster_home() / inside
        return opened(
            folder / f"{name}.db",
            checked=lambda: stock.from_local(str(folder), inst_data),
            plain=lambda: stock(create_db_conn_string(str(folder), name), inst_data),
        )


def pooled_engine(url: str, *, pool_size: int, max_overflow: int) -> db.Engine:
    """An engine that keeps its connections, for as long as they are this process's and the file's.

    One to a file that was deleted goes on reading and writing it, where nobody else sees it; one
    that a parent process opened shares its locks. Either is opened again before its next use.
    """
    engine = db.create_engine(
        url,
        poolclass=db.pool.QueuePool,
        pool_size=pool_size,
        max_overflow=max_overflow,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )
    file = Path(engine.url.database or "")

    @db.event.listens_for(engine, "connect")
    def _remember(_connection: object, record: db.pool.ConnectionPoolEntry) -> None:
        record.info["opened"] = os.getpid(), _identity(file)

    @db.event.listens_for(engine, "checkout")
    def _compare(_connection: object, record: db.pool.ConnectionPoolEntry, _: object) -> None:
        if record.info["opened"] != (os.getpid(), _identity(file)):
            raise db.exc.DisconnectionError(f"{file} is another file, or this another process")

    return engine


def _identity(file: Path) -> tuple[int, ...] | None:
    """Device, inode, and whether it has content: a new file may have the inode of a deleted one.

    None where there is no file.
    """
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_size > 0
