"""Calm or turbulent by a two-state hidden Markov chain of returns."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.core.lazy import Deferred
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.regimes.base import UNKNOWN, Regime, RegimeClassifier

__all__ = ["HiddenMarkov"]

Floats = npt.NDArray[np.float64]
kernel = Deferred("quant_assets.quant.strategies.hidden_markov_kernel")
ROUNDS = 50


@dataclass(frozen=True, kw_only=True)
class HiddenMarkov(RegimeClassifier):
    """Log returns are Gaussian in each of two states, of which the wider one is turbulent.

    Parameters are fitted by Baum-Welch on the last `history` returns before bar t, at every
    `refit`-th bar, and hold until the next fit; a label is the likelier state of the filtered
    probability (bars up to t, never smoothed), its confidence that probability (Hamilton 1989).
    Missing returns say nothing: the chain moves on. Labels begin with the first fit.
    """

    name: ClassVar[str] = "hidden_markov"
    labels: ClassVar[tuple[str, ...]] = ("calm", "turbulent")
    history: int = 500
    refit: int = 50

    def __post_init__(self) -> None:
        if self.history < 50 or self.refit < 1:
            raise ConfigError(
                f"{self.name}: history = {self.history} and refit = {self.refit}; at least 50 "
                "returns and 1 bar are wanted"
            )

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.history + 1

    def classify(self, bars: BarPanel) -> Regime:
        """See the base class."""
        code = np.full(bars.close.shape, UNKNOWN, dtype=np.int8)
        confidence = np.full(bars.close.shape, np.nan)
        returns = np.full(bars.close.shape, np.nan)
        returns[1:] = np.diff(np.log(bars.close), axis=0)
        for column in range(bars.close.shape[1]):
            turbulent = self.filtered(np.ascontiguousarray(returns[:, column]))
            turbulent[np.isnan(bars.close[:, column])] = np.nan
            known = ~np.isnan(turbulent)
            code[known, column] = turbulent[known] > 0.5
            confidence[known, column] = np.maximum(turbulent, 1.0 - turbulent)[known]
        return Regime(self.labels, code, confidence)

    def filtered(self, returns: Floats) -> Floats:
        """Probability `(time,)` of the turbulent state given returns up to each row.

        NaN before the first fit, and until half of the returns of a fit's history are known.
        """
        result = np.full(len(returns), np.nan)
        for first in range(self.history + 1, len(returns), self.refit):
            past = returns[first - self.history : first]
            known = past[~np.isnan(past)]
            if len(known) < self.history // 2 or np.ptp(known) == 0.0:
                continue
            mean, deviation, stay = self.fitted(past)
            # the filter starts anew on the rows of the fit, so that its state is that of its model
            span = np.concatenate([past, returns[first : first + self.refit]])
            density, states = np.empty((len(span), 2)), np.empty((len(span), 2))
            kernel.likelihoods(span, mean, deviation, density)
            kernel.filtered(density, stay, np.array([0.5, 0.5]), states)
            result[first : first + self.refit] = states[self.history :, 1]
        return result

    def fitted(self, past: Floats) -> tuple[Floats, Floats, Floats]:
        """Means, deviations and chances to stay `(state,)`, the narrower state first."""
        known = past[~np.isnan(past)]
        centre, width = float(known.mean()), float(known.std())
        mean = np.array([centre, centre])
        deviation, stay = np.array([0.6 * width, 1.6 * width]), np.array([0.95, 0.95])
        kernel.fit(past, mean, deviation, stay, ROUNDS)
        order = np.argsort(deviation, kind="stable")
        return mean[order], deviation[order], stay[order]
