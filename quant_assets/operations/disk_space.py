"""Warns before a disk is full: what is written then fails cleanly, but only after hours of work."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LEAST_SHARE = 0.05
LEAST_BYTES = 10**9
LOOK_SECONDS = 10.0


@dataclass(frozen=True)
class DiskSpace:
    """Bytes of the file system under `path` that a process without privileges may use."""

    path: Path
    total: int
    free: int

    @property
    def low(self) -> bool:
        """True below 5 % or 1 GB."""
        return self.free < max(LEAST_SHARE * self.total, LEAST_BYTES)

    def __str__(self) -> str:
        share = self.free / self.total if self.total else 0.0
        return (
            f"the disk of {self.path} is nearly full: {self.free / 1e9:,.2f} GB ({share:.1%}) are "
            "left. Free space (`quant-assets gc` says what can go), or choose another root with "
            "QUANT_ASSETS_DATA_ROOT"
        )


def disk_space(path: Path) -> DiskSpace:
    """Space where `path` lies, or will lie once it is made."""
    while not path.exists():
        path = path.parent
    usage = shutil.disk_usage(path)
    return DiskSpace(path, usage.used + usage.free, usage.free)


@dataclass
class DiskWatch:
    """Says once, while work goes on, that the disk is nearly full; looks every ten seconds."""

    path: Path
    warn: Callable[[str], None]
    seconds: float = LOOK_SECONDS
    warned: bool = False
    _looked: float = float("-inf")

    def look(self) -> None:
        """Look now, unless that was done a moment ago or the warning was given."""
        now = time.monotonic()
        if self.warned or now - self._looked < self.seconds:
            return
        self._looked = now
        space = disk_space(self.path)
        if space.low:
            self.warned = True
            self.warn(str(space))
