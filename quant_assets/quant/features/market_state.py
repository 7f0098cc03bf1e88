"""The stage `market_context`: regime of the whole market, with its confidence, bar by bar."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.market_context import MarketContext
from quant_assets.core.context import AlphaContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.features.base import (
    FLAT,
    MIN_PRESENT,
    centred_blocks,
    rows_from,
    to_blocks,
    trailing,
)
from quant_assets.quant.market.bars import (
    known_at,
    recent_bars,
    rows_of_window,
    to_column,
)
from quant_assets.quant.market.panel import Floats, to_panel
from quant_assets.quant.market.returns import equal_weight_market, grid_step, simple_returns

TREND_MONTHS = 6
RANK_MONTHS = 11
THRESHOLD = 1.0


def market_lookback_bars(month_bars: int) -> int:
    """Rows of history before a window: a month of returns for each of 11 months of volatility."""
    return RANK_MONTHS * month_bars + _volatility_rows(month_bars)


def _volatility_rows(month_bars: int) -> int:
    return max(month_bars, 2)


def market_context_window(
    context: AlphaContext, telemetry: Telemetry, *, bars: pd.DataFrame
) -> pd.DataFrame:
    """State of the equal-weight market on every bar of the window, a `MarketContext` frame.

    trend_score : see `trend_scores`. volatility_percentile : see `volatility_percentiles`.
    The regime is read from `evidence = trend_score + (0.5 - volatility_percentile)`: turbulence
    counts half a standard error against the market, calm half a one for it. bull: evidence >= 1;
    bear: evidence <= -1; neutral: between; unknown, confidence 0: one of the two is NaN (warm-up
    of 6 months). See `confidences` for the confidence.
    """
    month = context.alpha.month_bars
    recent = recent_bars(bars, context.window, lookback=market_lookback_bars(month))
    panel = to_panel(recent, "close")
    axis = panel.ts.to_numpy(dtype="datetime64[us]")
    inside = rows_of_window(axis, context.window)
    if inside.start == inside.stop:
        return MarketContext.empty()
    returns = equal_weight_market(simple_returns(panel, step=grid_step(context.market)))
    trend = trend_scores(returns, TREND_MONTHS * month)[inside]
    volatility = volatility_percentiles(returns, month)[inside]
    evidence = trend + (0.5 - volatility)
    regime = regimes(evidence)
    confidence = confidences(evidence)
    names, counts = np.unique(regime.astype(str), return_counts=True)
    telemetry.log_metrics(
        "market_context", {str(n): float(c) for n, c in zip(names, counts, strict=True)}
    )
    return pd.DataFrame(
        {
            "ts": to_column(axis[inside]),
            "available_at": to_column(known_at(recent)[inside]),
            "regime": pd.Series(regime, dtype="str"),
            "confidence": pd.Series(confidence),
            "trend_score": pd.Series(trend),
            "volatility_percentile": pd.Series(volatility),
        }
    )


def trend_scores(returns: Floats, n_rows: int) -> Floats:
    """t-statistic of the mean log return of the last `n_rows` rows, shape (time,).

    `sum(l) / (std(l) sqrt(n))` with l = log(1 + returns), ddof 1: the momentum of the window over
    its volatility (time-series momentum, Moskowitz, Ooi & Pedersen 2012). Missing rows are left
    out; NaN in warm-up, with more than 5 % missing, and for a market that does not move.
    """
    count, total, variance = _moments(np.log1p(returns), n_rows)
    moves = np.where(variance > 0.0, variance, np.nan)
    return total / np.sqrt(moves * count)


def volatility_percentiles(returns: Floats, month_bars: int) -> Floats:
    """Mid-rank of one month's volatility among those of the last 11 months, in (0, 1).

    returns : (time,), result likewise: (share below) + (share equal) / 2, the current row counted.
    Fewer than 5 months of volatilities give NaN; between 5 and 11 months the rank is among those
    that there are.
    """
    _, _, variance = _moments(returns, _volatility_rows(month_bars))
    history = pd.Series(variance).rolling(RANK_MONTHS * month_bars + 1, min_periods=1)
    count = history.count().to_numpy()
    middle = (history.rank(method="average").to_numpy() - 0.5) / np.maximum(count, 1.0)
    enough = count >= MIN_PRESENT * ((TREND_MONTHS - 1) * month_bars + 1)
    return np.where(enough, middle, np.nan)


def _moments(values: Floats, n_rows: int) -> tuple[Floats, Floats, Floats]:
    """Count, sum and variance (ddof 1) of the last `n_rows` rows, missing ones left out.

    All of shape (time,); NaN in warm-up and with more than 5 % missing. Row 0 has no return, so
    the warm-up takes one row more than the window.
    """
    n_times = len(values)
    if n_times <= n_rows:
        nothing = np.full(n_times, np.nan)
        return nothing, nothing, nothing
    column = values[1:, None]
    present = to_blocks((~np.isnan(column)).astype(np.float64), n_rows)
    plain = np.nan_to_num(to_blocks(column, n_rows), nan=0.0)
    older, newer = (np.nan_to_num(part, nan=0.0) for part in centred_blocks(column, n_rows))
    count = trailing(np.add, present, present, n_times - 1)
    count = np.where((count >= MIN_PRESENT * n_rows) & (count > 1), count, np.nan)
    total = trailing(np.add, plain, plain, n_times - 1)
    centred = trailing(np.add, older, newer, n_times - 1)
    squares = trailing(np.add, older * older, newer * newer, n_times - 1)
    scatter = squares - centred * centred / count
    variance = np.where(scatter > FLAT * squares, scatter, 0.0 * count) / (count - 1.0)
    count, total, variance = (rows_from(part, n_times)[:, 0] for part in (count, total, variance))
    return count, total, variance


def regimes(evidence: Floats) -> npt.NDArray[np.object_]:
    """Make bull, neutral, bear or unknown (NaN) of each evidence."""
    names = np.full(len(evidence), "neutral", dtype=object)
    names[evidence >= THRESHOLD] = "bull"
    names[evidence <= -THRESHOLD] = "bear"
    names[np.isnan(evidence)] = "unknown"
    return names


def confidences(evidence: Floats) -> Floats:
    """Probability that the market's true standardized drift lies in the regime's own band.

    The evidence e is a t-statistic: under a flat prior the true value is normal around e with
    deviation 1. So bull has Phi(e - 1), bear Phi(-e - 1), neutral Phi(1 - e) - Phi(-1 - e);
    unknown has 0. About one half at the thresholds, 0.68 in the middle, towards 1 far out.
    """
    from scipy.special import ndtr

    known = np.nan_to_num(np.abs(evidence), nan=0.0)
    outside = ndtr(known - THRESHOLD)
    between = ndtr(THRESHOLD - known) - ndtr(-THRESHOLD - known)
    confidence = np.where(known >= THRESHOLD, outside, between)
    return np.where(np.isnan(evidence), 0.0, confidence)
