"""The compiled event loop: orders, fills, costs, limits and marking, bar by bar.

Import this module lazily: it loads numba, whose disk cache notices changes of one file only; that
is why all compiled functions and their constants live here.

Order of events inside bar t, which spans [ts, ts + bar_length):

1. borrow and interest for the time since the bar before, on what stood at its close; funding due
   up to and including ts, on what was held before any fill at that instant;
2. the open: orders that reduce, protective exits that the open has passed, then entries, the
   strongest first;
3. inside: protective exits, then stop orders, then limit orders (on detail bars, where there are
   any, one after the other); what is opened inside is protected at once;
4. funding due inside the bar; margin at the bar's worst prices;
5. orders that fill at the close or at the average price of the bar;
6. marking at the close (a gap: the level before), trailing stops move, the books must balance;
7. the decision: signals and orders become open orders, each refusal is logged; orders that fill at
   the same close do so now.

Equity is computed twice, from balances (cash + value of positions) and from profit and loss (price
gains - costs + carry); both must agree to 1e-9.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)

from quant_assets.quant.simulation.execution.book import Book, Floats, Market

Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy"))

raw = cast("Callable[[Function], Function]", intrinsic)

FINE, UNBALANCED, GROW, STOPPED = 0, 1, 2, 3
IDENTITY_TOLERANCE, LOT_ROUNDING, DUST, NEVER = 1e-9, 1e-9, 1e-12, 2**62
LEAST_SHARE = 1e-9  # of an order that limits may leave of it
ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
UNITS, NOTIONAL, EQUITY_FRACTION, RISK_FRACTION, WEIGHT = 0, 1, 2, 3, 4
NEXT_OPEN, NEXT_CLOSE, NEXT_VWAP, SAME_CLOSE = 0, 1, 2, 3
STOP_FRACTION, STOP_PRICE, TRAIL_FRACTION, TRAIL_PRICE = 0, 1, 2, 3
TARGET_FRACTION, TARGET_PRICE, TIME_BARS = 4, 5, 6
DUE_AT_CLOSE, DUE_BEFORE_OPEN, DUE_INSIDE = 0, 1, 2
MARKET, LIMIT, STOP, STOP_LIMIT, TRAILING, CANCEL = 0, 1, 2, 3, 4, 5
GTC, DAY_ORDER, IOC, GTD = 0, 1, 2, 3
OPEN_ORDER, FILLED, NOTHING_LEFT, EXPIRED, REJECTED = 0, 1, 2, 3, 4
WITHDRAWN, IN_GROUP, IN_HALT, UNFILLED, REPLACED = 5, 6, 7, 8, 9  # cancelled as well
ALL_ORDERS, NO_BRACKETS, BRACKETS = 0, 1, 2
AT_OPEN, INSIDE, AT_CLOSE = 0, 1, 2
ONE_DAY = 86_400_000_000  # microseconds
POINT, WHOLE = -2, -1  # of a bar: its open alone, all of it; from 0 on: detail bars

# Account
CASH, EQUITY, PEAK, DAY_START, NOW, LONG, SHORT, GAIN, COMMISSION, SLIPPAGE = range(10)
BORROW, INTEREST, FUNDING, PENALTY, MONTH_UNITS, HEAT, EXPECTED = range(10, 17)
# Counters
BAR, N_HELD, N_OPEN, N_IDS, N_FILLS, N_ORDERS, N_TRADES, N_VETOES, EVENT = range(9)
HALTED, HALT_SINCE, DAY, BLOCKED, MONTH, N_REQUESTS, STAMP, N_TRADE_IDS, N_DEAD, DAY_END = range(
    9, 19
)
# Symbols
QUANTITY, AVERAGE, LEVEL, LEVEL_FX, STOP_AT, TARGET_AT, TRAIL_PART, TRAIL_DISTANCE = range(8)
EXTREME, BEFORE, USED, BOUGHT, ENTRY_VALUE, SOLD, EXIT_VALUE, FLOW = range(8, 16)
T_COMMISSION, T_SLIPPAGE, T_BORROW, T_FUNDING, T_PENALTY, T_IMPACT = range(16, 22)
HIGHEST, LOWEST, T_EQUITY, T_HEAT, T_DRAWDOWN, T_QUALITY, T_STRENGTH = range(22, 29)
# CALLED: strength of a signal, for sorting; ORDER_STOP: of a bracket, for heat.
ENTRY_NOTIONAL, TRADED_NOTIONAL, CALLED, ORDER_STOP = 29, 30, 31, 32
# Flags of symbols
HELD_AT, ENTRY_BAR, TIME_EXIT, EXIT_ORDER, ENTRY_ORDER, BEFORE_BAR, USED_BAR = range(7)
COOL_UNTIL, STAGE, TRAILS, T_DECIDED, T_ID, GAPS, T_TAG, TOUCHED, LAST_TRADE = range(7, 16)
# Orders
O_QUANTITY, O_ORIGINAL, O_SIZE, O_LIMIT, O_STOP, O_TRAIL, O_EXTREME, O_STRENGTH = range(8)
O_FILLED, O_VALUE, O_NOTIONAL, O_BASE, O_TAX, O_FEE, O_PROFIT, O_LOSS = range(8, 16)
# Codes of orders
C_ID, C_SYMBOL, C_KIND, C_DECIDED, C_ACTIVE, C_EXPIRES, C_GROUP, C_REDUCE, C_REASON = range(9)
C_SIDE, C_UNIT, C_TRIGGERED, C_TAG, C_PART, C_FORCE, C_DAY, C_STATUS, C_BORN, C_CHILDREN = range(
    9, 19
)
C_LEAVES = 19  # bar at whose end a cancelled order is out of the book
# Requests
(R_SYMBOL, R_QUANTITY, R_KIND, R_LIMIT, R_STOP, R_TRAIL, R_PART, R_FORCE, R_BARS) = range(9)
R_PROFIT, R_LOSS, R_GROUP, R_REDUCE, R_TAG = range(9, 14)
# Instruments
LOT, TICK, LEAST, MULTIPLIER, BORROW_RATE, INVERSE, SECTOR = range(7)
# Rules
(PARTICIPATION, FIXED, HALF_SPREAD, IMPACT, EXPONENT, VOLUME_SHARE, FLAT, MAKER, TAKER) = range(9)
MINIMUM, MAXIMUM, SELL_RATE, BUY_RATE, INCREMENT, CASH_RATE, DEBIT_RATE = range(9, 16)
LIQUIDATION_FEE, LEVERAGE, MAX_POSITION, MAX_GROSS, MAX_NET, MAX_SECTOR, MAX_HEAT = range(16, 23)
CORRELATION, CUT_DRAWDOWN, CUT_SCALE, HALT_DRAWDOWN, RESUME_DRAWDOWN, DAILY_LOSS = range(23, 29)
# Switches
MODEL, THROUGH, TIME_TO_LIVE, LATENCY, OPTIMISTIC, SIZE_UNIT, WARM_UP, MAX_POSITIONS = range(8)
CORRELATION_BARS, HALT_BARS, COOL_DOWN, HAS_CARRY, HAS_SIGNAL, HAS_TARGET, MARGINED = range(8, 15)
# Reasons
(ENTRY, EXIT_SIGNAL, TARGET_WEIGHT, STOP_LOSS, TRAILING_STOP, TAKE_PROFIT, TIME_STOP) = range(7)
DRAWDOWN_HALT, DAILY_HALT, LIQUIDATION, ORDER, REVERSAL = range(7, 12)
# Rules that refuse
(BY_LEVERAGE, BY_POSITION, BY_GROSS, BY_NET, BY_SECTOR, BY_COUNT, BY_HEAT) = range(7)
BY_CORRELATION, BY_CUT, BY_HALT, BY_DAILY, BY_COOL, BY_LEAST, BY_NO_STOP, BY_LOT, BY_RUIN = range(
    7, 16
)

FILL_ROOM, ORDER_ROOM = 4, 6  # rows of a log that one bar may take, per symbol and order

FLOATS, INTEGERS = types.float64[:, ::1], types.int64[:, ::1]
FLOAT_ROW, INTEGER_ROW = types.float64[::1], types.int64[::1]
OTHER_TYPES = {
    **dict.fromkeys(("days", "rules", "account"), FLOAT_ROW),
    **dict.fromkeys(
        (
            "detail_first",
            "first_fill",
            "ts",
            "switches",
            "counters",
            "held",
            "scratch",
            "shown_rows",
        ),
        INTEGER_ROW,
    ),
    **dict.fromkeys(("funding_place", "flags", "codes", "shown"), INTEGERS),
    **dict.fromkeys(("exit_level", "margin"), types.float64[:, :, ::1]),
    "signal": types.int8[:, ::1],
    "exit_kind": types.int8[::1],
}


class Pointer(types.Type):
    """A named tuple on the stack behind one pointer: what is not asked for is not passed.

    numba counts references of what it passes; this is not counted, nor are the arrays in it.
    """

    def __init__(self, name: str, fields: tuple[str, ...]) -> None:
        self.fields = {one: OTHER_TYPES.get(one, FLOATS) for one in fields}
        super().__init__(f"Pointer({name})")


@register_model(Pointer)
class _PointerModel(models.PrimitiveModel):
    def __init__(self, manager: Any, pointer: Any) -> None:
        super().__init__(manager, pointer, ir.IntType(8).as_pointer())


@infer_getattr
class _PointerFields(AttributeTemplate):
    key = Pointer

    def generic_resolve(  # type: ignore[override]  # numba says: not implemented
        self, pointer: Any, field: str
    ) -> Any:
        """Type of a field; None where there is none."""
        return pointer.fields.get(field)


@lower_getattr_generic(Pointer)
def _load(context: Any, builder: Any, pointer: Any, value: Any, field: str) -> Any:
    """Read one field of the tuple."""
    kinds = [context.get_value_type(kind) for kind in pointer.fields.values()]
    place = builder.bitcast(value, ir.LiteralStructType(kinds).as_pointer())
    at = list(pointer.fields).index(field)
    word = ir.IntType(32)
    return builder.load(builder.gep(place, [word(0), word(at)], inbounds=True))


# The fields of `Market` and `Book`: compiled code knows them by position, and numba does not see
# when `book` changes.
MARKET_FIELDS = (
    *("open", "high", "low", "close", "volume", "volatility", "average_volume", "spread"),
    *(
        "fx",
        "signal",
        "target",
        "limit",
        "stop",
        "strength",
        "size",
        "exit_kind",
    ),
    *(
        "exit_level",
        "detail_open",
        "detail_high",
        "detail_low",
        "detail_close",
        "detail_first",
        "first_fill",
        "ts",
    ),
    *(
        "days",
        "funding_place",
        "funding_rate",
        "rules",
        "switches",
        "instruments",
        "commission",
        "margin",
    ),
)
BOOK_FIELDS = (
    *("account", "counters", "symbols", "flags", "held", "scratch", "orders", "codes"),
    *(
        "requests",
        "fills",
        "order_log",
        "trades",
        "vetoes",
        "rows",
        "shown",
        "shown_rows",
    ),
)
MARKET_POINTER: Any = Pointer("Market", MARKET_FIELDS)
BOOK_POINTER: Any = Pointer("Book", BOOK_FIELDS)


def _pointed(kind: Any) -> Any:
    """An intrinsic that puts a tuple on the caller's stack and gives a pointer to it."""

    def point(typing_context: Any, fields: Any) -> Any:
        del typing_context

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            del context, signature
            place = cgutils.alloca_once_value(builder, arguments[0])
            return builder.bitcast(place, ir.IntType(8).as_pointer())

        return kind(fields), generate

    return intrinsic(point)


market_at: Any = _pointed(MARKET_POINTER)
book_at: Any = _pointed(BOOK_POINTER)


@raw
def _lent(typing_context: Any, array: Any) -> Any:
    """The same array without an owner: copies of it are not counted, the caller keeps it alive."""
    del typing_context

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = context.make_array(signature.args[0])(context, builder, arguments[0])
        source.meminfo = ir.Constant(source.meminfo.type, None)
        source.parent = ir.Constant(source.parent.type, None)
        return source._getvalue()  # numba's own way to read a structure

    return array(array), generate


lent: Any = _lent


@raw
def _call(typing_context: Any, address: Any, bar: Any) -> Any:
    """Call the function at `address` with the bar; what it returns is not 0 to stop."""
    del typing_context, address, bar

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        word = ir.IntType(64)
        pointer = builder.inttoptr(arguments[0], ir.FunctionType(word, [word]).as_pointer())
        return builder.call(pointer, [arguments[1]])

    return types.int64(types.int64, types.int64), generate


@raw
def _copy(typing_context: Any, target: Any, source: Any) -> Any:
    """Copy the eight bytes at one address to another."""
    del typing_context, target, source

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        word = ir.IntType(64).as_pointer()
        target, source = (builder.inttoptr(address, word) for address in arguments)
        builder.store(builder.load(source), target)
        return arguments[0]

    return types.int64(types.int64, types.int64), generate


call_back: Any = _call
copy_word: Any = _copy


@compiled
def reveal(shown: Any, state: Any, t: int) -> None:
    """Copy what became known up to bar t into the buffers that windows show.

    `shown` `(3, column)`: addresses of the source and of the buffer, eight-byte words a row.
    `state`: rows that were copied before, rows that the buffers hold.
    """
    for column in range(shown.shape[1]):
        words = shown[2, column]
        for i in range(state[0] * words, (t + 1) * words):
            copy_word(shown[1, column] + 8 * i, shown[0, column] + 8 * i)
    state[0] = t + 1


@compiled
def row_of(values: Floats, t: int) -> int:
    """Row of bar t in an array `(time or 1, symbol)`."""
    return t if values.shape[0] > 1 else 0


@compiled
def floored(amount: float, lot: float) -> float:
    """`amount` rounded down to lots; unchanged for lot size 0."""
    if lot <= 0.0:
        return amount
    lots: float = np.floor(amount / lot + LOT_ROUNDING)
    return lots * lot


@compiled
def worth(m: Market, t: int, s: int, price: float) -> float:
    """Notional of one unit at `price`, in the account's money."""
    instruments = m.instruments
    scale = instruments[s, MULTIPLIER] * m.fx[row_of(m.fx, t), s]
    return scale / price if instruments[s, INVERSE] != 0.0 else scale * price


@compiled
def profit(m: Market, s: int, entry: float, price: float) -> float:
    """Gain of one unit from `entry` to `price`, in the money that the contract settles in."""
    instruments = m.instruments
    if instruments[s, INVERSE] != 0.0:
        return instruments[s, MULTIPLIER] * (1.0 / entry - 1.0 / price)
    return instruments[s, MULTIPLIER] * (price - entry)


@compiled
def position_value(m: Market, k: Book, t: int, s: int) -> float:
    """What the position adds to cash in equity: its price, or an inverse contract's profit."""
    symbols = k.symbols
    instruments = m.instruments
    fx = m.fx[row_of(m.fx, t), s]
    quantity, level = symbols[s, QUANTITY], symbols[s, LEVEL]
    if instruments[s, INVERSE] != 0.0:
        return quantity * fx * profit(m, s, symbols[s, AVERAGE], level)
    return quantity * fx * instruments[s, MULTIPLIER] * level


@compiled
def revalue(m: Market, k: Book, t: int, s: int, price: float) -> None:
    """Move the level of a position to `price`; gain, equity and exposure follow."""
    symbols, account = k.symbols, k.account
    instruments = m.instruments
    quantity, fx = symbols[s, QUANTITY], m.fx[row_of(m.fx, t), s]
    old, old_fx = symbols[s, LEVEL], symbols[s, LEVEL_FX]
    symbols[s, LEVEL], symbols[s, LEVEL_FX] = price, fx
    if quantity == 0.0:
        return
    if instruments[s, INVERSE] != 0.0:
        average, scale = symbols[s, AVERAGE], instruments[s, MULTIPLIER]
        gain = quantity * (profit(m, s, average, price) * fx - profit(m, s, average, old) * old_fx)
        change = abs(quantity) * scale * (fx / price - old_fx / old)
    else:
        gain = quantity * instruments[s, MULTIPLIER] * (price * fx - old * old_fx)
        change = gain if quantity > 0.0 else -gain
    account[GAIN] += gain
    account[NOW] += gain
    account[LONG if quantity > 0.0 else SHORT] += change


@compiled
def revalue_all(m: Market, k: Book, t: int, at_close: bool) -> None:
    """Move all levels to the open or the close of the bar, where there is one."""
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        price = m.close[t, s] if at_close else m.open[t, s]
        if not np.isnan(price):
            revalue(m, k, t, s, price)


@compiled
def pay(k: Book, s: int, amount: float, kind: int) -> None:
    """Add `amount` to cash and to the flow of the open trade; `kind` is the account's total."""
    symbols, account = k.symbols, k.account
    account[CASH] += amount
    account[NOW] += amount
    symbols[s, FLOW] += amount
    if kind == FUNDING:
        account[FUNDING] += amount
        symbols[s, T_FUNDING] += amount
    elif kind == BORROW:
        account[BORROW] -= amount
        symbols[s, T_BORROW] -= amount
    else:
        account[PENALTY] -= amount
        symbols[s, T_PENALTY] -= amount


@compiled
def carry(m: Market, k: Book, t: int) -> None:
    """Borrow on the previous close of what is short, interest on cash, ACT/365."""
    symbols, account = k.symbols, k.account
    rules, instruments = m.rules, m.instruments
    share = m.days[t] / 365.0
    if share <= 0.0:
        return
    cash = account[CASH]
    rate = rules[CASH_RATE] if cash > 0.0 else rules[DEBIT_RATE]
    account[INTEREST] += cash * rate * share
    account[CASH] += cash * rate * share
    account[NOW] += cash * rate * share
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        if symbols[s, QUANTITY] < 0.0 and instruments[s, BORROW_RATE] != 0.0:
            value = -symbols[s, QUANTITY] * worth(m, t, s, symbols[s, LEVEL])
            pay(k, s, -value * instruments[s, BORROW_RATE] * share, BORROW)


@compiled
def settle(m: Market, k: Book, t: int, last: int) -> None:
    """Pay the funding of bar t up to the due kind `last`: - quantity x mark x rate."""
    counters, symbols, flags = k.counters, k.symbols, k.flags
    i = counters[EVENT]
    while i < m.funding_place.shape[0] and m.funding_place[i, 0] <= t:
        due, s = m.funding_place[i, 1], m.funding_place[i, 2]
        if m.funding_place[i, 0] == t:
            if due > last:
                break
            quantity, ended = symbols[s, QUANTITY], False
            if due == DUE_AT_CLOSE and flags[s, BEFORE_BAR] == t - 1:
                quantity = symbols[s, BEFORE]
                new = flags[s, ENTRY_BAR] == t - 1 and flags[s, STAGE] == AT_CLOSE
                ended = symbols[s, QUANTITY] == 0.0 or new
            if quantity != 0.0:
                mark = m.funding_rate[i, 1]
                mark = symbols[s, LEVEL] if np.isnan(mark) else mark
                amount = -quantity * worth(m, t, s, mark) * m.funding_rate[i, 0]
                pay(k, s, amount, FUNDING)
                if ended:  # by the fill at that close: it belongs to the trade before
                    symbols[s, FLOW] -= amount
                    symbols[s, T_FUNDING] -= amount
                    if flags[s, LAST_TRADE] >= 0:  # else it is in the log of the window before
                        k.trades[flags[s, LAST_TRADE], 10] += amount
                        k.trades[flags[s, LAST_TRADE], 14] += amount
        i += 1
    counters[EVENT] = i


@compiled
def veto(k: Book, place: tuple[int, int, int], rule: int, before: float, after: float) -> None:
    """Log what a rule has changed; `place` = (bar, symbol, order id)."""
    counters = k.counters
    i = counters[N_VETOES]
    k.vetoes[i, 0], k.vetoes[i, 1], k.vetoes[i, 2] = place[0], place[1], rule
    k.vetoes[i, 3], k.vetoes[i, 4], k.vetoes[i, 5] = before, after, place[2]
    counters[N_VETOES] = i + 1


@compiled
def new_order(k: Book, t: int, s: int, kind: int, side: int, reason: int) -> int:
    """Slot of a new good-till-cancelled order without size or prices, active from bar t on."""
    orders, codes, counters = k.orders, k.codes, k.counters
    slot = counters[N_OPEN]
    counters[N_OPEN] = slot + 1
    counters[N_IDS] += 1
    for field in range(orders.shape[1]):
        orders[slot, field] = np.nan if field <= O_EXTREME else 0.0
    for field in range(codes.shape[1]):
        codes[slot, field] = 0
    orders[slot, O_STRENGTH] = 1.0
    orders[slot, O_PROFIT] = orders[slot, O_LOSS] = np.nan
    codes[slot, C_ID], codes[slot, C_SYMBOL] = counters[N_IDS], s
    codes[slot, C_KIND], codes[slot, C_SIDE], codes[slot, C_REASON] = kind, side, reason
    codes[slot, C_DECIDED] = codes[slot, C_ACTIVE] = t
    codes[slot, C_EXPIRES], codes[slot, C_LEAVES], codes[slot, C_BORN] = NEVER, NEVER, -1
    codes[slot, C_DAY] = -NEVER
    return slot


@compiled
def first_bar(m: Market, t: int, at_market: bool) -> int:
    """First bar on which an order that is decided at bar t can fill."""
    switches = m.switches
    same = at_market and switches[MODEL] == SAME_CLOSE
    return switches[LATENCY] + (t if same else m.first_fill[t])


@compiled
def exit_order(m: Market, k: Book, t: int, s: int, reason: int) -> None:
    """Close what is held in `s` at market, unless an order does so already."""
    orders, codes, flags = k.orders, k.codes, k.flags
    if flags[s, EXIT_ORDER] != 0:
        return
    quantity = k.symbols[s, QUANTITY]
    slot = new_order(k, t, s, MARKET, -1 if quantity > 0.0 else 1, reason)
    orders[slot, O_QUANTITY] = orders[slot, O_ORIGINAL] = -quantity
    codes[slot, C_ACTIVE], codes[slot, C_REDUCE] = first_bar(m, t, True), 1
    flags[s, EXIT_ORDER] = codes[slot, C_ID]


@compiled
def finish(k: Book, t: int, slot: int, status: int) -> None:
    """Take an order out of the book and log it."""
    orders, codes, counters, flags = k.orders, k.codes, k.counters, k.flags
    if codes[slot, C_STATUS] != OPEN_ORDER:
        return
    s, filled = codes[slot, C_SYMBOL], orders[slot, O_FILLED]
    codes[slot, C_STATUS] = status
    counters[N_DEAD] += 1
    if flags[s, EXIT_ORDER] == codes[slot, C_ID]:
        flags[s, EXIT_ORDER] = 0
    if flags[s, ENTRY_ORDER] == codes[slot, C_ID]:
        flags[s, ENTRY_ORDER] = 0
    i = counters[N_ORDERS]
    counters[N_ORDERS] = i + 1
    k.order_log[i, 0], k.order_log[i, 1] = codes[slot, C_ID], s
    k.order_log[i, 2], k.order_log[i, 3] = codes[slot, C_KIND], codes[slot, C_REASON]
    k.order_log[i, 4], k.order_log[i, 5] = codes[slot, C_DECIDED], t
    k.order_log[i, 6], k.order_log[i, 7] = orders[slot, O_ORIGINAL], orders[slot, O_LIMIT]
    k.order_log[i, 8], k.order_log[i, 9] = orders[slot, O_STOP], codes[slot, C_SIDE] * filled
    k.order_log[i, 10] = orders[slot, O_VALUE] / filled if filled > 0.0 else np.nan
    k.order_log[i, 11], k.order_log[i, 12] = status, codes[slot, C_GROUP]
    k.order_log[i, 13], k.order_log[i, 14] = codes[slot, C_TAG], orders[slot, O_STRENGTH]


@compiled
def compact(k: Book) -> None:
    """Close the gaps that finished orders left."""
    orders, codes, counters = k.orders, k.codes, k.counters
    n = 0
    for slot in range(counters[N_OPEN]):
        if codes[slot, C_STATUS] != OPEN_ORDER:
            continue
        if n != slot:
            for field in range(orders.shape[1]):
                orders[n, field] = orders[slot, field]
            for field in range(codes.shape[1]):
                codes[n, field] = codes[slot, field]
        n += 1
    counters[N_OPEN], counters[N_DEAD] = n, 0


@compiled
def concession(
    m: Market, place: tuple[int, int], amount: float, side: int, reference: float
) -> tuple[float, float]:
    """Price of a market fill, rounded to the tick against the trader, and its impact's part."""
    rules = m.rules
    t, s = place
    slip, impact = rules[FIXED], 0.0
    if rules[HALF_SPREAD] != 0.0:
        spread = m.spread[row_of(m.spread, t), s]
        slip += 0.0 if np.isnan(spread) else rules[HALF_SPREAD] * spread
    if rules[IMPACT] != 0.0:
        volatility = m.volatility[row_of(m.volatility, t), s]
        usual = m.average_volume[row_of(m.average_volume, t), s]
        if volatility > 0.0 and usual > 0.0:
            impact += rules[IMPACT] * volatility * (amount / usual) ** rules[EXPONENT]
    volume = m.volume[t, s]
    if rules[VOLUME_SHARE] != 0.0 and volume > 0.0:
        impact += rules[VOLUME_SHARE] * (amount / volume) ** 2
    price = reference * (1.0 + side * (slip + impact))
    tick = m.instruments[s, TICK]
    if tick > 0.0 and slip + impact > 0.0:
        if side > 0:
            price = np.ceil(price / tick - LOT_ROUNDING) * tick
        else:
            price = np.floor(price / tick + LOT_ROUNDING) * tick
    return max(price, 1e-9 * reference), impact


@compiled
def unit_commission(m: Market, before: float, amount: float) -> float:
    """Commission per unit of `amount` units that follow `before` units of the month, by tiers."""
    total, n = 0.0, m.commission.shape[1]
    for i in range(n):
        start = m.commission[0, i]
        end = m.commission[0, i + 1] if i + 1 < n else np.inf
        inside = min(before + amount, end) - max(before, start)
        if inside > 0.0:
            total += inside * m.commission[1, i]
    return total


@compiled
def commission(
    m: Market, k: Book, slot: int, amount: float, notional: float, taker: bool
) -> tuple[float, float, float]:
    """Commission of a further fill of the order; the parts that its next fill adds up."""
    orders = k.orders
    rules = m.rules
    base = orders[slot, O_BASE] + unit_commission(m, k.account[MONTH_UNITS], amount)
    base += notional * (rules[TAKER] if taker else rules[MAKER])
    tax = notional * (rules[BUY_RATE] if k.codes[slot, C_SIDE] > 0 else rules[SELL_RATE])
    tax += orders[slot, O_TAX]
    total = max(rules[FLAT] + base, rules[MINIMUM])
    if rules[MAXIMUM] != np.inf:
        total = min(total, rules[MAXIMUM] * (orders[slot, O_NOTIONAL] + notional))
    total += tax
    if rules[INCREMENT] > 0.0:
        total = np.floor(total / rules[INCREMENT] + 0.5 + LOT_ROUNDING) * rules[INCREMENT]
    return total - orders[slot, O_FEE], base, tax


@compiled
def first_stop(m: Market, decided: int, s: int, price: float, side: int) -> tuple[float, bool]:
    """Tightest stop price of an entry at `price`, NaN without one; whether it trails."""
    tightest, trails = np.nan, False
    for r in range(m.exit_kind.size):
        kind = m.exit_kind[r]
        if kind > TRAIL_PRICE:
            continue
        level = m.exit_level[r, decided if m.exit_level.shape[1] > 1 else 0, s]
        distance = level * price if kind in (STOP_FRACTION, TRAIL_FRACTION) else level
        stop = price - side * distance
        if stop > 0.0 and (np.isnan(tightest) or side * stop > side * tightest):
            tightest, trails = stop, kind >= TRAIL_FRACTION
    return tightest, trails


@compiled
def arm(m: Market, k: Book, t: int, slot: int, price: float) -> None:
    """Set the protective exits of a position that was opened at `price`."""
    codes, symbols, flags = k.codes, k.symbols, k.flags
    s, decided = codes[slot, C_SYMBOL], codes[slot, C_DECIDED]
    side = codes[slot, C_SIDE]
    stop, trails = first_stop(m, decided, s, price, side)
    symbols[s, STOP_AT], flags[s, TRAILS] = stop, 1 if trails else 0
    symbols[s, TARGET_AT] = symbols[s, TRAIL_PART] = symbols[s, TRAIL_DISTANCE] = np.nan
    symbols[s, EXTREME], flags[s, TIME_EXIT] = price, NEVER
    for r in range(m.exit_kind.size):
        kind = m.exit_kind[r]
        level = m.exit_level[r, decided if m.exit_level.shape[1] > 1 else 0, s]
        if np.isnan(level):
            continue
        if kind == TIME_BARS:
            flags[s, TIME_EXIT] = min(flags[s, TIME_EXIT], t + int(level) - 1)
        elif kind >= TARGET_FRACTION:
            target = price + side * (level * price if kind == TARGET_FRACTION else level)
            now = symbols[s, TARGET_AT]
            if np.isnan(now) or side * target < side * now:
                symbols[s, TARGET_AT] = target
        elif kind == TRAIL_FRACTION:
            symbols[s, TRAIL_PART] = np.fmin(symbols[s, TRAIL_PART], level)
        elif kind == TRAIL_PRICE:
            symbols[s, TRAIL_DISTANCE] = np.fmin(symbols[s, TRAIL_DISTANCE], level)


@compiled
def heat_of(m: Market, k: Book, t: int, s: int) -> float:
    """Money lost when the stop of `s` is met; all of the position's notional without a stop."""
    symbols = k.symbols
    quantity, level, stop = symbols[s, QUANTITY], symbols[s, LEVEL], symbols[s, STOP_AT]
    stop = symbols[s, ORDER_STOP] if np.isnan(stop) else stop
    if np.isnan(stop):
        return abs(quantity) * worth(m, t, s, level)
    return max(0.0, -quantity * profit(m, s, level, stop) * m.fx[row_of(m.fx, t), s])


@compiled
def sector_of(m: Market, k: Book, t: int, s: int) -> float:
    """Gross notional that is held in the sector of `s`."""
    symbols = k.symbols
    instruments = m.instruments
    used = 0.0
    for i in range(k.counters[N_HELD]):
        j = k.held[i]
        if instruments[j, SECTOR] == instruments[s, SECTOR]:
            used += abs(symbols[j, QUANTITY]) * worth(m, t, j, symbols[j, LEVEL])
    return used


@compiled
def room(
    m: Market, k: Book, place: tuple[int, int], side: int, order: tuple[float, float, float]
) -> tuple[float, int]:
    """Notional that the limits leave for more of `s`, and the rule that leaves least.

    `order` = (cost per notional, notional per unit, heat per unit). A limit of M times equity,
    used up to u, leaves x = M (equity - cost x) - u, so x = (M equity - u) / (1 + M cost).
    """
    counters, symbols, account = k.counters, k.symbols, k.account
    rules = m.rules
    t, s = place
    cost, unit, heat = order
    equity, long, short = account[NOW], account[LONG], account[SHORT]
    if equity <= 0.0:
        return 0.0, BY_RUIN
    held = abs(symbols[s, QUANTITY])
    if held == 0.0 and counters[N_HELD] >= m.switches[MAX_POSITIONS]:
        return 0.0, BY_COUNT
    least, rule = np.inf, BY_LEVERAGE
    for number in range(BY_SECTOR + 1):
        limit, used = rules[LEVERAGE + number], 0.0
        if limit == np.inf:
            continue
        if number in (BY_LEVERAGE, BY_GROSS):
            used = long + short
        elif number == BY_NET:
            used = side * (long - short)
        elif number == BY_POSITION:
            used = held * worth(m, t, s, symbols[s, LEVEL]) if held != 0.0 else 0.0
        else:
            used = sector_of(m, k, t, s)
        left = (limit * equity - used) / (1.0 + limit * cost)
        if left < least:
            least, rule = left, number
    if rules[MAX_HEAT] != np.inf and heat > 0.0:
        used = 0.0
        for i in range(counters[N_HELD]):
            used += heat_of(m, k, t, k.held[i])
        left = (rules[MAX_HEAT] * equity - used) / (heat / unit + rules[MAX_HEAT] * cost)
        if left < least:
            least, rule = left, BY_HEAT
    return max(least, 0.0), rule


@compiled
def heat_per_unit(m: Market, k: Book, place: tuple[int, int, int], price: float) -> float:
    """Money that one unit bought at `price` loses at its stop; `place` = (bar, symbol, slot)."""
    codes, symbols = k.codes, k.symbols
    t, s, slot = place
    side, stop = codes[slot, C_SIDE], symbols[s, STOP_AT]
    if symbols[s, QUANTITY] * side <= 0.0:
        stop, _ = first_stop(m, codes[slot, C_DECIDED], s, price, side)
        stop = k.orders[slot, O_LOSS] if np.isnan(stop) else stop
    if np.isnan(stop):
        return worth(m, t, s, price)
    return max(0.0, -side * profit(m, s, price, stop) * m.fx[row_of(m.fx, t), s])


@compiled
def price_of(
    m: Market, place: tuple[int, int], amount: float, side: int, fill: tuple[float, bool]
) -> float:
    """Price at which `amount` fills; `fill` = (reference, taker)."""
    reference, taker = fill
    if not taker:
        return reference
    price, _ = concession(m, place, amount, side, reference)
    return price


@compiled
def within_budget(
    m: Market, k: Book, place: tuple[int, int, int], money: float, fill: tuple[float, bool]
) -> float:
    """Units that `money` buys with the fee inside it."""
    t, s, slot = place
    reference, taker = fill
    if money <= 0.0:
        return 0.0
    side = k.codes[slot, C_SIDE]
    amount = money / worth(m, t, s, reference)
    for _ in range(30):
        unit = worth(m, t, s, price_of(m, (t, s), amount, side, fill))
        fee, _, _ = commission(m, k, slot, amount, amount * unit, taker)
        better = money / (unit * (1.0 + max(fee, 0.0) / (amount * unit)))
        if abs(better - amount) <= 1e-15 * amount:
            break
        amount = better
    return amount


@compiled
def size_order(m: Market, k: Book, t: int, slot: int, fill: tuple[float, bool]) -> float:
    """Signed units of an order that is sized when it fills."""
    codes = k.codes
    s, side, unit = codes[slot, C_SYMBOL], codes[slot, C_SIDE], codes[slot, C_UNIT]
    size, reference = k.orders[slot, O_SIZE], fill[0]
    equity = k.account[NOW]
    if unit == UNITS:
        return side * size
    if unit == NOTIONAL:
        amount = size / worth(m, t, s, reference)
        price = price_of(m, (t, s), amount, side, fill)
        return side * size / worth(m, t, s, price)
    if unit == EQUITY_FRACTION:
        return side * within_budget(m, k, (t, s, slot), size * equity, fill)
    if unit == RISK_FRACTION:
        stop, _ = first_stop(m, codes[slot, C_DECIDED], s, reference, side)
        loss = -side * profit(m, s, reference, stop) * m.fx[row_of(m.fx, t), s]
        if not loss > 0.0:
            veto(k, (t, s, codes[slot, C_ID]), BY_NO_STOP, size, 0.0)
            return 0.0
        return side * max(0.0, size * equity) / loss
    wanted = size * equity / worth(m, t, s, reference)
    return wanted - k.symbols[s, QUANTITY]


@compiled
def allowed(
    m: Market, k: Book, t: int, slot: int, amount: float, fill: tuple[float, bool]
) -> float:
    """The part of `amount` more units that limits, lots and least notional leave."""
    codes = k.codes
    instruments = m.instruments
    s, side = codes[slot, C_SYMBOL], codes[slot, C_SIDE]
    reference, taker = fill
    if amount == np.inf:  # as much as the limits leave
        amount, _ = room(m, k, (t, s), side, (0.0, worth(m, t, s, reference), 0.0))
        amount /= worth(m, t, s, reference)
        if amount == np.inf:
            return 0.0
    price = price_of(m, (t, s), amount, side, fill)
    unit, wanted, order = worth(m, t, s, price), amount, codes[slot, C_ID]
    heat = heat_per_unit(m, k, (t, s, slot), price) if m.rules[MAX_HEAT] != np.inf else 0.0
    free, free_rule = room(m, k, (t, s), side, (0.0, unit, heat))
    if amount * unit > free * (1.0 + 1e-9):
        veto(k, (t, s, order), free_rule, amount, free / unit)
    for _ in range(30):
        if amount <= 0.0:
            break
        fee, _, _ = commission(m, k, slot, amount, amount * unit, taker)
        left, _ = room(m, k, (t, s), side, (max(fee, 0.0) / (amount * unit), unit, heat))
        fitting = min(wanted, left / unit)
        if abs(fitting - amount) <= 1e-15 * amount:
            break
        amount = fitting
    if amount < LEAST_SHARE * wanted:  # what rounding leaves of an account that is used up
        return 0.0
    lots = floored(amount, instruments[s, LOT])
    if lots <= 0.0 < amount:
        veto(k, (t, s, order), BY_LOT, amount, 0.0)
    least = instruments[s, LEAST]
    if lots > 0.0 and lots * price * instruments[s, MULTIPLIER] < least * (1.0 - 1e-12):
        veto(k, (t, s, order), BY_LEAST, lots, 0.0)
        return 0.0
    return lots


@compiled
def fill_quality(m: Market, place: tuple[int, int], amount: float, price: float) -> float:
    """Share of volume beyond 1 %, and distance outside the bar beyond 0 of 1 %, lower it from 1."""
    t, s = place
    score, volume = 1.0, m.volume[t, s]
    if volume > 0.0:
        score -= min(max(amount / volume - 0.01, 0.0) / 0.99, 1.0)
    outside = max(price - m.high[t, s], m.low[t, s] - price, 0.0)
    if outside > 0.0:
        score *= max(0.0, 1.0 - outside / (0.01 * price))
    return score


@compiled
def open_trade(m: Market, k: Book, t: int, slot: int, price: float) -> None:
    """Start the record of a trade: what the account looked like before its first fill."""
    codes, counters, symbols, flags, account = k.codes, k.counters, k.symbols, k.flags, k.account
    s = codes[slot, C_SYMBOL]
    flags[s, HELD_AT] = counters[N_HELD]
    k.held[counters[N_HELD]] = s
    counters[N_HELD] += 1
    counters[N_TRADE_IDS] += 1
    for field in range(BOUGHT, TRADED_NOTIONAL + 1):
        symbols[s, field] = 0.0
    flags[s, T_ID], flags[s, ENTRY_BAR] = counters[N_TRADE_IDS], t
    flags[s, T_DECIDED], flags[s, GAPS] = codes[slot, C_DECIDED], 0
    flags[s, T_TAG] = codes[slot, C_TAG]
    symbols[s, HIGHEST] = symbols[s, LOWEST] = price
    symbols[s, ORDER_STOP] = np.nan
    symbols[s, T_EQUITY], symbols[s, T_HEAT] = account[NOW], account[HEAT]
    symbols[s, T_DRAWDOWN] = max(0.0, 1.0 - account[NOW] / account[PEAK])
    symbols[s, T_STRENGTH] = k.orders[slot, O_STRENGTH]
    arm(m, k, t, slot, price)


@compiled
def close_trade(m: Market, k: Book, t: int, slot: int) -> None:
    """Log the trade of a symbol that is flat again, and forget its exits."""
    codes, counters, symbols, flags = k.codes, k.counters, k.symbols, k.flags
    s, i = codes[slot, C_SYMBOL], counters[N_TRADES]
    log_trade(k, i, s, t, -codes[slot, C_SIDE], codes[slot, C_REASON])
    flags[s, LAST_TRADE] = i
    counters[N_TRADES] = i + 1
    if symbols[s, FLOW] < 0.0:
        flags[s, COOL_UNTIL] = t + m.switches[COOL_DOWN]
    last = k.held[counters[N_HELD] - 1]
    k.held[flags[s, HELD_AT]], flags[last, HELD_AT] = last, flags[s, HELD_AT]
    flags[s, HELD_AT] = -1
    counters[N_HELD] -= 1
    symbols[s, STOP_AT] = symbols[s, TARGET_AT] = np.nan
    for other in range(counters[N_OPEN]):
        mine = other != slot and codes[other, C_SYMBOL] == s and codes[other, C_REDUCE] == 1
        if mine and codes[other, C_REASON] != ORDER:
            finish(k, t, other, NOTHING_LEFT)


@compiled
def log_trade(k: Book, i: int, s: int, t: int, side: int, reason: int) -> None:
    """Write row i of the trades from the record of symbol s."""
    symbols, flags = k.symbols, k.flags
    row = k.trades
    row[i, 0], row[i, 1], row[i, 2] = flags[s, T_ID], s, side
    row[i, 3], row[i, 4], row[i, 5] = flags[s, T_DECIDED], flags[s, ENTRY_BAR], t
    for field in range(BOUGHT, T_IMPACT + 1):
        row[i, 6 + field - BOUGHT] = symbols[s, field]
    for field in range(HIGHEST, T_STRENGTH + 1):
        row[i, 17 + field - HIGHEST] = symbols[s, field]
    row[i, 24], row[i, 25], row[i, 26] = flags[s, GAPS], reason, flags[s, T_TAG]
    row[i, 27], row[i, 28] = symbols[s, ENTRY_NOTIONAL], symbols[s, TRADED_NOTIONAL]


@compiled
def fill(
    m: Market, k: Book, t: int, slot: int, quantity: float, how: tuple[float, bool, int]
) -> float:
    """Fill up to `quantity` (never across zero) as volume allows; return the units filled.

    `how` = (reference price, taker, stage of the bar).
    """
    symbols, flags = k.symbols, k.flags
    rules = m.rules
    s, side = k.codes[slot, C_SYMBOL], 1 if quantity > 0.0 else -1
    reference, taker, stage = how
    amount, volume, held = abs(quantity), m.volume[t, s], symbols[s, QUANTITY]
    if volume == 0.0:
        return 0.0
    if rules[PARTICIPATION] != np.inf and not np.isnan(volume):
        if flags[s, USED_BAR] != t:
            flags[s, USED_BAR], symbols[s, USED] = t, 0.0
        left = rules[PARTICIPATION] * volume - symbols[s, USED]
        if amount > left:
            amount = floored(max(left, 0.0), m.instruments[s, LOT])
        if amount <= DUST * abs(quantity):
            return 0.0
        symbols[s, USED] += amount
    price, impact = reference, 0.0
    if taker:
        price, impact = concession(m, (t, s), amount, side, reference)
    if held == 0.0:
        symbols[s, LEVEL], symbols[s, LEVEL_FX] = reference, m.fx[row_of(m.fx, t), s]
        open_trade(m, k, t, slot, price)
        flags[s, STAGE] = stage
    elif reference != symbols[s, LEVEL]:
        revalue(m, k, t, s, reference)
    move(m, k, t, slot, side * amount, (reference, price, impact, taker))
    if stage == AT_CLOSE and flags[s, BEFORE_BAR] != t:
        flags[s, BEFORE_BAR], symbols[s, BEFORE] = t, held
    symbols[s, HIGHEST] = max(symbols[s, HIGHEST], price)
    symbols[s, LOWEST] = min(symbols[s, LOWEST], price)
    if symbols[s, QUANTITY] == 0.0:
        close_trade(m, k, t, slot)
    return amount


@compiled
def move(
    m: Market,
    k: Book,
    t: int,
    slot: int,
    quantity: float,
    prices: tuple[float, float, float, bool],
) -> None:
    """Change position, cash, totals, trade record and logs by one fill of signed `quantity`."""
    orders, codes, counters, symbols, account = k.orders, k.codes, k.counters, k.symbols, k.account
    instruments = m.instruments
    s, amount = codes[slot, C_SYMBOL], abs(quantity)
    reference, price, impact, taker = prices
    held, fx = symbols[s, QUANTITY], m.fx[row_of(m.fx, t), s]
    inverse, scale = instruments[s, INVERSE] != 0.0, instruments[s, MULTIPLIER]
    notional, level = amount * worth(m, t, s, price), worth(m, t, s, reference)
    after, average = held + quantity, symbols[s, AVERAGE]
    after = 0.0 if abs(after) <= DUST * abs(held) else after
    fee, base, tax = commission(m, k, slot, amount, notional, taker)
    slippage = quantity * profit(m, s, reference, price) * fx
    orders[slot, O_BASE], orders[slot, O_TAX] = base, tax
    orders[slot, O_FEE] += fee
    orders[slot, O_NOTIONAL] += notional
    orders[slot, O_FILLED] += amount
    orders[slot, O_VALUE] += amount * price
    account[MONTH_UNITS] += amount
    flow = -quantity * scale * fx * price
    if inverse:
        flow = 0.0 if held * quantity >= 0.0 else -quantity * profit(m, s, average, price) * fx
    account[CASH] += flow - fee
    symbols[s, FLOW] += flow - fee
    account[NOW] -= fee + slippage
    account[COMMISSION] += fee
    account[SLIPPAGE] += slippage
    symbols[s, T_COMMISSION] += fee
    symbols[s, T_SLIPPAGE] += slippage
    symbols[s, T_IMPACT] += impact * amount * level
    symbols[s, TRADED_NOTIONAL] += notional
    opening = held * quantity >= 0.0
    if opening:
        symbols[s, BOUGHT] += amount
        symbols[s, ENTRY_VALUE] += amount / price if inverse else amount * price
        symbols[s, ENTRY_NOTIONAL] += notional
        symbols[s, T_QUALITY] += amount * fill_quality(m, (t, s), amount, price)
        if inverse:
            symbols[s, AVERAGE] = abs(after) / (
                (abs(held) / average if held != 0.0 else 0.0) + amount / price
            )
        else:
            cost = abs(held) * average if held != 0.0 else 0.0
            symbols[s, AVERAGE] = (cost + amount * price) / abs(after)
    else:
        symbols[s, SOLD] += amount
        symbols[s, EXIT_VALUE] += amount / price if inverse else amount * price
    kind = LONG if held > 0.0 or (held == 0.0 and quantity > 0.0) else SHORT
    account[kind] += (abs(after) - abs(held)) * level
    symbols[s, QUANTITY] = after
    i = counters[N_FILLS]
    counters[N_FILLS] = i + 1
    row = k.fills
    row[i, 0], row[i, 1], row[i, 2], row[i, 3] = t, s, codes[slot, C_ID], quantity
    row[i, 4], row[i, 5], row[i, 6], row[i, 7] = reference, price, fee, slippage
    row[i, 8], row[i, 9] = impact * amount * level, 0.0
    row[i, 10], row[i, 11], row[i, 12] = codes[slot, C_REASON], k.flags[s, T_ID], fx


@compiled
def after_fill(k: Book, t: int, slot: int, amount: float, opened: bool) -> None:
    """Cancel the order's group; for what was opened bring its bracket to life or add to it."""
    orders, codes, counters = k.orders, k.codes, k.counters
    s, group = codes[slot, C_SYMBOL], codes[slot, C_GROUP]
    if group != 0:
        for other in range(counters[N_OPEN]):
            if other != slot and codes[other, C_GROUP] == group:
                finish(k, t, other, IN_GROUP)
    profit_at, loss_at = orders[slot, O_PROFIT], orders[slot, O_LOSS]
    if not opened or (np.isnan(profit_at) and np.isnan(loss_at)):
        return
    side = codes[slot, C_SIDE]
    if codes[slot, C_CHILDREN] != 0:
        for other in range(counters[N_OPEN]):
            if codes[other, C_GROUP] == codes[slot, C_CHILDREN]:
                orders[other, O_QUANTITY] -= side * amount
                orders[other, O_ORIGINAL] -= side * amount
        return
    codes[slot, C_CHILDREN] = -codes[slot, C_ID]
    for part in range(2):
        price = loss_at if part == 0 else profit_at
        if np.isnan(price):
            continue
        kind, reason = (STOP, STOP_LOSS) if part == 0 else (LIMIT, TAKE_PROFIT)
        if part == 0:
            k.symbols[s, ORDER_STOP] = price
        child = new_order(k, t, s, kind, -side, reason)
        orders[child, O_QUANTITY] = orders[child, O_ORIGINAL] = -side * amount
        orders[child, O_STOP if part == 0 else O_LIMIT] = price
        codes[child, C_REDUCE], codes[child, C_GROUP] = 1, -codes[slot, C_ID]
        codes[child, C_BORN], codes[child, C_TAG] = counters[STAMP], codes[slot, C_TAG]


@compiled
def execute(
    m: Market, k: Book, t: int, slot: int, how: tuple[float, bool, int], may_open: bool
) -> float:
    """Fill an order that is touched: first what reduces a position, then what opens one.

    Returns the units opened. What limits refuse is dropped; what volume refuses is carried.
    """
    orders, codes = k.orders, k.codes
    s, price = codes[slot, C_SYMBOL], (how[0], how[1])
    held, opened, quantity = k.symbols[s, QUANTITY], 0.0, orders[slot, O_QUANTITY]
    if np.isnan(how[0]) or m.volume[t, s] == 0.0:
        return opened
    unsized = np.isnan(quantity)
    if unsized:
        against = codes[slot, C_UNIT] == WEIGHT
        if not may_open and not against:
            return opened
        quantity = size_order(m, k, t, slot, price)
        if not may_open and held * quantity >= 0.0:
            return opened
        if quantity == 0.0 or abs(quantity) * worth(m, t, s, how[0]) <= DUST * k.account[NOW]:
            finish(k, t, slot, REJECTED if codes[slot, C_UNIT] != WEIGHT else NOTHING_LEFT)
            return opened
        orders[slot, O_QUANTITY] = orders[slot, O_ORIGINAL] = quantity
        codes[slot, C_SIDE] = 1 if quantity > 0.0 else -1
    if held * quantity < 0.0:
        part = min(abs(quantity), abs(held))
        if codes[slot, C_UNIT] == WEIGHT and part < abs(held):
            part = floored(part, m.instruments[s, LOT])
            quantity = codes[slot, C_SIDE] * part
        if part > 0.0:
            done = fill(m, k, t, slot, codes[slot, C_SIDE] * part, how)
            carry_on(m, k, t, slot, quantity, (done, False))
            if done < part * (1.0 - DUST):
                return opened
        quantity = orders[slot, O_QUANTITY] if part > 0.0 else 0.0
    elif codes[slot, C_REDUCE] == 1:
        finish(k, t, slot, NOTHING_LEFT)
        return opened
    if abs(quantity) <= 0.0 or codes[slot, C_REDUCE] == 1:
        finish(k, t, slot, FILLED if orders[slot, O_FILLED] > 0.0 else NOTHING_LEFT)
        return opened
    if may_open:
        amount = allowed(m, k, t, slot, abs(quantity), price)
        if amount > 0.0:
            opened = fill(m, k, t, slot, codes[slot, C_SIDE] * amount, how)
            carry_on(m, k, t, slot, codes[slot, C_SIDE] * amount, (opened, True))
        else:
            finish(k, t, slot, FILLED if orders[slot, O_FILLED] > 0.0 else REJECTED)
    return opened


@compiled
def carry_on(
    m: Market, k: Book, t: int, slot: int, quantity: float, done: tuple[float, bool]
) -> None:
    """After a fill: what remains of `quantity`, and how long; `done` = (units, they opened)."""
    codes = k.codes
    amount, opened = done
    if amount <= 0.0:
        return
    left = abs(quantity) - amount
    left = 0.0 if left <= DUST * abs(quantity) else left
    k.orders[slot, O_QUANTITY] = left if quantity > 0.0 else -left
    lives_on = codes[slot, C_KIND] != MARKET and codes[slot, C_REASON] == ORDER
    if codes[slot, C_REDUCE] == 0 and not lives_on:
        expires = t + m.switches[TIME_TO_LIVE]
        codes[slot, C_EXPIRES] = min(codes[slot, C_EXPIRES], expires)
    after_fill(k, t, slot, amount, opened)
    if left == 0.0:
        finish(k, t, slot, FILLED)


@compiled
def quote(m: Market, t: int, s: int, part: int) -> tuple[float, float, float]:
    """Open, high and low of a part of bar t: its open alone, all of it, or a detail bar."""
    if part == WHOLE:
        return m.open[t, s], m.high[t, s], m.low[t, s]
    if part == POINT:
        return m.open[t, s], m.open[t, s], m.open[t, s]
    i = m.detail_first[t] + part
    return m.detail_open[i, s], m.detail_high[i, s], m.detail_low[i, s]


@compiled
def touch(m: Market, k: Book, slot: int, bar: tuple[float, float, float]) -> tuple[float, bool]:
    """Reference price at which a resting order fills in this part of a bar, NaN: it does not.

    With it, whether it takes liquidity.
    """
    orders, codes = k.orders, k.codes
    kind, side = codes[slot, C_KIND], codes[slot, C_SIDE]
    start, high, low = bar
    far, near = (high, low) if side > 0 else (low, high)
    limit, stop = orders[slot, O_LIMIT], orders[slot, O_STOP]
    if kind == TRAILING:
        distance = orders[slot, O_TRAIL]
        if codes[slot, C_PART] == 1:
            distance *= orders[slot, O_EXTREME]
        stop = orders[slot, O_EXTREME] + side * distance
        orders[slot, O_STOP] = stop
    if kind in (STOP, TRAILING):
        if side * start >= side * stop:
            return start, True
        return (stop, True) if side * far >= side * stop else (np.nan, True)
    if kind == STOP_LIMIT and codes[slot, C_TRIGGERED] == 0:
        if not side * far >= side * stop:
            return np.nan, False
        codes[slot, C_TRIGGERED] = 1
        if not side * start >= side * stop:  # inside: the price stands at the stop
            return (stop, False) if side * stop <= side * limit else (np.nan, False)
    beyond = m.switches[THROUGH] == 1
    if side * start < side * limit or (not beyond and start == limit):
        return start, False
    hit = side * near < side * limit or (not beyond and near == limit)
    return (limit, False) if hit else (np.nan, False)


@compiled
def protect(
    m: Market,
    k: Book,
    t: int,
    s: int,
    bar: tuple[float, float, float],
    rules: tuple[bool, bool, int],
) -> None:
    """Close a position whose stop or target is met; `rules` = (stop may, target may, stage)."""
    orders, codes, symbols, flags = k.orders, k.codes, k.symbols, k.flags
    switches = m.switches
    quantity, stop, target = symbols[s, QUANTITY], symbols[s, STOP_AT], symbols[s, TARGET_AT]
    if flags[s, EXIT_ORDER] != 0 and flags[s, TOUCHED] == flags[s, EXIT_ORDER]:
        return  # the remainder of a met stop or target waits for volume
    side = 1 if quantity > 0.0 else -1
    start, high, low = bar
    best, worst = (high, low) if side > 0 else (low, high)
    beyond = switches[THROUGH] == 1
    reference, stopped = np.nan, True
    at_target = side * best > side * target or (not beyond and best == target)
    at_stop = side * worst <= side * stop
    if side * start <= side * stop and rules[0]:
        reference = start
    elif rules[1] and (side * start > side * target or (not beyond and start == target)):
        reference, stopped = start, False
    elif at_stop and rules[0] and not (at_target and rules[1] and switches[OPTIMISTIC] == 1):
        reference = stop
    elif at_target and rules[1]:
        reference, stopped = target, False
    if np.isnan(reference):
        return
    reason = TAKE_PROFIT
    if stopped:
        reason = TRAILING_STOP if flags[s, TRAILS] == 1 else STOP_LOSS
    kind = LIMIT if not stopped else (TRAILING if reason == TRAILING_STOP else STOP)
    slot = new_order(k, t, s, kind, -side, reason)
    orders[slot, O_QUANTITY] = orders[slot, O_ORIGINAL] = -quantity
    orders[slot, O_STOP if stopped else O_LIMIT] = stop if stopped else target
    codes[slot, C_DECIDED], codes[slot, C_REDUCE] = flags[s, T_DECIDED], 1
    codes[slot, C_BORN] = k.counters[STAMP]
    done = fill(m, k, t, slot, -quantity, (reference, stopped, rules[2]))
    carry_on(m, k, t, slot, -quantity, (done, False))
    if codes[slot, C_STATUS] == OPEN_ORDER:
        codes[slot, C_KIND], codes[slot, C_ACTIVE] = MARKET, t + 1
        flags[s, EXIT_ORDER] = flags[s, TOUCHED] = codes[slot, C_ID]


@compiled
def protect_all(m: Market, k: Book, t: int, part: int) -> None:
    """Protective exits of everything that was held when this part of the bar began."""
    counters = k.counters
    stage = AT_OPEN if part == POINT else INSIDE
    i = 0
    while i < counters[N_HELD]:
        s = k.held[i]
        bar = quote(m, t, s, part)
        if not np.isnan(bar[0]):
            protect(m, k, t, s, bar, (True, True, stage))
        if i < counters[N_HELD] and k.held[i] == s:
            i += 1


@compiled
def is_live(k: Book, t: int, slot: int) -> bool:
    """Whether an order is open, active, and older than this part of the bar."""
    codes = k.codes
    return (
        codes[slot, C_STATUS] == OPEN_ORDER
        and codes[slot, C_ACTIVE] <= t
        and codes[slot, C_BORN] != k.counters[STAMP]
    )


@compiled
def reference_of(m: Market, k: Book, t: int, slot: int, at_open: bool) -> tuple[float, bool]:
    """Price of a market order at its own time, of a resting one at the open; NaN: none."""
    codes = k.codes
    s = codes[slot, C_SYMBOL]
    if codes[slot, C_KIND] != MARKET:
        if not at_open:
            return np.nan, True
        bar = quote(m, t, s, POINT)
        return touch(m, k, slot, bar)
    model = m.switches[MODEL]
    if at_open:
        return (m.open[t, s] if model == NEXT_OPEN else np.nan), True
    if model == NEXT_VWAP:
        return (m.open[t, s] + m.high[t, s] + m.low[t, s] + m.close[t, s]) / 4.0, True
    return m.close[t, s], True


@compiled
def batch(m: Market, k: Book, t: int, at_open: bool) -> None:
    """Fill what fills at one instant: reductions first, then entries, the strongest first."""
    orders, codes = k.orders, k.codes
    stage, n, ready = AT_OPEN if at_open else AT_CLOSE, k.counters[N_OPEN], 0
    for slot in range(n):
        if not is_live(k, t, slot):
            continue
        reference, taker = reference_of(m, k, t, slot, at_open)
        if np.isnan(reference):
            continue
        execute(m, k, t, slot, (reference, taker, stage), False)
        if codes[slot, C_STATUS] == OPEN_ORDER:
            j = ready
            while j > 0 and orders[k.scratch[j - 1], O_STRENGTH] < orders[slot, O_STRENGTH]:
                k.scratch[j] = k.scratch[j - 1]
                j -= 1
            k.scratch[j] = slot
            ready += 1
    if at_open:
        protect_all(m, k, t, POINT)
    for i in range(ready):
        slot = k.scratch[i]
        if codes[slot, C_STATUS] == OPEN_ORDER:
            reference, taker = reference_of(m, k, t, slot, at_open)
            execute(m, k, t, slot, (reference, taker, stage), True)


@compiled
def inside(m: Market, k: Book, t: int, part: int) -> None:
    """One part of the bar after its open: protective exits, then stop orders, then limit orders."""
    codes, counters = k.codes, k.counters
    counters[STAMP] += 1
    protect_all(m, k, t, part)
    optimistic = m.switches[OPTIMISTIC] == 1
    for turn in range(2):
        stops = (turn == 0) != optimistic
        for slot in range(counters[N_OPEN]):
            kind = codes[slot, C_KIND]
            if kind == MARKET or not is_live(k, t, slot):
                continue
            if stops != (kind in (STOP, TRAILING, STOP_LIMIT)):
                continue
            s = codes[slot, C_SYMBOL]
            bar = quote(m, t, s, part)
            if np.isnan(bar[0]):
                continue
            reference, taker = touch(m, k, slot, bar)
            if np.isnan(reference):
                continue
            opened = execute(m, k, t, slot, (reference, taker, INSIDE), True)
            if opened > 0.0 and not optimistic:
                guard(m, k, t, slot, (reference, bar[1], bar[2]))


@compiled
def guard(m: Market, k: Book, t: int, slot: int, bar: tuple[float, float, float]) -> None:
    """Protect what was opened inside a bar for the rest of it.

    A stop that the bar touched counts as met. A target counts only after a stop entry, whose price
    moved toward it; after a limit entry its touch may have come before. A bracket that is not met
    is at work from the next part of the bar on.
    """
    codes = k.codes
    s, by_stop = codes[slot, C_SYMBOL], codes[slot, C_KIND] in (STOP, TRAILING)
    n = k.counters[N_OPEN]
    for child in range(n):
        mine = codes[child, C_GROUP] == -codes[slot, C_ID] and codes[child, C_GROUP] != 0
        if not mine or codes[child, C_STATUS] != OPEN_ORDER:
            continue
        if codes[child, C_KIND] == LIMIT and not by_stop:
            continue
        reference, taker = touch(m, k, child, bar)
        if not np.isnan(reference):
            execute(m, k, t, child, (reference, taker, INSIDE), False)
    if k.symbols[s, QUANTITY] != 0.0:
        protect(m, k, t, s, bar, (True, by_stop, INSIDE))


@compiled
def on_the_way(m: Market, k: Book, t: int, s: int, share: float) -> float:
    """Price that has gone `share` of the way from the open, or a fill of this bar, to the worst."""
    worst = m.low[t, s] if k.symbols[s, QUANTITY] > 0.0 else m.high[t, s]
    begin = k.symbols[s, LEVEL]
    if k.flags[s, ENTRY_BAR] < t and not np.isnan(m.open[t, s]):
        begin = m.open[t, s]
    return begin if np.isnan(worst) else begin + share * (worst - begin)


@compiled
def stressed(m: Market, k: Book, t: int, share: float) -> float:
    """Equity less maintenance margin when prices have gone `share` of the way to their worst."""
    symbols = k.symbols
    instruments = m.instruments
    left = k.account[CASH]
    for i in range(k.counters[N_HELD]):
        s = k.held[i]
        quantity, price = symbols[s, QUANTITY], on_the_way(m, k, t, s, share)
        fx, notional = m.fx[row_of(m.fx, t), s], abs(quantity) * worth(m, t, s, price)
        if instruments[s, INVERSE] != 0.0:
            left += quantity * fx * profit(m, s, symbols[s, AVERAGE], price)
        else:
            left += quantity * fx * instruments[s, MULTIPLIER] * price
        rate, deduction = 0.0, 0.0
        for tier in range(m.margin.shape[2]):
            if notional >= m.margin[0, s, tier]:
                rate, deduction = m.margin[1, s, tier], m.margin[2, s, tier]
        left -= notional * rate - deduction
    return left


@compiled
def margin_call(m: Market, k: Book, t: int) -> None:
    """Close everything at the prices at which equity meets the maintenance margin, if it does.

    Bars that open beyond these prices are closed at their opens: equity may be below 0 then.
    """
    orders, counters, symbols = k.orders, k.counters, k.symbols
    if stressed(m, k, t, 1.0) > 0.0:
        return
    low, high = 0.0, 1.0
    if stressed(m, k, t, 0.0) <= 0.0:
        high = 0.0
    else:
        for _ in range(60):
            middle = 0.5 * (low + high)
            if stressed(m, k, t, middle) > 0.0:
                low = middle
            else:
                high = middle
    while counters[N_HELD] > 0:
        s = k.held[counters[N_HELD] - 1]
        quantity, price = symbols[s, QUANTITY], on_the_way(m, k, t, s, high)
        slot = new_order(k, t, s, MARKET, -1 if quantity > 0.0 else 1, LIQUIDATION)
        orders[slot, O_QUANTITY] = orders[slot, O_ORIGINAL] = -quantity
        k.codes[slot, C_REDUCE] = 1
        revalue(m, k, t, s, price)
        penalty = abs(quantity) * worth(m, t, s, price) * m.rules[LIQUIDATION_FEE]
        pay(k, s, -penalty, PENALTY)
        move(m, k, t, slot, -quantity, (price, price, 0.0, True))
        k.fills[counters[N_FILLS] - 1, 9] = penalty
        symbols[s, HIGHEST] = max(symbols[s, HIGHEST], price)
        symbols[s, LOWEST] = min(symbols[s, LOWEST], price)
        close_trade(m, k, t, slot)
        finish(k, t, slot, FILLED)


@compiled
def trail(k: Book, s: int, best: float) -> None:
    """Move the trailing stop of `s` after a bar whose best price is known; never loosen it."""
    symbols = k.symbols
    side = 1 if symbols[s, QUANTITY] > 0.0 else -1
    if side * best > side * symbols[s, EXTREME]:
        symbols[s, EXTREME] = best
    extreme = symbols[s, EXTREME]
    for distance in (symbols[s, TRAIL_PART] * extreme, symbols[s, TRAIL_DISTANCE]):
        if not np.isnan(distance):
            stop = extreme - side * distance
            if not side * stop <= side * symbols[s, STOP_AT]:
                symbols[s, STOP_AT], k.flags[s, TRAILS] = stop, 1


@compiled
def total_value(m: Market, k: Book, t: int) -> float:
    """Value of all positions at their levels; heat is written anew."""
    value, heat = 0.0, 0.0
    for i in range(k.counters[N_HELD]):
        value += position_value(m, k, t, k.held[i])
        heat += heat_of(m, k, t, k.held[i])
    k.account[HEAT] = heat
    return value


@compiled
def balance(a: Floats, value: float) -> bool:
    """Write the equity of the close, from balances; whether profit and loss agree with it."""
    expected = a[EQUITY] + a[GAIN] - a[COMMISSION] - a[SLIPPAGE] - a[BORROW] - a[PENALTY]
    expected += a[INTEREST] + a[FUNDING]
    equity = a[CASH] + value
    scale = max(abs(equity), abs(a[CASH]), a[LONG] + a[SHORT], abs(a[EQUITY]))
    a[EXPECTED] = expected
    a[NOW] = equity
    return abs(expected - equity) <= IDENTITY_TOLERANCE * scale


@compiled
def correlation_with_held(m: Market, k: Book, t: int, s: int, side: int) -> float:
    """Highest correlation of close-to-close returns with what is held or about to be, on `side`."""
    codes, symbols, flags = k.codes, k.symbols, k.flags
    n, highest = m.switches[CORRELATION_BARS], -2.0
    first = max(1, t - n + 1)
    for other in range(symbols.shape[0]):
        same = symbols[other, QUANTITY] * side > 0.0
        if flags[other, ENTRY_ORDER] != 0 and not same:
            for slot in range(k.counters[N_OPEN]):
                mine = codes[slot, C_ID] == flags[other, ENTRY_ORDER]
                same = same or (mine and codes[slot, C_SIDE] == side)
        if other == s or not same:
            continue
        count, mean_x, mean_y, xx, yy, xy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(first, t + 1):
            x = m.close[i, s] / m.close[i - 1, s] - 1.0
            y = m.close[i, other] / m.close[i - 1, other] - 1.0
            if np.isnan(x) or np.isnan(y):
                continue
            count += 1.0
            dx, dy = x - mean_x, y - mean_y
            mean_x += dx / count
            mean_y += dy / count
            xx += dx * (x - mean_x)
            yy += dy * (y - mean_y)
            xy += dx * (y - mean_y)
        if count > 2.0 and xx > 0.0 and yy > 0.0:
            highest = max(highest, xy / np.sqrt(xx * yy))
    return highest


@compiled
def refused(m: Market, k: Book, t: int, s: int, side: int, size: float) -> bool:
    """Whether the state of the account forbids a new entry; each refusal is logged."""
    counters = k.counters
    rules = m.rules
    place = (t, s, 0)
    if counters[HALTED] == 1:
        veto(k, place, BY_HALT, size, 0.0)
    elif counters[BLOCKED] == 1:
        veto(k, place, BY_DAILY, size, 0.0)
    elif t < k.flags[s, COOL_UNTIL]:
        veto(k, place, BY_COOL, size, 0.0)
    elif rules[CORRELATION] != np.inf and (
        correlation_with_held(m, k, t, s, side) > rules[CORRELATION]
    ):
        veto(k, place, BY_CORRELATION, size, 0.0)
    else:
        return False
    return True


@compiled
def entry_blocks(k: Book, t: int, s: int, at_market: bool) -> bool:
    """Whether a waiting entry of `s` stays; a resting one that was active is replaced."""
    codes, flags = k.codes, k.flags
    if flags[s, ENTRY_ORDER] == 0:
        return False
    for slot in range(k.counters[N_OPEN]):
        if codes[slot, C_ID] == flags[s, ENTRY_ORDER]:
            waits = codes[slot, C_KIND] == MARKET and at_market
            if waits or k.orders[slot, O_FILLED] > 0.0 or codes[slot, C_ACTIVE] > t:
                return True
            finish(k, t, slot, REPLACED)
            return False
    return False


@compiled
def replace_targets(k: Book, t: int, s: int) -> None:
    """Cancel what remains of older target weights of `s`."""
    codes = k.codes
    if k.flags[s, ENTRY_ORDER] == 0:
        return
    for slot in range(k.counters[N_OPEN]):
        older = codes[slot, C_REASON] == TARGET_WEIGHT and codes[slot, C_ACTIVE] <= t
        if older and codes[slot, C_SYMBOL] == s:
            finish(k, t, slot, REPLACED)


@compiled
def enter(m: Market, k: Book, t: int, s: int, side: int) -> None:
    """Turn an entry signal into an open order, unless a rule refuses."""
    orders, codes, account = k.orders, k.codes, k.account
    rules = m.rules
    limit = m.limit[row_of(m.limit, t), s] if m.limit.size else np.nan
    stop = m.stop[row_of(m.stop, t), s] if m.stop.size else np.nan
    at_market = np.isnan(limit) and np.isnan(stop)
    size = m.size[row_of(m.size, t), s]
    if not size > 0.0 or entry_blocks(k, t, s, at_market) or refused(m, k, t, s, side, size):
        return
    if 1.0 - account[NOW] / account[PEAK] > rules[CUT_DRAWDOWN]:
        veto(k, (t, s, 0), BY_CUT, size, size * rules[CUT_SCALE])
        size *= rules[CUT_SCALE]
    if k.symbols[s, QUANTITY] * side < 0.0:
        exit_order(m, k, t, s, REVERSAL)
    kind = MARKET
    if not at_market:
        kind = LIMIT if np.isnan(stop) else (STOP if np.isnan(limit) else STOP_LIMIT)
    slot = new_order(k, t, s, kind, side, ENTRY)
    orders[slot, O_SIZE], codes[slot, C_UNIT] = size, m.switches[SIZE_UNIT]
    orders[slot, O_LIMIT], orders[slot, O_STOP] = limit, stop
    if m.strength.size:
        strength = m.strength[row_of(m.strength, t), s]
        orders[slot, O_STRENGTH] = 1.0 if np.isnan(strength) else strength
    codes[slot, C_ACTIVE] = first_bar(m, t, at_market)
    k.flags[s, ENTRY_ORDER] = codes[slot, C_ID]


@compiled
def decide_signals(m: Market, k: Book, t: int) -> None:
    """Exits first, then entries, the strongest first."""
    codes, symbols, flags = k.codes, k.symbols, k.flags
    row = t if m.signal.shape[0] > 1 else 0
    n_entries = 0
    for s in range(m.signal.shape[1]):
        code = m.signal[row, s]
        if code == 0 or np.isnan(m.close[t, s]):
            continue
        held = symbols[s, QUANTITY]
        long = (code & ENTER_LONG) != 0 and (code & EXIT_LONG) == 0
        short = (code & ENTER_SHORT) != 0 and (code & EXIT_SHORT) == 0
        leaves = (held > 0.0 and (code & EXIT_LONG) != 0) or (
            held < 0.0 and (code & EXIT_SHORT) != 0
        )
        if flags[s, ENTRY_ORDER] != 0:
            for slot in range(k.counters[N_OPEN]):
                if codes[slot, C_ID] == flags[s, ENTRY_ORDER]:
                    side = codes[slot, C_SIDE]
                    ends = (code & (EXIT_LONG if side > 0 else EXIT_SHORT)) != 0
                    if ends:
                        finish(k, t, slot, REPLACED)
        if leaves:
            exit_order(m, k, t, s, EXIT_SIGNAL)
        if long == short:
            continue
        side = 1 if long else -1
        if held * side > 0.0:
            continue
        strength = m.strength[row_of(m.strength, t), s] if m.strength.size else 1.0
        symbols[s, CALLED] = 1.0 if np.isnan(strength) else strength
        j = n_entries
        while j > 0 and symbols[k.scratch[j - 1] // 2, CALLED] < symbols[s, CALLED]:
            k.scratch[j] = k.scratch[j - 1]
            j -= 1
        k.scratch[j] = 2 * s + (1 if long else 0)
        n_entries += 1
    for i in range(n_entries):
        s = k.scratch[i] // 2
        enter(m, k, t, s, 1 if k.scratch[i] % 2 == 1 else -1)


@compiled
def decide_targets(m: Market, k: Book, t: int) -> None:
    """One order per symbol with a target weight; it is sized when it fills."""
    orders, codes, flags, account = k.orders, k.codes, k.flags, k.account
    rules = m.rules
    row = row_of(m.target, t)
    for s in range(m.target.shape[1]):
        weight = m.target[row, s]
        if np.isnan(weight) or np.isnan(m.close[t, s]):
            continue
        held = k.symbols[s, QUANTITY]
        replace_targets(k, t, s)
        if weight == 0.0 and held == 0.0 and flags[s, ENTRY_ORDER] == 0:
            continue
        now = held * worth(m, t, s, m.close[t, s]) / account[NOW]
        side = 1 if weight > now else -1
        grows = weight * held < 0.0 or abs(weight) > abs(now)
        if grows and refused(m, k, t, s, side, weight):
            continue
        if grows and 1.0 - account[NOW] / account[PEAK] > rules[CUT_DRAWDOWN]:
            veto(k, (t, s, 0), BY_CUT, weight, weight * rules[CUT_SCALE])
            weight *= rules[CUT_SCALE]
        slot = new_order(k, t, s, MARKET, side, TARGET_WEIGHT)
        orders[slot, O_SIZE], codes[slot, C_UNIT] = weight, WEIGHT
        codes[slot, C_ACTIVE] = first_bar(m, t, True)
        if m.strength.size:
            strength = m.strength[row_of(m.strength, t), s]
            orders[slot, O_STRENGTH] = 1.0 if np.isnan(strength) else strength
        flags[s, ENTRY_ORDER] = codes[slot, C_ID]


@compiled
def is_chosen(k: Book, slot: int, i: int) -> bool:
    """Whether request i, a cancel, names this order.

    What closes a position by a rule of the account (a protective exit that waits for volume, a
    time stop, a halt) is not for the strategy to cancel.
    """
    codes, r = k.codes, k.requests
    bracket, reason = codes[slot, C_GROUP] < 0, codes[slot, C_REASON]
    decided = reason in (ENTRY, EXIT_SIGNAL, TARGET_WEIGHT, ORDER, REVERSAL)
    part = int(r[i, R_PART])
    wrong_part = part == (NO_BRACKETS if bracket else BRACKETS)
    if codes[slot, C_STATUS] != OPEN_ORDER or not (bracket or decided) or wrong_part:
        return False
    for field, code in ((R_SYMBOL, C_SYMBOL), (R_GROUP, C_GROUP), (R_TAG, C_TAG)):
        if not np.isnan(r[i, field]) and r[i, field] != codes[slot, code]:
            return False
    return True


@compiled
def leave(m: Market, k: Book, t: int, slot: int) -> None:
    """Cancel an order; like an order, the cancel reaches the market when its decision does."""
    codes = k.codes
    at_market = codes[slot, C_KIND] == MARKET
    same_close = at_market and m.switches[MODEL] == SAME_CLOSE
    last = first_bar(m, t, at_market) - (0 if same_close else 1)
    codes[slot, C_LEAVES] = min(codes[slot, C_LEAVES], last)
    if last <= t:
        drop(k, t, slot)


@compiled
def drop(k: Book, t: int, slot: int) -> None:
    """Take a cancelled order out of the book; a stop of a bracket protects no more."""
    orders, codes = k.orders, k.codes
    finish(k, t, slot, WITHDRAWN)
    if codes[slot, C_GROUP] >= 0 or codes[slot, C_KIND] != STOP:
        return
    s = codes[slot, C_SYMBOL]
    k.symbols[s, ORDER_STOP] = np.nan
    for other in range(k.counters[N_OPEN]):
        mine = codes[other, C_SYMBOL] == s and codes[other, C_STATUS] == OPEN_ORDER
        if mine and codes[other, C_GROUP] < 0 and codes[other, C_KIND] == STOP:
            k.symbols[s, ORDER_STOP] = orders[other, O_STOP]


@compiled
def withdraw(m: Market, k: Book, t: int, i: int) -> None:
    """Cancel the orders that request i names, and the brackets that they brought to life."""
    codes = k.codes
    with_brackets = int(k.requests[i, R_PART]) == ALL_ORDERS
    for slot in range(k.counters[N_OPEN]):
        if not is_chosen(k, slot, i):
            continue
        leave(m, k, t, slot)
        children = codes[slot, C_CHILDREN] if with_brackets else 0
        for child in range(k.counters[N_OPEN]):
            if children != 0 and codes[child, C_GROUP] == children:
                leave(m, k, t, child)


@compiled
def ingest(m: Market, k: Book, t: int) -> None:
    """Cancel what a bar-by-bar strategy cancels, then turn what it placed into open orders."""
    orders, codes, counters = k.orders, k.codes, k.counters
    for i in range(counters[N_REQUESTS]):
        if k.requests[i, R_KIND] == CANCEL:
            withdraw(m, k, t, i)
    for i in range(counters[N_REQUESTS]):
        if k.requests[i, R_KIND] == CANCEL:
            continue
        r, quantity = k.requests, k.requests[i, R_QUANTITY]
        s, side = int(r[i, R_SYMBOL]), 1 if quantity > 0.0 else -1
        held, reduce = k.symbols[s, QUANTITY], int(r[i, R_REDUCE])
        opens = reduce == 0 and (held * side >= 0.0 or abs(quantity) > abs(held))
        if opens and refused(m, k, t, s, side, abs(quantity)):
            continue
        kind = int(r[i, R_KIND])
        slot = new_order(k, t, s, kind, side, ORDER)
        orders[slot, O_QUANTITY] = orders[slot, O_ORIGINAL] = quantity
        orders[slot, O_LIMIT], orders[slot, O_STOP] = r[i, R_LIMIT], r[i, R_STOP]
        orders[slot, O_TRAIL], orders[slot, O_EXTREME] = r[i, R_TRAIL], m.close[t, s]
        orders[slot, O_PROFIT], orders[slot, O_LOSS] = r[i, R_PROFIT], r[i, R_LOSS]
        codes[slot, C_PART], codes[slot, C_FORCE] = int(r[i, R_PART]), int(r[i, R_FORCE])
        codes[slot, C_GROUP], codes[slot, C_REDUCE] = int(r[i, R_GROUP]), reduce
        codes[slot, C_TAG] = int(r[i, R_TAG])
        active = first_bar(m, t, kind == MARKET)
        codes[slot, C_ACTIVE] = active
        if codes[slot, C_FORCE] == IOC:
            codes[slot, C_EXPIRES] = active
        elif codes[slot, C_FORCE] == GTD:
            codes[slot, C_EXPIRES] = active + int(r[i, R_BARS]) - 1
    counters[N_REQUESTS] = 0


@compiled
def watch(m: Market, k: Book, t: int) -> None:
    """Drawdown halt, daily loss and time stops at the close."""
    counters, account = k.counters, k.account
    rules = m.rules
    equity = account[NOW]
    drop = 1.0 - equity / account[PEAK]
    if counters[HALTED] == 1:
        waited = t - counters[HALT_SINCE] >= m.switches[HALT_BARS]
        if drop < rules[RESUME_DRAWDOWN] or waited:
            counters[HALTED] = 0
            account[PEAK] = equity if waited else account[PEAK]
    elif drop >= rules[HALT_DRAWDOWN]:
        counters[HALTED], counters[HALT_SINCE] = 1, t
    if equity <= account[DAY_START] * (1.0 - rules[DAILY_LOSS]):
        counters[BLOCKED] = 1
    stopped = counters[HALTED] == 1 or counters[BLOCKED] == 1
    if stopped:
        for slot in range(counters[N_OPEN]):
            if k.codes[slot, C_REDUCE] == 0:
                finish(k, t, slot, IN_HALT)
    for i in range(counters[N_HELD]):
        s = k.held[i]
        if stopped:
            exit_order(m, k, t, s, DRAWDOWN_HALT if counters[HALTED] == 1 else DAILY_HALT)
        elif t >= k.flags[s, TIME_EXIT]:
            exit_order(m, k, t, s, TIME_STOP)


@compiled
def month_of(day: int) -> int:
    """Number of the month of a day since 1970, proleptic Gregorian."""
    shifted = day + 719_468  # days since 1 March of year 0
    of_era = shifted % 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153  # from March on
    return 12 * (400 * (shifted // 146_097) + year) + month


@compiled
def expire(m: Market, k: Book, t: int, starts: bool) -> None:
    """End orders whose time is over: DAY orders as a day starts, the others after their last bar.

    After the bar, trailing stop orders follow its extreme.
    """
    orders, codes, counters = k.orders, k.codes, k.counters
    for slot in range(counters[N_OPEN]):
        if codes[slot, C_STATUS] != OPEN_ORDER:
            continue
        if not starts and t >= codes[slot, C_LEAVES]:
            drop(k, t, slot)
            continue
        if codes[slot, C_ACTIVE] > t:
            continue
        s = codes[slot, C_SYMBOL]
        if starts:
            if codes[slot, C_DAY] == -NEVER:
                codes[slot, C_DAY] = counters[DAY]
            if codes[slot, C_FORCE] == DAY_ORDER and codes[slot, C_DAY] != counters[DAY]:
                finish(k, t, slot, EXPIRED)
        elif t >= codes[slot, C_EXPIRES]:
            finish(k, t, slot, UNFILLED if codes[slot, C_FORCE] == IOC else EXPIRED)
        elif codes[slot, C_KIND] == TRAILING and codes[slot, C_REASON] == ORDER:
            best = m.low[t, s] if codes[slot, C_SIDE] > 0 else m.high[t, s]
            if codes[slot, C_SIDE] * best < codes[slot, C_SIDE] * orders[slot, O_EXTREME]:
                orders[slot, O_EXTREME] = best


@compiled
def lent_market(market: Market) -> Market:
    """The market without owners of its arrays."""
    return Market(
        lent(market.open),
        lent(market.high),
        lent(market.low),
        lent(market.close),
        lent(market.volume),
        lent(market.volatility),
        lent(market.average_volume),
        lent(market.spread),
        lent(market.fx),
        lent(market.signal),
        lent(market.target),
        lent(market.limit),
        lent(market.stop),
        lent(market.strength),
        lent(market.size),
        lent(market.exit_kind),
        lent(market.exit_level),
        lent(market.detail_open),
        lent(market.detail_high),
        lent(market.detail_low),
        lent(market.detail_close),
        lent(market.detail_first),
        lent(market.first_fill),
        lent(market.ts),
        lent(market.days),
        lent(market.funding_place),
        lent(market.funding_rate),
        lent(market.rules),
        lent(market.switches),
        lent(market.instruments),
        lent(market.commission),
        lent(market.margin),
    )


@compiled
def lent_book(book: Book) -> Book:
    """The book without owners of its arrays."""
    return Book(
        lent(book.account),
        lent(book.counters),
        lent(book.symbols),
        lent(book.flags),
        lent(book.held),
        lent(book.scratch),
        lent(book.orders),
        lent(book.codes),
        lent(book.requests),
        lent(book.fills),
        lent(book.order_log),
        lent(book.trades),
        lent(book.vetoes),
        lent(book.rows),
        lent(book.shown),
        lent(book.shown_rows),
    )


@compiled
def has_target(target: Floats, row: int) -> bool:
    """Whether any symbol has one in this row."""
    for s in range(target.shape[1]):  # noqa: SIM110  # a loop is what numba compiles best
        if not np.isnan(target[row, s]):
            return True
    return False


@compiled
def most_parts(first: Any) -> int:
    """Most parts of a bar: its open, the whole, and detail bars where there are any."""
    most = 0
    for t in range(first.size - 1):
        most = max(most, first[t + 1] - first[t])
    return 2 + most


@compiled
def trade_bar(m: Market, k: Book, t: int, touched: bool) -> None:
    """Everything that fills at the open and inside bar t."""
    codes, counters = k.codes, k.counters
    counters[STAMP] += 1
    if counters[N_OPEN] > 0:
        expire(m, k, t, True)
        revalue_all(m, k, t, False)
        batch(m, k, t, True)
    elif touched:
        protect_all(m, k, t, POINT)
    resting = touched or m.exit_kind.size > 0
    for slot in range(counters[N_OPEN]):
        resting = resting or (codes[slot, C_KIND] != MARKET and codes[slot, C_STATUS] == OPEN_ORDER)
    if not resting:
        return
    parts = 0
    if m.detail_first.size:
        parts = m.detail_first[t + 1] - m.detail_first[t]
    if parts == 0:
        inside(m, k, t, WHOLE)
    for part in range(parts):
        inside(m, k, t, part)


@compiled
def run(market: Market, book: Book, last: int, address: int) -> int:
    """Advance the book to bar `last` (exclusive); return a status.

    `address` of a function (bar) -> 0 that is called for each decision, or 0; before, with
    -bar - 1, where the buffers of `shown` have no room for the bar. GROW: the logs are
    too short, nothing of the bar was done; STOPPED: the function did not return 0.

    What happens on every bar is written out here on local arrays; what happens on some is called.
    """
    m, k = market_at(lent_market(market)), book_at(lent_book(book))
    high, low, close, fx, signal = market.high, market.low, market.close, market.fx, market.signal
    ts, switches, rules = market.ts, market.switches, market.rules
    instruments, symbols, flags, held = market.instruments, book.symbols, book.flags, book.held
    counters, a, rows = book.counters, book.account, book.rows
    model, n_symbols = switches[MODEL], close.shape[1]
    early_close = model in (NEXT_CLOSE, NEXT_VWAP)
    signals, targets = switches[HAS_SIGNAL] == 1, switches[HAS_TARGET] == 1
    carries, funds = switches[HAS_CARRY] == 1, market.funding_place.shape[0] > 0
    parts, quiet = most_parts(market.detail_first), False
    watches = (
        rules[HALT_DRAWDOWN] != np.inf or rules[DAILY_LOSS] != np.inf or market.exit_kind.size > 0
    )
    for t in range(counters[BAR], last):
        need = parts * (n_symbols + counters[N_OPEN] + book.requests.shape[0])
        if (
            counters[N_FILLS] + FILL_ROOM * need > book.fills.shape[0]
            or counters[N_ORDERS] + ORDER_ROOM * need > book.order_log.shape[0]
            or counters[N_TRADES] + FILL_ROOM * need > book.trades.shape[0]
            or counters[N_VETOES] + ORDER_ROOM * need > book.vetoes.shape[0]
            or counters[N_OPEN] + ORDER_ROOM * need > book.orders.shape[0]
        ):
            return GROW
        if ts[t] >= counters[DAY_END]:
            counters[DAY], counters[BLOCKED] = ts[t] // ONE_DAY, 0
            counters[DAY_END] = (counters[DAY] + 1) * ONE_DAY
            a[DAY_START] = a[EQUITY]
            month = month_of(counters[DAY])
            if month != counters[MONTH]:
                counters[MONTH], a[MONTH_UNITS] = month, 0.0
        idle = counters[N_HELD] == 0 and counters[N_OPEN] == 0 and not (carries or funds)
        if not (idle and quiet):
            for field in range(GAIN, PENALTY + 1):
                a[field] = 0.0
        quiet = idle
        if carries:
            carry(m, k, t)
        if funds:
            settle(m, k, t, DUE_BEFORE_OPEN)
        touched = False
        for i in range(counters[N_HELD]):
            s = held[i]
            stop, target = symbols[s, STOP_AT], symbols[s, TARGET_AT]
            if symbols[s, QUANTITY] > 0.0:
                touched = touched or low[t, s] <= stop or high[t, s] >= target
            else:
                touched = touched or high[t, s] >= stop or low[t, s] <= target
        if touched or counters[N_OPEN] > 0:
            trade_bar(m, k, t, touched)
        if funds:
            settle(m, k, t, DUE_INSIDE)
        if counters[N_HELD] > 0:
            safe = a[SHORT] <= 0.0 and a[CASH] >= 0.0
            if not safe or switches[MARGINED] == 1:
                margin_call(m, k, t)
        if early_close and counters[N_OPEN] > 0:
            revalue_all(m, k, t, True)
            batch(m, k, t, False)
        row = t if fx.shape[0] > 1 else 0
        value, heat, long, short = 0.0, 0.0, 0.0, 0.0
        for i in range(counters[N_HELD]):
            s = held[i]
            price, quantity, rate = close[t, s], symbols[s, QUANTITY], fx[row, s]
            scale, old = instruments[s, MULTIPLIER], symbols[s, LEVEL]
            if np.isnan(price):
                flags[s, GAPS] += 1
                price = old
            else:
                whole = flags[s, ENTRY_BAR] != t or flags[s, STAGE] == AT_OPEN
                top, bottom = (high[t, s], low[t, s]) if whole else (price, price)
                symbols[s, HIGHEST] = max(symbols[s, HIGHEST], top)
                symbols[s, LOWEST] = min(symbols[s, LOWEST], bottom)
                if not (np.isnan(symbols[s, TRAIL_PART]) and np.isnan(symbols[s, TRAIL_DISTANCE])):
                    trail(k, s, top if quantity > 0.0 else bottom)
            stop, gap = symbols[s, STOP_AT], np.inf
            stop = symbols[s, ORDER_STOP] if np.isnan(stop) else stop
            if instruments[s, INVERSE] != 0.0:
                entry = 1.0 / symbols[s, AVERAGE]
                worth_now = quantity * scale * (entry - 1.0 / price) * rate
                worth_then = quantity * scale * (entry - 1.0 / old) * symbols[s, LEVEL_FX]
                notional = abs(quantity) * scale * rate / price
                gap = -quantity * scale * (1.0 / price - 1.0 / stop) * rate
            else:
                worth_now = quantity * scale * price * rate
                worth_then = quantity * scale * old * symbols[s, LEVEL_FX]
                notional = abs(worth_now)
                gap = -quantity * scale * (stop - price) * rate
            a[GAIN] += worth_now - worth_then
            symbols[s, LEVEL], symbols[s, LEVEL_FX] = price, rate
            value += worth_now
            heat += notional if np.isnan(stop) else max(gap, 0.0)
            if quantity > 0.0:
                long += notional
            else:
                short += notional
        fine = True
        if not idle:
            a[LONG], a[SHORT], a[HEAT] = long, short, heat
            fine = balance(a, value)
            a[PEAK] = max(a[PEAK], a[NOW])
        if counters[N_OPEN] > 0:
            expire(m, k, t, False)
        if watches and (counters[N_HELD] > 0 or counters[HALTED] == 1):
            watch(m, k, t)
        if t >= switches[WARM_UP]:
            if address != 0:
                if t >= book.shown_rows[1] and call_back(address, -t - 1) != 0:
                    return STOPPED  # the buffers could not be made longer
                reveal(book.shown, book.shown_rows, t)
                if call_back(address, t) != 0:
                    return STOPPED
            if counters[N_REQUESTS] > 0:
                ingest(m, k, t)
            if signals:
                row, any_signal = (t if signal.shape[0] > 1 else 0), False
                for s in range(n_symbols):
                    any_signal = any_signal or signal[row, s] != 0
                if any_signal:
                    decide_signals(m, k, t)
            if targets and has_target(market.target, t if market.target.shape[0] > 1 else 0):
                decide_targets(m, k, t)
        if model == SAME_CLOSE and counters[N_OPEN] > 0:
            counters[STAMP] += 1
            batch(m, k, t, False)
            fine = balance(a, total_value(m, k, t))
        if counters[N_DEAD] > 0:
            compact(k)
        counters[BAR] = t + 1
        a[EQUITY] = a[NOW]
        rows[t, 0], rows[t, 1], rows[t, 2], rows[t, 3] = a[CASH], a[EQUITY], a[LONG], a[SHORT]
        rows[t, 4], rows[t, 5], rows[t, 6] = a[HEAT], a[BORROW], a[INTEREST]
        rows[t, 7] = a[FUNDING]
        if not fine:
            return UNBALANCED
    return FINE
