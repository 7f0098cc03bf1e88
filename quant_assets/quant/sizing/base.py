"""What a sizer is: sides and past returns in, weights as fractions of equity out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.registry import discover
from quant_assets.quant.moments.rows import finite_returns

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
SIZERS = "quant_assets.quant.sizing"


@dataclass(frozen=True, kw_only=True)
class Sizer(ABC):
    """Weights of the names that somebody else has chosen. Subclass in an own file, with a `name`.

    max_leverage : limit of the gross exposure, the sum of absolute weights. Sizes beyond it are
        scaled back together, which keeps their proportions.

    `least_rows` is the history that a name needs. A held name with fewer known returns, or whose
    returns never move, gets weight 0, because nothing is known about its risk; 0 is for sizers that
    do not look at returns. Nothing is forward-filled: rows with a NaN among the sized names are
    left out, and where fewer than `least_rows` remain all weights are 0.
    """

    name: ClassVar[str]
    least_rows: ClassVar[int] = 20
    max_leverage: float = 1.0

    def __post_init__(self) -> None:
        self.require_positive("max_leverage")

    def require_positive(self, *names: str) -> None:
        """`ConfigError` for a parameter that is not a finite number above 0."""
        for name in names:
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0.0):
                raise ConfigError(f"{self.name}: {name} is {value}; it must be finite and above 0")

    @abstractmethod
    def size(self, sides: Floats, rows: Floats) -> Floats:
        """Return weights (asset,), before the limit, with the signs of `sides`, or 0.

        sides : (asset,), 1 or -1. rows : simple returns (time, asset), finite and moving, at least
        `least_rows`, oldest first.
        """

    def weights(self, sides: npt.ArrayLike, returns: npt.ArrayLike) -> Floats:
        """Weights (asset,) as fractions of equity, for the period after the last row.

        sides : (asset,), 1 long, -1 short, 0 not held. returns : simple returns (time, asset) up
        to the decision, NaN = missing. Infinities, other sides or other shapes are a `DataError`.
        """
        past = finite_returns(returns)
        held = checked_sides(sides, past.shape[1:])
        result = np.zeros(len(held))
        enough = (~np.isnan(past)).sum(axis=0) >= self.least_rows
        chosen = np.flatnonzero((held != 0.0) & enough)
        rows = past[:, chosen]
        rows = rows[~np.isnan(rows).any(axis=1)]
        known = self._known(rows)
        if known.any():
            result[chosen[known]] = self.size(held[chosen[known]], rows[:, known])
        gross = float(np.abs(result).sum())
        scale = self.max_leverage / gross if gross > self.max_leverage else 1.0
        return np.asarray(result * scale + 0.0)

    def weights_over_time(
        self, sides: npt.ArrayLike, returns: npt.ArrayLike, *, lookback: int
    ) -> Floats:
        """Weights (time, asset): row t is `weights` of the `lookback` returns up to and with row t.

        They can be held from row t + 1 on. sides and returns : (time, asset).
        """
        past = finite_returns(returns)
        held = checked_sides(sides, past.shape)
        if lookback < 1:
            raise ConfigError(f"lookback is {lookback} rows; give at least 1")
        result = np.zeros(past.shape)
        for t in range(len(past)):
            result[t] = self.weights(held[t], past[max(0, t + 1 - lookback) : t + 1])
        return result

    def _known(self, rows: Floats) -> Bools:
        """Names (asset,) of `rows` (time, asset) whose risk can be told."""
        if self.least_rows == 0:
            return np.ones(rows.shape[1], dtype=np.bool_)
        if len(rows) < self.least_rows:
            return np.zeros(rows.shape[1], dtype=np.bool_)
        noise = 16.0 * np.finfo(np.float64).eps * np.abs(rows).max(axis=0)
        return np.asarray(np.ptp(rows, axis=0) > noise)


def checked_sides(sides: npt.ArrayLike, shape: tuple[int, ...]) -> Floats:
    """`sides` as floats of that shape; a `DataError` for anything but 1, 0 and -1."""
    held = np.asarray(sides, dtype=np.float64)
    if held.shape != shape:
        raise DataError(f"sides have shape {held.shape}, the returns ask for {shape}")
    odd = ~np.isin(held, (-1.0, 0.0, 1.0))
    if odd.any():
        raise DataError(f"{int(odd.sum())} sides are not 1, 0 or -1; the first is {held[odd][0]}")
    return held


def sizers() -> dict[str, type[Sizer]]:
    """Every sizer of the package and of plug-ins, by name."""
    return discover(SIZERS, Sizer)
