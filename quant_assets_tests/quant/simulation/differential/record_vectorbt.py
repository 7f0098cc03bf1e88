"""Records what vectorbt makes of the cases, where it is installed (its pins do not fit ours).

    python -m quant_assets_tests.quant.simulation.differential.record_vectorbt

writes `vectorbt.json` beside this file: versions; per case the filled orders of each symbol as
[bar, signed quantity, price, fee], and equity at the end of every 250th bar and of the last one;
and `vectorbt_stops.json`: the orders with protective exits, on bars with highs and lows; those of
trailing stops are filled at closes, see `trailed`.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from quant_assets_tests.quant.simulation.differential import cases

TARGET = Path(__file__).with_name("vectorbt.json")
STOPS = Path(__file__).with_name("vectorbt_stops.json")
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


def rows_of(records):
    sign = np.where(records["side"] == 0, 1.0, -1.0)
    columns = (records["idx"], sign * records["size"], records["price"], records["fees"])
    return [
        [int(bar), *(float(f"{x:.13g}") for x in row)] for bar, *row in zip(*columns, strict=True)
    ]


def stopped(symbol, case):
    """Entries at the open, exits at the open or at fractions of the price that was paid."""
    import vectorbt

    bars, (units, stop, target) = cases.real_bars_of(symbol), cases.STOPPED[symbol]
    up, down = (cases.shifted(flags)[:, 0] for flags in cases.crosses(bars["close"][:, None]))
    has_stop, has_target = cases.EXITS[case]
    prices = {name: pd.Series(bars[name]) for name in ("open", "high", "low")}
    return vectorbt.Portfolio.from_signals(
        pd.Series(bars["close"]),
        up,
        down,
        price=prices["open"],
        **prices,
        size=units,
        fees=cases.FEE,
        init_cash=cases.CASH,
        sl_stop=stop if has_stop else np.nan,
        tp_stop=target if has_target else np.nan,
        stop_entry_price="fillprice",
    )


def trailed(symbol):
    """Entries and exits at the close, a trailing stop of the fraction that the stop has.

    A position of the close has no extremes of its first bar: vectorbt leaves those out always.
    """
    import vectorbt

    bars, (units, stop, _) = cases.real_bars_of(symbol), cases.STOPPED[symbol]
    up, down = (cases.shifted(flags)[:, 0] for flags in cases.crosses(bars["close"][:, None]))
    close = pd.Series(bars["close"])
    return vectorbt.Portfolio.from_signals(
        close,
        up,
        down,
        price=close,
        **{name: pd.Series(bars[name]) for name in ("open", "high", "low")},
        size=units,
        fees=cases.FEE,
        init_cash=cases.CASH,
        sl_stop=stop,
        sl_trail=True,
        stop_entry_price="fillprice",
    )


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
            orders[symbol] = rows_of(own)
        rows = [*range(STEP - 1, len(close), STEP), len(close) - 1]
        found[name] = {"orders": orders, "rows": rows, "equity": equity[rows].tolist()}
    TARGET.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")

    versions = {name: version(name) for name in ("vectorbt", "backtesting", "numpy")}
    orders = {
        f"{symbol} {case}": rows_of(stopped(symbol, case).orders.records)
        for symbol in cases.STOPPED
        for case in cases.EXITS
    }
    trails = {symbol: rows_of(trailed(symbol).orders.records) for symbol in cases.STOPPED}
    found = {"versions": versions, "orders": orders, "trailing": trails}
    STOPS.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
