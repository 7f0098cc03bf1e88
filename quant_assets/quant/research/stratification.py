"""Effects inside strata and over all, and reversals between the two.

A stratum is what a past-only condition says at the event: a regime, a volatility bucket, a symbol,
a time of day. Buckets are integers from 0, -1 for none.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.research.outcomes import Bools, EventOutcomes, group_contrast
from quant_assets.quant.statistics.event_effects import EventEffect

__all__ = [
    "StratifiedEffect",
    "cross_strata",
    "hour_buckets",
    "past_buckets",
    "stratification_report",
    "stratified_effect",
]

Codes = npt.NDArray[np.int64]
TERCILES = (1.0 / 3.0, 2.0 / 3.0)


@dataclass(frozen=True)
class StratifiedEffect:
    """Effect of a treatment: mean outcome of treated events minus that of the others.

    strata : one row per stratum: `n_treated`, `n_control`, `mean_treated`, `mean_control`; where
        both sides have enough events `effect`, `standard_error`, `p_value` and `share` of the
        compared events, else NaN and share 0 (NaN too if no stratum can be compared)
    crude : over all compared events, strata ignored
    adjusted : the strata's effects weighted by `share`
    n_left_out : known outcomes in strata that cannot be compared, or in none
    reversal : crude and adjusted effect differ in sign: the strata mislead the whole
    every_stratum_reverses : all strata have the sign that the crude effect has not (Simpson)
    """

    strata: pd.DataFrame
    crude: EventEffect
    adjusted: EventEffect
    n_left_out: int
    reversal: bool
    every_stratum_reverses: bool


def past_buckets(
    values: npt.ArrayLike, window: int, *, shares: tuple[float, ...] = TERCILES
) -> Codes:
    """Bucket of each row among the quantiles of the `window` rows before it.

    values : (time,) or (time, symbol). A value at or below the first quantile is in bucket 0, above
    the last in bucket `len(shares)`; quantiles are linear between neighbours. -1 where the value is
    NaN or fewer than half of the rows before it, at least one, are known. Infinite values are a
    `DataError`. The row itself is not among its quantiles, so nothing looks ahead.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim not in {1, 2} or np.isinf(array).any():
        raise DataError(f"values of shape {array.shape} must be (time,) or (time, symbol), finite")
    if window < 1 or list(shares) != sorted({*shares}) or not all(0.0 < s < 1.0 for s in shares):
        raise ConfigError(f"window {window} must be >= 1, shares {shares} increasing in (0, 1)")
    frame = pd.DataFrame(array[:, None] if array.ndim == 1 else array)
    rolling = frame.rolling(window, min_periods=max(1, (window + 1) // 2))
    bucket = np.zeros(frame.shape, dtype=np.int64)
    unknown = frame.isna().to_numpy()
    for share in shares:
        edge = rolling.quantile(share).shift(1).to_numpy()
        bucket += frame.to_numpy() > edge
        unknown = unknown | np.isnan(edge)
    return np.where(unknown, -1, bucket).reshape(array.shape)


def hour_buckets(ts: pd.DatetimeIndex, starts: tuple[int, ...] = (0, 8, 16)) -> Codes:
    """Part of the day in which each instant of `ts` lies, by its hour in UTC.

    starts : increasing hours, the first one 0; bucket i runs from `starts[i]` to the next.
    """
    if ts.tz is None:
        raise DataError("ts has no time zone: make it UTC")
    if starts[:1] != (0,) or list(starts) != sorted({*starts}) or starts[-1] > 23:
        raise ConfigError(f"starts {starts} must be increasing hours from 0 to 23, the first 0")
    hours = ts.tz_convert("UTC").hour.to_numpy()
    return np.asarray(np.searchsorted(starts, hours, side="right") - 1, dtype=np.int64)


def cross_strata(first: npt.ArrayLike, *others: npt.ArrayLike) -> Codes:
    """One code per combination of several strata columns that occurs; -1 where one has none.

    Codes are in the lexicographic order of the combinations.
    """
    table = np.stack([np.asarray(column, dtype=np.int64) for column in (first, *others)], axis=1)
    known = (table >= 0).all(axis=1)
    codes = np.full(len(table), -1, dtype=np.int64)
    codes[known] = np.unique(table[known], axis=0, return_inverse=True)[1].reshape(-1)
    return codes


def stratified_effect(
    sample: EventOutcomes, treated: npt.ArrayLike, strata: npt.ArrayLike, *, min_events: int = 2
) -> StratifiedEffect:
    """Compare treated events with the others inside each stratum, and over all.

    The adjusted effect is directly standardised: `sum over s of (n_s / n) (treated - control)`,
    what the treatment would do if it were as frequent in each stratum. Errors in calendar time,
    see `group_contrast`. A plain mean of outcomes cannot reverse; a difference can, where the
    treatment is frequent in strata that are better or worse anyway. Simpson (1951).

    Parameters
    ----------
    sample : EventOutcomes
        Treated events and those they are compared with.
    treated : shape (event,), bool
        For example, whether a condition held; or events against matched controls.
    strata : shape (event,), integers
        Stratum of each event, negative for none.
    min_events : int
        Strata with fewer known outcomes on one side are left out and counted.
    """
    flag, code = np.asarray(treated), np.asarray(strata)
    if flag.dtype != np.bool_ or code.dtype.kind not in "iu":
        raise DataError(f"treated has dtype {flag.dtype}, strata {code.dtype}: bool, integers")
    if not flag.shape == code.shape == sample.outcomes.shape:
        raise DataError(
            f"treated {flag.shape} and strata {code.shape} must have one entry for each of "
            f"{len(sample.outcomes)} events"
        )
    known = ~np.isnan(sample.outcomes)
    labels = np.unique(code[known & (code >= 0)])
    counts = np.array(
        [[_count(known & (code == s) & (flag == side)) for side in (False, True)] for s in labels]
    ).reshape(-1, 2)
    compared = counts.min(axis=1) >= max(1, min_events)
    share = np.where(compared, counts.sum(axis=1), 0) / (counts[compared].sum() or np.nan)
    used = np.isin(code, labels[compared])
    rows = [
        _row(sample, code == s, flag, n, part)
        for s, n, part in zip(labels, counts, share, strict=True)
    ]
    table = pd.DataFrame(rows, index=pd.Index(labels, name="stratum"), columns=_columns())
    crude = group_contrast(sample, np.where(used, flag, -1), [-1.0, 1.0])
    place = np.searchsorted(labels, code)
    weights = np.column_stack([-share, share]).reshape(-1)
    adjusted = group_contrast(sample, np.where(used, 2 * place + flag, -1), weights)
    effects = table["effect"].to_numpy()[compared]
    return StratifiedEffect(
        strata=table,
        crude=crude,
        adjusted=adjusted,
        n_left_out=_count(known & ~used),
        reversal=bool(crude.mean * adjusted.mean < 0.0),
        every_stratum_reverses=bool(len(effects) > 0 and (crude.mean * effects < 0.0).all()),
    )


def stratification_report(
    sample: EventOutcomes, treated: npt.ArrayLike, strata: pd.DataFrame, *, min_events: int = 2
) -> pd.DataFrame:
    """One row per column of `strata`, and one for all of them crossed where there are several.

    strata : one row per event, integers, negative for none. Columns of the result: `n_strata`
    compared, `n_left_out`, `crude`, `adjusted`, their `crude_p_value` and `adjusted_p_value`,
    `reversal`, `every_stratum_reverses`.
    """
    columns = {str(name): strata[name].to_numpy() for name in strata.columns}
    if len(columns) > 1:
        columns[" x ".join(columns)] = cross_strata(*columns.values())
    rows = []
    for codes in columns.values():
        found = stratified_effect(sample, treated, codes, min_events=min_events)
        rows.append(
            {
                "n_strata": _count(found.strata["share"].to_numpy() > 0.0),
                "n_left_out": found.n_left_out,
                "crude": found.crude.mean,
                "adjusted": found.adjusted.mean,
                "crude_p_value": found.crude.p_value,
                "adjusted_p_value": found.adjusted.p_value,
                "reversal": found.reversal,
                "every_stratum_reverses": found.every_stratum_reverses,
            }
        )
    return pd.DataFrame(rows, index=pd.Index(list(columns), name="strata"))


def _columns() -> list[str]:
    means = ["mean_treated", "mean_control", "effect", "standard_error", "p_value", "share"]
    return ["n_treated", "n_control", *means]


def _row(
    sample: EventOutcomes, inside: Bools, treated: Bools, n: Codes, share: float
) -> tuple[float, ...]:
    means = [_mean(sample.outcomes[inside & side]) for side in (treated, ~treated)]
    if not share > 0.0:
        return (n[1], n[0], *means, np.nan, np.nan, np.nan, share)
    effect = group_contrast(sample, np.where(inside, treated, -1), [-1.0, 1.0])
    return (n[1], n[0], *means, effect.mean, effect.standard_error, effect.p_value, share)


def _mean(outcomes: Floats) -> float:
    known = outcomes[~np.isnan(outcomes)]
    return float(known.mean()) if len(known) else float("nan")


def _count(mask: Bools) -> int:
    return int(np.count_nonzero(mask))
