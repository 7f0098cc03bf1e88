"""Frozen contexts: everything that a stage may depend on, and what it produced, by hash.

A stage is a pure function `stage(context, telemetry, *, <asset>=frame, ...) -> frame(s)`. Its
context holds parameters and, once the cell is stored, the hashes of inputs and outputs. A new
kind of context is a new subclass; the walker needs no change.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, create_model

from quant_assets.core.errors import ConfigError
from quant_assets.core.hashing import digest
from quant_assets.core.venues import (
    AlphaParameters,
    DiscoveryParameters,
    Market,
    OptimizationParameters,
    ProviderSpec,
    Reference,
    ReportingParameters,
    SimulationParameters,
    SynthesisParameters,
    Venue,
)
from quant_assets.core.windows import Window

Mode = Literal["carry", "independent"]
_UNION_FIELDS = frozenset({"inputs", "outputs"})
_CELL_FIELDS = frozenset({"window", "decided_at", "partial", "inputs", "outputs"})


class StageContext(BaseModel):
    """What every stage knows: venue, window, decision time, and hashes of inputs and outputs.

    `partial` is True when the venue's data end inside the window.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    venue: str
    window: Window
    decided_at: datetime
    partial: bool = False
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}

    def digest(self) -> str:
        """SHA-256 of the whole context; equal after a JSON round trip."""
        return digest(self.model_dump(mode="json"))

    def config(self) -> dict[str, Any]:
        """The parameters alone: what does not vary from window to window."""
        return self.model_dump(mode="json", exclude=set(_CELL_FIELDS))

    def merge(self, other: Self) -> Self:
        """One context from two parallel branches of the same stage.

        Hash maps are united, all else must be equal. Associative, commutative and idempotent.
        Raises `ConfigError` with both values on a conflict.
        """
        if type(other) is not type(self):
            raise ConfigError(f"cannot merge {type(self).__name__} with {type(other).__name__}")
        merged: dict[str, Any] = {}
        for name in type(self).model_fields:
            mine, theirs = getattr(self, name), getattr(other, name)
            if name in _UNION_FIELDS:
                merged[name] = _unite(name, mine, theirs)
            elif mine != theirs:
                raise ConfigError(f"contexts disagree on {name}: {mine!r} and {theirs!r}")
            else:
                merged[name] = mine
        return type(self)(**merged)

    def __add__(self, other: Self) -> Self:
        return self.merge(other)


def _unite(name: str, mine: dict[str, str], theirs: dict[str, str]) -> dict[str, str]:
    clash = sorted(key for key in mine.keys() & theirs.keys() if mine[key] != theirs[key])
    if clash:
        key = clash[0]
        raise ConfigError(
            f"contexts disagree on {name}[{key!r}]: {mine[key]!r} and {theirs[key]!r}"
        )
    return dict(sorted((mine | theirs).items()))


class IngestionContext(StageContext):
    """Raw data of one venue."""

    market: Market
    provider: ProviderSpec
    reference: Reference


class DiscoveryContext(StageContext):
    """Universe and candidate pool."""

    market: Market
    discovery: DiscoveryParameters


class SelectionContext(StageContext):
    """Common part of the alpha and synthesis stages."""

    market: Market


class AlphaContext(SelectionContext):
    """Features and signals."""

    alpha: AlphaParameters


class SynthesisContext(SelectionContext):
    """Clusters and streams."""

    synthesis: SynthesisParameters


class StreamsContext(SynthesisContext):
    """Streams: `alpha.annual_alpha` says what a score is worth."""

    alpha: AlphaParameters


class AllocationContext(StageContext):
    """Common part of the optimization and simulation stages."""

    market: Market
    optimization: OptimizationParameters
    mode: Mode


class OptimizationContext(AllocationContext):
    """Entrants' target weights."""


class HardeningContext(AllocationContext):
    """The weights chain."""


class SimulationContext(AllocationContext):
    """Execution and accounting. `cost_bps` values come from `simulation`."""

    simulation: SimulationParameters


class ReportingContext(StageContext):
    """Metrics, tournament and tear sheet."""

    market: Market
    reference: Reference
    simulation: SimulationParameters
    reporting: ReportingParameters
    mode: Mode


class StrategyContext(StageContext):
    """A strategy on a venue's bars. `strategy` holds the plain values of its file.

    Every strategy has a subclass of its own, whose default they are: see `of_strategy`.
    """

    market: Market
    strategy: dict[str, Any] = {}
    mode: Mode

    @classmethod
    def of_strategy(cls, values: Mapping[str, Any]) -> type[Self]:
        """The kind of context that holds these values of a strategy file."""
        return create_model(cls.__name__, __base__=cls, strategy=(dict[str, Any], dict(values)))


class WalkForwardContext(StrategyContext):
    """A strategy whose parameters are chosen on the windows before each."""

    training_windows: int | None = None


def build_context(
    kind: type[StageContext], venue: Venue, window: Window, *, mode: Mode, partial: bool = False
) -> StageContext:
    """The context of one cell: each field of `kind` is the venue's section of the same name.

    A field that venues do not have keeps its default.
    """
    values: dict[str, Any] = {
        "venue": venue.name,
        "window": window,
        "decided_at": window.start + venue.market.decision_lag,
        "partial": partial,
    }
    for name in kind.model_fields:
        if name == "mode":
            values[name] = mode
        elif name not in values and name not in _UNION_FIELDS and hasattr(venue, name):
            values[name] = getattr(venue, name)
    return kind(**values)
