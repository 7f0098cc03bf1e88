"""Outcomes of events, and differences between groups of them with calendar-time errors.

An outcome is a log return in the event's direction. Forward windows overlap and one market move
is an event for many symbols, so errors are those of `statistics.event_effect`, never a naive t.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.distributions import two_sided_p_value
from quant_assets.quant.statistics.event_effects import EventEffect, event_effect

__all__ = [
    "DirectedEvents",
    "EventOutcomes",
    "PricePanel",
    "forward_outcomes",
    "group_contrast",
]

Integers = npt.NDArray[np.integer]
Bools = npt.NDArray[np.bool_]
_ROUNDING = 16.0 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class EventOutcomes:
    """One entry per event.

    outcomes : (event,), NaN where not known: excluded and counted
    bars, days : (event,), integers: the bar at which the event was known, and that bar's day
    horizon_bars : length of the forward windows; lags : see `event_effect`
    """

    outcomes: Floats
    bars: Integers
    days: Integers
    horizon_bars: int
    lags: int | None = None

    def __post_init__(self) -> None:
        """Make arrays of the columns; refuse different lengths."""
        object.__setattr__(self, "outcomes", np.asarray(self.outcomes, dtype=np.float64))
        object.__setattr__(self, "bars", np.asarray(self.bars))
        object.__setattr__(self, "days", np.asarray(self.days))
        shapes = [column.shape for column in (self.outcomes, self.bars, self.days)]
        if len(shapes[0]) != 1 or len(set(shapes)) != 1:
            raise DataError(f"outcomes, bars, days have shapes {shapes}: one entry per event each")

    def effect(self) -> EventEffect:
        """The mean outcome, tested in calendar time."""
        return event_effect(
            self.outcomes, self.bars, self.days, horizon_bars=self.horizon_bars, lags=self.lags
        )

    def part(self, rows: Bools | Integers) -> "EventOutcomes":
        """The events of `rows`, a mask or row numbers."""
        return replace(
            self, outcomes=self.outcomes[rows], bars=self.bars[rows], days=self.days[rows]
        )


@dataclass(frozen=True)
class PricePanel:
    """log_prices : (time, symbol), NaN where there is none; days : (time,), integers."""

    log_prices: Floats
    days: Integers


@dataclass(frozen=True)
class DirectedEvents:
    """symbol, bar : (event,), column and row of a panel; direction : (event,), 1 or -1."""

    symbol: Integers
    bar: Integers
    direction: npt.NDArray[np.integer | np.floating]


def forward_outcomes(
    panel: PricePanel, events: DirectedEvents, *, horizon_bars: int, delay_bars: int = 1
) -> EventOutcomes:
    """`direction (log_prices[t + delay + h] - log_prices[t + delay])` of an event at bar t.

    NaN where one of the two prices is not known or lies behind the panel's end. With opens in the
    panel, delay 1 is the next open, and delay 0 the open of the event's own bar, which nobody can
    trade any more. With closes, delay 0 is the close that raised the event.
    """
    if horizon_bars < 1 or delay_bars < 0:
        raise ConfigError(f"horizon_bars {horizon_bars} must be >= 1, delay_bars {delay_bars} >= 0")
    prices = np.asarray(panel.log_prices, dtype=np.float64)
    symbol, bar = np.asarray(events.symbol), np.asarray(events.bar)
    direction = np.asarray(events.direction, dtype=np.float64)
    if not np.isin(direction, (-1.0, 1.0)).all() or direction.shape != bar.shape:
        raise DataError("each event needs a direction, 1 or -1")
    if bar.size and (bar.min() < 0 or bar.max() >= len(prices) or symbol.min() < 0):
        raise DataError(f"bars run from {bar.min()} to {bar.max()}, the panel has {len(prices)}")
    outcomes = np.full(bar.shape, np.nan)
    inside = bar + delay_bars + horizon_bars < len(prices)
    start, column = bar[inside] + delay_bars, symbol[inside]
    change = prices[start + horizon_bars, column] - prices[start, column]
    outcomes[inside] = direction[inside] * change
    return EventOutcomes(outcomes, bar, np.asarray(panel.days)[bar], horizon_bars)


def group_contrast(
    sample: EventOutcomes, groups: npt.ArrayLike, weights: npt.ArrayLike
) -> EventEffect:
    """Test a weighted sum of group means, `sum over g of w_g m_g`, in calendar time.

    The sum's error is the mean of `N w_g (y_i - m_g) / n_g` over the N events, whose variance is
    that of `event_effect`: outcomes of different groups that share days are not taken as
    independent. Degrees of freedom by Satterthwaite (1946), `(sum of v)^2 / sum of v^2 / (G - 1)`,
    v the groups' own variances and G their effective days, which is returned plus one; for one
    group it is `event_effect`'s. NaN where a group with a weight is empty.

    Parameters
    ----------
    sample : EventOutcomes
        All events; those of groups without weight play no part.
    groups : shape (event,), integers
        Group of each event, negative for none.
    weights : shape (group,)
        1 and -1 for a difference.
    """
    weight, group = np.asarray(weights, dtype=np.float64), np.asarray(groups)
    if (
        group.dtype.kind not in "iu"
        or group.shape != sample.outcomes.shape
        or group.max(initial=-1) >= len(weight)
    ):
        raise DataError(
            f"groups of dtype {group.dtype} and shape {group.shape}, up to "
            f"{group.max(initial=-1)}, do not fit {sample.outcomes.shape} events and "
            f"{len(weight)} weights"
        )
    wanted = group >= 0
    wanted[wanted] = weight[group[wanted]] != 0.0
    used, group = sample.part(wanted), group[wanted]
    parts = [used.part(group == g).effect() for g in np.flatnonzero(weight)]
    w = weight[weight != 0.0]
    mean = np.array([part.mean for part in parts])
    n = np.array([part.n_events for part in parts])
    estimate = float(w @ mean) if len(w) else float("nan")
    influence = _influence(used, np.searchsorted(np.flatnonzero(weight), group), w, mean, n)
    total = replace(used, outcomes=estimate + influence).effect()
    own = np.array([part.standard_error for part in parts])
    freedom = _freedom(
        np.where(np.isnan(own), 0.0, (w * own) ** 2),
        np.array([part.effective_days - 1.0 for part in parts]),
    )
    t_value = estimate / total.standard_error
    return replace(
        total,
        mean=estimate,
        t_value=t_value,
        p_value=float(two_sided_p_value(t_value, freedom, "t")),
        effective_days=freedom + 1.0,
    )


def _influence(
    sample: EventOutcomes, place: npt.NDArray[np.intp], weight: Floats, mean: Floats, n: Integers
) -> Floats:
    """`N w (y - m) / n` of each event; deviations that are rounding of a constant are 0."""
    deviation = sample.outcomes - mean[place]
    deviation[np.abs(deviation) <= _ROUNDING * np.abs(sample.outcomes)] = 0.0
    return np.asarray(n.sum() * weight[place] * deviation / np.maximum(n, 1)[place])


def _freedom(variance: Floats, days: Floats) -> float:
    counted = variance > 0.0
    if not counted.any() or not (days[counted] > 0.0).all():
        return float("nan")
    variance, days = variance[counted], days[counted]
    return float(variance.sum() ** 2 / np.sum(variance**2 / days))
