"""What a report may say beside the run itself: leak check, fills better and worse, other luck."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from quant_assets.cli.strategies.running import Prepared
    from quant_assets.quant.leaks.report import LeakReport
    from quant_assets.quant.leaks.trading import Trading
    from quant_assets.quant.simulation.execution.results import BacktestResult

BANDS = {0.9: ("q05", "q95"), 0.5: ("q25", "q75")}
SEED = 0


def leak_report(made: "Prepared") -> "LeakReport":
    """The leak check of signals, plan, orders, fills and equity, on all bars that were read.

    A leak is a matter of the code, wherever the run begins: bars that warm up are traded, too.
    """
    from quant_assets.quant.leaks.strategies import check_strategy

    trading: Trading = made.found.series  # type: ignore[assignment]  # the same names
    return check_strategy(made.target.strategy, made.found.panel, execution=made.model, **trading)


def audited(made: "Prepared") -> pd.DataFrame:
    """The run with better and with worse fills, a row each, index `execution`."""
    from quant_assets.quant.tuning.audit import fill_audit

    found = fill_audit(
        made.target.strategy,
        made.found.panel,
        made.model,
        initial_capital=made.capital,
        **made.found.inputs,
    )
    return found.frame().T.rename_axis("execution")


def resampled(result: "BacktestResult", n_paths: int) -> dict[str, Any]:
    """Fields of the report: bands of equity and figures of runs that might have been."""
    from quant_assets.quant.tuning.resampling import block_bootstrap, skipped_trades, trade_order

    rng = np.random.default_rng(SEED)
    runs = [block_bootstrap(result, n_paths=n_paths, rng=rng)]
    if result.n_trades > 1:
        runs += [
            trade_order(result, n_paths=n_paths, rng=rng),
            skipped_trades(result, n_paths=n_paths, rng=rng),
        ]
    tables = [run.bands(0.9).reset_index().assign(kind=run.kind) for run in runs]
    equity = pd.DatetimeIndex(result.equity.index)
    days = result.equity["equity"].groupby(equity.floor("D")).last().index
    bands = pd.DataFrame(index=days[runs[0].points - 1])
    for level, (low, high) in BANDS.items():
        fan = runs[0].fan(level) * result.initial_capital
        bands[low], bands[high] = fan["lower"].to_numpy(), fan["upper"].to_numpy()
        bands["q50"] = fan["median"].to_numpy()
    note = (
        f"{n_paths:,} histories of the run's own daily returns, drawn in blocks; below, the same "
        "trades in other orders, and with every tenth missed. Bands hold 90 % and 50 % of them."
    )
    return {
        "bands": bands,
        "bands_note": note,
        "monte_carlo": pd.concat(tables, ignore_index=True),
    }
