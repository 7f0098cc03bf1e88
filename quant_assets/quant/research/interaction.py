"""Whether two conditions together are followed by more than the better one alone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.research.outcomes import Bools, EventOutcomes, group_contrast
from quant_assets.quant.statistics.event_effects import EventEffect
from quant_assets.quant.statistics.multiplicity import benjamini_hochberg

__all__ = ["InteractionLift", "interaction_lift", "interaction_scan"]

NEITHER, FIRST, SECOND, BOTH = range(4)


@dataclass(frozen=True)
class InteractionLift:
    """Events with both conditions against those with one of them alone.

    n_both, n_first, n_second, n_neither : known outcomes; first, second, neither are exclusive
    mean_both, mean_first, mean_second : mean outcomes, NaN without events
    lift : mean_both - max(mean_first, mean_second)
    standard_error, t_value : of the comparison that has the higher p-value
    p_value : one-sided, that the lift is not positive; NaN where a cell has too few events
    interaction : mean_both - mean_first - mean_second + mean_neither: what is left after adding up
    interaction_p_value : two-sided, NaN also with too few events of neither
    """

    n_both: int
    n_first: int
    n_second: int
    n_neither: int
    mean_both: float
    mean_first: float
    mean_second: float
    lift: float
    standard_error: float
    t_value: float
    p_value: float
    interaction: float
    interaction_p_value: float


def interaction_lift(
    sample: EventOutcomes, first: npt.ArrayLike, second: npt.ArrayLike, *, min_events: int = 50
) -> InteractionLift:
    """Test whether both conditions together beat each of them alone.

    Both differences of means must be positive: the p-value is the larger of the two one-sided
    ones, which needs no correction for having looked at the better one [Berger 1982, intersection-
    union test]. Errors in calendar time, see `group_contrast`.

    Parameters
    ----------
    sample : EventOutcomes
        Events of one detector.
    first, second : shape (event,), bool
        Whether the condition held when the event was known.
    min_events : int
        Cells with fewer known outcomes are not tested.
    """
    one, two = (_flags(flags, sample) for flags in (first, second))
    cell = np.where(one & two, BOTH, np.where(one, FIRST, np.where(two, SECOND, NEITHER)))
    known = ~np.isnan(sample.outcomes)
    n = [int(np.count_nonzero(known & (cell == code))) for code in range(4)]
    over_first, over_second, interaction = (
        group_contrast(sample, cell, weights)
        for weights in ([0, -1, 0, 1], [0, 0, -1, 1], [1, -1, -1, 1])
    )
    tested = min(n[BOTH], n[FIRST], n[SECOND]) >= min_events
    p_first, p_second = (_one_sided(effect) for effect in (over_first, over_second))
    judge = over_first if p_first >= p_second else over_second
    means = [sample.part(cell == code).effect().mean for code in range(4)]
    return InteractionLift(
        *(n[BOTH], n[FIRST], n[SECOND], n[NEITHER]),
        *(means[BOTH], means[FIRST], means[SECOND]),
        lift=float(np.minimum(over_first.mean, over_second.mean)),
        standard_error=judge.standard_error,
        t_value=judge.t_value,
        p_value=float(np.maximum(p_first, p_second)) if tested else float("nan"),
        interaction=interaction.mean,
        interaction_p_value=interaction.p_value if min(n) >= min_events else float("nan"),
    )


def interaction_scan(
    sample: EventOutcomes,
    conditions: Mapping[str, npt.ArrayLike],
    *,
    fdr: float = 0.1,
    min_events: int = 50,
) -> pd.DataFrame:
    """Every pair of conditions: the fields of `InteractionLift`, `adjusted_p_value`, `claimed`.

    Indexed by `first`, `second`, in the order of `conditions`. A lift is claimed where its
    p-value, adjusted for all pairs after Benjamini & Hochberg (1995), is at most `fdr`. Pairs that
    cannot be tested are no part of that family and are never claimed.
    """
    if len(conditions) < 2:
        raise ConfigError(f"{len(conditions)} condition makes no pair: give at least two")
    pairs = list(combinations(conditions, 2))
    rows = [
        asdict(interaction_lift(sample, conditions[a], conditions[b], min_events=min_events))
        for a, b in pairs
    ]
    frame = pd.DataFrame(rows, index=pd.MultiIndex.from_tuples(pairs, names=["first", "second"]))
    judged = benjamini_hochberg(frame["p_value"].to_numpy(), fdr=fdr)
    return frame.assign(adjusted_p_value=judged.adjusted, claimed=judged.rejected)


def _flags(flags: npt.ArrayLike, sample: EventOutcomes) -> Bools:
    array = np.asarray(flags)
    if array.dtype != np.bool_ or array.shape != sample.outcomes.shape:
        raise DataError(
            f"a condition has dtype {array.dtype} and shape {array.shape}: expected bool, one for "
            f"each of {len(sample.outcomes)} events"
        )
    return array


def _one_sided(effect: EventEffect) -> float:
    half = effect.p_value / 2.0
    return half if effect.t_value > 0.0 else 1.0 - half
