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
        """Make arrays of the columns; refuse different lengths and infinite outcomes."""
        object.__setattr__(self, "outcomes", np.asarray(self.outcomes, dtype=np.float64))
        object.__setattr__(self, "bars", np.asarray(self.bars))
        object.__setattr__(self, "days", np.asarray(self.days))
        shapes = [column.shape for column in (self.outcomes, self.bars, self.days)]
        if len(shapes[0]) != 1 or len(set(shapes)) != 1:
            raise DataError(f"outcomes, bars, days have shapes {shapes}: one entry per event each")
        if np.isinf(self.outcomes).any():
            event = int(np.flatnonzero(np.isinf(self.outcomes))[0])
            raise DataError(f"event {event} has an infinite outcome: mend it or set it to NaN")

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

    The sum's error is the mean of `N w_g (y_i - m_g) / n_g √(n_g / (n_g - 1))` over the N events,
    whose variance is that of `event_effect`: outcomes of different groups that share days are not
    taken as independent. The root makes up for the groups' own means [HC2, MacKinnon & White 1985];
    of events far apart the t-value is Welch's. Degrees of freedom are effective days less one,
    `(sum of v)^2 / sum of v^2`, v a day's share of the variance, `sum of (w_g / n_g)^2` over its
    events [Carter, Schnepel & Steigerwald 2017, days as clusters]. For one group this is
    `event_effect` but for the root. No error where a group with a weight has less than 2 events.

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
    used = sample.part(wanted & ~np.isnan(sample.outcomes))
    place = group[wanted & ~np.isnan(sample.outcomes)]
    n = np.bincount(place, minlength=len(weight)).astype(np.float64)
    share = np.where(weight != 0.0, weight, np.nan) / np.where(n > 0.0, n, np.nan)
    mean = np.bincount(place, used.outcomes, minlength=len(weight)) / np.where(n > 0.0, n, np.nan)
    estimate = float(weight[weight != 0.0] @ mean[weight != 0.0]) if weight.any() else np.nan
    deviation = used.outcomes - mean[place]
    # Deviations that are rounding of a constant say nothing.
    deviation[np.abs(deviation) <= _ROUNDING * np.abs(used.outcomes)] = 0.0
    unbiased = np.sqrt(n / np.where(n > 1.0, n - 1.0, 1.0))
    influence = len(place) * (share * unbiased)[place] * deviation
    total = replace(used, outcomes=estimate + influence).effect()
    error = total.standard_error if (n[weight != 0.0] > 1.0).all() else float("nan")
    effective_days = _effective_days(used.days, share[place] ** 2)
    t_value = estimate / error
    return replace(
        total,
        mean=estimate,
        standard_error=error,
        t_value=t_value,
        p_value=float(two_sided_p_value(t_value, effective_days - 1.0, "t")),
        n_excluded=int(np.count_nonzero(wanted)) - len(place),
        effective_days=effective_days,
    )


def _effective_days(days: Integers, variance: Floats) -> float:
    """`(sum of v)^2 / sum of v^2`, v the sum of `variance` over the events of a day."""
    if not len(days):
        return float("nan")
    _, day = np.unique(days, return_inverse=True)
    by_day = np.bincount(day, variance)
    return float(by_day.sum() ** 2 / np.sum(by_day**2))
