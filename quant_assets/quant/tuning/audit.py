"""The same strategy with better and worse fills, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from quant_assets.quant.analytics.metrics import max_drawdown, sharpe_ratio
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.runs import backtest
from quant_assets.quant.strategies.base import Strategy
from quant_assets.quant.tuning.bench import Execution, execution_model

__all__ = ["FillAudit", "fill_audit"]


@dataclass(frozen=True)
class FillAudit:
    """Runs by name: `optimistic`, `default`, `pessimistic`, see `ExecutionModel.audit`."""

    runs: Mapping[str, BacktestResult]

    def frame(self) -> pd.DataFrame:
        """One row per figure, one column per run."""
        return pd.DataFrame({name: _figures(run) for name, run in self.runs.items()}).rename_axis(
            "figure"
        )

    @property
    def range_of_returns(self) -> float:
        """Total return of the optimistic run less that of the pessimistic one."""
        return self.runs["optimistic"].total_return - self.runs["pessimistic"].total_return

    @property
    def survives(self) -> bool:
        """Whether the strategy earns with pessimistic fills."""
        return self.runs["pessimistic"].total_return > 0.0


def fill_audit(
    strategy: Strategy, bars: BarPanel, execution: Execution = None, **arguments: Any
) -> FillAudit:
    """Run the strategy with optimistic, default and pessimistic fills.

    Commission and carry are those of the execution; what differs is when, where and how much is
    filled, and slippage. arguments : further ones of `backtest`.
    """
    models = execution_model(execution, strategy).audit()
    return FillAudit(
        {name: backtest(strategy, bars, model, **arguments) for name, model in models.items()}
    )


def _figures(run: BacktestResult) -> dict[str, float]:
    returns = run.equity["returns"].to_numpy()
    fills, orders = run.fills, run.orders
    filled = (orders["status"] == "filled").mean() if len(orders) else float("nan")
    return {
        "final_equity": run.final_equity,
        "total_return": run.total_return,
        "sharpe": float(sharpe_ratio(returns, run.periods_per_year)),
        "max_drawdown": float(max_drawdown(returns)),
        "n_trades": float(run.n_trades),
        "n_fills": float(len(fills)),
        "share_of_orders_filled": float(filled),
        "slippage": float(fills["slippage"].sum()),
        "commission": float(fills["commission"].sum()),
    }
