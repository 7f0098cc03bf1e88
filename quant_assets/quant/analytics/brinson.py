"""Why a portfolio differed from its benchmark: the choice of groups, and of what is in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.holdings import earned
from quant_assets.quant.analytics.linking import link_effects
from quant_assets.quant.market.panel import Floats

__all__ = ["Brinson", "brinson_fachler"]

EFFECTS = ["allocation", "selection", "interaction"]
CASH = "cash"


@dataclass(frozen=True)
class Brinson:
    """Effects by group, `cash` last.

    per_period : `(time, group, 3)`: allocation, selection, interaction; each row of time sums to
        `portfolio - benchmark`, both `(time,)`.
    linked : index group; the three effects and their `total`, over all periods; sums to
        `active_return`, the difference of the compounded returns.
    """

    per_period: Floats
    linked: pd.DataFrame
    portfolio: Floats
    benchmark: Floats
    active_return: float


def brinson_fachler(
    weights: npt.ArrayLike,
    benchmark_weights: npt.ArrayLike,
    returns: npt.ArrayLike,
    groups: Sequence[str],
    *,
    cash_return: npt.ArrayLike = 0.0,
    link: str = "carino",
) -> Brinson:
    """Attribute the active return to groups of instruments [Brinson & Fachler 1985].

    weights, benchmark_weights, returns : `(time, symbol)`, at the start of each period.
        What a row leaves of 1 is the group `cash`, which earns `cash_return`.
    groups : the group of each symbol.
    link : how periods are added up, see `link_effects`.

    Per group g: allocation (w_p - w_b)(r_b - R_b), selection w_b (r_p - r_b), interaction the rest
    of what the group brought, (w_p - w_b)(r_p - r_b) where its return is defined. A group that only
    one side holds has the return of that side: holding it is an allocation. A long-short group
    without net weight has no return of its own, so that what it brought is interaction.
    """
    own, grown = earned(weights, returns)
    theirs, _ = earned(benchmark_weights, returns)
    names = sorted(set(groups))
    if len(groups) != own.shape[1] or CASH in names:
        raise DataError(
            f"groups must name each of {own.shape[1]} symbols, and none may be {CASH!r}; found "
            f"{len(groups)} in {names}"
        )
    member = (np.array(groups)[:, None] == np.array(names)[None, :]).astype(np.float64)
    w_p, c_p = _grouped(own, grown, member, cash_return)
    w_b, c_b = _grouped(theirs, grown, member, cash_return)
    portfolio, benchmark = c_p.sum(axis=1), c_b.sum(axis=1)
    r_p, r_b = _returns(w_p, c_p), _returns(w_b, c_b)
    r_p, r_b = np.where(np.isnan(r_p), r_b, r_p), np.where(np.isnan(r_b), r_p, r_b)
    r_p, r_b = np.nan_to_num(r_p), np.nan_to_num(r_b)
    allocation = (w_p - w_b) * (r_b - benchmark[:, None])
    selection = w_b * (r_p - r_b)
    # what is left is (w_p - w_b)(r_p - r_b), and all that a group without net weight brought
    interaction = (c_p - c_b) - (w_p - w_b) * benchmark[:, None] - allocation - selection
    per_period = np.stack([allocation, selection, interaction], axis=2)
    linked = pd.DataFrame(
        link_effects(per_period, portfolio, benchmark, link),
        index=pd.Index([*names, CASH], name="group"),
        columns=EFFECTS,
    )
    linked["total"] = linked.sum(axis=1)
    grown_p, grown_b = (float(np.expm1(np.log1p(x).sum())) for x in (portfolio, benchmark))
    return Brinson(per_period, linked, portfolio, benchmark, grown_p - grown_b)


def _grouped(
    weights: Floats, returns: Floats, member: Floats, cash_return: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Weights and contributions by group, `(time, group + 1)`."""
    cash = 1.0 - weights.sum(axis=1)
    earning = cash * np.asarray(cash_return, dtype=np.float64)
    return (
        np.column_stack([weights @ member, cash]),
        np.column_stack([(weights * returns) @ member, earning]),
    )


def _returns(weights: Floats, contributions: Floats) -> Floats:
    """Return of each group; NaN where it has no net weight (up to rounding)."""
    held = np.abs(weights) > 1e-12
    return np.where(held, contributions / np.where(held, weights, 1.0), np.nan)
