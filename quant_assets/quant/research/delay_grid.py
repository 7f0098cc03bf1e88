"""How an edge fades when it is acted on later, and whether it was there only for the too early."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.research.outcomes import DirectedEvents, PricePanel, forward_outcomes

__all__ = ["DelayGates", "DelayGrid", "edge_by_delay"]


@dataclass(frozen=True)
class DelayGates:
    """When an edge counts as a leak, and when as stable.

    cost : log return that the edge at the first delay must exceed to be worth a suspicion
    leak_ratio : it must also exceed this multiple of the edge at the second delay, and the drop
        from the one to the other be significant at `level`, one-sided
    stable_share : share of the second delay's edge that the third must keep
    """

    cost: float = 0.0
    leak_ratio: float = 2.0
    stable_share: float = 0.5
    level: float = 0.05


@dataclass(frozen=True)
class DelayGrid:
    """Mean outcomes by delay, (delay,) each, of the events whose outcome is known at every delay.

    n_events, n_excluded : those events, and the others
    drop_p_value : one-sided, that the edge does not fall from the first to the second delay
    leak_suspect, stable : see `DelayGates`
    """

    delays: tuple[int, ...]
    mean: Floats
    standard_error: Floats
    t_value: Floats
    p_value: Floats
    n_events: int
    n_excluded: int
    drop_p_value: float
    leak_suspect: bool
    stable: bool


def edge_by_delay(
    panel: PricePanel,
    events: DirectedEvents,
    *,
    horizon_bars: int,
    delays: Sequence[int] = (0, 1, 2, 3, 4, 5, 6),
    gates: DelayGates | None = None,
) -> DelayGrid:
    """Edge at each delay over the same horizon and the same events, errors in calendar time.

    An edge at the first delay that is gone at the second is a leak, or too fast to be had: with
    opens in the panel, delay 0 is the open of the event's own bar, before the event was known.

    Parameters
    ----------
    panel, events : see `forward_outcomes`
        Prices at which one could act, and events with their directions.
    horizon_bars : int
        Length of the forward windows, from the delayed entry.
    delays : increasing integers, at least three
        The first one is the canary.
    gates : DelayGates, optional
        None: the defaults.
    """
    steps, limits = tuple(delays), gates or DelayGates()
    if len(steps) < 3 or steps[0] < 0 or any(b <= a for a, b in pairwise(steps)):
        raise ConfigError(f"delays {steps} must be at least three increasing integers from 0")
    samples = [
        forward_outcomes(panel, events, horizon_bars=horizon_bars, delay_bars=d) for d in steps
    ]
    outcomes = np.array([sample.outcomes for sample in samples]).reshape(len(steps), -1)
    known = ~np.isnan(outcomes).any(axis=0)
    common = [sample.part(known) for sample in samples]
    effects = [sample.effect() for sample in common]
    drop = replace(common[0], outcomes=common[0].outcomes - common[1].outcomes).effect()
    mean = np.array([effect.mean for effect in effects])
    half = drop.p_value / 2.0
    drop_p_value = half if drop.t_value > 0.0 else 1.0 - half
    return DelayGrid(
        delays=steps,
        mean=mean,
        standard_error=_column([effect.standard_error for effect in effects]),
        t_value=_column([effect.t_value for effect in effects]),
        p_value=_column([effect.p_value for effect in effects]),
        n_events=int(known.sum()),
        n_excluded=int(known.size - known.sum()),
        drop_p_value=drop_p_value,
        leak_suspect=_leaks(mean, limits) and drop_p_value <= limits.level,
        stable=bool(mean[1] > 0.0 and mean[2] >= limits.stable_share * mean[1]),
    )


def _leaks(mean: Floats, gates: DelayGates) -> bool:
    return bool(mean[0] > gates.cost and mean[0] > gates.leak_ratio * mean[1])


def _column(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
