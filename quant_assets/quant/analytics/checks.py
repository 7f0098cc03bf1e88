"""Statistical checks on the cells of one window; each is a number, a limit and a verdict.

Contracts refuse wrong frames before they are stored; these checks judge what a contract cannot
see: the accounting identity, the stated limits, completeness and quality of the data, and
look-ahead in the features.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.check_results import CheckResults
from quant_assets.core.context import AllocationContext, AlphaContext
from quant_assets.core.telemetry import NullTelemetry, Telemetry
from quant_assets.core.venues import AlphaParameters, OptimizationParameters
from quant_assets.quant.features.market_state import market_context_window
from quant_assets.quant.features.stage import PREFIX, Events, alpha_features_window
from quant_assets.quant.market.flags import RATIO_JUMP
from quant_assets.quant.market.panel import Floats

IDENTITY_LIMIT = 1e-9
WEIGHT_LIMIT = 1e-9
COMPLETENESS_LIMIT = 0.10
QUALITY_LIMIT = 0.01


class CheckContext(AllocationContext):
    """What the checks need to know: the market, the limits, the features' horizon."""

    alpha: AlphaParameters


@dataclass(frozen=True)
class Verdict:
    """One judged statistic; it passes when `value <= limit`. NaN never passes."""

    asset: str
    check: str
    value: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether the value is within the limit."""
        return bool(self.value <= self.limit)


def check_window(  # noqa: PLR0913 - one keyword for each asset that it reads
    context: CheckContext,
    telemetry: Telemetry,
    *,
    bars: pd.DataFrame,
    funding: pd.DataFrame,
    open_interest: pd.DataFrame,
    liquidations: pd.DataFrame,
    quality: pd.DataFrame,
    doubts: pd.DataFrame,
    alpha_features: pd.DataFrame,
    market_context: pd.DataFrame,
    portfolio_weights: pd.DataFrame,
    equity: pd.DataFrame,
) -> pd.DataFrame:
    """All checks of one window, a `CheckResults` frame.

    bars, funding, open_interest, liquidations : history windows and the current one, as the
    features read them; the other frames hold the current window. A frame without rows is not
    judged.
    """
    found = [
        *data_verdicts(quality, doubts),
        *_verdicts(context, bars, portfolio_weights, equity),
    ]
    if len(alpha_features):
        events = Events(funding, open_interest, liquidations)
        leaks = leak_count(context, bars, events, alpha_features)
        found.append(Verdict("alpha_features", "look_ahead", float(leaks), 0.0))
    if len(market_context):
        changed = regime_leak_count(context, bars, market_context)
        found.append(Verdict("market_context", "look_ahead", float(changed), 0.0))
    verdicts = sorted(found, key=lambda verdict: (verdict.asset, verdict.check))
    telemetry.log_metrics("checks", {"failed": float(sum(not v.passed for v in verdicts))})
    if not verdicts:
        return CheckResults.empty()
    count = len(verdicts)
    window = context.window
    return pd.DataFrame(
        {
            "ts": pd.Series([pd.Timestamp(window.start)] * count).astype("datetime64[us, UTC]"),
            "available_at": pd.Series([pd.Timestamp(window.end)] * count).astype(
                "datetime64[us, UTC]"
            ),
            "asset": pd.Series([v.asset for v in verdicts], dtype="str"),
            "check": pd.Series([v.check for v in verdicts], dtype="str"),
            "value": pd.Series([v.value for v in verdicts], dtype="float64"),
            "limit": pd.Series([v.limit for v in verdicts], dtype="float64"),
            "passed": pd.Series([v.passed for v in verdicts], dtype="bool"),
        }
    )


def _verdicts(
    context: CheckContext,
    bars: pd.DataFrame,
    portfolio_weights: pd.DataFrame,
    equity: pd.DataFrame,
) -> Iterator[Verdict]:
    current = bars[bars["ts"] >= pd.Timestamp(context.window.start)]
    if len(current):
        yield Verdict("bars", "gap_share", float(current["is_gap"].mean()), COMPLETENESS_LIMIT)
    if len(equity):
        yield Verdict("equity", "accounting_identity", identity_error(equity), IDENTITY_LIMIT)
    if len(portfolio_weights):
        excess = limit_excess(portfolio_weights, context.optimization)
        yield Verdict("portfolio_weights", "stated_limits", excess, WEIGHT_LIMIT)


def data_verdicts(quality: pd.DataFrame, doubts: pd.DataFrame) -> Iterator[Verdict]:
    """Judge the bars of a window by their quality and by jumps that no known event explains.

    `quality_shortfall` is the share of expected bars that are missing or in doubt.
    """
    expected = quality["expected"].to_numpy(dtype=np.float64)
    if expected.sum() == 0.0:
        return
    good = np.rint(quality["score"].to_numpy(dtype=np.float64) * expected)
    share = float((expected - good).sum() / expected.sum())
    yield Verdict("quality", "quality_shortfall", share, QUALITY_LIMIT)
    jumps = int((doubts["reason"] == RATIO_JUMP).sum())
    yield Verdict("doubts", "unexplained_jumps", float(jumps), 0.0)


def identity_error(equity: pd.DataFrame) -> float:
    """Largest |cash + position value - equity| / equity over all bars and entrants."""
    total = equity["cash"] + equity["position_value"]
    return float(((total - equity["equity"]).abs() / equity["equity"].abs()).max())


def limit_excess(weights: pd.DataFrame, limits: OptimizationParameters) -> float:
    """Largest breach of cap, floor, gross, budget and two-way turnover over all entrants.

    Rows whose `binding` says that a limit had to be relaxed (too few candidates for the cap, or
    drift beyond the limits) are judged against the other limits only; an entrant that starts from
    cash has no turnover limit.
    """
    rows = weights.sort_values("entrant", kind="stable")
    held, before = (rows[name].to_numpy() for name in ("weight", "previous_weight"))
    entrants = rows["entrant"].to_numpy()
    begins = np.flatnonzero(np.r_[True, entrants[1:] != entrants[:-1]])
    binding = rows["binding"].iloc[begins]
    total, gross = (np.add.reduceat(part, begins) for part in (held, np.abs(held)))
    traded, owned = (np.add.reduceat(np.abs(part), begins) for part in (held - before, before))
    relieved = binding.str.contains("turnover_relaxed", regex=False).to_numpy() | (owned == 0.0)
    turnover = np.inf if limits.max_turnover is None else limits.max_turnover
    breaches = [
        gross - limits.max_gross,
        limits.min_weight - np.minimum.reduceat(held, begins),
        _unless(binding, "cap_relaxed", np.maximum.reduceat(held, begins) - limits.max_weight),
        _unless(binding, "no_target", np.abs(total - limits.budget)),
        np.where(relieved, 0.0, traded - turnover),
    ]
    return float(max(0.0, *(breach.max() for breach in breaches)))


def _unless(binding: pd.Series, word: str, breaches: Floats) -> Floats:
    """Breaches (entrant,), 0 where the limit had to give way."""
    return np.where(binding.str.contains(word, regex=False).to_numpy(), 0.0, breaches)


def leak_count(
    context: CheckContext, bars: pd.DataFrame, events: Events, alpha_features: pd.DataFrame
) -> int:
    """Number of stored feature values that change when the future changes.

    The window is cut at its middle bar; the features are computed again with the bars after the
    cut, and the events that were not known with it, removed, and with these replaced by noise.
    Every value at or before the cut must be the stored one to the last bit.
    """
    times = alpha_features["ts"].drop_duplicates().reset_index(drop=True)
    cut = times.iloc[len(times) // 2]
    stored = _values_until(alpha_features, cut)
    known = alpha_features.loc[alpha_features["ts"] == cut, "available_at"].max()
    later = {"bars": (bars["ts"] > cut).to_numpy()}
    frames = {"bars": bars, **{f.name: getattr(events, f.name) for f in fields(events)}}
    later |= {
        name: (frame["available_at"] > known).to_numpy()
        for name, frame in frames.items()
        if name != "bars"
    }
    own = _alpha_context(context)
    changed = 0
    for spoiled in (_without, _as_noise):
        future = {name: spoiled(frame, later[name]) for name, frame in frames.items()}
        again = alpha_features_window(own, NullTelemetry(), **future)
        values = _values_until(again, cut)
        if values.shape != stored.shape:
            return stored.size
        changed += int((~((values == stored) | (np.isnan(values) & np.isnan(stored)))).sum())
    return changed


def regime_leak_count(
    context: CheckContext, bars: pd.DataFrame, market_context: pd.DataFrame
) -> int:
    """Number of stored values of `market_context` that change when later bars change.

    The window is cut at its middle bar, as for features: without the bars after it, and with noise
    in their place, every value up to there must be the stored one, to the last bit.
    """
    cut = market_context["ts"].iloc[len(market_context) // 2]
    stored = market_context[market_context["ts"] <= cut]
    later = (bars["ts"] > cut).to_numpy()
    own = _alpha_context(context)
    changed = 0
    for spoiled in (_without, _as_noise):
        again = market_context_window(own, NullTelemetry(), bars=spoiled(bars, later))
        again = again[again["ts"] <= cut]
        if len(again) != len(stored):
            return int(stored.size)
        for name in stored.columns:
            mine, theirs = (frame[name].reset_index(drop=True) for frame in (stored, again))
            changed += int((~((mine == theirs) | (mine.isna() & theirs.isna()))).sum())
    return changed


def _alpha_context(context: CheckContext) -> AlphaContext:
    """What the stages of features and of the market were given."""
    return AlphaContext(
        venue=context.venue,
        window=context.window,
        decided_at=context.decided_at,
        market=context.market,
        alpha=context.alpha,
    )


def _without(frame: pd.DataFrame, later: npt.NDArray[np.bool_]) -> pd.DataFrame:
    return frame[~later].reset_index(drop=True)


def _as_noise(frame: pd.DataFrame, later: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Multiply the numbers of the rows `later` by one random factor a row."""
    if not later.any():
        return frame
    noisy = frame.copy()
    factors = np.random.default_rng(0).lognormal(0.0, 0.5, int(later.sum()))
    numbers = frame.columns[(frame.dtypes == "float64").to_numpy()]
    noisy.loc[later, numbers] = frame.loc[later, numbers].to_numpy() * factors[:, None]
    return noisy


def _values_until(features: pd.DataFrame, cut: pd.Timestamp) -> Floats:
    names = [name for name in features.columns if name.startswith(PREFIX)]
    return features.loc[features["ts"] <= cut, names].to_numpy(dtype="float64")
