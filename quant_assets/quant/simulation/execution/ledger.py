"""The logs of a run as frames: orders, fills, trades, equity, refusals.

Every frame is made when it is asked for; the arrays of the book are what is kept.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.simulation.execution.book import (
    CANCELLED_BY,
    DERIVATIVE_FIELDS,
    ENDS,
    FILL_FIELDS,
    KINDS,
    ORDER_FIELDS,
    REASONS,
    ROW_FIELDS,
    RULES,
    STATUSES,
    TRADE_FIELDS,
    VETO_FIELDS,
    Book,
    Floats,
)
from quant_assets.quant.simulation.execution.earnings import returns_of
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    INVERSE,
    N_FILLS,
    N_OPEN,
    N_ORDERS,
    N_TRADES,
    N_VETOES,
)
from quant_assets.quant.simulation.execution.holdings import values_of
from quant_assets.quant.simulation.execution.preparation import Preparation

__all__ = [
    "equity_frame",
    "fill_frame",
    "order_frame",
    "trade_frame",
    "veto_frame",
]

Columns = dict[str, Any]
CARRY = ("borrow", "interest", "funding")
DAY = np.timedelta64(1, "D")
STATUS_OF = np.array([STATUSES.index(status) for status, _ in ENDS], dtype=np.float64)
CAUSE_OF = np.array([CANCELLED_BY.index(cause) for _, cause in ENDS], dtype=np.float64)


def _table(log: Floats, fields: tuple[str, ...], rows: int) -> dict[str, Floats]:
    """Columns of the first `rows` rows of a log."""
    return {name: log[:rows, i] for i, name in enumerate(fields)}


def _whole(values: Floats) -> npt.NDArray[np.int64]:
    return values.astype(np.int64)


def _names(codes: Floats, names: tuple[str, ...]) -> Any:
    """A categorical column."""
    found: Any = pd.Categorical.from_codes(_whole(codes), categories=pd.Index(names))
    return found


def _times(preparation: Preparation, bars: Floats) -> pd.DatetimeIndex:
    """Open times of bars; NaT for those of a window before."""
    ts = preparation.bars.ts[np.maximum(_whole(bars), 0)]
    return pd.DatetimeIndex(np.where(bars < 0.0, np.datetime64("NaT", "us"), ts), tz="UTC")


def _symbols(preparation: Preparation, codes: Floats) -> npt.NDArray[np.object_]:
    return np.array(preparation.symbols, dtype=object)[_whole(codes)]


def fill_frame(preparation: Preparation, book: Book) -> pd.DataFrame:
    """One row per fill, in the order in which they happened.

    `ts` opens the bar of the fill; `quantity` is signed; `slippage` is what the price conceded
    against `reference_price`, of which `impact` depends on size; `penalty` is the liquidation fee.
    Costs are in the account's money.
    """
    log = _table(book.fills, FILL_FIELDS, int(book.counters[N_FILLS]))
    amounts = ("quantity", "reference_price", "price", "commission", "slippage", "impact")
    return pd.DataFrame(
        {
            "ts": _times(preparation, log["bar"]),
            "symbol": _symbols(preparation, log["symbol"]),
            "order": _whole(log["order"]),
            **{name: log[name] for name in (*amounts, "penalty")},
            "reason": _names(log["reason"], REASONS),
            "trade": _whole(log["trade"]),
        }
    )


def order_frame(preparation: Preparation, book: Book, tags: tuple[str, ...]) -> pd.DataFrame:
    """One row per order, by id: what was asked for, what became of it.

    `decided_ts` and `finished_ts` open the bars of its decision and end; those of open orders are
    NaT. An order that is sized when it fills and never did has NaN as its quantity. `cancelled_by`:
    `strategy` (a `Cancel`), `group` (another of its group filled), `decision` (a later signal or
    target took its place), `time_in_force`, `halt`, `nothing_left` (there is no position to close).
    """
    columns = order_columns(book)
    ended = _whole(columns["status"])
    return pd.DataFrame(
        {
            "order": _whole(columns["order"]),
            "symbol": _symbols(preparation, columns["symbol"]),
            "kind": _names(columns["kind"], KINDS),
            "reason": _names(columns["reason"], REASONS),
            "decided_ts": _times(preparation, columns["decided"]),
            "finished_ts": _times(preparation, columns["finished"]),
            **{n: columns[n] for n in ("quantity", "limit", "stop", "filled", "average_price")},
            "status": _names(STATUS_OF[ended], STATUSES),
            "cancelled_by": _names(CAUSE_OF[ended], CANCELLED_BY),
            "group": _whole(columns["group"]),
            "tag": np.array(("", *tags), dtype=object)[_whole(columns["tag"])],
            "strength": columns["strength"],
        }
    )


def order_columns(book: Book) -> dict[str, Floats]:
    """All orders by id, those that are open among them: `ORDER_FIELDS` as the kernel has them."""
    log = _table(book.order_log, ORDER_FIELDS, int(book.counters[N_ORDERS]))
    live = _open_orders(book)
    columns = {name: np.concatenate([log[name], live[name]]) for name in ORDER_FIELDS}
    by_id = np.argsort(columns["order"], kind="stable")
    return {name: values[by_id] for name, values in columns.items()}


def _open_orders(book: Book) -> dict[str, Floats]:
    """Orders that are still in the book, as the log would have them."""
    n = int(book.counters[N_OPEN])
    orders, codes = book.orders[:n], book.codes[:n].astype(np.float64)
    filled = orders[:, 8]
    with np.errstate(invalid="ignore", divide="ignore"):
        average = np.where(filled > 0.0, orders[:, 9] / filled, np.nan)
    return {
        "order": codes[:, 0],
        "symbol": codes[:, 1],
        "kind": codes[:, 2],
        "reason": codes[:, 8],
        "decided": codes[:, 3],
        "finished": np.full(n, -1.0),
        "quantity": orders[:, 1],
        "limit": orders[:, 3],
        "stop": orders[:, 4],
        "filled": codes[:, 9] * filled,
        "average_price": average,
        "status": np.zeros(n),
        "group": codes[:, 6],
        "tag": codes[:, 12],
        "strength": orders[:, 7],
    }


def veto_frame(preparation: Preparation, book: Book) -> pd.DataFrame:
    """What rules refused or cut: bar, symbol, rule, size before and after, order (0: none yet).

    Rules at the decision show the size as the strategy gave it, rules at the fill show units.
    """
    log = _table(book.vetoes, VETO_FIELDS, int(book.counters[N_VETOES]))
    return pd.DataFrame(
        {
            "ts": _times(preparation, log["bar"]),
            "symbol": _symbols(preparation, log["symbol"]),
            "rule": _names(log["rule"], RULES),
            "before": log["before"],
            "after": log["after"],
            "order": _whole(log["order"]),
        }
    )


def trade_log(preparation: Preparation, book: Book) -> dict[str, Floats]:
    """Columns of all trades; one that is open ends at the last bar, marked, with reason `open`."""
    closed = book.trades[: int(book.counters[N_TRADES])]
    columns = {name: closed[:, i] for i, name in enumerate(TRADE_FIELDS)}
    held = book.held[: int(book.counters[1])]
    rows, flags = book.symbols[held], book.flags[held].astype(np.float64)
    last = float(book.counters[0]) - 1.0
    side = np.sign(rows[:, 0])
    still = {
        "trade": flags[:, 11],
        "symbol": held.astype(np.float64),
        "side": side,
        "decided": flags[:, 10],
        "entry": flags[:, 1],
        "exit": np.full(len(held), last),
        **{name: rows[:, 11 + i] for i, name in enumerate(TRADE_FIELDS[6:17])},
        **{name: rows[:, 22 + i] for i, name in enumerate(TRADE_FIELDS[17:24])},
        "gaps": flags[:, 12],
        "reason": np.full(len(held), float(REASONS.index("open"))),
        "tag": flags[:, 13],
        "entry_notional": rows[:, 29],
        "traded_notional": rows[:, 30],
    }
    still["flow"] = still["flow"] + values_of(preparation, book, held)
    return {name: np.concatenate([columns[name], still[name]]) for name in TRADE_FIELDS}


AT_ENTRY = (
    *("decided_ts", "entry_ts", "entry_signal", "volatility_at_entry", "volume_at_entry"),
    *("regime_at_entry", "regime_confidence"),
)


def carried_on(trades: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Trades with what a window before knew of the entries of those that were open at its end."""
    known = before.set_index("trade")
    rows = trades["trade"].isin(known.index).to_numpy()
    if not rows.any():
        return trades
    own = list(trades.columns)
    labels = own[own.index("spans_gap") + 1 :]
    names = [name for name in before.columns if name in (*AT_ENTRY, *labels)]
    filled, ids = trades.copy(), trades.loc[rows, "trade"]
    for name in names:
        filled.loc[rows, name] = known.loc[ids, name].to_numpy()
    ends = filled["exit_ts"].fillna(trades.attrs["last_ts"])
    filled["days_held"] = (ends - filled["entry_ts"]).dt.total_seconds() / 86_400.0
    return filled


def trade_frame(preparation: Preparation, book: Book, tags: tuple[str, ...]) -> pd.DataFrame:
    """One row per trade: from flat to flat, or to the other side; see docs/methods/backtest.md.

    Sorted by exit, then by id. A trade that is open at the end is marked at the last close, its
    `exit_reason` is `open`. The sum of `pnl` and of the interest on cash is the change of equity.
    """
    log = trade_log(preparation, book)
    by_exit = np.lexsort((log["trade"], log["exit"], log["reason"] == REASONS.index("open")))
    log = {name: values[by_exit] for name, values in log.items()}
    opened = _times(preparation, log["entry"])
    ended = _times(preparation, log["exit"])
    market, symbol = preparation.market, _whole(log["symbol"])
    inverse = market.instruments[symbol, INVERSE] != 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        entry = log["entry_value"] / log["bought"]
        leave = np.where(log["sold"] > 0.0, log["exit_value"] / log["sold"], np.nan)
        entry = np.where(inverse, 1.0 / entry, entry)
        leave = np.where(inverse & (log["sold"] > 0.0), 1.0 / leave, leave)
        impact = log["impact"] / log["traded_notional"]
    best = np.where(log["side"] > 0.0, log["highest"], log["lowest"])
    worst = np.where(log["side"] > 0.0, log["lowest"], log["highest"])
    money = log["entry_notional"] / entry
    decided = np.maximum(_whole(log["decided"]), 0)
    is_open = log["reason"] == REASONS.index("open")
    frame = pd.DataFrame(
        {
            "trade": _whole(log["trade"]),
            "symbol": _symbols(preparation, log["symbol"]),
            "direction": np.where(log["side"] > 0.0, "long", "short").astype(object),
            "decided_ts": _times(preparation, log["decided"]),
            "entry_ts": opened,
            "entry_price": entry,
            "exit_ts": ended.where(~is_open),
            "exit_price": leave,
            "shares": log["bought"],
            "pnl": log["flow"],
            "pnl_pct": log["flow"] / log["entry_notional"],
            "commission": log["commission"],
            "slippage": log["slippage"],
            "borrow": log["borrow"],
            "funding": log["funding"],
            "penalty": log["penalty"],
            "entry_signal": np.array(("", *tags), dtype=object)[_whole(log["tag"])],
            "exit_reason": _names(log["reason"], REASONS),
            "bars_held": _whole(log["exit"] - log["entry"]),
            "days_held": (ended - opened) / DAY,
            "max_favorable_excursion": np.maximum(log["side"] * (best - entry) * money, 0.0),
            "max_adverse_excursion": np.minimum(log["side"] * (worst - entry) * money, 0.0),
            "mfe": np.maximum(log["side"] * (best / entry - 1.0), 0.0),
            "mae": np.minimum(log["side"] * (worst / entry - 1.0), 0.0),
            "volatility_at_entry": _volatility(preparation, decided, symbol),
            "volume_at_entry": market.volume[np.maximum(_whole(log["entry"]), 0), symbol],
            "position_size_pct": log["entry_notional"] / log["equity"],
            "portfolio_heat": log["heat"] / log["equity"],
            "drawdown_at_entry": log["drawdown"],
            "fill_quality_score": log["quality"] / log["bought"],
            "market_impact": impact,
            "strength": log["strength"],
            "spans_gap": log["gaps"] > 0.0,
            **_labels(preparation, decided, symbol),
        }
    )
    last = preparation.bars.ts[int(book.counters[0]) - 1]
    frame.attrs["last_ts"] = pd.Timestamp(last, tz="UTC")
    return frame


def _labels(
    preparation: Preparation, decided: npt.NDArray[np.int64], symbol: npt.NDArray[np.int64]
) -> Columns:
    """What the plan says of the decisions that opened the trades; regime columns always exist."""
    n = len(decided)
    found: Columns = {
        "regime_at_entry": np.full(n, None, dtype=object),
        "regime_confidence": np.full(n, np.nan),
    }
    for name, values in preparation.plan.labels.items():
        rows = decided if values.shape[0] > 1 else np.zeros(n, dtype=np.int64)
        found[name] = values[rows, preparation.columns[symbol]]
    return found


def _volatility(
    preparation: Preparation, decided: npt.NDArray[np.int64], symbol: npt.NDArray[np.int64]
) -> Floats:
    """Standard deviation (ddof 1) of the 20 returns up to the decision, NaN before there are 20."""
    window = 20
    rows = decided[:, None] - np.arange(window + 1)
    close = preparation.market.close
    prices = close[np.maximum(rows, 0), symbol[:, None]]
    returns = prices[:, :-1] / prices[:, 1:] - 1.0
    spread: Floats = returns.std(axis=1, ddof=1) if len(returns) else np.empty(0)
    return np.where(decided >= window, spread, np.nan)


def equity_frame(
    preparation: Preparation, book: Book, capital: float, *, first: int = 0, highest: float = 0.0
) -> pd.DataFrame:
    """One row per bar at its close, index `ts` (its open time); money but for the fractions.

    `position_value` is what positions add to cash: the market value of what is owned, and the
    `unrealised` profit of derivatives, which bind `initial_margin` = notional / leverage of the
    equity. `gross` = long + short, `net` = long - short; `heat` is a fraction of equity,
    `drawdown` = 1 - equity / highest equity so far; costs are those of the bar. `returns` are
    simple. The run began at bar `first` with `capital`, and `highest` equity before.
    """
    n = int(book.counters[0])
    log = {name: book.rows[first:n, i] for i, name in enumerate(ROW_FIELDS)}
    for i, name in enumerate(DERIVATIVE_FIELDS, start=len(ROW_FIELDS)):
        log[name] = book.rows[first:n, i] if book.rows.shape[1] > i else np.zeros(n - first)
    equity = log["equity"]
    peaks = np.maximum.accumulate(np.maximum(equity, max(capital, highest)))
    fills = _table(book.fills, FILL_FIELDS, int(book.counters[N_FILLS]))
    bars = _whole(fills["bar"])
    by_bar = {
        name: np.bincount(bars, weights=fills[name], minlength=n)[first:]
        for name in ("commission", "slippage", "penalty")
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        heat = log["heat"] / equity
    return pd.DataFrame(
        {
            "cash": log["cash"],
            "position_value": equity - log["cash"],
            "equity": equity,
            "returns": returns_of(equity, capital),
            "gross": log["long"] + log["short"],
            "net": log["long"] - log["short"],
            "heat": heat,
            "drawdown": 1.0 - equity / peaks,
            **by_bar,
            **{name: log[name] for name in (*CARRY, *DERIVATIVE_FIELDS)},
        },
        index=pd.DatetimeIndex(preparation.bars.ts[first:n], tz="UTC", name="ts"),
    )
