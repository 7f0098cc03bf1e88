"""The leak check as a stage: one verdict on a strategy from a venue's newest bars."""

import numpy as np
import pandas as pd

from quant_assets.contracts.strategy_leaks import StrategyLeaks
from quant_assets.core.context import StrategyContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.leaks.strategies import check_strategy
from quant_assets.quant.leaks.strategy_runs import with_run
from quant_assets.quant.simulation.strategy_windows.reading import (
    bars_of,
    detail_of,
    execution_of,
    funding_of,
    strategy_of,
    with_members,
)

LEAST_BARS, WARM_UPS = 1_000, 4  # bars that are looked at: so many, and so many warm-ups


def strategy_leaks_venue(
    context: StrategyContext,
    telemetry: Telemetry,
    *,
    bars: pd.DataFrame,
    funding: pd.DataFrame,
    universe: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """`StrategyLeaks`: the verdict of `check_strategy` on the newest bars, then its findings.

    The account is checked too: run on bars that end in the middle, see `with_run`.
    A leak is a matter of the code: a few thousand bars show it, and their number bounds the work of
    a venue that grows. Without bars there is no row, and nothing is trusted.
    """
    loaded = strategy_of(context.strategy)
    settlements = funding_of(funding, context.market)
    panel = bars_of(bars, context.market, loaded.settings, funding=settlements)
    panel = with_members(panel, universe, loaded.settings)
    if panel is None:
        return StrategyLeaks.empty()
    strategy = loaded.strategy
    part = panel.rows(slice(-(LEAST_BARS + WARM_UPS * strategy.warm_up), None))
    report = check_strategy(strategy, part)
    report = with_run(
        report,
        strategy,
        part,
        execution_of(loaded, context.market),
        initial_capital=loaded.settings.backtest.initial_capital,
        periods_per_year=context.market.bars_per_year,
        funding=settlements,
        detail=detail_of(bars, context.market, loaded),
    )
    findings = (*report.leaks, *report.unstable)
    telemetry.log_metrics(
        f"leaks/{strategy.name}",
        {"trusted": float(report.trusted), "rows": float(len(part)), "cost": report.cost},
    )
    n = 1 + len(findings)
    stamps = pd.DatetimeIndex(part.ts[[0, -1]], tz="UTC")
    return pd.DataFrame(
        {
            "strategy_name": pd.array([loaded.settings.strategy] * n, dtype="str"),
            "finding": np.arange(n),
            "verdict": pd.array([report.verdict] * n, dtype="str"),
            "trusted": np.full(n, report.trusted),
            "output": pd.array(["", *(one.output for one in findings)], dtype="str"),
            "probe": pd.array(["", *(one.probe for one in findings)], dtype="str"),
            "text": pd.array([str(report), *map(str, findings)], dtype="str"),
            "n_rows": np.full(n, len(part)),
            "first_ts": stamps[[0] * n],
            "last_ts": stamps[[1] * n],
        }
    )
