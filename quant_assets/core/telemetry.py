"""What stages tell about themselves, apart from their results.

Telemetry never changes a result: a stage may only write to it. Anything volatile (solver time,
host) belongs here and not into a frame, because frames are hashed.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable


@runtime_checkable
class Telemetry(Protocol):
    """The protocol that every sink implements."""

    def log_feature_importance(self, model: str, importance: Mapping[str, float]) -> None:
        """Importance per feature of one fitted model."""

    def log_solver_diagnostics(self, entrant: str, report: Mapping[str, object]) -> None:
        """Status, residuals, iterations and seconds of one solve."""

    def log_metrics(self, scope: str, metrics: Mapping[str, float]) -> None:
        """Any other numbers about the computation."""

    def log_progress(self, share: float) -> None:
        """How much of the computation is done, 0 to 1; it never goes back."""


class NullTelemetry:
    """Discards everything; the default outside Dagster."""

    def log_feature_importance(self, model: str, importance: Mapping[str, float]) -> None:
        """Discard."""

    def log_solver_diagnostics(self, entrant: str, report: Mapping[str, object]) -> None:
        """Discard."""

    def log_metrics(self, scope: str, metrics: Mapping[str, float]) -> None:
        """Discard."""

    def log_progress(self, share: float) -> None:
        """Discard."""


class RecordingTelemetry:
    """Keeps rows in memory, in call order; sinks turn them into metadata and parquet.

    `rows` holds mappings with the keys `kind`, `scope` and one key per logged value. Progress is
    not kept: it is told on to `moved`.
    """

    def __init__(self, moved: Callable[[float], None] | None = None) -> None:
        self.rows: list[dict[str, object]] = []
        self._moved = moved

    def log_feature_importance(self, model: str, importance: Mapping[str, float]) -> None:
        """Record one row with a value per feature."""
        self.rows.append({**importance, "kind": "feature_importance", "scope": model})

    def log_solver_diagnostics(self, entrant: str, report: Mapping[str, object]) -> None:
        """Record one row per solve."""
        self.rows.append({**report, "kind": "solver", "scope": entrant})

    def log_metrics(self, scope: str, metrics: Mapping[str, float]) -> None:
        """Record one row of metrics."""
        self.rows.append({**metrics, "kind": "metrics", "scope": scope})

    def log_progress(self, share: float) -> None:
        """Tell it on."""
        if self._moved is not None:
            self._moved(share)
