"""Hardening: the nearest weights that keep every stated constraint, exactly."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError, SolverError
from quant_assets.core.registry import discover
from quant_assets.quant.optimization.constraints.base import (
    Constraint,
    FeasibleSet,
    HardeningProblem,
)
from quant_assets.quant.optimization.projection import (
    Prices,
    is_feasible,
    least_turnover,
    project,
)

Floats = npt.NDArray[np.float64]
CONSTRAINTS = "quant_assets.quant.optimization.constraints"
LARGEST_VIOLATION = 1e-9
RELAXED = "turnover_relaxed"


@dataclass(frozen=True, eq=False)
class Hardened:
    """Weights (asset,), names of the binding constraints, and the Euclidean distance moved."""

    weights: Floats
    binding: tuple[str, ...]
    distance: float


def harden(
    target: npt.ArrayLike,
    *,
    constraints: HardeningProblem,
    previous: npt.ArrayLike,
    turnover_relief: bool = False,
) -> Hardened:
    """Project `target` (asset,) onto the constraints, in the Euclidean distance.

    `previous` (asset,) are the drifted weights held now, the base of turnover. All zero means cash,
    and entering from cash is not limited. No constraint is broken by more than 1e-9.

    An infeasible problem is a `SolverError` that names the smallest conflicting set of constraints
    with their numbers. With `turnover_relief`, a conflict that only turnover causes is resolved by
    the smallest turnover that the others need, and `turnover_relaxed` is listed as binding.
    """
    wanted, held = _vector("target", target), _vector("previous", previous)
    if wanted.shape != held.shape:
        raise DataError(f"target has {wanted.size} weights, previous {held.size}: align them first")
    rules = constraints_of(constraints)
    feasible = _narrowed(rules, held)
    relaxed = False
    if not is_feasible(feasible, held):
        without = replace(feasible, max_turnover=np.inf)
        if not (turnover_relief and is_feasible(without, held)):
            raise SolverError(_conflict(rules, held))
        needed = least_turnover(without, held)
        rules = constraints_of(replace(constraints, max_turnover=needed))
        feasible, relaxed = replace(feasible, max_turnover=needed), True
    answer = project(wanted, held, feasible)
    for rule in rules:
        broken = rule.violation(answer.weights, held)
        if broken > LARGEST_VIOLATION:
            raise SolverError(
                f"hardening leaves {rule.name} broken by {broken:.3g} ({rule.describe()}): the "
                "projection does not know this constraint; narrow() must state it"
            )
    binding = _binding(rules, answer.prices, answer.box_binds, relaxed)
    distance = float(np.sqrt(((answer.weights - wanted) ** 2).sum()))
    return Hardened(answer.weights, binding, distance)


def constraints_of(problem: HardeningProblem) -> list[Constraint]:
    """Every discovered constraint that `problem` sets, by name."""
    kinds = discover(CONSTRAINTS, Constraint)
    built = (kind.from_problem(problem) for kind in kinds.values())
    return [rule for rule in built if rule is not None]


def is_reachable(problem: HardeningProblem, previous: Floats) -> bool:
    """Whether `harden` has an answer from `previous` (asset,) without relief."""
    return is_feasible(_narrowed(constraints_of(problem), previous), previous)


def _vector(name: str, values: npt.ArrayLike) -> Floats:
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or vector.size == 0 or not np.isfinite(vector).all():
        raise DataError(f"{name} must be finite weights of shape (asset,), found {vector}")
    return vector


def _narrowed(rules: list[Constraint], previous: Floats) -> FeasibleSet:
    feasible = FeasibleSet.everything(len(previous))
    for rule in rules:
        feasible = rule.narrow(feasible, previous)
    return feasible


def _binding(
    rules: list[Constraint], prices: Prices, box_binds: bool, relaxed: bool
) -> tuple[str, ...]:
    """Names of the rules with a price; of budget and net, the one that is there (budget first)."""
    names = {rule.name for rule in rules}
    found = {"box"} if box_binds else set()
    if abs(prices.net) > 1e-12:
        found.add("budget" if "budget" in names else "net")
    if prices.gross > 1e-12:
        found.add("gross")
    if prices.turnover > 1e-12 and not relaxed:
        found.add("turnover")
    return tuple(sorted(found | ({RELAXED} if relaxed else set())))


def _conflict(rules: list[Constraint], previous: Floats) -> str:
    """Name the smallest subset of rules that cannot hold together, in words."""
    culprits: tuple[Constraint, ...] = tuple(rules)
    for size in range(1, len(rules) + 1):
        subsets = combinations(rules, size)
        bad = (s for s in subsets if not is_feasible(_narrowed(list(s), previous), previous))
        culprits = next(bad, culprits)
        if len(culprits) == size:
            break
    names = " and ".join(rule.name for rule in culprits)
    listing = "; ".join(f"{rule.name}: {rule.describe()}" for rule in culprits)
    text = f"{names} conflict for {len(previous)} assets ({listing})"
    if any(rule.name == "turnover" for rule in culprits):
        others = [rule for rule in culprits if rule.name != "turnover"]
        needed = least_turnover(_narrowed(others, previous), previous)
        text += f". The others need a turnover of {needed:g}"
    return text + ". Loosen one of them."
