"""The account between two windows as rows of `StrategyState`, and as an account again.

Bars are counted from the first of the run, however few of them a window reads, so that the state
does not depend on where the run was cut. Symbols that were never traded are as in a new account,
and left out.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.strategy_state import StrategyState
from quant_assets.core.errors import DataError
from quant_assets.quant.market.bars import instants, microseconds
from quant_assets.quant.simulation.execution.book import N_CODE, N_FLAGS, N_ORDER, N_SYMBOL
from quant_assets.quant.simulation.execution.carried import LOG_COUNTERS, SYMBOL_BARS, Carried
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    BAR,
    C_ACTIVE,
    C_DECIDED,
    C_EXPIRES,
    C_LEAVES,
    C_SYMBOL,
    EVENT,
    HALT_SINCE,
    LAST_TRADE,
    NEVER,
)
from quant_assets.quant.simulation.execution.preparation import new_book
from quant_assets.quant.simulation.execution.results import BacktestResult

HIGHEST, LAST_TS = 0, 1  # fields of the part `run`
RATE, AVAILABLE, SETTLED = 0, 1, 2  # fields of the part `funding`
ORDER_BARS = [C_DECIDED, C_ACTIVE, C_EXPIRES, C_LEAVES]
ENTRY_TIMES, ENTRY_NUMBERS, ENTRY_TEXTS = (
    ("decided_ts", "entry_ts"),
    ("volatility_at_entry", "volume_at_entry", "regime_confidence"),
    ("entry_signal", "regime_at_entry"),
)
ENTRY = (*ENTRY_TIMES, *ENTRY_NUMBERS, *ENTRY_TEXTS)
BOOK = ("symbols", "flags", "held", "orders", "codes")
Numbers = npt.NDArray[Any]
Row = tuple[str, str, int, int, float, str]
NO_FUNDING = pd.DataFrame(
    {
        "ts": pd.DatetimeIndex([], tz="UTC").as_unit("us"),
        "available_at": pd.DatetimeIndex([], tz="UTC").as_unit("us"),
        "symbol": pd.array([], dtype="str"),
        "rate": np.empty(0),
    }
)


@dataclass(frozen=True)
class Standing:
    """What a window knows of the run before it, beside the account.

    bar : bars of the run so far. oldest : the one that decided the oldest open order, else `bar`.
    symbols : that were listed so far. timeframes : longer bars so far, by name. funding : the last
    settlements that were known, and those that were not yet.
    """

    bar: int = 0
    oldest: int = 0
    symbols: tuple[str, ...] = ()
    timeframes: Mapping[str, int] = field(default_factory=dict)
    funding: pd.DataFrame = field(default_factory=lambda: NO_FUNDING)

    @classmethod
    def of(cls, state: pd.DataFrame) -> "Standing":
        """As a state tells; an empty one is the start of a run."""
        if state.empty:
            return cls()
        parts = {str(part): rows for part, rows in state.groupby("part", sort=False)}
        nothing = state.iloc[:0]
        bar = _fields(parts["counters"])[BAR]
        codes = parts.get("codes", nothing)
        decided = codes.loc[codes["field"] == C_DECIDED, "value"].min()
        longer = parts.get("timeframes", nothing)
        return cls(
            int(bar),
            int(bar if np.isnan(decided) else decided),
            tuple(parts.get("listed", nothing)["symbol"]),
            dict(zip(longer["symbol"], longer["value"].astype(np.int64), strict=True)),
            _settlements(parts.get("funding", nothing)),
        )


def _fields(rows: pd.DataFrame) -> Numbers:
    return np.asarray(rows.sort_values("field")["value"].to_numpy())


def _settlements(rows: pd.DataFrame) -> pd.DataFrame:
    if rows.empty:
        return NO_FUNDING
    rate, known, settled = (rows[rows["field"] == at] for at in (RATE, AVAILABLE, SETTLED))
    return pd.DataFrame(
        {
            "ts": _moments(settled["value"]),
            "available_at": _moments(known["value"]),
            "symbol": rate["symbol"].to_numpy(dtype=object),
            "rate": rate["value"].to_numpy(dtype=np.float64),
        }
    ).astype({"symbol": "str"})


def _moments(values: "pd.Series[Any]") -> pd.DatetimeIndex:
    known = values.to_numpy()
    stamps = np.where(np.isnan(known), np.iinfo(np.int64).min, np.nan_to_num(known))
    return pd.DatetimeIndex(stamps.astype(np.int64).view("datetime64[us]"), tz="UTC")


def with_earlier(funding: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Settlements, and those that the window before knew last; each once."""
    both = pd.concat([earlier, funding], ignore_index=True)
    return both.drop_duplicates(["symbol", "ts"], keep="last").reset_index(drop=True)


def last_known(funding: pd.DataFrame | None, moment: np.datetime64) -> pd.DataFrame:
    """The last settlement of each symbol that was known at a moment, and those known later."""
    if funding is None or funding.empty:
        return NO_FUNDING
    rows = funding.sort_values(["symbol", "available_at", "ts"])
    known = rows["available_at"] <= pd.Timestamp(moment, tz="UTC")
    last = ~rows[known].duplicated("symbol", keep="last")
    kept = ~known
    kept[last.index[last]] = True
    return rows.loc[kept, list(NO_FUNDING.columns)].reset_index(drop=True)


def state_frame(
    result: BacktestResult, strategy: str, standing: Standing, *, skipped: int = 0
) -> pd.DataFrame:
    """Rows of `StrategyState`: what stands at the end of a run.

    standing : symbols, longer bars and settlements by its end. skipped : bars of the run before
    those of the result.
    """
    bars = result.preparation.bars
    rows = [*_book_rows(result, skipped), *_trade_rows(result), *_standing_rows(standing)]
    columns = list(zip(*sorted(rows, key=lambda row: row[:4]), strict=True))
    n = len(rows)
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
            "text": pd.array(columns[5], dtype="str"),
        }
    )


def moved(state: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    """The same state at the start of a window that has no bars."""
    stamp = pd.Series(pd.Timestamp(moment), index=state.index).astype("datetime64[us, UTC]")
    return state.assign(ts=stamp, available_at=stamp)


def _book_rows(result: BacktestResult, skipped: int) -> Iterator[Row]:
    """Part, symbol, row, field, value and text of the account, positions and orders."""
    carried, names = result.carried(), result.preparation.symbols
    fresh = new_book(result.preparation.market, 0.0)
    last = int(microseconds(np.array([carried.last_ts]))[0])
    yield ("run", "", 0, HIGHEST, _number(carried.highest), "")
    yield ("run", "", 0, LAST_TS, _number(last), "")
    counters, flags, codes = carried.counters.copy(), carried.flags.copy(), carried.codes.copy()
    counters[[*LOG_COUNTERS, EVENT]] = 0  # places in logs and events, which every run has anew
    begun = result.carried_from is None  # then what never happened is as in a new account
    counters[BAR] += skipped
    counters[HALT_SINCE] += 0 if begun and not counters[HALT_SINCE] else skipped
    flags[:, LAST_TRADE] = fresh.flags[:, LAST_TRADE]
    codes[:, ORDER_BARS] = _later(codes[:, ORDER_BARS], skipped)
    for part, numbers in (("account", carried.account), ("counters", counters)):
        for i, value in enumerate(numbers.tolist()):
            yield (part, "", 0, i, _number(value), "")
    touched = _different(flags, fresh.flags)
    never = begun & (flags == fresh.flags)[:, SYMBOL_BARS]
    bars = flags[:, SYMBOL_BARS]
    flags[:, SYMBOL_BARS] = np.where(never, bars, _later(bars, skipped))
    touched &= _different(flags, fresh.flags)
    touched |= _different(carried.positions, fresh.symbols)
    for at in np.flatnonzero(touched).tolist():
        for part, rows in (("symbols", carried.positions), ("flags", flags)):
            for column, value in enumerate(rows[at].tolist()):
                yield (part, names[at], 0, column, _number(value), "")
    for place, at in enumerate(carried.held.tolist()):
        yield ("held", names[at], place, 0, 1.0, "")
    for slot, own in enumerate(codes):
        name = names[own[C_SYMBOL]]
        for part, row in (("orders", carried.orders[slot]), ("codes", own)):
            for column, value in enumerate(row.tolist()):
                yield (part, name, slot, column, _number(value), "")


def _trade_rows(result: BacktestResult) -> Iterator[Row]:
    """What is known of the entries of open trades: a later window does not have their bars."""
    trades = result.trades
    still = trades[(trades["exit_reason"] == "open").to_numpy()]
    texts = {name: still[name].fillna("").astype(str) for name in ENTRY_TEXTS if name in still}
    for at, (symbol, trade) in enumerate(zip(still["symbol"], still["trade"], strict=True)):
        for column, name in enumerate(ENTRY):
            if name in ENTRY_TEXTS:
                text = texts[name].iloc[at] if name in texts else ""
                yield ("trades", symbol, int(trade), column, math.nan, text)
            elif name in ENTRY_TIMES:
                moment = microseconds(instants(still[name].iloc[at : at + 1]))
                yield ("trades", symbol, int(trade), column, _number(int(moment[0])), "")
            else:
                yield ("trades", symbol, int(trade), column, _number(still[name].iloc[at]), "")


def _standing_rows(standing: Standing) -> Iterator[Row]:
    for symbol in standing.symbols:
        yield ("listed", symbol, 0, 0, 1.0, "")
    for name, count in standing.timeframes.items():
        yield ("timeframes", name, 0, 0, float(count), "")
    rows = standing.funding
    moments = [microseconds(instants(rows[name])).tolist() for name in ("available_at", "ts")]
    before: dict[str, int] = {}
    for symbol, rate, known, ts in zip(rows["symbol"], rows["rate"], *moments, strict=True):
        place = before[symbol] = before.get(symbol, -1) + 1
        for column, value in ((RATE, rate), (AVAILABLE, known), (SETTLED, ts)):
            yield ("funding", symbol, place, column, _number(value), "")


def _later(bars: Numbers, by: int) -> Numbers:
    """Bar numbers counted from earlier on; never stays never."""
    return np.where(np.abs(bars) < NEVER, bars + by, bars)


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
    """The account that a state describes, to go on at bar `first` of the run.

    Raises `DataError` when it stands at another bar: rows of earlier windows came or went.
    """
    StrategyState.check_frame(state, where="carried state")
    parts = {str(part): rows for part, rows in state.groupby("part", sort=False)}
    book = state[state["part"].isin(BOOK)]
    symbols = tuple(sorted(set(book["symbol"])))
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

    account, counters = (_fields(parts[part]) for part in ("account", "counters"))
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
        _open_trades(parts.get("trades", state.iloc[:0])),
        float(run[HIGHEST]),
    )


def _open_trades(rows: pd.DataFrame) -> pd.DataFrame:
    """Open trades with what was known of their entries, as the ledger shows it."""
    found: dict[str, Any] = {"trade": np.sort(rows["row"].unique())}
    for at, name in enumerate(ENTRY):
        own = rows[rows["field"] == at].sort_values("row")
        if name in ENTRY_TEXTS:
            found[name] = own["text"].to_numpy(dtype=object)
        else:
            found[name] = _moments(own["value"]) if name in ENTRY_TIMES else own["value"].to_numpy()
    return pd.DataFrame(found)
