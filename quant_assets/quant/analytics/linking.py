"""Effects of single periods made to add up to the compounded active return."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats

__all__ = ["link_effects"]


def link_effects(
    effects: npt.ArrayLike,
    portfolio: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    method: str = "carino",
) -> Floats:
    """Sum of effects over time, scaled so that they add up to the compounded active return.

    effects : `(time, …)`; in each row they sum to `portfolio - benchmark`, both `(time,)`.
    method : `carino` scales each period by (ln(1 + P) - ln(1 + B)) / (P - B), over the same of the
        compounded returns [Cariño 1999]; `menchero` by a common factor plus the part that spreads
        the residual with the least squares [Menchero 2000].

    A return of -100 % or less cannot be linked (`DataError`).
    """
    parts = np.asarray(effects, dtype=np.float64)
    p, b = np.asarray(portfolio, dtype=np.float64), np.asarray(benchmark, dtype=np.float64)
    if not (parts.ndim >= 1 and p.shape == b.shape == parts.shape[:1]):
        raise DataError(f"effects {parts.shape}, portfolio {p.shape}, benchmark {b.shape} differ")
    worst = min(p.min(initial=0.0), b.min(initial=0.0))
    if not worst > -1.0:
        raise DataError(f"a period returned {worst:.2%}: nothing is left to link")
    if method not in _METHODS:
        raise ConfigError(f"no linking method {method!r}; known: {', '.join(_METHODS)}")
    factors = _METHODS[method](p, b)
    return np.asarray(np.tensordot(factors, parts, axes=(0, 0)))


def _carino(p: Floats, b: Floats) -> Floats:
    total_p, total_b = (np.expm1(np.log1p(x).sum()) for x in (p, b))
    return _log_slope(p, b) / _log_slope(np.asarray(total_p), np.asarray(total_b))


def _log_slope(p: Floats, b: Floats) -> Floats:
    """(ln(1 + p) - ln(1 + b)) / (p - b), which is 1 / (1 + b) where they are equal."""
    step = (p - b) / (1.0 + b)
    some = np.where(step != 0.0, step, 1.0)
    return np.where(step != 0.0, np.log1p(some) / some, 1.0) / (1.0 + b)


def _menchero(p: Floats, b: Floats) -> Floats:
    n = max(len(p), 1)
    growth_p, growth_b = np.log1p(p).sum(), np.log1p(b).sum()
    total = float(np.expm1(growth_p) - np.expm1(growth_b))
    # total / n over the difference of geometric means; its limit where both grew alike
    apart = float(np.expm1(growth_p / n) - np.expm1(growth_b / n))
    common = total / n / apart if apart != 0.0 else float(np.exp(growth_b * (1.0 - 1.0 / n)))
    active = p - b
    squares = float(active @ active)
    left = total - common * float(active.sum())
    return common + (left / squares * active if squares > 0.0 else np.zeros(len(p)))


_METHODS: dict[str, Callable[[Floats, Floats], Floats]] = {"carino": _carino, "menchero": _menchero}
