"""Titles, captions and 'missing' notices of the sections, in the order of the page."""

from quant_assets.reporting.assumptions import ranking_note
from quant_assets.reporting.charts import SHOWN_SYMBOLS, SMOOTHING_WINDOWS
from quant_assets.reporting.formats import count, plural
from quant_assets.reporting.inputs import TearSheetInputs
from quant_assets.reporting.might_have_been import bands_note
from quant_assets.reporting.page import Section
from quant_assets.reporting.performance import Performance


def sections(inputs: TearSheetInputs, performance: Performance | None) -> dict[str, Section]:
    """Every section by element id; `missing` says what is absent and where it comes from."""
    focus = performance.focus if performance else "champion"
    return {
        **_results(inputs, performance, focus),
        **_behaviour(inputs, performance, focus),
        **_decisions(inputs, focus),
    }


def _absent(frame_is_empty: bool, asset: str, what: str) -> str:
    return f"Nothing to show: {asset} has no rows yet, so {what}." if frame_is_empty else ""


def _results(
    inputs: TearSheetInputs, performance: Performance | None, focus: str
) -> dict[str, Section]:
    unranked = inputs.tournament.empty
    no_focus = not unranked and not (inputs.tournament["entrant"] == focus).any()
    headline_missing = _absent(unranked, "tournament", "no window has been ranked")
    if no_focus:
        headline_missing = (
            f"The entrant {focus} is not in the tournament, so it has no headline numbers."
        )
    ranking = "Net of costs unless it says gross. Click a heading to sort. "
    return {
        "summary": Section("Summary", "Summary", missing=headline_missing),
        "assumptions": Section("Assumptions", "Assumptions", "What every number below rests on."),
        "leaderboard": Section(
            "Leaderboard",
            "Leaderboard",
            "" if unranked else ranking + ranking_note(inputs.window_metrics),
            _absent(unranked, "tournament", "there is no ranking"),
        ),
        "luck": Section(
            "Luck",
            "Luck",
            ""
            if inputs.overfitting.empty
            else "What the records prove when every trial of the venue's ledger counts, also the "
            "discarded ones. PSR: probability that the true Sharpe ratio exceeds 0. DSR: that it "
            "exceeds what the best of all trials shows without skill; 95 % or more is convincing.",
            _absent(inputs.overfitting.empty, "overfitting", "luck has not been judged"),
        ),
        "might-have-been": Section(
            "What might have been",
            "Might have been",
            bands_note(inputs.monte_carlo, focus),
            _absent(inputs.monte_carlo.empty, "monte_carlo", "no history has been resampled"),
        ),
        "equity": _equity_section(performance, focus),
    }


def _equity_section(performance: Performance | None, focus: str) -> Section:
    title = "Growth and drawdown"
    if performance is None:
        return Section(title, "Growth", missing=_absent(True, "equity", "there are no returns"))
    against = "the benchmark" if performance.has_benchmark else "no benchmark: it has no returns"
    note = (
        f"Compounded net returns of {focus} and {against}, one point a day; the other entrants one "
        "point a week, faint. Below: loss from the last peak. All bars are shown, a short last "
        "window included."
    )
    if performance.has_benchmark and performance.missing_benchmark:
        note += (
            f" The benchmark lacks {plural(performance.missing_benchmark, 'bar')}, shown as flat."
        )
    return Section(title, "Growth", note)


def _behaviour(
    inputs: TearSheetInputs, performance: Performance | None, focus: str
) -> dict[str, Section]:
    bars, per_year = inputs.venue.reporting.rolling_bars, inputs.venue.market.bars_per_year
    none = performance is None
    returns = _absent(none, "equity", "there are no returns")
    few = performance is not None and len(performance.ts) < bars
    short = f"Fewer than {plural(bars, 'bar')}: too few for one rolling value." if few else ""
    return {
        "monthly": Section(
            "Monthly returns",
            "Monthly",
            ""
            if none
            else f"Net returns of {focus} by calendar month, UTC, in per cent; a month that "
            "is not complete counts as far as it goes. Excess is the difference of the two.",
            returns,
        ),
        "rolling": Section(
            "Rolling Sharpe ratio",
            "Rolling Sharpe",
            ""
            if none
            else f"Over {plural(bars, 'bar')}, excess over the risk-free rate, annualised "
            f"with {count(per_year)} bars a year.",
            returns or short,
        ),
        "drawdowns": Section(
            "Worst drawdowns",
            "Drawdowns",
            "" if none else f"The five deepest of {focus}, net. Length counts bars under water.",
            returns,
        ),
        "all-figures": Section(
            "All figures",
            "All figures",
            ""
            if none
            else f"Net returns of {focus} and of the benchmark on all bars, annualised with "
            f"{count(per_year)} bars a year; bars without a return are left out. In the formulas r "
            "is the return, m the benchmark's, x and b the same over the risk-free rate rf, d the "
            "loss from the last peak, ppy the bars a year, q5 the 5 % percentile.",
            returns,
        ),
        "costs": Section(
            "Turnover and costs",
            "Costs",
            ""
            if inputs.window_metrics.empty
            else f"Each window of {focus}. Turnover is two-way, a "
            "fraction of equity; costs are the gross minus the net return. A short window is pale."
            + _fills_note(inputs, focus),
            _absent(inputs.window_metrics.empty, "window_metrics", "turnover is unknown"),
        ),
    }


def _fills_note(inputs: TearSheetInputs, focus: str) -> str:
    if inputs.fills is None or inputs.fills.empty:
        return ""
    return f" {plural(int((inputs.fills['entrant'] == focus).sum()), 'fill')} in all."


def _decisions(inputs: TearSheetInputs, focus: str) -> dict[str, Section]:
    weights, clusters = inputs.portfolio_weights.empty, inputs.candidate_clusters.empty
    targets, metrics = inputs.target_weights.empty, inputs.signal_metrics.empty
    return {
        "weights": Section(
            "Weights",
            "Weights",
            ""
            if weights
            else f"Hardened weights of {focus} at each decision; the {SHOWN_SYMBOLS} "
            "largest symbols on average have their own area.",
            _absent(weights, "portfolio_weights", "nothing was held"),
        ),
        "clusters": Section(
            "Clusters",
            "Clusters",
            ""
            if clusters
            else "Candidates of the newest decision by cluster, with what the newest "
            f"portfolio of {focus} holds. Darker = more correlated with the rest of its cluster.",
            _absent(clusters, "candidate_clusters", "there is no map"),
        ),
        "signals": Section(
            "Signal quality",
            "Signals",
            ""
            if metrics
            else "Rank correlation of each signal with the returns of the window it was "
            f"made for; lines are means of the last {SMOOTHING_WINDOWS} windows. The t-statistic "
            "takes windows as independent: they do not overlap.",
            _absent(metrics, "signal_metrics", "no signal has been judged"),
        ),
        "entrants": Section(
            "Solvers and fallbacks",
            "Solvers",
            ""
            if targets
            else "One solve per entrant and window. A fallback replaces a solution that "
            "was not optimal, and is counted here.",
            _absent(targets, "target_weights", "nothing was solved"),
        ),
        "provenance": Section(
            "Provenance",
            "Provenance",
            "The page is a pure function of these inputs: the same digests give the same bytes.",
            ""
            if inputs.provenance.assets
            else "Nothing to show: no digests of the inputs were given.",
        ),
    }
