"""What a regime is: a label and a confidence per bar and symbol, from bars up to that one."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.core.registry import discover
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import Memory

__all__ = ["Regime", "RegimeClassifier", "RegimeFilter", "persistence", "regimes"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]
REGIMES = "quant_assets.quant.strategies.regimes"
UNKNOWN = -1


@dataclass(frozen=True)
class Regime:
    """`code` `(time, symbol)`: position in `labels`, -1 unknown; `confidence` 0 to 1, NaN there."""

    labels: tuple[str, ...]
    code: Codes
    confidence: Floats

    def names(self) -> npt.NDArray[np.object_]:
        """Labels `(time, symbol)` in words; `unknown` where there is none."""
        return np.array((*self.labels, "unknown"), dtype=object)[self.code]


@dataclass(frozen=True, kw_only=True)
class RegimeClassifier(ABC):
    """Labels bars. Subclass in a file of its own with `name` and `labels`; fields are parameters.

    Row t of `classify` comes from bars up to t alone, and parameters that are learned from earlier
    bars alone.
    """

    name: ClassVar[str]
    labels: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def lookback(self) -> int:
        """Bars before the first label."""

    @property
    def memory(self) -> Memory | None:
        """Earlier bars on which a label depends; None, unless told otherwise: all of them."""
        return None

    @abstractmethod
    def classify(self, bars: BarPanel) -> Regime:
        """Label and confidence of each bar and symbol."""


@dataclass(frozen=True)
class RegimeFilter:
    """Entries only in some regimes, and only when these are known well enough; exits always.

    allowed : labels of the classifier. confidence_threshold : 0 to 1; met when equal. classifier :
    None: `moving_average_trend`, whose labels are bull, neutral and bear.
    """

    allowed: Sequence[str]
    confidence_threshold: float = 0.0
    classifier: RegimeClassifier | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "allowed", tuple(self.allowed))
        if not 0.0 <= self.confidence_threshold <= 1.0:
            raise ConfigError(
                f"confidence_threshold is {self.confidence_threshold}; it must be from 0 to 1"
            )
        if self.classifier is None:
            from quant_assets.quant.strategies.regimes.moving_average_trend import (
                MovingAverageTrend,
            )

            object.__setattr__(self, "classifier", MovingAverageTrend())
        unknown = sorted(set(self.allowed) - set(self.by.labels))
        if unknown or not self.allowed:
            raise ConfigError(
                f"allowed is {list(self.allowed)}; {self.by.name} has {', '.join(self.by.labels)}"
            )

    @property
    def by(self) -> RegimeClassifier:
        """The classifier, which is always there once the filter is made."""
        return cast("RegimeClassifier", self.classifier)

    def allows(self, code: npt.ArrayLike, confidence: npt.ArrayLike) -> Bools:
        """Where entries are allowed, for codes and confidences of any one shape."""
        wanted = [self.by.labels.index(label) for label in self.allowed]
        inside = np.isin(np.asarray(code), wanted)
        return inside & (np.asarray(confidence) >= self.confidence_threshold)


def persistence(code: Codes, bars: int) -> Floats:
    """Share of the last `bars` bars, this one included, that had this bar's label.

    NaN where this bar has none. Bars before the first label count as other.
    """
    if bars < 1:
        raise ConfigError(f"persistence over {bars} bars; give at least 1")
    agree = np.ones(code.shape, dtype=np.min_scalar_type(bars))  # of bytes, many are added at once
    for back in range(1, min(bars, len(code))):
        agree[back:] += code[back:] == code[:-back]
    share: Floats = agree / bars
    share[code == UNKNOWN] = np.nan
    return share


def regimes() -> dict[str, type[RegimeClassifier]]:
    """Every classifier of the package and of plug-ins, by name."""
    return discover(REGIMES, RegimeClassifier)
