"""The leak check of a strategy's run: its account does not know the bars that follow.

`check_strategy` compares decisions. What becomes of them, orders that wait, stops, costs, funding,
is the account's; here it is run to the middle of the bars, on bars that end there.
"""

from dataclasses import replace
from typing import Any

import pandas as pd

from quant_assets.quant.leaks.memory import Memory
from quant_assets.quant.leaks.parts import changed_values
from quant_assets.quant.leaks.report import Leak, LeakReport
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.base import Strategy

SHARE = 2.0 / 3.0  # of the bars: they and half of them make one run
LEAST_ROWS = 8
CAUSE = "The account knows bars that come later: a price, a cost or a size made from all of them."
PROBE = "run on bars that end in the middle"


def with_run(
    report: LeakReport, strategy: Strategy, bars: BarPanel, execution: Any, **trading: Any
) -> LeakReport:
    """The report, and what a run over some of the bars gives beside one over half of these.

    bars : the newest two thirds of them are looked at, so that both runs cost no more than one over
    all. trading : as `quant_assets.backtest` takes it. Fills and accounts up to the middle must be
    the same to the last bit.
    """
    from quant_assets.quant.simulation.execution.runs import backtest

    part = bars.rows(slice(len(bars) - int(SHARE * len(bars)), None))
    if len(part) < LEAST_ROWS:
        return report
    cut = len(part) // 2
    memory = Memory(strategy)
    try:
        runs = []
        for some in (part, part.rows(slice(0, cut + 1))):
            memory.restore()
            runs.append(backtest(strategy, some, execution, **trading))
    finally:
        memory.restore()
    whole, half = runs
    last = pd.Timestamp(part.ts[cut], tz="UTC")
    pairs = {
        "equity": (whole.equity.iloc[: cut + 1], half.equity),
        "fills": (whole.fills[(whole.fills["ts"] <= last).to_numpy()], half.fills),
    }
    found = []
    for name, (known, again) in pairs.items():
        changed = changed_values(known, again) if len(known) or len(again) else 0
        if changed:
            moment = str(part.ts[cut])
            place = (f"run {name}", "truncated", cut, moment, 0, str(part.ts[0]), "", changed, cut)
            found.append(Leak(*place, f"{known.shape}", f"{again.shape}", CAUSE))
    return replace(report, leaks=(*report.leaks, *found), probes=(*report.probes, PROBE))
