"""What each hypothesis earned per event, and how sure that is."""

import numpy as np
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.trades import win_loss_figures
from quant_assets.quant.research.outcomes import EventOutcomes

__all__ = ["aggregate_evaluation"]

REQUIRED = ("hypothesis", "outcome", "bar", "day", "horizon_bars")
FIGURES = ("hit_rate", "average_win", "average_loss", "payoff_ratio", "profit_factor")


def aggregate_evaluation(events: pd.DataFrame, *, min_events: int = 50) -> pd.DataFrame:
    """One row of figures per hypothesis, in the order of their names.

    Parameters
    ----------
    events : frame of `hypothesis`, `outcome` (log return in the event's direction, net if it is to
        be judged net; NaN = not known: excluded and counted), `bar` and `day` (integers, one clock
        for all symbols), `horizon_bars` (one per hypothesis).
    min_events : int
        Hypotheses with fewer known outcomes get no p-value.

    Returns
    -------
    `horizon_bars`; `n_events`, `n_excluded`; `expectancy` = mean outcome; `hit_rate` = wins /
    (wins + losses), an outcome of exactly 0 is neither; `average_win`, `average_loss` (negative),
    `payoff_ratio` = average win / |average loss|; `profit_factor`, infinite without losses; `sqn` =
    √n mean / std(ddof 1) [Tharp 1998], which takes events for independent; `standard_error`,
    `t_value`, `p_value`, `effective_days` in calendar time, see `event_effect`. expectancy =
    hit_rate average_win + (1 - hit_rate) average_loss where no outcome is 0.
    """
    lacking = [name for name in REQUIRED if name not in events.columns]
    if lacking:
        raise DataError(f"events lack the columns {lacking}; they have {list(events.columns)}")
    if events["hypothesis"].isna().any():
        raise DataError(f"{int(events['hypothesis'].isna().sum())} events have no hypothesis")
    names, rows = [], []
    for name, group in events.groupby("hypothesis", sort=True):
        names.append(name)
        rows.append(_row(str(name), group, min_events))
    index = pd.Index(names, name="hypothesis")
    return pd.DataFrame(rows, index=index, columns=_columns())


def _columns() -> list[str]:
    return [
        *("horizon_bars", "n_events", "n_excluded", "expectancy", *FIGURES, "sqn"),
        *("standard_error", "t_value", "p_value", "effective_days"),
    ]


def _row(name: str, events: pd.DataFrame, min_events: int) -> dict[str, object]:
    horizons = events["horizon_bars"].unique()
    if len(horizons) != 1:
        raise DataError(f"hypothesis {name} has several horizons: {sorted(horizons.tolist())}")
    outcomes = events["outcome"].to_numpy(dtype=np.float64)
    bars, days = events["bar"].to_numpy(), events["day"].to_numpy()
    effect = EventOutcomes(outcomes, bars, days, int(horizons[0])).effect()
    figures = win_loss_figures(outcomes[~np.isnan(outcomes)])
    return {
        "horizon_bars": int(horizons[0]),
        "n_events": effect.n_events,
        "n_excluded": effect.n_excluded,
        "expectancy": effect.mean,
        **{figure: figures[figure] for figure in FIGURES},
        "sqn": figures["system_quality"],
        "standard_error": effect.standard_error,
        "t_value": effect.t_value,
        "p_value": effect.p_value if effect.n_events >= min_events else float("nan"),
        "effective_days": effect.effective_days,
    }
