"""What every number on the page rests on: stamps and settings, in words, beside the leaderboard."""

import pandas as pd

from quant_assets.core.venues import Venue, format_duration
from quant_assets.reporting.formats import MISSING, basis_points, count, day, money, percent, ratio
from quant_assets.reporting.performance import Performance

Fact = tuple[str, str]

_MODES = {
    "carry": "carry: holdings are carried from window to window",
    "independent": "independent: each window starts flat, in cash",
}
_FILLS = {
    "next_open": "open of the first bar at or after the decision",
    "next_close": "close of the first bar at or after the decision",
}
_ADJUSTMENTS = {
    "none": "as published, not adjusted",
    "splits": "adjusted for splits",
    "total_return": "adjusted for splits and dividends (total return)",
}


def assumption_facts(
    venue: Venue, mode: str, performance: Performance | None, reference_returns: pd.DataFrame
) -> list[Fact]:
    """Pairs of term and text, in reading order."""
    return [
        *_execution(venue, mode),
        *_limits(venue),
        *_data(venue),
        *_references(venue, performance, reference_returns),
    ]


def _execution(venue: Venue, mode: str) -> list[Fact]:
    costs, market = venue.simulation, venue.market
    lot = "fractional" if costs.lot_size == 0 else f"lots of {costs.lot_size:g}"
    return [
        ("Initial equity", money(costs.initial_equity, market.currency)),
        ("Fees", f"{basis_points(costs.fee_bps)} per side"),
        ("Slippage", f"{basis_points(costs.slippage_bps)} per side"),
        ("Fills", _FILLS[costs.fill]),
        ("Quantities", lot),
        ("Cash earns", f"{percent(costs.cash_rate, 2)} a year"),
        ("Mode", _MODES.get(mode, mode)),
    ]


def _limits(venue: Venue) -> list[Fact]:
    rules = venue.optimization
    limit = rules.max_turnover
    turnover = "none" if limit is None else f"≤ {percent(limit, 0)} two-way a window"
    return [
        (
            "Weight limits",
            f"{percent(rules.min_weight, 0)} to {percent(rules.max_weight, 0)} a name",
        ),
        (
            "Budget and gross",
            f"{percent(rules.budget, 0)} net, ≤ {percent(rules.max_gross, 0)} gross",
        ),
        ("Turnover limit", turnover),
    ]


def _data(venue: Venue) -> list[Fact]:
    market = venue.market
    known = market.publication_delay
    delay = f"{format_duration(known)} after the bar" if known else "at the bar's close"
    lag = format_duration(market.decision_lag) if market.decision_lag else "no lag"
    names = (
        "survivors only: names that still exist today" if market.survivors_only else "point in time"
    )
    return [
        ("Bars", f"{format_duration(market.bar_length)}, calendar {market.calendar}"),
        ("Known", f"{delay}; decisions with {lag}"),
        ("Prices", _ADJUSTMENTS[market.price_adjustment]),
        ("Universe", names),
        ("Funding", market.funding.replace("_", " ")),
    ]


def _references(
    venue: Venue, performance: Performance | None, reference_returns: pd.DataFrame
) -> list[Fact]:
    benchmark = venue.reference.benchmark or "none"
    risk_free = venue.reference.risk_free or "none, taken as 0"
    if performance is not None:
        n_bars = len(performance.ts)
        if venue.reference.benchmark and performance.missing_benchmark:
            benchmark += f"; {count(performance.missing_benchmark)} of {count(n_bars)} bars missing"
        if venue.reference.risk_free:
            share = float(performance.assumed.mean())
            risk_free += f"; {percent(share, 1)} of bars assumed{_since(reference_returns)}"
    year = f"{count(venue.market.bars_per_year)} bars a year"
    if performance is not None and performance.is_long:
        year += f" ({ratio(_observed_bars_per_year(performance), 1)} observed)"
    return [("Benchmark", benchmark), ("Risk-free", risk_free), ("Annualised with", year)]


def _since(reference_returns: pd.DataFrame) -> str:
    """First day of an assumed risk-free value."""
    rows = reference_returns.loc[
        (reference_returns["role"] == "risk_free") & reference_returns["assumed"].eq(True)
    ]
    return "" if rows.empty else f" (first {day(rows['ts'].min())})"


def _observed_bars_per_year(performance: Performance) -> float:
    seconds = (performance.ts[-1] - performance.ts[0]).total_seconds()
    return (len(performance.ts) - 1) * 365.25 * 86_400 / seconds


def ranking_note(window_metrics: pd.DataFrame) -> str:
    """Which windows the leaderboard ranks, and which are only shown."""
    windows = window_metrics.drop_duplicates("ts")
    whole = int((~windows["partial"].astype(bool)).sum())
    short = [day(moment) for moment in windows.loc[windows["partial"].astype(bool), "ts"]]
    note = f"{count(whole)} whole windows are ranked."
    if short:
        note += f" The short last window ({', '.join(short)}) is shown but not ranked."
    return note if len(windows) else MISSING
