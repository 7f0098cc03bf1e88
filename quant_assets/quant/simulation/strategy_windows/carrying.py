"""The account between two windows as rows of `StrategyState`, and as an account again.

Every window of a run reads the whole history, so that a bar has the same number in all of them, and
a run that goes on is the run that was never interrupted. Symbols that were never traded are as in a
new account, and left out.
"""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.strategy_state import StrategyState
from quant_assets.core.errors import DataError
from quant_assets.quant.simulation.execution.book import N_CODE, N_FLAGS, N_ORDER, N_SYMBOL
from quant_assets.quant.simulation.execution.carried import (
    BAR,
    C_SYMBOL,
    EVENT,
    LAST_TRADE,
    LOG_COUNTERS,
    Carried,
)
from quant_assets.quant.simulation.execution.preparation import new_book
from quant_assets.quant.simulation.execution.results import BacktestResult

HIGHEST, LAST_TS = 0, 1  # fields of the part `run`
Numbers = npt.NDArray[Any]
Row = tuple[str, str, int, int, float]
NO_TRADES = pd.DataFrame({"trade": np.empty(0, dtype=np.int64)})  # the history shows them all


def state_frame(result: BacktestResult, strategy: str) -> pd.DataFrame:
    """Rows of `StrategyState`: what stands at the end of a run."""
    bars = result.preparation.bars
    columns = list(zip(*sorted(_rows(result)), strict=True))
    n = len(columns[0])
    stamps = {"ts": bars.ts[-1], "available_at": bars.available_at[-1]}
    return pd.DataFrame(
        {
            **{k: pd.DatetimeIndex([v], tz="UTC").repeat(n) for k, v in stamps.items()},
            "strategy_name": pd.array([strategy] * n, dtype="str"),
            "part": pd.array(columns[0], dtype="str"),
            "symbol": pd.array(columns[1], dtype="str"),
            "row": np.array(columns[2], dtype=np.int64),
            "field": np.array(columns[3], dtype=np.int64),
            "value": np.array(columns[4], dtype=np.float64),
        }
    )


def moved(state: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    """The same state at the start of a window that has no bars."""
    stamp = pd.Series(pd.Timestamp(moment), index=state.index).astype("datetime64[us, UTC]")
    return state.assign(ts=stamp, available_at=stamp)


def _rows(result: BacktestResult) -> Iterator[Row]:
    """Part, symbol, row, field and value of all that is carried."""
    carried, names = result.carried(), result.preparation.symbols
    fresh = new_book(result.preparation.market, 0.0)
    yield ("run", "", 0, HIGHEST, _number(carried.highest))
    yield (
        "run",
        "",
        0,
        LAST_TS,
        _number(int(carried.last_ts.astype("datetime64[us]").astype(int))),
    )
    counters, flags = carried.counters.copy(), carried.flags.copy()
    counters[[*LOG_COUNTERS, EVENT]] = 0  # places in logs and events, which every run has anew
    flags[:, LAST_TRADE] = fresh.flags[:, LAST_TRADE]
    for part, numbers in (("account", carried.account), ("counters", counters)):
        yield from ((part, "", 0, i, _number(value)) for i, value in enumerate(numbers.tolist()))
    touched = _different(carried.positions, fresh.symbols) | _different(flags, fresh.flags)
    for at in np.flatnonzero(touched).tolist():
        for part, rows in (("symbols", carried.positions), ("flags", flags)):
            for field, value in enumerate(rows[at].tolist()):
                yield (part, names[at], 0, field, _number(value))
    for place, at in enumerate(carried.held.tolist()):
        yield ("held", names[at], place, 0, 1.0)
    for slot, codes in enumerate(carried.codes):
        name = names[codes[C_SYMBOL]]
        for part, row in (("orders", carried.orders[slot]), ("codes", codes)):
            for field, value in enumerate(row.tolist()):
                yield (part, name, slot, field, _number(value))


def _different(now: Numbers, before: Numbers) -> npt.NDArray[np.bool_]:
    same = (now == before) | (np.isnan(now) & np.isnan(before))
    return np.asarray(~same.all(axis=1))


def _number(value: float) -> float:
    """The number as a float; `DataError` when one cannot hold it."""
    number = float(value)
    if math.isinf(number) or not (math.isnan(number) or number == value):
        raise DataError(f"the account's state holds {value!r}, which a float cannot keep")
    return number


def carried_of(state: pd.DataFrame, first: int) -> Carried:
    """The account that a state describes, to go on at bar `first`.

    Raises `DataError` when it stands at another bar: rows of earlier windows came or went.
    """
    StrategyState.check_frame(state, where="carried state")
    parts = {str(part): rows for part, rows in state.groupby("part", sort=False)}
    symbols = tuple(sorted(set(state["symbol"]) - {""}))
    column = {symbol: at for at, symbol in enumerate(symbols)}

    def dense(part: str, kind: type, width: int) -> Numbers:
        """A table of one part; its rows are symbols, or open orders in their order."""
        rows = parts.get(part)
        if rows is None:
            return np.zeros((0, width), dtype=kind)
        at = rows["row"] if part in ("orders", "codes") else rows["symbol"].map(column)
        table: Numbers = np.zeros((len(rows) // width, width), dtype=kind)
        table[at.to_numpy(dtype=np.int64), rows["field"].to_numpy()] = rows["value"].astype(kind)
        return table

    account, counters = (
        parts[part].sort_values("field")["value"].to_numpy() for part in ("account", "counters")
    )
    if int(counters[BAR]) != first:
        raise DataError(
            f"the state stands at bar {int(counters[BAR])}, the window begins at bar {first}: "
            "rows of earlier windows came or went. Compute those windows again"
        )
    codes = dense("codes", np.int64, N_CODE)
    if len(codes):
        owners = parts["codes"].drop_duplicates("row").sort_values("row")["symbol"]
        codes[:, C_SYMBOL] = owners.map(column)
    held = state[state["part"] == "held"].sort_values("row")["symbol"].map(column)
    run = parts["run"].set_index("field")["value"]
    return Carried(
        np.datetime64(int(run[LAST_TS]), "us"),
        symbols,
        account,
        counters.astype(np.int64),
        dense("symbols", np.float64, N_SYMBOL),
        dense("flags", np.int64, N_FLAGS),
        held.to_numpy(dtype=np.int64),
        dense("orders", np.float64, N_ORDER),
        codes,
        NO_TRADES,
        float(run[HIGHEST]),
    )
