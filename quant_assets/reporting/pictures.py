"""One small picture per contract: what a reader of the asset wants to see first, as a PNG."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from quant_assets.reporting.canvas import (
    ACCENT,
    BAR_WIDTH,
    WARM,
    Canvas,
    bars,
    heat_map,
    lines,
    shade,
    spans,
)

Draw = Callable[[pd.DataFrame], Canvas | None]
NAMES = ("entrant", "symbol", "stream", "signal", "role", "file")
CLOCKS = ("ts", "decided_at")
REGIMES = {"bull": ACCENT, "bear": WARM}
CAUSES = {"unknown": WARM, "whole venue": "#9aa3ae", "quarantined": "#c39a3b"}
MAX_POINTS = 500


def picture(contract_name: str, frame: pd.DataFrame) -> bytes | None:
    """PNG bytes of one frame of the contract; None when there is nothing to draw.

    A contract without a drawing of its own gets its first numeric column by name or over time.
    """
    if frame.empty:
        return None
    canvas = _DRAWINGS.get(contract_name, _generic)(frame)
    if canvas is None:
        return None
    return canvas.png()


def _wide(frame: pd.DataFrame, rows: str, columns: str, values: str) -> pd.DataFrame:
    wide = frame.pivot_table(
        index=rows, columns=columns, values=values, aggfunc="last", observed=True, dropna=False
    )
    return pd.DataFrame(wide)


def _span(frame: pd.DataFrame, clock: str = "ts") -> str:
    first, last = frame[clock].min(), frame[clock].max()
    return f"{first:%Y-%m-%d}" if first == last else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _newest(frame: pd.DataFrame, clock: str) -> pd.DataFrame:
    rows: pd.DataFrame = frame.loc[frame[clock] == frame[clock].max()]
    return rows


def _bars(frame: pd.DataFrame) -> Canvas:
    wide = _wide(frame, "ts", "symbol", "close")
    first = wide.bfill().iloc[0]
    canvas = Canvas.blank(f"Closes, first = 100 · {_span(frame)}")
    lines(canvas, wide / first * 100.0)
    return canvas


def _returns(frame: pd.DataFrame) -> Canvas:
    wide = _wide(frame, "symbol", "ts", "returns") * 100.0
    limit = (
        float(np.nanquantile(np.abs(wide.to_numpy()), 0.98)) if wide.notna().any(axis=None) else 1.0
    )
    wide.columns = pd.DatetimeIndex(wide.columns).strftime("%m-%d")
    canvas = Canvas.blank(f"Returns, ±{limit:.1f}% · {_span(frame)}")
    heat_map(canvas, wide, limit=limit)
    return canvas


def _features(frame: pd.DataFrame) -> Canvas:
    now = _newest(frame, "ts").set_index("symbol")
    values = now[[name for name in now.columns if name.startswith("value_")]].astype("float64")
    spread = values.std(ddof=0).replace(0.0, np.nan)
    scores = ((values - values.mean()) / spread).T
    scores.index = [name.removeprefix("value_") for name in scores.index]
    canvas = Canvas.blank(f"Features across symbols, z-scores ±2.5 · {_span(_newest(frame, 'ts'))}")
    heat_map(canvas, scores, limit=2.5)
    return canvas


def _market_context(frame: pd.DataFrame) -> Canvas:
    canvas = Canvas.blank(f"Trend score; bull blue, bear red · {_span(frame)}")
    shade(canvas, pd.DatetimeIndex(frame["ts"]), frame["regime"].tolist(), REGIMES)
    lines(canvas, frame.set_index("ts")[["trend_score"]], bold="trend_score")
    return canvas


def _candidate_pool(frame: pd.DataFrame) -> Canvas:
    now = _newest(frame, "decided_at")
    wide = _wide(now.assign(mark=np.where(now["passed"], 0.3, -1.0)), "rule", "symbol", "mark")
    kept = now.loc[now["is_candidate"], "symbol"].nunique()
    total = now["symbol"].nunique()
    canvas = Canvas.blank(
        f"{kept} of {total} are candidates; red = rule failed · {_span(now, 'decided_at')}"
    )
    heat_map(canvas, wide, limit=1.15)
    return canvas


def _by_symbol(frame: pd.DataFrame, name: str, value: str, title: str) -> Canvas:
    now = _newest(frame, "decided_at").sort_values([value, name], ascending=[False, True])
    canvas = Canvas.blank(f"{title} · {_span(now, 'decided_at')}")
    bars(canvas, now[name].tolist(), now[value].to_numpy(dtype="float64"))
    return canvas


def _clusters(frame: pd.DataFrame) -> Canvas:
    now = _newest(frame, "decided_at").sort_values(["cluster", "symbol"])
    names = [f"{s} {c}" for s, c in zip(now["symbol"], now["cluster"], strict=True)]
    shades = [(ACCENT, "#8fb0dc")[int(c) % 2] for c in now["cluster"]]
    n_clusters = now["cluster"].nunique()
    canvas = Canvas.blank(
        f"Mean correlation inside {n_clusters} clusters · {_span(now, 'decided_at')}"
    )
    bars(canvas, names, now["mean_correlation"].to_numpy(dtype="float64"), shades)
    return canvas


def _correlations(frame: pd.DataFrame) -> Canvas:
    now = _newest(frame, "decided_at")
    upper = _wide(now, "symbol", "other", "correlation")
    canvas = Canvas.blank(f"Correlations, red -1, blue +1 · {_span(now, 'decided_at')}")
    heat_map(canvas, upper.fillna(upper.T), limit=1.0)
    return canvas


def _weights(frame: pd.DataFrame) -> Canvas:
    now = _newest(frame, "decided_at")
    wide = _wide(now, "entrant", "symbol", "weight") * 100.0
    limit = float(np.nanmax(np.abs(wide.to_numpy())))
    short = bool((wide.to_numpy() < 0).any())
    canvas = Canvas.blank(f"Weights, darkest = {limit:.0f}% · {_span(now, 'decided_at')}")
    heat_map(canvas, wide, limit=limit, diverging=short)
    return canvas


def _equity(frame: pd.DataFrame) -> Canvas:
    wide = (1.0 + _wide(frame, "ts", "entrant", "returns")).cumprod() * 100.0
    canvas = Canvas.blank(f"Growth of 100, net; champion bold · {_span(frame)}")
    lines(canvas, wide)
    return canvas


def _fills(frame: pd.DataFrame) -> Canvas:
    traded = (frame["quantity"] * frame["price"]).rename("notional")
    buys, sells = traded.clip(lower=0.0), traded.clip(upper=0.0)
    by_entrant = pd.DataFrame({"buys": buys, "sells": sells}).groupby(frame["entrant"]).sum()
    names = [str(name) for name in by_entrant.index]
    canvas = Canvas.blank(f"Bought and sold, quote currency · {len(frame)} fills · {_span(frame)}")
    bars(canvas, names, by_entrant["buys"].to_numpy())
    canvas.axes.bar(range(len(names)), by_entrant["sells"].to_numpy(), color=WARM, width=BAR_WIDTH)
    return canvas


def _sum_by_entrant(frame: pd.DataFrame, value: str, title: str) -> Canvas:
    total = frame.groupby("entrant")[value].sum()
    canvas = Canvas.blank(f"{title} · {_span(frame)}")
    bars(canvas, [str(name) for name in total.index], total.to_numpy(dtype="float64"))
    return canvas


def _final_holdings(frame: pd.DataFrame) -> Canvas:
    value = frame["quantity"] * frame["mark_price"]
    share = value / value.groupby(frame["entrant"]).transform("sum") * 100.0
    wide = _wide(frame.assign(share=share), "entrant", "symbol", "share")
    limit = float(np.nanmax(np.abs(wide.to_numpy())))
    canvas = Canvas.blank(f"Holdings, share of equity, darkest = {limit:.0f}% · {_span(frame)}")
    heat_map(canvas, wide, limit=limit)
    return canvas


def _window_metrics(frame: pd.DataFrame) -> Canvas:
    now = _newest(frame, "ts").sort_values("entrant")
    canvas = Canvas.blank(f"Net return of the window, %; line = benchmark · {_span(now)}")
    bars(canvas, now["entrant"].tolist(), now["net_return"].to_numpy(dtype="float64") * 100.0)
    benchmark = now["benchmark_return"].dropna()
    if len(benchmark):
        canvas.axes.axhline(float(benchmark.iloc[0]) * 100.0, color="#16202c", linewidth=1.2)
    return canvas


def _tournament(frame: pd.DataFrame) -> Canvas:
    shades = ["#9aa3ae" if rank == 0 else ACCENT for rank in frame["rank"]]
    canvas = Canvas.blank("Sharpe ratio, net, by rank; grey = benchmark")
    bars(canvas, frame["entrant"].tolist(), frame["sharpe_ratio"].to_numpy(dtype="float64"), shades)
    return canvas


def _monte_carlo(frame: pd.DataFrame) -> Canvas:
    rows = frame[frame["figure"] == "sharpe_ratio"].sort_values("entrant").reset_index(drop=True)
    paths = int(frame["n_paths"].max())
    canvas = Canvas.blank(f"Sharpe ratio of {paths} resampled histories: median, 5 to 95 %")
    bars(canvas, rows["entrant"].tolist(), rows["q50"].to_numpy(dtype="float64"))
    canvas.axes.vlines(rows.index, rows["q05"], rows["q95"], color="#16202c", linewidth=1.2)
    return canvas


def _signal_metrics(frame: pd.DataFrame) -> Canvas:
    now = _newest(frame, "ts").sort_values("signal")
    canvas = Canvas.blank(f"Rank IC of the window · {_span(now)}")
    bars(canvas, now["signal"].tolist(), now["rank_ic"].to_numpy(dtype="float64"))
    return canvas


def _reference_returns(frame: pd.DataFrame) -> Canvas:
    wide = _wide(frame, "ts", "role", "returns").fillna(0.0)
    canvas = Canvas.blank(f"Benchmark and risk-free, growth of 100 · {_span(frame)}")
    lines(canvas, (1.0 + wide).cumprod() * 100.0, bold="benchmark")
    return canvas


def _universe(frame: pd.DataFrame) -> Canvas:
    now = _newest(frame, "decided_at").sort_values("symbol")
    canvas = Canvas.blank(
        f"Bars known per instrument; grey = delisted · {_span(now, 'decided_at')}"
    )
    shades = [ACCENT if listed else "#9aa3ae" for listed in now["is_listed"]]
    bars(canvas, now["symbol"].tolist(), now["n_bars"].to_numpy(dtype="float64"), shades)
    return canvas


def completeness_table(quality: pd.DataFrame) -> pd.DataFrame:
    """Completeness of `Quality` in per cent, symbol x day; NaN where nothing was expected."""
    seen = (quality["completeness"] * 100.0).where(quality["expected"] > 0)
    days = quality["ts"].dt.strftime("%m-%d")
    return _wide(quality.assign(seen=seen, day=days), "symbol", "day", "seen")


def _quality(frame: pd.DataFrame) -> Canvas:
    expected = int(frame["expected"].sum())
    share = frame["present"].sum() / max(1, expected) * 100.0
    score = float((frame["score"] * frame["expected"]).sum()) / max(1, expected) * 100.0
    canvas = Canvas.blank(
        f"Completeness · {share:.2f}% there, {score:.2f}% free of doubt · {_span(frame)}"
    )
    heat_map(canvas, completeness_table(frame), limit=100.0, diverging=False)
    return canvas


def _gap_ledger(frame: pd.DataFrame) -> Canvas:
    causes = [f"{n} {name}" for name, n in frame["cause"].value_counts().sort_index().items()]
    missing = int(frame["bars"].sum())
    canvas = Canvas.blank(f"{missing} bars missing · gaps: {', '.join(causes)}")
    shades = [CAUSES[cause] for cause in frame["cause"]]
    spans(canvas, frame["symbol"].tolist(), frame["ts"], frame["until"], shades)
    return canvas


def _thinned(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of at most `MAX_POINTS` times, evenly chosen."""
    times = frame["ts"].unique()
    return frame[frame["ts"].isin(times[:: max(1, -(-len(times) // MAX_POINTS))])]


def _open_interest(frame: pd.DataFrame) -> Canvas:
    wide = _wide(_thinned(frame), "ts", "symbol", "open_interest")
    canvas = Canvas.blank(f"Open interest, first = 100 · {_span(frame)}")
    lines(canvas, wide / wide.bfill().iloc[0].replace(0.0, np.nan) * 100.0)
    return canvas


def _liquidations(frame: pd.DataFrame) -> Canvas:
    notional = (frame["price"] * frame["quantity"]) / 1e6
    day = frame["ts"].dt.strftime("%m-%d")
    sides = {side: notional.where(frame["side"] == side, 0.0) for side in ("buy", "sell")}
    by_day = pd.DataFrame(sides).groupby(day).sum()
    canvas = Canvas.blank(
        f"Forced buys up, forced sales down, millions a day · {len(frame)} events · {_span(frame)}"
    )
    bars(canvas, [str(name) for name in by_day.index], by_day["buy"].to_numpy())
    places = range(len(by_day))
    canvas.axes.bar(places, -by_day["sell"].to_numpy(), color=WARM, width=BAR_WIDTH)
    return canvas


def _order_book(frame: pd.DataFrame) -> Canvas | None:
    best = _thinned(frame[(frame["level"] == 0) & ~frame["is_crossed"]])
    middle = (best["ask_price"] + best["bid_price"]) / 2.0
    best = best.assign(spread=(best["ask_price"] - best["bid_price"]) / middle * 1e4)
    if best["spread"].isna().all():
        return None
    n_crossed = len(frame.loc[frame["is_crossed"], ["ts", "symbol"]].drop_duplicates())
    canvas = Canvas.blank(
        f"Spread, basis points of the mid · {n_crossed} snapshots crossed · {_span(frame)}"
    )
    lines(canvas, _wide(best, "ts", "symbol", "spread"))
    return canvas


def _doubts(frame: pd.DataFrame) -> Canvas:
    counts = frame.groupby(["outcome", "dataset", "reason"]).size().sort_values(ascending=False)
    totals = ", ".join(f"{n} {name}" for name, n in frame["outcome"].value_counts().items())
    shades = [WARM if outcome == "quarantined" else ACCENT for outcome, _, _ in counts.index]
    canvas = Canvas.blank(f"Rows in doubt: {totals}; red = quarantined · {_span(frame)}")
    names = [f"{dataset}: {reason}" for _, dataset, reason in counts.index]
    bars(canvas, names, counts.to_numpy(dtype="float64"), shades)
    return canvas


def _adjustments(frame: pd.DataFrame) -> Canvas:
    shades = [ACCENT if kind == "dividend" else WARM for kind in frame["kind"]]
    names = [f"{ts:%m-%d} {s}" for ts, s in zip(frame["ts"], frame["symbol"], strict=True)]
    canvas = Canvas.blank(f"Price factors; red = split or denomination · {_span(frame)}")
    bars(canvas, names, frame["price_factor"].to_numpy(dtype="float64"), shades)
    return canvas


def _generic(frame: pd.DataFrame) -> Canvas | None:
    numbers = [str(name) for name in frame.select_dtypes("number") if frame[name].notna().any()]
    who = next((name for name in NAMES if name in frame.columns), None)
    clock = next((name for name in CLOCKS if name in frame.columns), None)
    if not numbers or who is None:
        return None
    canvas = Canvas.blank(numbers[0])
    if clock is not None and frame[clock].nunique() > 2:
        lines(canvas, _wide(frame, clock, who, numbers[0]))
    else:
        total = frame.groupby(who)[numbers[0]].sum()
        bars(canvas, [str(name) for name in total.index], total.to_numpy(dtype="float64"))
    return canvas


_DRAWINGS: dict[str, Draw] = {
    "Adjustments": _adjustments,
    "AlphaFeatures": _features,
    "AlphaSignals": lambda f: _by_symbol(f, "symbol", "alpha", "Alpha, blended score"),
    "AlphaStreams": lambda f: _by_symbol(f, "stream", "expected_return", "Expected return a year"),
    "Bars": _bars,
    "CandidateClusters": _clusters,
    "CandidatePool": _candidate_pool,
    "Correlations": _correlations,
    "Doubts": _doubts,
    "Equity": _equity,
    "Fills": _fills,
    "FinalHoldings": _final_holdings,
    "GapLedger": _gap_ledger,
    "Liquidations": _liquidations,
    "MarketContext": _market_context,
    "MonteCarlo": _monte_carlo,
    "OpenInterest": _open_interest,
    "OrderBook": _order_book,
    "PortfolioWeights": _weights,
    "Quality": _quality,
    "ReferenceReturns": _reference_returns,
    "Returns": _returns,
    "SignalMetrics": _signal_metrics,
    "TargetWeights": _weights,
    "Tournament": _tournament,
    "Trades": lambda f: _sum_by_entrant(f, "pnl", "Realised profit and loss"),
    "Universe": _universe,
    "WindowMetrics": _window_metrics,
}
