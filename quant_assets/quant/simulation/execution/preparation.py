"""Terms, bars and decisions as the arrays that the event kernel reads."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.simulation.execution.book import (
    DERIVATIVE_FIELDS,
    FILL_FIELDS,
    N_ACCOUNT,
    N_CODE,
    N_COUNTERS,
    N_FLAGS,
    N_ORDER,
    N_REQUEST,
    N_SYMBOL,
    ORDER_FIELDS,
    ROW_FIELDS,
    TRADE_FIELDS,
    VETO_FIELDS,
    Book,
    Codes,
    Floats,
    Integers,
    Market,
)
from quant_assets.quant.simulation.execution.clocks import (
    calendar_days,
    first_fills,
    session_clock,
)
from quant_assets.quant.simulation.execution.defaults import neutral_limits, no_exits
from quant_assets.quant.simulation.execution.event_kernel import fields as at
from quant_assets.quant.simulation.execution.members import (
    closes_left,
    equal_parts,
    member_codes,
)
from quant_assets.quant.simulation.execution.terms import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    ExecutionTerms,
    ExitTerms,
    LimitTerms,
)
from quant_assets.quant.sizing.entry.units import EntrySizes, Resize
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

__all__ = ["Preparation", "new_book", "prepare"]

UNUSED = np.zeros((1, 1))
NO_PLACES, NO_RATES = np.empty((0, 3), dtype=np.int64), np.empty((0, 2))
TARGETS_RESIZED = (
    "target weights are decided anew by the strategy; they are not resized. Leave resize_bars out"
)
FIRST_ROWS = 1024  # of each log; they grow when a bar could need more


@dataclass(frozen=True)
class Preparation:
    """A market ready for the kernel, its columns sorted by symbol name.

    columns : position of each sorted symbol in the caller's bars, so that results of the same
        symbols in another order are the same. `bars` and `plan` are the caller's.
    """

    market: Market
    symbols: tuple[str, ...]
    columns: npt.NDArray[np.int64]
    bars: BarPanel
    plan: Plan
    terms: ExecutionTerms


def prepare(
    bars: BarPanel,
    terms: ExecutionTerms,
    *,
    signals: Signals | None = None,
    plan: Plan | None = None,
    warm_up: int = 0,
) -> Preparation:
    """Arrays of one run. Without `signals` the decisions are written bar by bar into one row.

    Raises `DataError` or `ConfigError` for shapes that do not belong together, and for impact,
    spread or volume terms whose series the bars do not have.
    """
    plan = plan or Plan()
    n_bars, n_symbols = bars.close.shape
    if n_bars == 0 or n_symbols == 0:
        raise DataError(f"the bars are empty: {n_bars} rows of {n_symbols} symbols")
    if signals is not None and signals.shape != bars.close.shape:
        raise DataError(f"signals have shape {signals.shape}; the bars have {bars.close.shape}")
    order = np.argsort(np.array(bars.symbols, dtype=object), kind="stable")
    column = _columns_of(order)
    sizes = plan.sizes or equal_parts(bars)
    exits, limits = plan.exits or no_exits(), plan.limits or neutral_limits(n_symbols)
    _check(bars, terms, sizes, exits)
    if plan.resize.bars and signals is not None and signals.target is not None:
        raise ConfigError(TARGETS_RESIZED)
    detail, prices = terms.detail, {name: column(bars[name]) for name in FIELDS}
    decisions = _decisions(signals, n_symbols, column)
    levels = np.ascontiguousarray(exits.level[..., order]) if exits.kind.size else exits.level
    places, rates = _funding(terms, order)
    arrays: dict[str, Any] = {**prices, **_series(bars, terms, column), **decisions}
    market = Market(
        **arrays,
        size=column(sizes.size),
        exit_kind=exits.kind,
        exit_level=levels,
        detail_open=column(detail.open),
        detail_high=column(detail.high),
        detail_low=column(detail.low),
        detail_close=column(detail.close),
        detail_first=detail.first,
        first_fill=first_fills(bars),
        ts=session_clock(bars),
        days=_days(bars, terms),
        funding_place=places,
        funding_rate=rates,
        rules=_rules(terms, limits, plan.resize),
        switches=_switches(bars, terms, limits, (sizes, plan.resize, warm_up), signals),
        instruments=_instruments(terms, limits)[order],
        commission=np.stack([terms.commission.tier_from, terms.commission.per_unit]),
        margin=np.ascontiguousarray(_margin(terms)[:, order]),
        member=member_codes(bars, order),
    )
    market = Market(*(one_type(array) for array in market))
    symbols = tuple(bars.symbols[i] for i in order.tolist())
    return Preparation(market, symbols, order, bars, plan, terms)


def new_book(market: Market, capital: float) -> Book:
    """An account with cash and nothing else."""
    n_bars, n = market.close.shape
    account, counters = np.zeros(N_ACCOUNT), np.zeros(N_COUNTERS, dtype=np.int64)
    account[[at.CASH, at.EQUITY, at.PEAK, at.DAY_START, at.NOW]] = capital
    counters[[at.DAY, at.MONTH, at.DAY_END]] = np.iinfo(np.int64).min  # none yet
    symbols, flags = np.zeros((n, N_SYMBOL)), np.zeros((n, N_FLAGS), dtype=np.int64)
    prices = [at.LEVEL, at.STOP_AT, at.TARGET_AT, at.TRAIL_PART, at.TRAIL_DISTANCE]
    symbols[:, prices] = np.nan
    flags[:, [at.BEFORE_BAR, at.USED_BAR]], flags[:, [at.HELD_AT, at.COOL_UNTIL]] = -2, -1
    row = (*ROW_FIELDS, *(DERIVATIVE_FIELDS if market.instruments[:, at.DERIVATIVE].any() else ()))
    orders = FIRST_ROWS + 16 * n
    fills, order_log, trades, vetoes = (
        np.empty((FIRST_ROWS + 16 * n + n_bars * n // 16, len(fields)))  # memory once it is used
        for fields in (FILL_FIELDS, ORDER_FIELDS, TRADE_FIELDS, VETO_FIELDS)
    )
    return Book(
        account,
        counters,
        symbols,
        flags,
        np.zeros(n, dtype=np.int64),
        np.zeros(orders, dtype=np.int64),
        np.zeros((orders, N_ORDER)),
        np.zeros((orders, N_CODE), dtype=np.int64),
        np.zeros((64, N_REQUEST)),
        fills,
        order_log,
        trades,
        vetoes,
        np.empty((n_bars, len(row))),
        np.zeros((3, 0), dtype=np.int64),
        np.zeros(2, dtype=np.int64),
    )


class _Unsealed:
    """Shows numpy the memory of a read-only array as that of any other; nothing writes to it."""

    def __init__(self, sealed: npt.NDArray[Any]) -> None:
        address = (sealed.__array_interface__["data"][0], False)
        self.__array_interface__ = {**sealed.__array_interface__, "data": address}
        self.kept = sealed


def one_type(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same memory in the one type that the kernel is compiled for: rows in C order."""
    array = np.ascontiguousarray(array)
    return array if array.flags.writeable else np.asarray(_Unsealed(array))


class _columns_of:  # noqa: N801  # used as a function
    """Sorts the symbol axis of an array; unchanged, not copied, where it is sorted already."""

    def __init__(self, order: Integers) -> None:
        self.order, self.sorted = order, bool((order == np.arange(len(order))).all())

    def __call__(self, values: Floats) -> Floats:
        if not values.size:
            return np.empty((0, 0))
        if self.sorted or values.shape[-1] == 1:
            return np.ascontiguousarray(values)
        return np.ascontiguousarray(values[..., self.order])


def _decisions(
    signals: Signals | None, n_symbols: int, column: "_columns_of"
) -> dict[str, npt.NDArray[np.float64] | Codes]:
    """Flags as bits; one row to write into without signals."""
    if signals is None:
        row = np.full((1, n_symbols), np.nan)
        empty = {name: row.copy() for name in ("target", "limit", "stop", "strength")}
        return {"signal": np.zeros((1, n_symbols), dtype=np.int8), **empty}
    code: Codes = np.zeros((0, 0), dtype=np.int8)
    for name, bit in (
        ("entry_long", ENTER_LONG),
        ("exit_long", EXIT_LONG),
        ("entry_short", ENTER_SHORT),
        ("exit_short", EXIT_SHORT),
    ):
        flags = getattr(signals, name)
        if flags is not None:
            part = flags.view(np.int8) * np.int8(bit)
            code = part if not code.size else code | part
    if code.size and not column.sorted:
        code = np.ascontiguousarray(code[:, column.order])
    none = np.empty((0, 0))
    prices = {
        name: none if values is None else column(values)
        for name in ("target", "limit", "stop", "strength")
        for values in [getattr(signals, name)]
    }
    return {"signal": np.ascontiguousarray(code), **prices}


def _series(bars: BarPanel, terms: ExecutionTerms, column: "_columns_of") -> dict[str, Floats]:
    """Series that price the slippage, from the extras of the bars; else one unused cell."""
    slippage = terms.slippage
    wanted = {
        "volatility": slippage.impact != 0.0,
        "average_volume": slippage.impact != 0.0,
        "spread": slippage.half_spread != 0.0,
    }
    found = {}
    for name, needed in wanted.items():
        if needed and name not in bars.extras:
            raise DataError(
                f"the slippage needs {name!r} and the bars do not have it; they have "
                f"{sorted(bars.extras)}. Add it to their extras, known before each bar opens"
            )
        found[name] = column(bars.extras[name]) if needed else UNUSED
    return found | {"fx": column(terms.instruments.fx)}


def _days(bars: BarPanel, terms: ExecutionTerms) -> Floats:
    """Days of the terms, else of the bars; none where nothing accrues and nobody reads them."""
    days = terms.carry.days
    return calendar_days(bars.ts) if not days.size and _carries(terms) else days


def _carries(terms: ExecutionTerms) -> bool:
    carry = terms.carry
    rates = (carry.cash_rate, carry.debit_rate, carry.rebate)
    return bool(carry.borrow.any()) or any(rate != 0.0 for rate in rates)


def _funding(terms: ExecutionTerms, order: Integers) -> tuple[Integers, Floats]:
    """Places (bar, due kind, symbol) and amounts (rate, mark) of settlements, in time order."""
    carry = terms.carry
    if not carry.funding_bar.size:
        return NO_PLACES, NO_RATES
    place = np.argsort(order)[carry.funding_symbol]
    columns = [carry.funding_bar, carry.funding_due, place.astype(np.int64)]
    rates = [carry.funding_rate, carry.funding_mark]
    by_time = np.lexsort((columns[2], columns[1], columns[0]))
    return np.stack(columns, axis=1)[by_time], np.stack(rates, axis=1)[by_time]


def _rules(terms: ExecutionTerms, limits: LimitTerms, resize: Resize) -> Floats:
    """Numbers in the order of the kernel's rules."""
    fills, slippage, fee = terms.fills, terms.slippage, terms.commission
    costs = (slippage.fixed, slippage.half_spread, slippage.impact, slippage.exponent)
    fees = (fee.flat, fee.maker, fee.taker, fee.minimum, fee.maximum, fee.sell_rate, fee.buy_rate)
    carry, margin = terms.carry, terms.margin
    account = (fee.increment, carry.cash_rate, carry.debit_rate, margin.liquidation_fee)
    sizes = (limits.max_position, limits.max_gross, limits.max_net, limits.max_sector)
    drawdown = (limits.cut_drawdown, limits.cut_scale, limits.halt_drawdown)
    return np.array(
        [
            *(fills.participation, *costs, slippage.volume_share, *fees, *account),
            *(margin.leverage, *sizes, limits.max_heat, limits.correlation, *drawdown),
            *(limits.resume_drawdown, limits.daily_loss),
            *(fee.unit_maker, fee.unit_taker, fee.unit_sell, fee.unit_sell_most, carry.rebate),
            *(limits.held_position, limits.held_gross, limits.held_net, limits.held_sector),
            resize.band,
            *(limits.drift_position, limits.drift_gross, limits.drift_net, limits.drift_sector),
        ],
        dtype=np.float64,
    )


def _switches(
    bars: BarPanel,
    terms: ExecutionTerms,
    limits: LimitTerms,
    entries: tuple[EntrySizes, Resize, int],
    signals: Signals | None,
) -> Integers:
    """Whole numbers in the order of the kernel's switches; entries : sizes, and the warm-up."""
    fills, (sizes, resize, warm_up) = terms.fills, entries
    by_bar = signals is None
    targets = by_bar or (signals is not None and signals.target is not None)
    flags = by_bar or (signals is not None and signals.target is None)
    return np.array(
        [
            *(fills.model, fills.through, fills.time_to_live, fills.latency, fills.optimistic),
            *(sizes.unit, warm_up, limits.max_positions, limits.correlation_bars),
            *(limits.halt_bars, limits.cool_down, _carries(terms), flags, targets),
            *(_margined(terms), closes_left(bars), resize.bars),
        ],
        dtype=np.int64,
    )


def _margined(terms: ExecutionTerms) -> bool:
    """Whether an account without debts and short positions may have to be closed.

    A maintenance of less than their whole value is covered by positions that are owned outright.
    """
    margin = terms.margin
    above = (margin.tier_rate > 0.99) | (margin.tier_deduction < 0.0)
    return bool(_derivatives(terms).any() or above.any())


def _instruments(terms: ExecutionTerms, limits: LimitTerms) -> Floats:
    it = terms.instruments
    columns = [it.lot, it.tick, it.least_notional, it.multiplier, terms.carry.borrow]
    kinds = [terms.margin.inverse, limits.sector, _derivatives(terms)]
    return np.stack([*columns, *kinds], axis=1).astype(np.float64)


def _derivatives(terms: ExecutionTerms) -> npt.NDArray[np.bool_]:
    """Which symbols are margined: their notional is not exchanged."""
    derivatives: npt.NDArray[np.bool_] = terms.margin.inverse | terms.margin.linear
    return derivatives


def _margin(terms: ExecutionTerms) -> Floats:
    margin = terms.margin
    return np.stack([margin.tier_notional, margin.tier_rate, margin.tier_deduction])


def _check(bars: BarPanel, terms: ExecutionTerms, sizes: EntrySizes, exits: ExitTerms) -> None:
    """Shapes of what does not come from the bars."""
    n_bars, n_symbols = bars.close.shape
    rows = {1, n_bars}
    for name, values in (("size", sizes.size), ("fx", terms.instruments.fx)):
        if values.shape[0] not in rows or values.shape[-1] != n_symbols:
            raise DataError(
                f"{name} has shape {values.shape}; it must be (1 or {n_bars}, {n_symbols})"
            )
    level = exits.level.shape
    wanted = (exits.kind.size, level[1], n_symbols)
    if exits.kind.size and (level != wanted or level[1] not in rows):
        raise DataError(
            f"exit levels have shape {level}; it must be ({exits.kind.size}, 1 or {n_bars}, "
            f"{n_symbols})"
        )
    if terms.carry.days.size and terms.carry.days.shape != (n_bars,):
        raise DataError(f"carry.days has shape {terms.carry.days.shape}; it must be ({n_bars},)")
    detail = terms.detail.first
    if detail.size and detail.shape != (n_bars + 1,):
        raise DataError(f"detail.first has shape {detail.shape}; it must be ({n_bars + 1},)")
    if not terms.margin.leverage > 0.0:
        raise ConfigError(f"leverage {terms.margin.leverage} must be above 0")
    _check_ticks(bars, terms.instruments.tick)


def _check_ticks(bars: BarPanel, tick: Floats) -> None:
    """A price below its tick would fill at another price altogether."""
    if not (tick > 0.0).any():
        return
    coarse = bars.low < tick
    if coarse.any():
        row, s = np.argwhere(coarse)[0]
        raise DataError(
            f"{bars.symbols[s]} costs {bars.low[row, s]} at {bars.ts[row]}, less than its tick "
            f"{tick[s]}. Give it a tick of its own (by_symbol), or 0"
        )
