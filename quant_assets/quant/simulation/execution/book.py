"""What the event kernel reads and what it changes: two named tuples, and the names of their fields.

Fields are positions in the last axis of an array; `event_kernel.fields` has those that the kernel
and what reads its arrays share.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]

# Columns of the frames, in the order of the kernel's fields.
ROW_FIELDS = ("cash", "equity", "long", "short", "heat", "borrow", "interest", "funding")
DERIVATIVE_FIELDS = ("unrealised", "initial_margin")  # more of a row, where there are derivatives
FILL_FIELDS = (
    *("bar", "symbol", "order", "quantity", "reference_price", "price", "commission"),
    *("slippage", "impact", "penalty", "reason", "trade", "fx"),
)
ORDER_FIELDS = (
    *("order", "symbol", "kind", "reason", "decided", "finished", "quantity", "limit", "stop"),
    *("filled", "average_price", "status", "group", "tag", "strength"),
)
TRADE_FIELDS = (
    *("trade", "symbol", "side", "decided", "entry", "exit", "bought", "entry_value", "sold"),
    *("exit_value", "flow", "commission", "slippage", "borrow", "funding", "penalty", "impact"),
    *("highest", "lowest", "equity", "heat", "drawdown", "quality", "strength", "gaps", "reason"),
    *("tag", "entry_notional", "traded_notional"),
)
VETO_FIELDS = ("bar", "symbol", "rule", "before", "after", "order")

REASONS = (
    *("entry", "exit_signal", "target_weight", "stop_loss", "trailing_stop", "take_profit"),
    *("time_stop", "drawdown_halt", "daily_loss", "liquidation", "order", "reversal", "open"),
    *("left_universe", "limit_cut", "resize"),
)
KINDS = ("market", "limit", "stop", "stop_limit", "trailing_stop")
STATUSES = ("open", "filled", "cancelled", "expired", "rejected")
# How an order ends, by the kernel's code, and by what it was cancelled.
ENDS = (
    *(("open", ""), ("filled", ""), ("cancelled", "nothing_left"), ("expired", "")),
    *(("rejected", ""), ("cancelled", "strategy"), ("cancelled", "group")),
    *(("cancelled", "halt"), ("cancelled", "time_in_force"), ("cancelled", "decision")),
    ("cancelled", "universe"),
)
CANCELLED_BY = (
    *("", "nothing_left", "strategy", "group", "halt", "time_in_force", "decision", "universe"),
)
RULES = (
    *("leverage", "max_position", "max_gross", "max_net", "max_sector", "max_positions"),
    *("max_heat", "correlation", "drawdown_cut", "drawdown_halt", "daily_loss", "cool_down"),
    *("least_notional", "no_stop", "lot_size", "no_equity", "universe"),
)

N_ACCOUNT, N_COUNTERS, N_SYMBOL, N_FLAGS, N_ORDER, N_CODE, N_REQUEST = 24, 24, 40, 16, 18, 21, 14


class Market(NamedTuple):
    """Everything that does not change during a run; see `preparation` for its making.

    ts : open times, microseconds since 1970 on the clock of the sessions: its days are theirs.
    first_fill : first bar on which a decision of bar t
        can fill, without latency.
    rules, switches : the numbers of all terms. instruments : `(symbol, field)`.
    commission : `(2, tier)`, start and rate per unit. margin : `(3, symbol, tier)`.
    member : 1 where the decision of a bar knows the symbol as a member of the universe; `(0, 0)`
    without one.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    volatility: Floats
    average_volume: Floats
    spread: Floats
    fx: Floats
    signal: Codes
    target: Floats
    limit: Floats
    stop: Floats
    strength: Floats
    size: Floats
    exit_kind: Codes
    exit_level: Floats
    detail_open: Floats
    detail_high: Floats
    detail_low: Floats
    detail_close: Floats
    detail_first: Integers
    first_fill: Integers
    ts: Integers
    days: Floats
    funding_place: Integers
    funding_rate: Floats
    rules: Floats
    switches: Integers
    instruments: Floats
    commission: Floats
    margin: Floats
    member: Codes


class Book(NamedTuple):
    """The account, its positions and orders, and the logs; the kernel changes them in place.

    shown, shown_rows : addresses and lengths of the buffers that windows show, see `reveal`.
    """

    account: Floats
    counters: Integers
    symbols: Floats
    flags: Integers
    held: Integers
    scratch: Integers
    orders: Floats
    codes: Integers
    requests: Floats
    fills: Floats
    order_log: Floats
    trades: Floats
    vetoes: Floats
    rows: Floats
    shown: Integers
    shown_rows: Integers
