"""Parameters from daily bars of one stock: tried, judged, walked forward, and reported.

PRICES is a CSV file with Date, Open, High, Low, Close and Volume, as Yahoo Finance exports it.
The report is one HTML file that needs no network.

    python examples/tune_and_walk_forward.py PRICES.csv report.html
"""

import sys
from datetime import timedelta
from pathlib import Path

import pandas as pd

from quant_assets import backtest
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.model_selection.walk_forward import WalkForward
from quant_assets.quant.strategies import param_yaml
from quant_assets.quant.strategies.classic import MovingAverageCross
from quant_assets.quant.tuning import overfitting_scores, tune, walk_forward
from quant_assets.reporting.strategy.inputs import RunFacts, StrategyReport
from quant_assets.reporting.strategy.report import render_strategy_report

SPACE = {"fast": [5, 10, 20], "slow": [40, 60, 100]}


def read(path: Path) -> BarPanel:
    """Daily bars of the file; its name is the symbol."""
    table = pd.read_csv(path, parse_dates=["Date"]).sort_values("Date")
    fields = {name.lower(): table[name].to_numpy("float64") for name in table.columns[1:5]}
    return BarPanel.from_arrays(
        table["Date"].to_numpy(), (path.name.split(".")[0],), timedelta(days=1), **fields
    )


def main(prices: Path, page: Path) -> None:
    """Search on the whole history, then choose window by window, and write the report."""
    bars = read(prices)
    trials = tune(MovingAverageCross, SPACE, bars)
    scores = overfitting_scores(trials)
    best = trials.best
    print(f"best of {len(trials)} trials: {best.params}, Sharpe {best.value:.2f}")
    deflated = scores.frame.set_index("trial_number").loc[best.number, "dsr"]
    print(f"after {len(trials)} trials it exceeds luck with probability {deflated:.2f}")
    walked = walk_forward(MovingAverageCross, SPACE, bars, WalkForward(500, 125))
    frame = walked.frame()
    print(frame[["test_start", "optimal_params", "is_metrics", "oos_metrics"]].to_string())
    print(f"out of sample over {len(frame)} windows: Sharpe {walked.oos_value:.2f}")
    strategy = MovingAverageCross(**best.params)
    result = backtest(strategy, bars, benchmark=bars.symbols[0])
    facts = RunFacts(
        name=strategy.name,
        version=strategy.version,
        source="examples/tune_and_walk_forward.py",
        universe=prices.name,
        bar_length="1d",
        parameters=param_yaml(strategy),
        hashes={"result": result.hash()},
        warm_up=strategy.warm_up,
        benchmark=f"{bars.symbols[0]}, held",
    )
    windows = frame.rename(
        columns={
            "is_metrics": "in_sample",
            "oos_metrics": "out_of_sample",
            "optimal_params": "parameters",
        }
    ).assign(degradation=frame["degradation_pct"] / 100.0)
    report = StrategyReport(
        facts=facts,
        result=result,
        strategy=strategy,
        trials=trials.frame(),
        objective="sharpe",
        walk_forward=windows,
        walk_objective="sharpe",
        walk_equity=walked.equity[["equity", "window"]],
    )
    page.write_text(render_strategy_report(report), encoding="utf-8")
    print(f"{page.name}: {result.n_trades} trades")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
