"""Writes a package outside of ours whose provider, found by entry point, brings a process down."""

from pathlib import Path

MODULE = '''\
"""A simulated market that fails when the bars of one window are fetched."""

import os
import signal
from typing import ClassVar

from quant_assets.adapters.providers.simulated import Simulated
from quant_assets.core.errors import DataError

BAD_WINDOW = "2024-03-01"


class Crashing(Simulated):
    """Dies as on out-of-memory."""

    name: ClassVar[str] = "crashing"

    def fetch(self, dataset, window):
        """Kill this process, when asked for the bars of the bad window."""
        if dataset == "bars" and window.key == BAD_WINDOW:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fetch(dataset, window)


class Refusing(Simulated):
    """Raises as on bad input."""

    name: ClassVar[str] = "refusing"

    def fetch(self, dataset, window):
        """Refuse the bars of the bad window."""
        if dataset == "bars" and window.key == BAD_WINDOW:
            raise DataError(f"{self.venue.name}: row 7 of the bars of {window.key} has no price")
        return super().fetch(dataset, window)
'''
METADATA = "Metadata-Version: 2.1\nName: crashing-plugin\nVersion: 1.0\n"
ENTRY_POINTS = "[quant_assets.adapters.providers]\ncrashing = crashing_plugin\n"


def install(folder: Path) -> Path:
    """Lay the package out as `pip install --target folder` would; put `folder` on PYTHONPATH."""
    info = folder / "crashing_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "crashing_plugin.py").write_text(MODULE, encoding="utf-8")
    (info / "METADATA").write_text(METADATA, encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    return folder
