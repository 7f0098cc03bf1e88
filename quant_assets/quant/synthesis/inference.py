"""From features to signals: score the candidates, blend the scores, and judge them afterwards."""

import numpy as np
import pandas as pd

from quant_assets.contracts.alpha_signals import AlphaSignals
from quant_assets.contracts.signal_metrics import SignalMetrics
from quant_assets.core.context import AlphaContext
from quant_assets.core.errors import ConfigError
from quant_assets.core.registry import discover
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.features.stage import feature_directions
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.ranks import cross_sectional_ic
from quant_assets.quant.synthesis.history import (
    at_decision,
    candidate_symbols,
    compounded,
    on_rows,
    panels_of,
    refuse_future,
    stamps,
)
from quant_assets.quant.synthesis.signals.base import Signal, SignalInputs

SIGNALS_PACKAGE = "quant_assets.quant.synthesis.signals"
PREFIX = "value_"
MAX_AGE_ROWS = 5
_REGIMES = {"bear": -1.0, "neutral": 0.0, "bull": 1.0}


def alpha_signals_window(
    context: AlphaContext,
    telemetry: Telemetry,
    *,
    candidate_pool: pd.DataFrame,
    alpha_features: pd.DataFrame,
    market_context: pd.DataFrame,
    returns_matrix: pd.DataFrame,
) -> pd.DataFrame:
    """Scores of the candidates at `decided_at`, an `AlphaSignals` frame.

    `alpha` is the weighted mean of each symbol's signals that have an opinion, demeaned across
    symbols and clipped to [-1, 1]; 0 for a symbol without any. `expected_return` is `alpha`
    times `annual_alpha`. The market's regime is logged, it does not scale.
    """
    _refuse_unknown_weights(context.alpha.signal_weights)
    symbols = candidate_symbols(candidate_pool, context.decided_at)
    if not symbols:
        return AlphaSignals.empty()
    upstream = {
        "alpha_features": alpha_features,
        "market_context": market_context,
        "returns_matrix": returns_matrix,
    }
    for name, frame in upstream.items():
        refuse_future(frame, context.decided_at, name=name)
    _log_regime(market_context, telemetry)
    scores = _scores(context, telemetry, symbols, alpha_features, returns_matrix)
    alpha = blend(scores, context.alpha.signal_weights, n_symbols=len(symbols))
    columns = {
        "decided_at": stamps(context.decided_at, len(symbols)),
        "symbol": pd.Series(symbols, dtype="str"),
        "alpha": pd.Series(alpha),
        "expected_return": pd.Series(alpha * context.alpha.annual_alpha),
    }
    for name, values in scores.items():
        columns[PREFIX + name] = pd.Series(values)
    return pd.DataFrame(columns)


def _refuse_unknown_weights(weights: dict[str, float]) -> None:
    known = discover(SIGNALS_PACKAGE, Signal)
    unknown = sorted(weights.keys() - known.keys())
    if unknown:
        raise ConfigError(
            f"alpha.signal_weights names unknown signals {unknown}; known: {sorted(known)}"
        )


def _log_regime(market_context: pd.DataFrame, telemetry: Telemetry) -> None:
    """Newest regime (-1 bear, 0 neutral, 1 bull; left out when unknown) and its confidence."""
    if len(market_context) == 0:
        return
    newest = market_context.iloc[-1]
    metrics = {"confidence": float(newest["confidence"])}
    if newest["regime"] in _REGIMES:
        metrics["regime"] = _REGIMES[newest["regime"]]
    telemetry.log_metrics("market_context", metrics)


def _scores(
    context: AlphaContext,
    telemetry: Telemetry,
    symbols: tuple[str, ...],
    alpha_features: pd.DataFrame,
    returns_matrix: pd.DataFrame,
) -> dict[str, Floats]:
    """Scores per signal, sorted by name; all NaN where there are no features at all."""
    named = context.alpha.signal_weights
    every = discover(SIGNALS_PACKAGE, Signal)
    signals = {name: s for name, s in every.items() if s.by_default or name in named}
    if len(alpha_features) == 0:
        return {name: np.full(len(symbols), np.nan) for name in signals}
    inputs = signal_inputs(context, symbols, alpha_features, returns_matrix)
    return {name: signals[name]().score(inputs, telemetry) for name in signals}


def signal_inputs(
    context: AlphaContext,
    symbols: tuple[str, ...],
    alpha_features: pd.DataFrame,
    returns_matrix: pd.DataFrame,
) -> SignalInputs:
    """Put features and returns on common rows (both clocks) and on the candidates' columns."""
    columns = [name for name in alpha_features.columns if name.startswith(PREFIX)]
    features = panels_of(alpha_features, columns, symbols)
    returns = panels_of(returns_matrix, ["returns"], symbols)["returns"]
    ts = next(iter(features.values())).ts if features else returns.ts
    if not ts.equals(returns.ts):
        ts = ts.union(returns.ts)
    history = {name.removeprefix(PREFIX): on_rows(features[name], ts) for name in sorted(features)}
    return SignalInputs(
        symbols=symbols,
        features=latest_features(history),
        history=history,
        directions=feature_directions(),
        returns=on_rows(returns, ts),
        ts=ts,
        alpha=context.alpha,
        bars_per_year=context.market.bars_per_year,
    )


def latest_features(history: dict[str, Floats]) -> dict[str, Floats]:
    """Each symbol's newest row with any value, at most 5 rows older than the newest of all.

    history : feature to (time, symbol). Returns feature to (symbol,), all from one row per
    symbol (nothing is filled from older rows); NaN for a symbol without such a row.
    """
    if not history:
        return {}
    recent = np.stack(list(history.values()))[:, -(MAX_AGE_ROWS + 1) :]
    present = np.asarray(~np.isnan(recent).all(axis=0))
    newest = present.shape[0] - 1 - np.argmax(present[::-1], axis=0)
    values = recent[:, newest, np.arange(present.shape[1])]
    return dict(zip(history, values, strict=True))


def blend(scores: dict[str, Floats], weights: dict[str, float], *, n_symbols: int) -> Floats:
    """Weighted mean of the available scores per symbol, demeaned, clipped to [-1, 1].

    A mean over the available signals divides by the sum of their absolute weights. A symbol
    without any opinion is left out of the cross-sectional mean and gets 0.
    """
    total, size = np.zeros(n_symbols), np.zeros(n_symbols)
    for name in sorted(scores):
        weight = weights.get(name, 0.0)
        available = ~np.isnan(scores[name])
        total += np.where(available, weight * scores[name], 0.0)
        size += np.where(available, abs(weight), 0.0)
    heard = size > 0
    alpha = np.zeros(n_symbols)
    if heard.any():
        mean = total[heard] / size[heard]
        alpha[heard] = np.clip(mean - mean.mean(), -1.0, 1.0)
    return alpha


def signal_metrics_window(
    context: AlphaContext,
    telemetry: Telemetry,
    *,
    alpha_signals: pd.DataFrame,
    returns_matrix: pd.DataFrame,
) -> pd.DataFrame:
    """Rank IC of every signal and of `alpha` over the window, a `SignalMetrics` frame.

    Judged against each symbol's compounded return over the window's rows from `decided_at` on
    (missing returns are skipped; a symbol without any is left out).
    """
    signals = at_decision(alpha_signals, context.decided_at)
    first, after = pd.Timestamp(context.decided_at), pd.Timestamp(context.window.end)
    rows = returns_matrix[(returns_matrix["ts"] >= first) & (returns_matrix["ts"] < after)]
    if len(signals) == 0 or len(rows) == 0:
        return SignalMetrics.empty()
    outcome = compounded(rows, tuple(signals["symbol"]))[-1]
    columns = {
        name.removeprefix(PREFIX): name for name in signals.columns if name.startswith(PREFIX)
    }
    names = sorted(["alpha", *columns])
    scores = np.stack([signals[columns.get(name, name)].to_numpy("float64") for name in names])
    rank_ic = cross_sectional_ic(scores, outcome)
    telemetry.log_metrics(
        "rank_ic", {n: float(v) for n, v in zip(names, rank_ic, strict=True) if not np.isnan(v)}
    )
    return pd.DataFrame(
        {
            "ts": stamps(context.window.start, len(names)),
            "available_at": stamps(context.window.end, len(names)),
            "signal": pd.Series(names, dtype="str"),
            "rank_ic": pd.Series(rank_ic),
            "n_symbols": pd.Series((~np.isnan(scores + outcome)).sum(axis=1)).astype("int64"),
        }
    )
