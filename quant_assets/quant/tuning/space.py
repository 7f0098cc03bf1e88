"""Which values the parameters of a strategy may take."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError

__all__ = ["Interval", "Point", "Space"]

Floats = npt.NDArray[np.float64]
Point = dict[str, Any]
Spelling = Mapping[str, Any]


@dataclass(frozen=True)
class Interval:
    """Numbers from `low` to `high`, both included.

    step : distance of neighbours, counted from `low`; None: every real number (a grid search
        refuses it). log : even on the logarithmic scale, for reals above 0. Whole bounds and a
        whole step give whole numbers.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        numbers = (self.low, self.high, 1.0 if self.step is None else self.step)
        if not all(math.isfinite(one) for one in numbers) or not self.low < self.high:
            raise ConfigError(f"{self}: low must be less than high, and all numbers finite")
        if self.step is not None and not 0.0 < self.step <= self.high - self.low:
            raise ConfigError(f"{self}: step must be above 0 and at most high - low")
        if self.log and (self.step is not None or self.low <= 0.0):
            raise ConfigError(f"{self}: a logarithmic scale has no step and starts above 0")

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.step, int)

    def values(self) -> tuple[Any, ...] | None:
        """All of its values, or None where they cannot be counted."""
        if self.step is None:
            return None
        count = math.floor((self.high - self.low) / self.step * (1.0 + 1e-12)) + 1
        return tuple(self.low + i * self.step for i in range(count))

    def at(self, share: float) -> Any:
        """The value at a share of the way in [0, 1)."""
        values = self.values()
        if values is not None:
            return values[min(int(share * len(values)), len(values) - 1)]
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return float(self.low + (self.high - self.low) * share)


@dataclass(frozen=True)
class Space:
    """Parameters by name: each an `Interval` or a tuple of values.

    `Space.of` reads what settings say: a list of values, or `{low: 5, high: 50, step: 5}`.
    Combinations that the strategy refuses are trials as well: they are counted, with their reason.
    """

    parameters: Mapping[str, Interval | tuple[Any, ...]]

    def __post_init__(self) -> None:
        if not self.parameters:
            raise ConfigError("the space has no parameter: give at least one with its values")
        for name, values in self.parameters.items():
            if not isinstance(values, Interval) and len(values) == 0:
                raise ConfigError(f"parameter {name!r} has no value")
            if not isinstance(values, Interval) and len(set(values)) < len(values):
                raise ConfigError(f"parameter {name!r} repeats a value: {list(values)}")

    @classmethod
    def of(cls, given: "Space | Spelling") -> "Space":
        """A space of a mapping as settings spell it; a space as it is."""
        if isinstance(given, Space):
            return given
        if not isinstance(given, Mapping):
            raise ConfigError(f"a space is a mapping of parameters to values, not {given!r}")
        return cls({str(name): _values(str(name), one) for name, one in given.items()})

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the given order."""
        return tuple(self.parameters)

    @property
    def size(self) -> int | None:
        """Number of combinations; None where it is not finite."""
        counts = [self.levels(name) for name in self.names]
        return None if any(one is None for one in counts) else math.prod(map(len, counts))  # type: ignore[arg-type]

    def levels(self, name: str) -> tuple[Any, ...] | None:
        """All values of a parameter, in order; None for an interval without a step."""
        values = self.parameters[name]
        return values.values() if isinstance(values, Interval) else values

    def at(self, shares: Sequence[float]) -> Point:
        """The combination at shares in [0, 1), one for each parameter."""
        found = {}
        for share, (name, values) in zip(shares, self.parameters.items(), strict=True):
            if isinstance(values, Interval):
                found[name] = values.at(share)
            else:
                found[name] = values[min(int(share * len(values)), len(values) - 1)]
        return found


def _values(name: str, given: Any) -> Interval | tuple[Any, ...]:
    if isinstance(given, Interval):
        return given
    if isinstance(given, Mapping):
        unknown = sorted(set(given) - {"low", "high", "step", "log"})
        if unknown or not {"low", "high"} <= set(given):
            raise ConfigError(
                f"parameter {name!r} has {sorted(given)}; an interval has low, high and, where "
                "wanted, step and log"
            )
        return Interval(**given)
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(given)
    if isinstance(given, np.ndarray | range):
        return tuple(np.asarray(given).tolist())
    raise ConfigError(f"parameter {name!r} is {given!r}; give a list of values or low and high")
