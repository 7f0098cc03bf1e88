"""Titles, captions and 'missing' notices of the report's sections, in the order of the page."""

from collections.abc import Mapping

import numpy as np

from quant_assets.reporting.formats import count, percent, plural, ratio
from quant_assets.reporting.page import Section
from quant_assets.reporting.strategy.inputs import StrategyReport
from quant_assets.reporting.strategy.price_chart import MOST_SYMBOLS
from quant_assets.reporting.strategy.tables import MOST_ROWS

NOT_DONE = "{what}. The command is: quant-assets strategy {command}"


def sections(report: StrategyReport, figures: Mapping[str, float]) -> dict[str, Section]:
    """Every section by element id; `missing` says what is absent and what makes it."""
    evidence = _evidence(report)
    absent = any(section.missing for section in evidence.values())
    return {
        **_what_happened(report, figures),
        **{name: section for name, section in evidence.items() if not section.missing},
        **({"not-done": Section("Not looked into", "Not looked into")} if absent else {}),
        "all-figures": Section(
            "All figures",
            "All figures",
            f"Net returns per bar, annualised with {ratio(report.result.periods_per_year, 1)} bars "
            "a year, over a risk-free rate of 0.",
        ),
        "provenance": Section(
            "Provenance",
            "Provenance",
            "The page is a pure function of what these hashes cover. In a notebook, "
            "quant_assets.backtest(strategy, bars, …).hash() gives the last one.",
        ),
    }


def not_done(report: StrategyReport) -> list[tuple[str, str]]:
    """Title and notice of each kind of evidence that is absent."""
    found = _evidence(report).values()
    return [(section.title, section.missing) for section in found if section.missing]


def _what_happened(report: StrategyReport, figures: Mapping[str, float]) -> dict[str, Section]:
    result = report.result
    n = len(result.trades)
    none = "" if n else "Nothing to show: no order was filled."
    return {
        "summary": Section("Summary", "Summary"),
        "assumptions": Section("Assumptions", "Assumptions", "What every number below rests on."),
        "leaks": _leaks(report),
        "price": Section(
            "Price and trades",
            "Price",
            f"The {plural(MOST_SYMBOLS, 'symbol')} that earned or lost most can be chosen."
            if len(result.preparation.symbols) > MOST_SYMBOLS
            else "",
        ),
        "equity": Section(
            "Equity and drawdown",
            "Equity",
            "Marked at each close, net of all costs." + _against(report),
        ),
        "monthly": Section(
            "Monthly returns",
            "Monthly",
            "By calendar month, UTC, in per cent; an incomplete month counts as far as it goes.",
        ),
        "trades": Section("Trades", "Trades", _trades_note(n, figures), none),
        "excursions": Section(
            "Best and worst moments",
            "MAE / MFE",
            "How far each trade went against it and for it while it was open, and what it made in "
            "the end, in per cent of the entry price. Open trades are marked at the last close."
            if n
            else "",
            none,
        ),
        "exposure": Section(
            "Exposure",
            "Exposure",
            f"Positions over equity at each close: {percent(figures['mean_gross'])} gross on "
            f"average, at most {percent(figures['most_gross'])}. Heat is what would be lost if "
            "every stop were met.",
        ),
        "costs": Section(
            "Costs", "Costs", "From what prices alone gave to the change of equity; it adds up."
        ),
        "symbols": Section("Symbols", "Symbols", "Sums over the trades of each, open ones too."),
    }


def _against(report: StrategyReport) -> str:
    """What the benchmark made meanwhile."""
    result = report.result
    if result.benchmark is None:
        return ""
    returns = result.benchmark[result.first_bar : result.last_bar]
    grown = float(np.prod(1.0 + np.nan_to_num(returns)) - 1.0)
    beta, alpha = (float(result.metrics[name]) for name in ("beta", "jensen_alpha"))
    return (
        f" The benchmark, {report.facts.benchmark or 'as given'}, made "
        f"{percent(grown, 1, sign=True)} meanwhile, without costs: beta {ratio(beta)}, alpha "
        f"{percent(alpha, 1, sign=True)} a year."
    )


def _trades_note(n: int, figures: Mapping[str, float]) -> str:
    if not n:
        return ""
    note = f"All {plural(n, 'trade')}, from flat to flat or to the other side, net of costs. "
    if n > MOST_ROWS:
        note = f"The last {count(MOST_ROWS)} of {plural(n, 'trade')}, net of costs. "
    gaps = int(figures["gap_trades"])
    if gaps == 0:
        return note + "None was held over bars that are missing: no profit comes from gaps."
    return note + (
        f"Gap profit: {plural(gaps, 'trade')} held over bars that are missing made "
        f"{ratio(figures['gap_profit'], 2)}, {percent(figures['gap_share'])} of all profit; "
        "prices inside a gap are not known, so neither is that a stop would have held."
    )


def _leaks(report: StrategyReport) -> Section:
    title = "Leak check"
    found = report.leaks
    if found is None:
        what = NOT_DONE.format(
            what="Nothing to show: it was not run for this page", command="report"
        )
        return Section(title, title, missing=what)
    told = {
        "trusted": "Trusted: decisions, orders and fills stay the same whatever comes after them.",
        "leak": "Leak: something depends on bars that were not known. No figure here is reachable.",
        "not_deterministic": "Not deterministic: the same bars gave different results.",
        "undecided": "Undecided: nothing was decided on the rows that were compared.",
    }[found.verdict]
    probes = ", ".join(sorted({probe.split()[0] for probe in found.probes}))
    return Section(
        title,
        title,
        f"{told} {plural(len(found.outputs), 'output')} over {count(found.n_rows)} bars were "
        f"compared in {plural(len(found.probes), 'probe')}: {probes}.",
    )


def _evidence(report: StrategyReport) -> dict[str, Section]:
    def absent(value: object, what: str, command: str) -> str:
        return NOT_DONE.format(what=what, command=command) if value is None else ""

    return {
        "audit": Section(
            "Better and worse fills",
            "Fill audit",
            "The same decisions, with limits on a touch and no slippage, as assumed, and with "
            "latency, a participation cap and 5 bps more."
            if report.audit is not None
            else "",
            absent(report.audit, "Fills were not audited", "audit"),
        ),
        "parameters": Section(
            "Parameters",
            "Parameters",
            f"{_named(report.objective)} of {plural(len(report.trials), 'trial')}, all "
            f"of them counted. {report.scores} Further parameters stand where they were best."
            if report.trials is not None
            else "",
            absent(report.trials, "No other parameters were tried", "sweep"),
        ),
        "walk-forward": Section(
            "Walk-forward",
            "Walk-forward",
            f"{_named(report.walk_objective)}: chosen on training windows, then traded "
            "on the window after them."
            if report.walk_forward is not None
            else "",
            absent(report.walk_forward, "It was not walked forward", "walk-forward"),
        ),
        "survival": Section(
            "Costs it survives",
            "Survival",
            _survival(report),
            absent(_either(report), "No other costs or capital were tried", "costs, or capacity"),
        ),
        "vault": Section(
            "Held-out months",
            "Vault",
            report.vault_note if report.vault is not None else "",
            absent(report.vault, "No months were held out and looked at", "vault"),
        ),
        "diff": Section(
            "Against another run",
            "Diff",
            report.diff_note if report.diff is not None else "",
            absent(report.diff, "It was not taken apart against another run", "diff"),
        ),
        "monte-carlo": Section(
            "What might have been",
            "Monte Carlo",
            report.bands_note if report.bands is not None else "",
            absent(report.bands, "Nothing was resampled", "monte-carlo"),
        ),
    }


def _named(objective: str) -> str:
    return objective.replace("_", " ").capitalize()


def _either(report: StrategyReport) -> object:
    return report.capacity if report.cost_surface is None else report.cost_surface


def _survival(report: StrategyReport) -> str:
    if report.cost_surface is None:
        return report.capacity_note if report.capacity is not None else ""
    text = "Total return with fees and slippage times so much, and with orders that come later. "
    return text + report.capacity_note
