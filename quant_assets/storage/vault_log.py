"""Openings of hold-out vaults on disk: a line each, in a chain, written before bars are shown."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from quant_assets.core.clock import timestamp
from quant_assets.core.errors import IntegrityError
from quant_assets.core.hashing import canonical_json
from quant_assets.quant.tuning.vault import Opening
from quant_assets.storage.locks import writer_lock
from quant_assets.storage.paths import Layout, encode
from quant_assets.storage.writer import make_folder, write_atomically

FOLDER = "vaults"
WAIT_SECONDS = 60.0


class VaultLog:
    """An `OpeningLog` under a data root: `vaults/<vault>.jsonl`."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self.folder = root / FOLDER

    def openings(self, vault: str) -> Sequence[Opening]:
        """All openings, the oldest first; a line that was changed or removed is an error."""
        return [opening for opening, _ in self._lines(vault)]

    def add(self, opening: Opening) -> int:
        """Write an opening down for good; the number of openings of its vault."""
        lock = self.layout.lock(FOLDER, opening.vault)
        make_folder(lock.parent)
        with writer_lock(lock, what=f"vault {opening.vault}", wait_seconds=WAIT_SECONDS):
            make_folder(self.folder)
            lines = [line for _, line in self._lines(opening.vault)]
            row = {
                **opening._asdict(),
                "number": len(lines) + 1,
                "opened_at": timestamp(),
                "previous": _digest(lines[-1]) if lines else "",
            }
            text = "".join(f"{line}\n" for line in (*lines, canonical_json(row)))
            write_atomically(self._path(opening.vault), text.encode())
        return len(lines) + 1

    def _path(self, vault: str) -> Path:
        return self.folder / f"{encode(vault)}.jsonl"

    def _lines(self, vault: str) -> list[tuple[Opening, str]]:
        path = self._path(vault)
        if not path.is_file():
            return []
        found: list[tuple[Opening, str]] = []
        previous = ""
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            try:
                row = json.loads(line)
                opening = Opening(*(row[name] for name in Opening._fields))
                sound = row["number"] == number and row["previous"] == previous
            except (ValueError, KeyError, TypeError):
                sound = False
            if not sound:
                raise IntegrityError(
                    f"{path}:{number}: an opening was changed or removed here; put the file back "
                    "from a backup. Looks that are missing make every later test too easy"
                )
            found.append((opening, line))
            previous = _digest(line)
        return found


def _digest(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
