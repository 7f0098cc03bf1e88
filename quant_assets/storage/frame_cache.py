"""Frames that were read lately, by content hash: windows share most of their history."""

from collections import OrderedDict

import pandas as pd

OVERHEAD = 1024  # bytes of a frame's own, whatever it holds


class FrameCache:
    """Least recently used frames by content hash, bounded by bytes. Frames are handed out as is."""

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._used = 0
        self._frames: OrderedDict[str, tuple[pd.DataFrame, int]] = OrderedDict()

    def get(self, sha256: str) -> pd.DataFrame | None:
        """The frame, if it is still here."""
        entry = self._frames.get(sha256)
        if entry is None:
            return None
        self._frames.move_to_end(sha256)
        return entry[0]

    def put(self, sha256: str, frame: pd.DataFrame, size: int) -> None:
        """Remember a frame of `size` bytes; the oldest ones leave, but never this one."""
        if sha256 in self._frames:
            return
        self._frames[sha256] = (frame, size + OVERHEAD)
        self._used += size + OVERHEAD
        while self._used > self._max and len(self._frames) > 1:
            self._used -= self._frames.popitem(last=False)[1][1]
