"""What stands where on the tear sheet: the parts that the page template draws."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from quant_assets.quant.analytics.rolling import rolling_sharpe
from quant_assets.reporting.all_figures import figures_table
from quant_assets.reporting.assumptions import assumption_facts
from quant_assets.reporting.charts import (
    bands_figure,
    costs_figure,
    growth_figure,
    rolling_sharpe_figure,
    signals_figure,
    weights_figure,
)
from quant_assets.reporting.decision_tables import (
    SHOWN_HOLDINGS,
    cluster_cards,
    holdings_table,
    newest,
    provenance_table,
    solvers_table,
    traded,
)
from quant_assets.reporting.formats import count, day, plural
from quant_assets.reporting.headings import sections
from quant_assets.reporting.headline import headlines, verdict
from quant_assets.reporting.inputs import TearSheetInputs
from quant_assets.reporting.luck import luck_table, luck_verdict
from quant_assets.reporting.might_have_been import entrants_bands, focus_bands
from quant_assets.reporting.monthly import MONTHS, monthly_heats
from quant_assets.reporting.page import FigureBlock, figure_block
from quant_assets.reporting.performance import CHAMPION, Performance, measure_performance
from quant_assets.reporting.result_tables import (
    costs_table,
    drawdowns_table,
    leaderboard_table,
    signals_table,
)
from quant_assets.reporting.tables import Table


@dataclass(frozen=True)
class Stamp:
    """One assumption that must be seen: its emphasised head, and the rest of the sentence."""

    head: str
    rest: str


@dataclass(frozen=True, eq=False)
class _Sheet:
    """The inputs, and what several sections need of them."""

    inputs: TearSheetInputs

    @cached_property
    def performance(self) -> Performance | None:
        source = self.inputs
        return measure_performance(source.equity, source.reference_returns, source.tournament)

    @property
    def focus(self) -> str:
        return self.performance.focus if self.performance else CHAMPION

    @property
    def currency(self) -> str:
        return self.inputs.venue.market.currency

    def of_focus(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Keep the rows of the entrant shown in detail."""
        return frame.loc[frame["entrant"] == self.focus]

    @cached_property
    def windows(self) -> pd.DataFrame:
        return self.of_focus(self.inputs.window_metrics)

    @cached_property
    def weights(self) -> pd.DataFrame:
        return self.of_focus(self.inputs.portfolio_weights)


def page_parts(inputs: TearSheetInputs) -> dict[str, Any]:
    """All variables of the template."""
    sheet = _Sheet(inputs)
    venue = inputs.venue
    return {
        "title": venue.title,
        "name": venue.name,
        "mode": f"mode {inputs.mode}",
        "description": venue.description,
        "facts": _facts(sheet),
        "sections": sections(inputs, sheet.performance),
        "figures": _figures(sheet),
        "stamps": [_stamp(text) for text in inputs.stamps],
        "assumptions": assumption_facts(
            venue, inputs.mode, sheet.performance, inputs.reference_returns
        ),
        "months": MONTHS,
        "monthly": monthly_heats(sheet.performance) if sheet.performance else [],
        "holdings_title": _holdings_title(sheet.weights),
        "clusters": cluster_cards(inputs.candidate_clusters, sheet.weights),
        "environment": inputs.provenance.environment,
        **_summary(sheet),
        **_tables(sheet),
    }


def _summary(sheet: _Sheet) -> dict[str, Any]:
    inputs = sheet.inputs
    return {
        "verdict": verdict(inputs.tournament, sheet.performance),
        "luck_verdict": luck_verdict(inputs.overfitting, sheet.focus),
        "headlines": headlines(
            inputs.tournament,
            sheet.focus,
            bars_per_year=inputs.venue.market.bars_per_year,
            currency=sheet.currency,
        ),
    }


def _tables(sheet: _Sheet) -> dict[str, Table]:
    inputs = sheet.inputs
    return {
        "leaderboard": leaderboard_table(inputs.tournament, sheet.performance),
        "luck": luck_table(inputs.overfitting, sheet.focus),
        "bands": focus_bands(inputs.monte_carlo, sheet.focus),
        "all_bands": entrants_bands(inputs.monte_carlo, sheet.focus),
        "drawdowns": drawdowns_table(sheet.performance),
        "all_figures": figures_table(sheet.performance, inputs.venue.market.bars_per_year),
        "costs": costs_table(sheet.windows, sheet.currency),
        "holdings": holdings_table(sheet.weights, inputs.candidate_clusters, inputs.alpha_streams),
        "signals": signals_table(inputs.signal_metrics),
        "solvers": solvers_table(inputs.target_weights, inputs.portfolio_weights),
        "provenance": provenance_table(inputs.provenance),
    }


def _figures(sheet: _Sheet) -> dict[str, FigureBlock | None]:
    inputs, performance = sheet.inputs, sheet.performance
    equity = rolling = None
    if performance is not None:
        capital = inputs.venue.simulation.initial_equity
        figure = growth_figure(performance, initial_equity=capital, currency=sheet.currency)
        equity = figure_block("figure-equity", figure, scale=True)
        rolling = _rolling(sheet, performance)
    bands = inputs.monte_carlo.loc[inputs.monte_carlo["figure"] == "sharpe_ratio"]
    last = None if performance is None else performance.ts[-1]
    drawn = {
        "bands": bands_figure(bands, sheet.focus) if len(bands) else None,
        "costs": costs_figure(sheet.windows) if len(sheet.windows) else None,
        "weights": weights_figure(sheet.weights, last) if len(sheet.weights) else None,
        "signals": signals_figure(inputs.signal_metrics) if len(inputs.signal_metrics) else None,
    }
    blocks = {n: figure_block(f"figure-{n}", f) if f else None for n, f in drawn.items()}
    return {"equity": equity, "rolling": rolling, **blocks}


def _rolling(sheet: _Sheet, performance: Performance) -> FigureBlock | None:
    venue = sheet.inputs.venue
    bars, per_year = venue.reporting.rolling_bars, venue.market.bars_per_year
    if len(performance.ts) < bars:
        return None
    named = [(performance.focus, performance.focus_returns)]
    if performance.has_benchmark:
        named.append(("benchmark", performance.benchmark_returns))
    curves = [
        (name, rolling_sharpe(returns, bars, per_year, performance.risk_free))
        for name, returns in named
    ]
    return figure_block(
        "figure-rolling", rolling_sharpe_figure(performance.ts, curves, performance.daily())
    )


def _facts(sheet: _Sheet) -> list[str]:
    performance, market = sheet.performance, sheet.inputs.venue.market
    if performance is None:
        return [market.currency, f"{count(market.bars_per_year)} bars a year"]
    n_windows = sheet.inputs.window_metrics["ts"].nunique()
    return [
        f"{day(performance.ts[0])} to {day(performance.ts[-1])}",
        plural(len(performance.ts), "bar"),
        plural(n_windows, "window"),
        plural(len(performance.entrants), "entrant"),
        f"shown in detail: {performance.focus}",
        market.currency,
    ]


def _stamp(text: str) -> Stamp:
    head, colon, rest = text.partition(":")
    return Stamp(head + colon, rest) if colon else Stamp(text, "")


def _holdings_title(weights: pd.DataFrame) -> str:
    if weights.empty:
        return ""
    first = newest(weights).iloc[0]
    followed = f", following {first['follows']}" if first["follows"] != first["entrant"] else ""
    n_held = len(traded(newest(weights)))
    largest = (
        f"; the {SHOWN_HOLDINGS} largest of {count(n_held)}" if n_held > SHOWN_HOLDINGS else ""
    )
    return f"Holdings decided on {day(first['decided_at'])}{followed}{largest}"
