"""What a signal is: one cross-sectional opinion about the candidates at a decision time."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.core.telemetry import Telemetry
from quant_assets.core.venues import AlphaParameters
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.ranks import rank_percentiles

_DIGITS = 12


@dataclass(frozen=True)
class SignalInputs:
    """All that was known at the decision, on the candidates' columns.

    Parameters
    ----------
    symbols : tuple of str
        The candidates, sorted.
    features : dict of str to array (symbol,)
        Latest value per feature; NaN = none, or too old.
    history : dict of str to array (time, symbol)
        The same features over the training rows.
    directions : dict of str to int
        +1 where a higher feature value is better, -1 where worse, 0 where nobody knows.
    returns : array (time, symbol)
        Simple returns on the rows of `history`.
    ts : DatetimeIndex (time,)
        Open times of these rows.
    alpha : AlphaParameters
        The venue's alpha section.
    bars_per_year : int
        From the venue's calendar.
    """

    symbols: tuple[str, ...]
    features: dict[str, Floats]
    history: dict[str, Floats]
    directions: dict[str, int]
    returns: Floats
    ts: pd.DatetimeIndex
    alpha: AlphaParameters
    bars_per_year: int


class Signal(ABC):
    """A score per candidate; add one by adding a file to this folder.

    Guarantees of a signal: it only reads `inputs`, gives the same bytes for the same input, and
    permuting the candidates permutes its scores. Its name becomes the column `value_<name>`. One
    that is not `by_default` scores only where `alpha.signal_weights` names it; a weight of 0 has it
    judged without being heard.
    """

    name: ClassVar[str]
    by_default: ClassVar[bool] = True

    @abstractmethod
    def score(self, inputs: SignalInputs, telemetry: Telemetry) -> Floats:
        """Scores of shape (symbol,) in [-1, 1], higher is better; NaN = no opinion."""


def no_opinion(inputs: SignalInputs) -> Floats:
    """NaN for every candidate."""
    return np.full(len(inputs.symbols), np.nan)


def centred_ranks(values: Floats) -> Floats:
    """Cross-sectional percentiles mapped to (-1, 1) by 2p - 1; NaN stays NaN.

    Values that differ by less than 1e-12 of the largest magnitude tie, so that the order of
    floating-point sums cannot decide a rank.
    """
    largest = np.abs(values[~np.isnan(values)]).max(initial=0.0)
    scaled = values / largest if largest > 0 else values
    return np.asarray(2.0 * rank_percentiles(np.round(scaled, _DIGITS)) - 1.0)
