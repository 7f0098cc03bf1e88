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
from quant_assets.quant.optimization.constraints.turnover_limit import TurnoverLimit
from quant_assets.quant.optimization.projection import (
    Prices,
    is_feasible,
    least_turnover,
    project,
)
from quant_assets.quant.optimization.solvers import ruled
from quant_assets.quant.optimization.solvers.active_set import Box
from quant_assets.quant.optimization.solvers.convex import Region
from quant_assets.quant.optimization.solvers.rule import Rule

__all__ = ["Hardened", "harden"]

Floats = npt.NDArray[np.float64]
CONSTRAINTS = "quant_assets.quant.optimization.constraints"
LARGEST_VIOLATION = 1e-9
RELAXED = "turnover_relaxed"
FURTHER = 1e-5  # a step from the answer to the target


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

    With `constraints.rules` the projection is a program of the solvers (`quant.optimization.solvers
    .ruled`), conflicts are irreducible sets, and there is no relief.
    """
    wanted, held = _vector("target", target), _vector("previous", previous)
    if wanted.shape != held.shape:
        raise DataError(f"target has {wanted.size} weights, previous {held.size}: align them first")
    rules = constraints_of(constraints)
    if constraints.rules:
        return _hardened_by_rules(wanted, held, constraints)
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
    _require_kept(rules, (), answer.weights, held)
    binding = _binding(rules, answer.prices, answer.box_binds, relaxed)
    distance = float(np.sqrt(((answer.weights - wanted) ** 2).sum()))
    return Hardened(answer.weights, binding, distance)


def _hardened_by_rules(wanted: Floats, held: Floats, problem: HardeningProblem) -> Hardened:
    """Project onto all constraints and rules; what stops the way on to `wanted` is binding."""
    constraints = constraints_of(problem)
    region = _region(_narrowed(constraints, held), held, problem.rules)
    weights = ruled.nearest(wanted, region).weights
    _require_kept(constraints, problem.rules, weights, held)
    distance = float(np.linalg.norm(weights - wanted))
    further = weights + min(1.0, FURTHER / max(distance, FURTHER)) * (wanted - weights)
    stops = {
        rule.name
        for rule in constraints
        if rule.violation(further, held) > rule.violation(weights, held) + LARGEST_VIOLATION
    }
    stops |= {
        rule.name
        for rule in problem.rules
        if rule.violation(further) > rule.violation(weights) + LARGEST_VIOLATION
    }
    return Hardened(weights, tuple(sorted(stops)), distance)


def _region(feasible: FeasibleSet, held: Floats, rules: tuple[Rule, ...]) -> Region:
    """Return the feasible set, and the rules, as the solvers take them."""
    low = max(feasible.net_low, float(feasible.lower.sum()))
    high = min(feasible.net_high, float(feasible.upper.sum()))
    if np.isfinite(feasible.max_turnover):
        rules = (*rules, TurnoverLimit(held, feasible.max_turnover))
    gross = feasible.max_gross if np.isfinite(feasible.max_gross) else None
    is_fixed = feasible.net_low == feasible.net_high
    box = Box(feasible.net_high if is_fixed else high, feasible.lower, feasible.upper)
    return Region(box, gross, min_net=None if is_fixed else low, rules=rules)


def _require_kept(
    constraints: list[Constraint], rules: tuple[Rule, ...], weights: Floats, held: Floats
) -> None:
    broken = [(rule.violation(weights, held), rule.name, rule.describe()) for rule in constraints]
    broken += [(rule.violation(weights), rule.name, rule.describe()) for rule in rules]
    worst, name, text = max(broken)
    if worst > LARGEST_VIOLATION:
        raise SolverError(
            f"hardening leaves {name} broken by {worst:.3g} ({text}): the projection does not know "
            "this constraint, narrow() must state it; or the solver is not exact enough for it"
        )


def constraints_of(problem: HardeningProblem) -> list[Constraint]:
    """Every discovered constraint that `problem` sets, by name."""
    kinds = discover(CONSTRAINTS, Constraint)
    built = (kind.from_problem(problem) for kind in kinds.values())
    return [rule for rule in built if rule is not None]


def is_reachable(problem: HardeningProblem, previous: Floats) -> bool:
    """Whether `harden` has an answer from `previous` (asset,) without relief."""
    feasible = _narrowed(constraints_of(problem), previous)
    if problem.rules:
        return ruled.is_feasible(_region(feasible, previous, problem.rules))
    return is_feasible(feasible, previous)


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
