"""What lies on the disk, listed without opening a file: cells of the lake, and objects.

Inode numbers come with the folder listing, so that thousands of links are compared in
milliseconds; a difference must still be confirmed with `same_file` (some file systems number the
entries of a listing differently).
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quant_assets.core.errors import StorageError
from quant_assets.storage.paths import Cell, Layout, decode
from quant_assets.storage.writer import TEMP_MARK, storage_error

_OBJECT = re.compile(r"([0-9a-f]{64})\.([a-z0-9]{1,16})")
_PARTS = {".json": "manifest", ".parquet": "view"}


@dataclass(frozen=True)
class StoredCell:
    """The files of one cell. `manifest` is None for a view that was left without one."""

    cell: Cell
    folder: str
    manifest: str | None
    view_inode: int | None


@dataclass(frozen=True)
class StoredObject:
    """One content-addressed file."""

    sha256: str
    suffix: str
    path: str
    inode: int


def list_folder(folder: Path) -> list[os.DirEntry[str]]:
    """Entries sorted by name, temp files left out; an absent folder has none."""
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if not entry.name.startswith(TEMP_MARK)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise storage_error(error, folder, doing="list") from error
    return sorted(found, key=lambda entry: entry.name)


def subfolders(folder: Path) -> list[str]:
    """Decoded names of the folders below `folder`, sorted."""
    return sorted(_name(entry) for entry in list_folder(folder) if entry.is_dir())


def stored_cells(layout: Layout) -> Iterator[StoredCell]:
    """All cells of the lake, sorted by asset, venue and window."""
    for asset in subfolders(layout.lake):
        for venue in subfolders(layout.folder(asset, "x").parent):
            yield from cells_of(layout, asset, venue)


def cells_of(layout: Layout, asset: str, venue: str) -> list[StoredCell]:
    """Cells of one asset and venue, sorted by window."""
    folder = layout.folder(asset, venue)
    found: dict[str, dict[str, os.DirEntry[str]]] = {}
    for entry in list_folder(folder):
        stem, dot, suffix = entry.name.rpartition(".")
        part = _PARTS.get(dot + suffix)
        if part is not None:
            found.setdefault(stem, {})[part] = entry
    cells = []
    for stem, parts in found.items():
        window = _name(next(iter(parts.values())), stem)
        view = parts.get("view")
        cells.append(
            StoredCell(
                cell=Cell(asset, venue, window),
                folder=str(folder),
                manifest=parts["manifest"].path if "manifest" in parts else None,
                view_inode=view.inode() if view is not None else None,
            )
        )
    return sorted(cells, key=lambda stored: stored.cell.window)


def stored_objects(layout: Layout) -> dict[str, StoredObject]:
    """All objects by file name; files that are no objects are left out."""
    found = {}
    for folder in list_folder(layout.objects):
        if not folder.is_dir():
            continue
        for entry in list_folder(Path(folder.path)):
            match = _OBJECT.fullmatch(entry.name)
            if match is not None and match[1][:2] == folder.name:
                found[entry.name] = StoredObject(match[1], match[2], entry.path, entry.inode())
    return found


def _name(entry: os.DirEntry[str], text: str | None = None) -> str:
    try:
        return decode(entry.name if text is None else text)
    except UnicodeDecodeError as error:
        raise StorageError(
            f"{entry.path} is not a name that this store wrote ({error.reason}): "
            "move it out of the data root"
        ) from error
