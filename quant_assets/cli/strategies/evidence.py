"""What a report may say beside the run itself: leak check, fills better and worse."""

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from quant_assets.cli.strategies.running import Prepared
    from quant_assets.quant.leaks.report import LeakReport


def leak_report(made: "Prepared") -> "LeakReport":
    """The leak check of signals, plan, orders, fills and equity."""
    from quant_assets.quant.leaks.strategies import check_strategy

    return check_strategy(made.target.strategy, made.found.panel, execution=made.model)


def audited(made: "Prepared") -> pd.DataFrame:
    """The run with better and with worse fills, a row each, index `execution`."""
    from quant_assets.quant.simulation.execution.runs import backtest

    rows = {}
    for name, model in made.model.audit().items():
        result = backtest(
            made.target.strategy,
            made.found.panel,
            model,
            initial_capital=made.capital,
            funding=made.found.funding,
        )
        figures = result.metrics
        rows[name] = {
            "final_equity": result.final_equity,
            "total_return": result.total_return,
            "sharpe_ratio": float(figures["sharpe_ratio"]),
            "max_drawdown": float(figures["max_drawdown"]),
            "n_trades": result.n_trades,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("execution")
