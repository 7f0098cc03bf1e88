"""How long a signal's opinion lasts, and what its best and worst names earned."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.signal_decay import SignalDecay
from quant_assets.core.context import AlphaContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.ranks import cross_sectional_ic, rank_percentiles
from quant_assets.quant.synthesis.history import at_decision, compounded, stamps

Flags = npt.NDArray[np.bool_]
PREFIX = "value_"
SHARES = (0.05, 0.1, 0.25, 0.5, 1.0)
QUANTILES = 5


def signal_decay_window(
    context: AlphaContext,
    telemetry: Telemetry,
    *,
    alpha_signals: pd.DataFrame,
    returns_matrix: pd.DataFrame,
) -> pd.DataFrame:
    """Rank IC and quintile returns of every signal and of `alpha`, a `SignalDecay` frame.

    Judged over the first 5, 10, 25, 50 and 100 % of the window's rows from `decided_at` on (at
    least one); shares that come to the same number of rows are given once, the largest of them.
    Missing returns are skipped; a symbol without any is left out.
    """
    signals = at_decision(alpha_signals, context.decided_at)
    first, after = pd.Timestamp(context.decided_at), pd.Timestamp(context.window.end)
    rows = returns_matrix[(returns_matrix["ts"] >= first) & (returns_matrix["ts"] < after)]
    if len(signals) == 0 or len(rows) == 0:
        return SignalDecay.empty()
    outcomes = compounded(rows, tuple(signals["symbol"]))
    columns = {n.removeprefix(PREFIX): n for n in signals.columns if n.startswith(PREFIX)}
    names = sorted(["alpha", *columns])
    scores = np.stack([signals[columns.get(name, name)].to_numpy("float64") for name in names])
    lengths = {max(1, math.ceil(share * len(outcomes))): share for share in SHARES}
    parts = []
    for n_bars, share in lengths.items():
        outcome = outcomes[n_bars - 1]
        bottom, top = quantile_means(scores, outcome)
        part = {
            "signal": pd.Series(names, dtype="str"),
            "share": share,
            "n_bars": n_bars,
            "rank_ic": cross_sectional_ic(scores, outcome),
            "top": top,
            "bottom": bottom,
            "spread": top - bottom,
        }
        parts.append(pd.DataFrame(part))
    frame = pd.concat(parts).sort_values(["signal", "share"], ignore_index=True)
    whole = frame[frame["share"] == 1.0]
    known = whole[whole["spread"].notna()]
    telemetry.log_metrics("spread", dict(zip(known["signal"], known["spread"], strict=True)))
    clock = {
        "ts": stamps(context.window.start, len(frame)),
        "available_at": stamps(context.window.end, len(frame)),
    }
    return pd.DataFrame({**clock, **{name: frame[name] for name in frame.columns}})


def quantile_means(scores: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    """Mean outcome of the lowest and of the highest fifth of each row of `scores`.

    scores : (signal, symbol); outcome : (symbol,). Symbols without one of the two are left out;
    NaN for fewer than 5 symbols, or where the signal does not tell them apart.
    """
    known = ~np.isnan(scores + outcome)
    count = known.sum(axis=1, keepdims=True)
    percentiles = rank_percentiles(np.where(known, scores, np.nan))
    ahead = np.round(percentiles * count - 0.5, 9)  # symbols with a lower score, ties averaged
    fifth = np.floor(ahead * QUANTILES / np.maximum(count, 1))  # as `statistics.rank_ic` cuts
    varies = np.nanmax(ahead, axis=1, initial=0.0) > np.nanmin(ahead, axis=1, initial=np.inf)
    enough = (count[:, 0] >= QUANTILES) & varies
    return _mean(fifth == 0.0, outcome, enough), _mean(fifth == QUANTILES - 1.0, outcome, enough)


def _mean(chosen: Flags, outcome: Floats, enough: Flags) -> Floats:
    count = chosen.sum(axis=1)
    total = np.where(chosen, np.nan_to_num(outcome), 0.0).sum(axis=1)
    return np.asarray(np.where(enough & (count > 0), total / np.maximum(count, 1), np.nan))
