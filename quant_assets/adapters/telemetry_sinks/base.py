"""What an extra telemetry sink is, and how sinks are kept from failing a run."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

import pandas as pd

from quant_assets.core.redaction import redact
from quant_assets.core.registry import get

PACKAGE = "quant_assets.adapters.telemetry_sinks"


class TelemetrySink(ABC):
    """Takes what stages tell about themselves, besides Dagster's metadata and the parquet files.

    A sink sets `name`. It is made once per process, with a folder that is its own to use or to
    leave. The constructor raises `ConfigError` when a package is missing, and opens nothing.
    """

    name: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def write(self, run_id: str, frame: pd.DataFrame) -> None:
        """Take what one stage instance (an asset of one venue) logged in the run `run_id`.

        frame : (asset, venue, window, kind, scope, name, value, text), one row per logged value
            in call order, at least one; numbers are in `value`, words in `text`. The results are
            stored already, so nothing that a sink does can change them.
        """


class TelemetrySinks:
    """All sinks of a process. One that raises is named in a warning, then left out."""

    def __init__(self, sinks: Iterable[TelemetrySink] = ()) -> None:
        self._open = {sink.name: sink for sink in sinks}

    @property
    def names(self) -> list[str]:
        """Names of the sinks that still take telemetry."""
        return list(self._open)

    def write(self, run_id: str, frame: pd.DataFrame) -> None:
        """Hand the frame to every sink; see `TelemetrySink.write`."""
        for name, sink in list(self._open.items()):
            try:
                sink.write(run_id, frame)
            except Exception as error:  # noqa: BLE001 - whatever a sink meets, the run goes on
                del self._open[name]
                warnings.warn(
                    f"telemetry sink {name!r} failed and gets nothing more from this process: "
                    f"{type(error).__name__}: {redact(str(error))}. Results are not affected, and "
                    f"the parquet telemetry of run {run_id} is complete.",
                    RuntimeWarning,
                    stacklevel=2,
                )


def open_sinks(names: Iterable[str], folder: Callable[[str], Path]) -> TelemetrySinks:
    """Make the sinks called `names`; `folder` gives each its own.

    Raises `PluginError` for an unknown name, and `ConfigError` for a package that is missing.
    """
    kinds = [get(PACKAGE, TelemetrySink, name) for name in names]
    return TelemetrySinks(kind(folder(kind.name)) for kind in kinds)
