"""Who takes part in the tournament: optimizer x selection x cost model, and how they are called.

`minimum_variance` is the plain entrant; `minimum_variance@top_half+band` chooses from the better
half of the streams and trades with the cost model `band`.
"""

from dataclasses import dataclass

from quant_assets.core.errors import ConfigError
from quant_assets.core.registry import discover
from quant_assets.core.venues import OptimizationParameters
from quant_assets.quant.optimization.cost_models.base import CostModel
from quant_assets.quant.optimization.selections.base import Selection

SELECTIONS = "quant_assets.quant.optimization.selections"
COST_MODELS = "quant_assets.quant.optimization.cost_models"
EVERY_STREAM, NO_COSTS = "all", "none"


@dataclass(frozen=True)
class Entry:
    """One entrant's three parts."""

    optimizer: str
    selection: str = EVERY_STREAM
    cost_model: str = NO_COSTS

    @property
    def name(self) -> str:
        """The name in every table; plain parts are not mentioned."""
        chosen = "" if self.selection == EVERY_STREAM else f"@{self.selection}"
        minded = "" if self.cost_model == NO_COSTS else f"+{self.cost_model}"
        return f"{self.optimizer}{chosen}{minded}"

    @classmethod
    def parse(cls, name: str) -> "Entry":
        """Read a name back."""
        front, _, cost_model = name.partition("+")
        optimizer, _, selection = front.partition("@")
        return cls(optimizer, selection or EVERY_STREAM, cost_model or NO_COSTS)


def selections(limits: OptimizationParameters) -> dict[str, Selection]:
    """The venue's selections by name, in its order; an unknown one is a `ConfigError`."""
    known = discover(SELECTIONS, Selection)
    _refuse_unknown("selections", limits.selections, sorted(known))
    return {name: known[name]() for name in dict.fromkeys(limits.selections)}


def cost_models(limits: OptimizationParameters) -> dict[str, CostModel]:
    """The venue's cost models by name, in its order; an unknown one is a `ConfigError`."""
    known = discover(COST_MODELS, CostModel)
    _refuse_unknown("cost_models", limits.cost_models, sorted(known))
    return {name: known[name]() for name in dict.fromkeys(limits.cost_models)}


def _refuse_unknown(field: str, named: list[str], known: list[str]) -> None:
    unknown = sorted(set(named) - set(known))
    if unknown:
        raise ConfigError(f"optimization.{field} names {unknown}; known: {known}")
