"""Records what vectorbt makes of the cases, where it is installed (its pins do not fit ours).

    python -m quant_assets_tests.quant.simulation.differential.record_vectorbt

writes `vectorbt.json` beside this file: versions; per case the filled orders of each symbol as
[bar, signed quantity, price, fee], and equity at the end of every 250th bar and of the last one.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from quant_assets_tests.quant.simulation.differential import cases

TARGET = Path(__file__).with_name("vectorbt.json")
STEP = 250


def portfolio(name, close, up, down):
    import vectorbt

    costs = {"fees": cases.FEE, "slippage": cases.SLIPPAGE, "init_cash": cases.CASH}
    frame = pd.DataFrame(close, columns=list(cases.SYMBOLS))
    entries, exits = (pd.DataFrame(flags, columns=frame.columns) for flags in (up, down))
    more = {
        "units": {"size": cases.UNITS},
        "all_in": {"size": np.inf},
        "long_short": {
            "size": cases.UNITS,
            "short_entries": exits,
            "upon_opposite_entry": "reverse",
        },
    }[name]
    leave = {} if name == "long_short" else {"exits": exits}
    return vectorbt.Portfolio.from_signals(frame, entries, **leave, price=frame, **more, **costs)


def main():
    close, _ = cases.closes()
    up, down = (cases.shifted(flags) for flags in cases.crosses(close))
    found = {"versions": {name: version(name) for name in ("vectorbt", "skfolio", "numpy")}}
    for name in ("units", "all_in", "long_short"):
        made = portfolio(name, close, up, down)
        records = made.orders.records
        equity = made.value().to_numpy()
        orders = {}
        for j, symbol in enumerate(cases.SYMBOLS):
            own = records[records["col"] == j]
            sign = np.where(own["side"] == 0, 1.0, -1.0)
            columns = (own["idx"], sign * own["size"], own["price"], own["fees"])
            orders[symbol] = [
                [int(bar), *(float(f"{x:.13g}") for x in row)]
                for bar, *row in zip(*columns, strict=True)
            ]
        rows = [*range(STEP - 1, len(close), STEP), len(close) - 1]
        found[name] = {"orders": orders, "rows": rows, "equity": equity[rows].tolist()}
    TARGET.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
