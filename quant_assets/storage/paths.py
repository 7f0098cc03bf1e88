"""Where things lie under the data root, and how names become safe file names."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from quant_assets.core.errors import StorageError

_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_SAFE_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_SUFFIX = re.compile(r"[a-z0-9]{1,16}")
MAX_NAME = 200


def encode(name: str) -> str:
    """A file name of `[A-Za-z0-9_.-]` and %-escapes; `decode` gives `name` back.

    The result never begins with a dot (hidden files, `..`, temp files) and is never a device name
    of Windows. Refuses empty names and names that stay too long for a file system.
    """
    if not name:
        raise StorageError(
            "an empty name cannot become a file name: give it at least one character"
        )
    text = name if _PLAIN.fullmatch(name) else _escape(name)
    if _RESERVED.fullmatch(name):
        text = f"%{ord(name[0]):02X}{text[1:]}"
    if len(text) > MAX_NAME:
        raise StorageError(
            f"name of {len(text)} characters is too long for a file (limit {MAX_NAME}, "
            f"%-escapes count): {name[:60]!r}…"
        )
    return text


def _escape(name: str) -> str:
    parts = [
        chr(byte) if byte in _SAFE_BYTES else f"%{byte:02X}"
        for byte in name.encode("utf-8", "surrogatepass")
    ]
    if parts[0] == ".":
        parts[0] = "%2E"
    return "".join(parts)


def decode(text: str) -> str:
    """The name that `encode` turned into `text`."""
    return unquote_to_bytes(text).decode("utf-8", "surrogatepass") if "%" in text else text


def object_suffix(name: str) -> str:
    """Suffix under which a report file called `name` is stored, for example `html`."""
    stem, _, suffix = name.rpartition(".")
    if not stem or not _SUFFIX.fullmatch(suffix.lower()):
        raise StorageError(
            f"file name {name!r} has no plain suffix: call it for example 'tear_sheet.html'"
        )
    return suffix.lower()


@dataclass(frozen=True)
class Cell:
    """One asset partition; `window` is `all` for venue-wide assets, `venue` for leagues."""

    asset: str
    venue: str
    window: str

    def __str__(self) -> str:
        return f"{self.asset} {self.venue}|{self.window}"

    def backfill_command(self, *, force: bool = False) -> str:
        """The command that computes this cell; `force` also when nothing seems to have changed."""
        windows = "" if self.window == "all" else f" --windows {self.window}...{self.window}"
        return (
            f"quant-assets backfill --venue {self.venue}{windows} --assets {self.asset}"
            f"{' --force' if force else ''}"
        )


@dataclass(frozen=True)
class Layout:
    """Paths under one data root."""

    root: Path

    def object(self, sha256: str, suffix: str = "parquet") -> Path:
        """File of a content-addressed object."""
        if not _SUFFIX.fullmatch(suffix):
            raise StorageError(f"{suffix!r} is not an object suffix: use 1 to 16 of [a-z0-9]")
        return self.root / "objects" / sha256[:2] / f"{sha256}.{suffix}"

    def folder(self, asset: str, venue: str) -> Path:
        """Folder that holds the cells of one asset and venue."""
        return self.root / "lake" / encode(asset) / encode(venue)

    def manifest(self, cell: Cell) -> Path:
        """The cell's manifest: its commit point."""
        return self.folder(cell.asset, cell.venue) / f"{encode(cell.window)}.json"

    def view(self, cell: Cell) -> Path:
        """Hard link to the cell's current object (a copy where links are impossible)."""
        return self.folder(cell.asset, cell.venue) / f"{encode(cell.window)}.parquet"

    def lock(self, asset: str, venue: str) -> Path:
        """Lock file of the writers of one asset and venue."""
        return self.root / "locks" / encode(asset) / f"{encode(venue)}.lock"

    def run(self, run_id: str) -> Path:
        """Folder of one run's records."""
        return self.runs / encode(run_id)

    def sink(self, name: str) -> Path:
        """Folder of a telemetry sink that keeps files of its own."""
        return self.root / "sinks" / encode(name)

    def report(self, asset: str, venue: str, name: str) -> Path:
        """Hard link to a report file's current object."""
        return self.reports / encode(asset) / encode(venue) / encode(name)

    @property
    def lake(self) -> Path:
        """Manifests and views, by asset and venue."""
        return self.root / "lake"

    @property
    def objects(self) -> Path:
        """Content-addressed objects."""
        return self.root / "objects"

    @property
    def runs(self) -> Path:
        """Records of runs, a folder each."""
        return self.root / "runs"

    @property
    def copies_note(self) -> Path:
        """Exists where the lake could not be linked; says since when and why."""
        return self.root / "lake_is_copied.json"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own storage: a view, never the truth."""
        return self.root / "dagster"

    @property
    def reports(self) -> Path:
        """Reports for people."""
        return self.root / "reports"
