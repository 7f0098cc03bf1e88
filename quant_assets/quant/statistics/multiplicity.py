"""Many hypotheses at once: which p-values survive, and at what adjusted value.

`p_values` have any shape and lie in [0, 1]; NaN = not tested: excluded, counted, never rejected.
Every result says how many were tested, how many were not, and which family the error is of.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats

__all__ = [
    "Multiplicity",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "bonferroni",
    "holm",
    "simes",
]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Multiplicity:
    """Outcome of one procedure; the arrays have the shape of the p-values.

    rejected : adjusted p-value <= `level`; False where not tested
    adjusted : adjusted p-values, NaN where not tested
    method, family : the procedure, and the family over which `level` is controlled
    n_tested, n_excluded : hypotheses with and without a p-value
    """

    rejected: Mask
    adjusted: Floats
    method: str
    family: str
    level: float
    n_tested: int
    n_excluded: int

    @property
    def n_rejected(self) -> int:
        """Number of discoveries."""
        return int(np.count_nonzero(self.rejected))


def benjamini_hochberg(p_values: npt.ArrayLike, *, fdr: float) -> Multiplicity:
    """Control the false-discovery rate under independence or positive dependence.

    Step-up: `adjusted[k] = min over j >= k of p[j] m / j`, sorted. Benjamini & Hochberg (1995).
    """
    return _outcome(p_values, fdr, "benjamini_hochberg", step_up)


def benjamini_yekutieli(p_values: npt.ArrayLike, *, fdr: float) -> Multiplicity:
    """Control the false-discovery rate under any dependence.

    As Benjamini-Hochberg with m times the harmonic sum `1 + 1/2 + ... + 1/m`. Benjamini &
    Yekutieli (2001), theorem 1.3.
    """
    return _outcome(p_values, fdr, "benjamini_yekutieli", _step_up_dependent)


def bonferroni(p_values: npt.ArrayLike, *, fwer: float) -> Multiplicity:
    """Control the probability of any false rejection under any dependence: `min(1, p m)`."""
    return _outcome(p_values, fwer, "bonferroni", lambda p: np.minimum(p * p.size, 1.0))


def holm(p_values: npt.ArrayLike, *, fwer: float) -> Multiplicity:
    """Control the probability of any false rejection; never weaker than Bonferroni.

    Step-down: `adjusted[k] = max over j <= k of p[j] (m - j + 1)`, sorted. Holm (1979).
    """
    return _outcome(p_values, fwer, "holm", _step_down)


def simes(p_values: npt.ArrayLike) -> float:
    """P-value of the hypothesis that all are null: `min p[k] m / k`, sorted. Simes (1986).

    NaN when nothing was tested.
    """
    p = checked_p_values(p_values)
    tested = p[~np.isnan(p)]
    return float(step_up(tested).min()) if tested.size else float("nan")


def checked_p_values(p_values: npt.ArrayLike) -> Floats:
    """`p_values` as floats; `DataError` for one outside [0, 1], infinities included."""
    p = np.asarray(p_values, dtype=np.float64)
    outside = (p < 0.0) | (p > 1.0)
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        raise DataError(
            f"p-value {p.ravel()[first]!r} at position {first} is outside [0, 1] "
            f"({int(outside.sum())} of {p.size} are): leave untested hypotheses NaN"
        )
    return p


def checked_level(level: float) -> float:
    """`level` itself; `ConfigError` unless it is strictly between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise ConfigError(f"the error rate {level!r} must lie between 0 and 1: 0.05 is 5 %")
    return level


def step_up(p: Floats, factor: float = 1.0) -> Floats:
    """`min(1, factor * min over j >= k of p[j] m / j)` of p-values without NaN, shape (m,)."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * (p.size / np.arange(1.0, p.size + 1.0))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return np.asarray(np.minimum(adjusted * factor, 1.0))


def _step_up_dependent(p: Floats) -> Floats:
    return step_up(p, float(np.sum(1.0 / np.arange(1.0, p.size + 1.0))))


def _step_down(p: Floats) -> Floats:
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(p.size, 0.0, -1.0))
    return np.asarray(np.minimum(adjusted, 1.0))


def _outcome(
    p_values: npt.ArrayLike, level: float, method: str, adjust: Callable[[Floats], Floats]
) -> Multiplicity:
    p = checked_p_values(p_values)
    tested = ~np.isnan(p)
    adjusted = np.full(p.shape, np.nan)
    adjusted[tested] = adjust(p[tested])
    rejected = adjusted <= checked_level(level)
    n_tested = int(np.count_nonzero(tested))
    return Multiplicity(
        rejected, adjusted, method, "pooled", level, n_tested, int(p.size - n_tested)
    )
