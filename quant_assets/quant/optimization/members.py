"""Optimizers made by name, for those that are built from others."""

from dataclasses import dataclass
from typing import Any

from quant_assets.core.errors import ConfigError
from quant_assets.core.registry import discover, get
from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.optimization.base import Constraints, Optimizer

OPTIMIZERS = "quant_assets.quant.optimization"


@dataclass(frozen=True)
class Offer:
    """Parameters that an optimizer takes if its constructor has them; None is not offered."""

    constraints: Constraints
    risk_aversion: float | None = None
    level: float | None = None
    periods_per_year: float | None = None
    covariance: Estimator | None = None


def taken(kind: type[Optimizer], offer: Offer) -> dict[str, Any]:
    """Parameters of `offer` that the constructor of `kind` has."""
    known = kind.parameter_names()
    offered = vars(offer)
    return {key: offered[key] for key in offered if key in known and offered[key] is not None}


def member(name: str, offer: Offer) -> Optimizer:
    """Optimizer of that name with what it takes from `offer`.

    One that has no defaults, or needs data beside returns, is a `ConfigError`.
    """
    kind = get(OPTIMIZERS, Optimizer, name)
    lacking = [*kind.needs, *kind.required_parameters()]
    if lacking:
        raise ConfigError(f"{name} needs {' and '.join(lacking)} and cannot be made by its name")
    return kind(**taken(kind, offer))


def default_members() -> tuple[str, ...]:
    """Names of the entrants by default that are not made of others, sorted."""
    known = discover(OPTIMIZERS, Optimizer)
    return tuple(n for n, kind in known.items() if kind.is_entrant and not kind.has_members)
