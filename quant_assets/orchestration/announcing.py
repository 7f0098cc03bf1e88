"""How far a walk is, told every 5 %: to Dagster's log, and at the terminal."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol, runtime_checkable

Progress = Callable[[str, str, bool], None]
PROGRESS: ContextVar[Progress | None] = ContextVar("progress", default=None)


@runtime_checkable
class PartProgress(Protocol):
    """A `Progress` that also shows how much of a cell is done."""

    def part(self, asset: str, key: str, share: float) -> None:
        """Share of the cell that is in work, 0 to 1."""


class Announced:
    """Progress that is also told to the log, every 5 %, of walks that take longer than moments.

    A cell that takes long tells itself how far it is: a bar-by-bar run, a search for parameters.
    """

    STEPS, PAUSE_SECONDS = 20, 2.0

    def __init__(self, say: Callable[[str], None], total: int, progress: Progress | None) -> None:
        self._say, self._total, self._progress = say, total, progress
        self._done = self._told = 0
        self._at = time.monotonic()

    def __call__(self, asset: str, key: str, unchanged: bool) -> None:
        """One more cell."""
        if self._progress is not None:
            self._progress(asset, key, unchanged)
        self._done += 1
        self._tell(
            self._done, f"{asset}: {{}} %, {self._done} of {self._total} cells, newest {key}"
        )

    def part(self, asset: str, key: str, share: float) -> None:
        """Share of the cell that is in work, 0 to 1."""
        if isinstance(self._progress, PartProgress):
            self._progress.part(asset, key, share)
        done = f"{self._done} of {self._total} cells"
        self._tell(self._done + min(share, 1.0), f"{asset}: {{}} %, {done}, in work {key}")

    def _tell(self, done: float, text: str) -> None:
        step, now = int(self.STEPS * done / self._total), time.monotonic()
        if step > self._told and now - self._at > self.PAUSE_SECONDS:
            self._told, self._at = step, now
            self._say(text.format(int(100 * done / self._total)))
