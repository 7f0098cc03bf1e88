"""What one window brought to each entrant."""

from collections import defaultdict
from datetime import UTC, timedelta

import numpy as np
import pandas as pd

from quant_assets.contracts.window_metrics import WindowMetrics
from quant_assets.core.context import ReportingContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.analytics.metrics import annual_volatility, max_drawdown, total_return
from quant_assets.quant.analytics.references import reference_on
from quant_assets.quant.market.panel import MICROSECONDS, Floats, to_panels

SESSION_SLACK = timedelta(days=5)
Weights = dict[tuple[str, str], float]
SUMS = ("turnover", "fees", "slippage", "funding")


def window_metrics_window(  # noqa: PLR0913 - one keyword for each asset that it reads
    context: ReportingContext,
    telemetry: Telemetry,
    *,
    equity: pd.DataFrame,
    final_holdings: pd.DataFrame,
    portfolio_weights: pd.DataFrame,
    bars: pd.DataFrame,
    reference_returns: pd.DataFrame,
) -> pd.DataFrame:
    """One row per entrant with equity in the window; all inputs are those of the window.

    Returns are compounded over the window's bars; `benchmark_return` and `risk_free_return` are
    NaN where the series is absent or incomplete. `turnover` (two-way), `fees`, `slippage` and
    `funding` are sums. `available_at` is the latest of the equity rows. `drift_gap`: see
    `drift_gaps`; `partial`: see `is_partial`.
    """
    if equity.empty:
        return WindowMetrics.empty()
    named = equity.rename(columns={"entrant": "symbol"})
    panels = to_panels(named, ["returns", "gross_returns", *SUMS])
    net = panels["returns"]
    actual = holding_weights(final_holdings)
    wanted = drifted_weights(context, portfolio_weights, bars)
    gaps = drift_gaps(actual, wanted)
    n = len(net.symbols)
    moments = pd.DatetimeIndex([context.window.start, equity["available_at"].max()])
    start, known = moments.as_unit("us").tz_convert("UTC")
    partial = is_partial(context, net.ts[-1])
    telemetry.log_metrics("window_metrics", {"entrants": float(n), "partial": float(partial)})
    return pd.DataFrame(
        {
            "ts": pd.Series([start] * n, dtype=MICROSECONDS),
            "available_at": pd.Series([known] * n, dtype=MICROSECONDS),
            "entrant": pd.array(list(net.symbols), dtype="str"),
            "partial": np.full(n, partial),
            "n_bars": (~np.isnan(net.values)).sum(axis=0).astype(np.int64),
            "net_return": total_return(net.values),
            "gross_return": total_return(panels["gross_returns"].values),
            "benchmark_return": _compounded(reference_returns, "benchmark", net.ts),
            "risk_free_return": _compounded(reference_returns, "risk_free", net.ts),
            "annual_volatility": annual_volatility(net.values, context.market.bars_per_year),
            "max_drawdown": max_drawdown(net.values),
            **{name: np.nansum(panels[name].values, axis=0) for name in SUMS},
            "drift_gap": [gaps.get(entrant, 0.0) for entrant in net.symbols],
        }
    )


def _compounded(reference_returns: pd.DataFrame, role: str, ts: pd.DatetimeIndex) -> float:
    values = reference_on(reference_returns, role, ts)
    return float("nan") if values is None else float(np.prod(1.0 + values)) - 1.0


def is_partial(context: ReportingContext, last_ts: pd.Timestamp) -> bool:
    """Tell whether the data end inside the window.

    True when the walker says so (`context.partial`: the venue's history ends here), or when the
    last bar ends before the window does. Venues with sessions may close up to five days earlier
    (weekends and holidays).
    """
    slack = timedelta(0) if context.market.calendar == "24/7" else SESSION_SLACK
    last_end = last_ts.to_pydatetime().astimezone(UTC) + context.market.bar_length
    return context.partial or last_end < context.window.end - slack


def holding_weights(final_holdings: pd.DataFrame) -> Weights:
    """Value of each position over the entrant's equity, by (entrant, symbol)."""
    owners, kinds, symbols = (
        final_holdings[name].tolist() for name in ("entrant", "kind", "symbol")
    )
    amounts = final_holdings[["quantity", "mark_price"]].to_numpy(dtype=np.float64)
    values = amounts.prod(axis=1).tolist()
    equity: dict[str, float] = defaultdict(float)
    for owner, value in zip(owners, values, strict=True):
        equity[owner] += value
    return {
        (owner, symbol): value / equity[owner]
        for owner, kind, symbol, value in zip(owners, kinds, symbols, values, strict=True)
        if kind == "position"
    }


def drifted_weights(
    context: ReportingContext, portfolio_weights: pd.DataFrame, bars: pd.DataFrame
) -> Weights:
    """Decided weights moved by prices alone to the window's last known closes.

    w g / (1 + sum w (g - 1)), g = last close / fill price: the open (`next_open`) or close
    (`next_close`) of the symbol's first priced bar with `ts >= decided_at`. Cash does not grow;
    g = 1 for a symbol without such a bar.
    """
    growth = _growth(context, bars)
    owners, symbols, weights = (
        portfolio_weights[name].tolist() for name in ("entrant", "symbol", "weight")
    )
    rows = list(zip(owners, symbols, weights, strict=True))
    equity: dict[str, float] = defaultdict(lambda: 1.0)
    for owner, symbol, weight in rows:
        equity[owner] += weight * (growth.get(symbol, 1.0) - 1.0)
    return {
        (owner, symbol): weight * growth.get(symbol, 1.0) / equity[owner]
        for owner, symbol, weight in rows
    }


def _growth(context: ReportingContext, bars: pd.DataFrame) -> dict[str, float]:
    live = bars[(bars["ts"] >= pd.Timestamp(context.decided_at)).to_numpy()]
    if live.empty:
        return {}
    price = "open" if context.simulation.fill == "next_open" else "close"
    panels = to_panels(live, [price, "close"])
    first, last = _edge(panels[price].values), _edge(np.flip(panels["close"].values, axis=0))
    priced = ~np.isnan(first) & ~np.isnan(last)
    growth = np.where(priced, last / first, 1.0)
    return dict(zip(panels[price].symbols, growth.tolist(), strict=True))


def _edge(values: Floats) -> Floats:
    """First value of each column that is not NaN; NaN where there is none."""
    rows = np.argmax(~np.isnan(values), axis=0)
    edge: Floats = values[rows, np.arange(values.shape[1])]
    return edge


def drift_gaps(actual: Weights, wanted: Weights) -> dict[str, float]:
    """Sum over symbols of |actual - drifted weight| per entrant: two-way, cash not counted.

    0 without costs, lots, funding, interest and gaps: what the weights chain, which drifts by
    prices alone, does not see.
    """
    gaps: dict[str, float] = defaultdict(float)
    for key in sorted(actual.keys() | wanted.keys()):
        gaps[key[0]] += abs(actual.get(key, 0.0) - wanted.get(key, 0.0))
    return gaps
