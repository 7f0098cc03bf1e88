"""Which constraints cannot hold together."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from quant_assets.quant.optimization.solvers.active_set import Box
from quant_assets.quant.optimization.solvers.convex import Region
from quant_assets.quant.optimization.solvers.rule import DiscreteRule

__all__ = ["conflict"]

WIDE = 1e3


def conflict(region: Region, is_feasible: Callable[[Region], bool]) -> str:
    """Name an irreducible conflict of an empty `region`: without any one of them it has weights.

    Found by the deletion filter (Chinneck & Dravnieks 1991): leave out each constraint in turn, and
    for good when the rest still conflicts. Discrete rules split a box: beside one the box stays.
    """
    labels = [f"{place}.{rule.name}" for place, rule in enumerate(region.rules)]
    parts = {label: rule.describe() for label, rule in zip(labels, region.rules, strict=True)}
    if region.max_gross is not None:
        parts["gross"] = f"sum of |weight| <= {region.max_gross:g}"
    parts |= {"budget": _budget(region), "box": _box(region)}
    kept = list(parts)
    for part in parts:
        fewer = set(kept) - {part}
        rest = _only(region, fewer)
        needs_box = any(isinstance(rule, DiscreteRule) for rule in rest.rules)
        if not (part == "box" and needs_box) and not is_feasible(rest):
            kept.remove(part)
    kept.reverse()
    named = [(name.split(".")[-1], parts[name]) for name in kept]
    names = " and ".join(name for name, _ in named)
    listing = "; ".join(f"{name}: {text}" for name, text in named)
    n_assets = len(region.box.lower)
    return f"{names} conflict for {n_assets} assets ({listing}). Loosen one of them."


def _only(region: Region, kept: set[str]) -> Region:
    """Return the region of the constraints that are kept."""
    labelled = [(f"{place}.{rule.name}", rule) for place, rule in enumerate(region.rules)]
    rules = tuple(rule for label, rule in labelled if label in kept)
    box, wide = region.box, np.full(len(region.box.lower), WIDE)
    if "box" not in kept and not any(isinstance(rule, DiscreteRule) for rule in rules):
        box = Box(box.budget, -wide, wide)
    region = replace(region, box=box, rules=rules)
    if "gross" not in kept:
        region = replace(region, max_gross=None)
    if "budget" not in kept:
        total = float(np.abs(box.lower).sum() + np.abs(box.upper).sum())
        wider = Box(total, box.lower, box.upper)
        region = replace(region, box=wider, min_net=-total)
    return region


def _box(region: Region) -> str:
    low, high = region.box.lower, region.box.upper
    return f"{_span(low.min(), low.max())} <= weight <= {_span(high.min(), high.max())}"


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g}..{high:g}"


def _budget(region: Region) -> str:
    if region.min_net is None:
        return f"sum of weights = {region.box.budget:g}"
    return f"{region.min_net:g} <= sum of weights <= {region.box.budget:g}"
