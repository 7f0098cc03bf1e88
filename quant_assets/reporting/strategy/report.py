"""The report of one run of a strategy: one offline HTML file, the same bytes for the same input."""

from typing import Any

import numpy as np
import pandas as pd
import yaml

from quant_assets.reporting.all_figures import figures_table
from quant_assets.reporting.formats import count, day, percent, plural, ratio
from quant_assets.reporting.headline import Headline
from quant_assets.reporting.page import figure_block, script_safe_json
from quant_assets.reporting.performance import Performance
from quant_assets.reporting.strategy import charts, evidence_charts, evidence_tables, tables
from quant_assets.reporting.strategy.headings import not_done, sections
from quant_assets.reporting.strategy.inputs import StrategyReport
from quant_assets.reporting.strategy.page import render
from quant_assets.reporting.strategy.price_chart import (
    MOST_DRAWN,
    bars_per_candle,
    indicator_lines,
    price_figure,
    price_like,
    shown_symbols,
)
from quant_assets.reporting.strategy.trade_figures import trade_figures

Parts = dict[str, Any]
FIGURES = (
    *("equity", "exposure", "costs", "excursions", "parameters", "windows", "walked", "survival"),
    *("capacity", "bands"),
)


def render_strategy_report(report: StrategyReport) -> str:
    """Write the whole page: no wall clock, no random ids, no network; it names what is absent."""
    figures = trade_figures(report.result)
    return render(
        {
            "facts": report.facts,
            "sections": sections(report, figures),
            "not_done": not_done(report),
            "span": _span(report),
            "verdict": _verdict(report),
            "headlines": _headlines(report, figures),
            "stamps": _stamps(report),
            "assumptions": _assumptions(report),
            "execution": yaml.safe_dump(dict(report.facts.execution), sort_keys=True),
            **_prices(report),
            **_figures(report),
            **_tables(report),
        }
    )


def _span(report: StrategyReport) -> list[str]:
    ts, result = report.result.equity.index, report.result
    return [
        f"{day(ts[0])} to {day(ts[-1])}",
        f"{count(result.n_bars)} bars of {report.facts.bar_length}",
        plural(len(result.preparation.symbols), "symbol"),
        f"{result.form} form",
        f"run {report.facts.hashes.get('run', '')[:16]}",
    ]


def _verdict(report: StrategyReport) -> str:
    """One sentence that a reader can repeat."""
    result, metrics = report.result, report.result.metrics
    grown = percent(result.total_return, 1, sign=True)
    closed = plural(result.n_trades, "closed trade")
    sharpe, deepest = float(metrics["sharpe_ratio"]), abs(float(metrics["max_drawdown"]))
    text = (
        f"{report.facts.name} made {grown} net of costs in {closed}, with a Sharpe ratio of "
        f"{ratio(sharpe)} and a worst drawdown of {percent(deepest)}."
    )
    if report.leaks is None:
        return f"{text} It was not checked for look-ahead."
    if report.leaks.trusted:
        return f"{text} The leak check found no look-ahead."
    return f"{text} Do not trust it: the leak check says {report.leaks.verdict.replace('_', ' ')}."


def _headlines(report: StrategyReport, figures: Any) -> list[Headline]:
    metrics, result = report.result.metrics, report.result
    costs = -float(result.costs["amount"].drop(["price_gains", "interest", "funding"]).sum())
    unit = report.facts.currency or "money"
    return [
        Headline("Total return", percent(result.total_return, 2), "", "net of all costs"),
        Headline("CAGR", percent(float(metrics["cagr"]), 2), "", "a year"),
        Headline("Sharpe ratio", ratio(float(metrics["sharpe_ratio"])), "", "a year"),
        Headline("Max drawdown", percent(float(metrics["max_drawdown"])), "", "from peak"),
        Headline("Trades won", percent(figures["win_rate"]), "", f"of {len(result.trades):,}"),
        Headline("Profit factor", ratio(figures["profit_factor"]), "", "gains over losses"),
        Headline("Exposure", percent(figures["exposure"]), "", "of bars with a position"),
        Headline("Costs", count(costs), "", f"{unit}: all but funding"),
    ]


def _stamps(report: StrategyReport) -> list[Parts]:
    found = []
    for text in (*report.facts.stamps, *report.facts.notes):
        head, colon, rest = text.partition(":")
        is_head = bool(colon) and head.isupper()
        parts = {"head": head, "rest": f"{colon}{rest}"}
        found.append(parts if is_head else {"head": "", "rest": text})
    if report.leaks is not None and not report.leaks.trusted:
        found.insert(0, {"head": "NOT TRUSTED", "rest": ": see the leak check"})
    return found


def _assumptions(report: StrategyReport) -> list[tuple[str, str]]:
    facts, result = report.facts, report.result
    model = facts.execution
    named = [
        ("Fills", "fill_model"),
        ("Slippage", "slippage_model"),
        ("Commission", "commission_model"),
        ("Borrow", "borrow_model"),
        ("Funding", "funding_model"),
        ("Margin", "margin_model"),
        ("Lots", "instrument_model"),
    ]
    shown = [(title, _spelled(model[key])) for title, key in named if key in model]
    return [
        ("Initial capital", f"{result.initial_capital:,.2f} {facts.currency}".strip()),
        *shown,
        ("Decisions", "at the close of a bar; fills on a later one"),
        ("Warm-up", f"{plural(facts.warm_up, 'bar')} before the first decision"),
        ("Annualised with", f"{ratio(result.periods_per_year, 1)} bars a year, as observed"),
        ("Source", facts.source),
    ]


def _spelled(model: Any) -> str:
    """`percent, bps 5` of `{percent: {bps: 5}}`."""
    if isinstance(model, list):
        return " + ".join(_spelled(part) for part in model)
    if isinstance(model, dict) and len(model) == 1:
        ((name, parameters),) = model.items()
        plain = [
            f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in (parameters or {}).items()
            if value not in ({}, None, 0, float("inf"))
        ]
        return ", ".join([str(name).replace("_", " "), *plain])
    return str(model)


def _prices(report: StrategyReport) -> Parts:
    """The figure of the first symbol, and those that can be chosen in its place."""
    result, strategy = report.result, report.strategy
    found = indicator_lines(strategy, result.preparation.bars)
    prices = price_like(strategy, result.preparation.bars)
    symbols = shown_symbols(result)
    currency = report.facts.currency
    drawn = [price_figure(result, symbol, currency, found, prices) for symbol in symbols]
    coarse = [bars_per_candle(result, symbol) for symbol in symbols]
    first = drawn[0]
    caption = "Drag to zoom, double-click to see all. "
    if max(coarse) > 1:
        caption += f"A candle holds up to {max(coarse)} bars; entries and exits are exact. "
    if (result.trades["symbol"].value_counts() > MOST_DRAWN).any():
        caption += f"The newest {count(MOST_DRAWN)} trades of a symbol are drawn. "
    if result.preparation.plan.exits is not None:
        caption += "Stops and targets of rules stand at their distance from entry or best price. "
    if any("order" in trace["name"] for figure in drawn for trace in figure["data"]):
        caption += "Orders stand from decision to end, trailing ones at their last level."
    from markupsafe import Markup

    return {
        "price": figure_block("figure-price", first, caption, scale=True),
        "choices": [
            {
                "symbol": symbol,
                "json": Markup(script_safe_json(figure)),  # noqa: S704 - escaped there
            }
            for symbol, figure in zip(symbols, drawn, strict=True)
        ],
        "n_symbols": len(result.preparation.symbols),
    }


def _figures(report: StrategyReport) -> Parts:
    result, currency = report.result, report.facts.currency
    equity, trades = result.equity, result.trades
    made: dict[str, Any] = {
        "equity": charts.equity_figure(
            equity, _benchmark(report), currency, report.facts.benchmark
        ),
        "exposure": charts.exposure_figure(equity),
        "costs": charts.cost_figure(result.costs, currency),
    }
    if len(trades):
        made["excursions"] = charts.excursion_figure(trades)
    if report.trials is not None:
        made["parameters"] = charts.parameter_figure(report.trials, report.objective)
    if report.walk_forward is not None:
        made["windows"] = charts.walk_forward_figure(report.walk_forward, report.walk_objective)
    if report.walk_equity is not None:
        made["walked"] = evidence_charts.walked_figure(
            report.walk_equity, equity["equity"], currency
        )
    if report.cost_surface is not None:
        made["survival"] = evidence_charts.survival_figure(report.cost_surface)
    if report.capacity is not None:
        made["capacity"] = evidence_charts.capacity_figure(report.capacity, currency)
    if report.bands is not None:
        made["bands"] = charts.fan_figure(report.bands, equity["equity"], currency)
    blocks = {
        name: figure_block(f"figure-{name}", figure, scale=name == "equity")
        for name, figure in made.items()
        if figure is not None
    }
    return {"figures": {name: blocks.get(name) for name in FIGURES}}


def _benchmark(report: StrategyReport) -> Any:
    """Returns of the benchmark on the bars that were run, or None."""
    result = report.result
    if result.benchmark is None:
        return None
    return result.benchmark[result.first_bar : result.last_bar]


def _tables(report: StrategyReport) -> Parts:
    result = report.result
    returns = result.equity["returns"].to_numpy(dtype=np.float64)
    ts = pd.DatetimeIndex(result.equity.index)
    trades = tables.trades_table(result.trades)
    return {
        "monthly": tables.monthly_table(returns, ts),
        "trades": trades,
        "filters": _filters(result.trades.tail(tables.MOST_ROWS)),
        "symbols": tables.symbols_table(result.by_symbol),
        "costs": tables.costs_table(result.costs),
        "audit": tables.audit_table(report.audit),
        "leaks": tables.leaks_table(report.leaks),
        "start_up": _start_up(report),
        "monte_carlo": tables.monte_carlo_table(report.monte_carlo),
        "windows": tables.windows_table(report.walk_forward),
        "vault": evidence_tables.vault_table(report.vault),
        "diff": evidence_tables.diff_table(report.diff),
        "hashes": tables.hashes_table(report.facts.hashes),
        "all_figures": figures_table(_performance(report, returns, ts), result.periods_per_year),
    }


def _filters(trades: pd.DataFrame) -> list[Parts]:
    """Choices of each column of the trades table that can be filtered."""
    choices = [
        ("Symbol", 1, sorted(trades["symbol"].astype(str).unique())),
        ("Side", 2, sorted(trades["direction"].astype(str).unique())),
        ("Reason", 7, sorted(str(n).replace("_", " ") for n in trades["exit_reason"].unique())),
    ]
    return [
        {"title": title, "column": column, "values": values} for title, column, values in choices
    ]


def _start_up(report: StrategyReport) -> list[str]:
    """Outputs whose declared warm-up is shorter than what they need."""
    if report.leaks is None:
        return []
    return [
        f"{part.output}: needs {f'more than {part.tried}' if part.needed is None else part.needed} "
        f"bars, declared {part.declared}"
        for part in report.leaks.start_up
        if not part.sufficient
    ]


def _performance(report: StrategyReport, returns: Any, ts: pd.DatetimeIndex) -> Performance:
    n, benchmark = len(ts), _benchmark(report)
    return Performance(
        ts=ts,
        entrants=(report.facts.name,),
        focus=report.facts.name,
        net=returns[:, None],
        benchmark=np.full(n, np.nan) if benchmark is None else benchmark,
        risk_free=np.zeros(n),
        assumed=np.zeros(n, dtype=np.bool_),
    )
