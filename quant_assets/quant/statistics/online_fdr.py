"""False-discovery rates for hypotheses that arrive one after the other, without an end.

Each procedure is a stream: `level` is what the next p-value is compared with, `test` compares it
and moves on. A p-value is tested once, on data that were not used before. NaN = not tested: it
is counted and moves nothing. `state()` is a plain dictionary that JSON can hold, and
`restore(state)` goes on from it as if there had been no interruption.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.multiplicity import checked_level, checked_p_values

__all__ = ["AlphaInvesting", "Decision", "LordPlusPlus", "OnlineProcedure", "Saffron"]

# The sequences sum to at most 1 over all j >= 1 (0.976 and 1.000).
_LORD_SCALE = 0.07720838
_SAFFRON_SCALE = 0.4374901658
_SAFFRON_POWER = 1.6
_SAFFRON_CANDIDATE = 0.5


@dataclass(frozen=True)
class Decision:
    """One test: its number from 1 (0 if it was excluded), the level it was held to, the outcome."""

    index: int
    level: float
    rejected: bool


class OnlineProcedure(ABC):
    """A stream of tests at false-discovery rate `fdr`.

    index : tests so far; n_excluded : NaN so far; rejections : numbers of the rejected tests.
    """

    name: ClassVar[str]

    def __init__(self, *, fdr: float) -> None:
        self.fdr = checked_level(fdr)
        self.index = 0
        self.n_excluded = 0
        self.rejections: list[int] = []

    @property
    @abstractmethod
    def level(self) -> float:
        """What the next p-value is compared with."""

    def test(self, p_value: float) -> Decision:
        """Reject when `p_value <= level`, and move on."""
        p = float(checked_p_values(p_value))
        level = self.level
        if np.isnan(p):
            self.n_excluded += 1
            return Decision(0, level, rejected=False)
        rejected = p <= level
        self._book(p, level, rejected=rejected)
        return Decision(self.index, level, rejected)

    def test_all(self, p_values: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Test in order; shape (n,) in and out. All are checked before the first is tested."""
        ordered = checked_p_values(p_values)
        return np.array([self.test(float(p)).rejected for p in ordered], dtype=np.bool_)

    def state(self) -> dict[str, Any]:
        """All that the stream knows, for `restore`."""
        return {"procedure": self.name} | {
            key: list(value) if isinstance(value, list) else value
            for key, value in vars(self).items()
        }

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Continue the stream that wrote `state`; `DataError` for one of another procedure."""
        stream = cls(fdr=state.get("fdr", 0.5))
        expected = {"procedure", *vars(stream)}
        if state.get("procedure") != cls.name or set(state) != expected:
            raise DataError(
                f"state of {state.get('procedure')!r} with {sorted(state)} does not belong to "
                f"{cls.name!r}, which has {sorted(expected)}"
            )
        for key in vars(stream):
            value = state[key]
            setattr(stream, key, list(value) if isinstance(value, list) else value)
        return stream

    def _book(self, p: float, level: float, *, rejected: bool) -> None:  # noqa: ARG002 - for heirs
        """Note a test that was made at `level`."""
        self.index += 1
        if rejected:
            self.rejections.append(self.index)


class _Reinvesting(OnlineProcedure):
    """What LORD++ and SAFFRON share: the first rejection earns `fdr - w0`, later ones `fdr`."""

    share: ClassVar[float]  # w0 over fdr, unless given

    def __init__(self, *, fdr: float, initial_wealth: float | None = None) -> None:
        super().__init__(fdr=fdr)
        wealth = fdr * self.share if initial_wealth is None else initial_wealth
        if not 0.0 < wealth < fdr:
            raise ConfigError(f"initial_wealth {wealth!r} must lie between 0 and fdr {fdr!r}")
        self.initial_wealth = wealth

    def _wealth_at(self, since: float, ages: Floats, gamma: Callable[[Floats], Floats]) -> float:
        """`w0 g(since)` and the earnings of rejections that are `ages` tests old."""
        shares = np.full(len(ages), self.fdr)
        shares[:1] -= self.initial_wealth
        spent = self.initial_wealth * gamma(np.array([since]))[0]
        return float(spent + shares @ gamma(ages))

    def _ages(self) -> Floats:
        return self.index + 1.0 - np.array(self.rejections, dtype=np.float64)


class LordPlusPlus(_Reinvesting):
    """LORD++: the default for repeated looks.

    `level(t) = w0 g(t) + (fdr - w0) g(t - tau1) + fdr sum over j >= 2 of g(t - tau_j)`, tau_j the
    number of the j-th rejection, `g(j) = 0.0772 log(max(j, 2)) / (j exp(sqrt(log j)))`, w0 =
    fdr / 10 unless given. Controls the false-discovery rate for independent p-values. Javanmard
    & Montanari (2018); Ramdas, Yang, Wainwright & Jordan (2017), section 2.
    """

    name = "lord_plus_plus"
    share = 0.1

    @property
    def level(self) -> float:
        """See the class."""
        return self._wealth_at(self.index + 1.0, self._ages(), _lord_gamma)


class Saffron(_Reinvesting):
    """SAFFRON: spends nothing on p-values above 1/2, so it finds more where nulls are few.

    With C_j+ = candidates (p <= 1/2) after the j-th rejection, the level is `min(1/2, 1/2 (w0
    g(t - C_0+) + (fdr - w0) g(t - tau1 - C_1+) + fdr sum over j >= 2 of g(t - tau_j - C_j+)))`,
    `g(j)` proportional to `j^-1.6`, w0 = fdr / 2 unless given. Needs independent p-values: with
    correlation 0.3 among those of one look, 0.16 to 0.19 was measured at fdr 0.1. Ramdas, Zrnic,
    Wainwright & Jordan (2018), algorithm 1.
    """

    name = "saffron"
    share = 0.5

    def __init__(self, *, fdr: float, initial_wealth: float | None = None) -> None:
        super().__init__(fdr=fdr, initial_wealth=initial_wealth)
        self.candidates = 0
        self.candidates_at_rejection: list[int] = []

    @property
    def level(self) -> float:
        """See the class."""
        after = self.candidates - np.array(self.candidates_at_rejection, dtype=np.float64)
        since = self.index + 1.0 - self.candidates
        wealth = self._wealth_at(since, self._ages() - after, _saffron_gamma)
        return min(_SAFFRON_CANDIDATE, (1.0 - _SAFFRON_CANDIDATE) * wealth)

    def _book(self, p: float, level: float, *, rejected: bool) -> None:
        super()._book(p, level, rejected=rejected)
        self.candidates += int(p <= _SAFFRON_CANDIDATE)
        if rejected:
            self.candidates_at_rejection.append(self.candidates)


class AlphaInvesting(OnlineProcedure):
    """Alpha-investing: a purse that each miss empties a little and each discovery refills.

    Wealth starts at `fdr (1 - fdr)`. A test stakes b = wealth / (1 + tests since the last
    rejection, this one included), is held to the level `b / (1 + b)`, loses b when it misses and
    earns `fdr` when it rejects. Controls `E[V] / (E[R] + 1 - fdr)` at `fdr`, V false ones among R
    rejections; the false-discovery rate itself is not proven. Foster & Stine (2008).
    """

    name = "alpha_investing"

    def __init__(self, *, fdr: float) -> None:
        super().__init__(fdr=fdr)
        self.wealth = fdr * (1.0 - fdr)

    @property
    def level(self) -> float:
        """See the class."""
        stake = self._stake()
        return stake / (1.0 + stake)

    def _stake(self) -> float:
        last = self.rejections[-1] if self.rejections else 0
        return self.wealth / (1.0 + self.index + 1.0 - last)

    def _book(self, p: float, level: float, *, rejected: bool) -> None:
        self.wealth += self.fdr if rejected else -self._stake()
        super()._book(p, level, rejected=rejected)


def _lord_gamma(j: Floats) -> Floats:
    log = np.log(np.maximum(j, 2.0))
    return np.asarray(_LORD_SCALE * log / (j * np.exp(np.sqrt(np.log(j)))))


def _saffron_gamma(j: Floats) -> Floats:
    return np.asarray(_SAFFRON_SCALE * j**-_SAFFRON_POWER)
