"""A backtest by the lean kernel: what it can do, and the run."""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.core.lazy import Deferred
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.risk.terms import STOP_FRACTION, TARGET_FRACTION, TRAIL_FRACTION
from quant_assets.quant.simulation.execution.book import REASONS
from quant_assets.quant.simulation.execution.preparation import one_type
from quant_assets.quant.simulation.execution.terms import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    ExecutionTerms,
)
from quant_assets.quant.simulation.lean.suitability import obstacles
from quant_assets.quant.simulation.lean.terms import (
    Accounts,
    LeanBars,
    LeanDecisions,
    LeanOrders,
    LeanRates,
    SharedBook,
)
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION, EntrySizes
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

__all__ = [
    "LeanResult",
    "columns_of",
    "lean_decisions",
    "lean_rates",
    "run_lean",
    "simulate_lean",
    "terms_of_columns",
]

_kernel = Deferred("quant_assets.quant.simulation.lean.account_kernel")
_shared = Deferred("quant_assets.quant.simulation.lean.shared_kernel")

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
FLAGS = (
    ("entry_long", ENTER_LONG),
    ("exit_long", EXIT_LONG),
    ("entry_short", ENTER_SHORT),
    ("exit_short", EXIT_SHORT),
)
EXITS = (STOP_FRACTION, TRAIL_FRACTION, TARGET_FRACTION)
NO_EXITS = np.empty((3, 0, 0))
DEFAULT_ACCOUNTS = Accounts()
N_VALUES, N_CODES = 6, 5  # of the kernel's state
N_COUNTS, N_SHARED_VALUES, N_SHARED_CODES = 5, 6, 7  # of the shared kernel's
FIRST, ROW = 0, 1  # among its counts
STEPS = 20  # of progress
WORKING_ARRAYS = 12  # that a strategy is taken to hold at once, for tiles of symbols


@dataclass(frozen=True)
class LeanResult:
    """Orders and equity of a run. `equity` `(time, account)` at each close.

    One account, or one for each symbol with `initial_capital` each.
    """

    ts: Instants
    symbols: tuple[str, ...]
    initial_capital: float
    orders: LeanOrders
    equity: Floats

    @property
    def final_equity(self) -> Floats:
        """Equity of each account at the last close."""
        final: Floats = self.equity[-1]
        return final

    def order_frame(self) -> pd.DataFrame:
        """Orders with `ts` of the fill, symbol, signed quantity, price, fee and reason."""
        orders = self.orders
        return pd.DataFrame(
            {
                "ts": pd.DatetimeIndex(self.ts[orders.bar], tz="UTC"),
                "symbol": np.array(self.symbols, dtype=object)[orders.symbol],
                "quantity": orders.quantity,
                "price": orders.price,
                "fee": orders.fee,
                "reason": np.array(REASONS, dtype=object)[orders.reason],
            }
        )

    def trades(self) -> pd.DataFrame:
        """One row per position: entry, exit (NaT and NaN while it is open), profit after fees."""
        by_symbol = np.lexsort((self.orders.bar, self.orders.symbol))
        bar, symbol, reason, quantity, price, fee = (part[by_symbol] for part in self.orders)
        entry = np.flatnonzero(reason == 0)
        closed = np.append(reason, 0)[entry + 1] != 0
        leave = np.where(closed, entry + 1, entry)

        def of_exit(values: npt.NDArray[np.generic], missing: object) -> npt.NDArray[np.generic]:
            return np.where(closed, values[leave], np.asarray(missing, dtype=values.dtype))

        exits = of_exit(self.ts[bar], np.datetime64("NaT"))
        fees = fee[entry] + np.where(closed, fee[leave], 0.0)
        gain = quantity[entry] * (price[leave] - price[entry]) - fees
        names = np.array([*REASONS], dtype=object)
        return pd.DataFrame(
            {
                "symbol": np.array(self.symbols, dtype=object)[symbol[entry]],
                "entry_ts": pd.DatetimeIndex(self.ts[bar[entry]], tz="UTC"),
                "exit_ts": pd.DatetimeIndex(exits, tz="UTC"),
                "quantity": quantity[entry],
                "entry_price": price[entry],
                "exit_price": of_exit(price, np.nan),
                "fees": fees,
                "profit": np.where(closed, gain, np.nan),
                "reason": np.where(closed, names[reason[leave]], "open"),
            }
        )


def lean_rates(terms: ExecutionTerms, signals: Signals, accounts: Accounts) -> LeanRates:
    """Rates of terms without `obstacles`."""
    fee, leverage = terms.commission, float(terms.margin.leverage)
    risky = signals.entry_short is not None or leverage > 1.0
    rates = (float(fee.taker), float(fee.maker), float(terms.slippage.fixed), leverage)
    return LeanRates(*rates, accounts.rest, accounts.shared, risky)


def lean_decisions(
    bars: BarPanel, signals: Signals, plan: Plan, *, shared: bool = True, warm_up: int = 0
) -> LeanDecisions:
    """Bits, sizes and exits as the kernel reads them; without sizes, equity in equal parts."""
    n_bars, n_symbols = bars.close.shape
    if signals.shape != bars.close.shape:
        raise DataError(f"signals have shape {signals.shape}; the bars have {bars.close.shape}")
    part = 1.0 / n_symbols if shared else 1.0
    sizes = plan.sizes or EntrySizes(np.full((1, n_symbols), part), EQUITY_FRACTION)
    if sizes.size.shape not in {(1, n_symbols), (n_bars, n_symbols)}:
        raise DataError(
            f"sizes have shape {sizes.size.shape}; it must be (1 or {n_bars}, {n_symbols})"
        )
    size, exits = one_type(sizes.size), NO_EXITS
    if plan.exits is not None:
        exits = fractions_of(plan.exits.kind, plan.exits.level)
    return LeanDecisions(_bits(signals), size, sizes.unit, exits, warm_up)


def run_lean(
    bars: BarPanel, decisions: LeanDecisions, rates: LeanRates, initial_capital: float
) -> LeanResult | None:
    """Walk the bars; None when an account is ruined: the event kernel knows how it is liquidated.

    Results are those of the event kernel. Orders and equity of a shared account are equal bit for
    bit; those of isolated accounts for sizes in units or money that the account can pay, else to
    1e-12 (relative).
    """
    n_bars, n_symbols = bars.close.shape
    if rates.shared:
        prices = LeanBars(*(one_type(bars[name]) for name in FIELDS))
        made = walk_shared(prices, decisions, rates, float(initial_capital))
        if made is None:
            return None
        return LeanResult(bars.ts, bars.symbols, float(initial_capital), *made)
    places, fills = _empty_log(decisions.signal)
    equity = np.empty((n_bars, n_symbols))
    count = _kernel.walk(
        *(one_type(bars[name]) for name in FIELDS),
        *decisions,
        rates,
        np.full(n_symbols, float(initial_capital)),
        np.zeros((N_VALUES, n_symbols)),
        np.zeros((N_CODES, n_symbols), dtype=np.int64),
        places,
        fills,
        equity,
    )
    if count < 0:
        return None
    log = LeanOrders(*places[:count].T, *fills[:count].T)
    return LeanResult(bars.ts, bars.symbols, float(initial_capital), log, equity)


def walk_shared(
    prices: LeanBars,
    decisions: LeanDecisions,
    rates: LeanRates,
    capital: float,
    *,
    first: int = 0,
    progress: Callable[[float], None] | None = None,
) -> tuple[LeanOrders, Floats] | None:
    """Orders and equity `(time, 1)` of one account from bar `first` on; None: see `run_lean`.

    `progress` is told the share of the bars that is done, every 5 %.
    """
    n_bars, n = prices.close.shape
    places, fills = _empty_log(decisions.signal)
    counts, equity = np.zeros(N_COUNTS, dtype=np.int64), np.empty((n_bars, 1))
    counts[FIRST] = first
    book = SharedBook(
        np.array([capital, capital, 0.0, 0.0]),
        counts,
        np.full((N_SHARED_VALUES, n), [[0.0]] + [[np.nan]] * (N_SHARED_VALUES - 1)),
        np.zeros((N_SHARED_CODES, n), dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(2 * n, dtype=np.int64),
        *(places, fills, equity),
    )
    steps = 1 if progress is None else STEPS
    for stop in sorted({first + -(-(n_bars - first) * i // steps) for i in range(1, steps + 1)}):
        if _shared.walk_shared(prices, decisions, rates, book, stop) != _shared.FINE:
            return None
        if progress is not None:
            progress((stop - first) / (n_bars - first))
    count = int(counts[ROW])
    return LeanOrders(*places[:count].T, *fills[:count].T), equity


def _empty_log(signal: Codes) -> tuple[Integers, Floats]:
    """Room for an entry and an exit of each signal that enters."""
    entries = np.count_nonzero(signal & (ENTER_LONG | ENTER_SHORT))
    return np.empty((2 * entries, 3), dtype=np.int64), np.empty((2 * entries, 3))


def simulate_lean(
    strategy: VectorStrategy,
    bars: BarPanel,
    terms: ExecutionTerms,
    *,
    accounts: Accounts = DEFAULT_ACCOUNTS,
    budget_mb: float = 160.0,
) -> LeanResult | None:
    """Signals, sizes and orders of a strategy; None where it needs the event kernel.

    With isolated accounts a strategy that says `symbolwise` goes over tiles of symbols, so that it
    and its signals take about `budget_mb` beside bars and results.
    """
    tiles = list(_tiles(strategy, bars, accounts, budget_mb))
    if len(tiles) == 1:
        return _simulate(strategy, bars, terms, accounts)
    equity = np.empty(bars.close.shape)
    logs: list[LeanOrders] = []
    for tile in tiles:
        part = columns_of(bars, tile)
        found = _simulate(strategy, part, terms_of_columns(terms, tile), accounts)
        if found is None:
            return None
        equity[:, tile] = found.equity
        logs.append(found.orders._replace(symbol=found.orders.symbol + tile.start))
    by_time = np.argsort(np.concatenate([log.bar for log in logs]), kind="stable")
    orders = LeanOrders(*(np.concatenate(part)[by_time] for part in zip(*logs, strict=True)))
    return LeanResult(bars.ts, bars.symbols, accounts.initial_capital, orders, equity)


def _simulate(
    strategy: VectorStrategy, bars: BarPanel, terms: ExecutionTerms, accounts: Accounts
) -> LeanResult | None:
    signals, plan, shared = strategy.signals(bars), strategy.plan(bars), accounts.shared
    if obstacles(bars, signals, plan, terms, shared=shared):
        return None
    decisions = lean_decisions(bars, signals, plan, shared=shared, warm_up=strategy.warm_up)
    return run_lean(bars, decisions, lean_rates(terms, signals, accounts), accounts.initial_capital)


def _bits(signals: Signals) -> npt.NDArray[np.int8]:
    code = np.zeros(0, dtype=np.int8)
    for name, bit in FLAGS:
        flags = getattr(signals, name)
        if flags is not None:
            part = flags.view(np.int8) * np.int8(bit) if bit > 1 else flags.view(np.int8)
            code = code | part if code.size else part
    return one_type(code)


def fractions_of(kinds: Codes, level: Floats) -> Floats:
    """`(3, time or 1, symbol)`: the tightest stop, trail and target; empty without any rule."""
    if kinds.size == 0:
        return NO_EXITS
    exits = np.full((3, *level.shape[1:]), np.nan)
    for row, kind in enumerate(EXITS):
        for rule in np.flatnonzero(kinds == kind):
            exits[row] = np.fmin(exits[row], level[rule])
    return exits


def _tiles(
    strategy: VectorStrategy, bars: BarPanel, accounts: Accounts, budget_mb: float
) -> Iterator[slice]:
    n_bars, n_symbols = bars.close.shape
    width = n_symbols
    if strategy.symbolwise and not accounts.shared:
        width = max(1, int(budget_mb * 2**20 / (8 * WORKING_ARRAYS * max(1, n_bars))))
    for first in range(0, n_symbols, width):
        yield slice(first, min(first + width, n_symbols))


def columns_of(bars: BarPanel, tile: slice) -> BarPanel:
    """The bars of a tile of symbols; they have been checked as a part of the whole."""
    part = copy(bars)
    for name in FIELDS:
        object.__setattr__(part, name, np.ascontiguousarray(bars[name][:, tile]))
    extras = {name: np.ascontiguousarray(values[:, tile]) for name, values in bars.extras.items()}
    object.__setattr__(part, "extras", extras)
    object.__setattr__(part, "symbols", bars.symbols[tile])
    return part


def terms_of_columns(terms: ExecutionTerms, tile: slice) -> ExecutionTerms:
    """Terms of a tile of symbols."""
    it, margin, carry = terms.instruments, terms.margin, terms.carry
    return terms._replace(
        instruments=it._replace(
            **{name: getattr(it, name)[..., tile] for name in it._fields},
        ),
        margin=margin._replace(
            tier_notional=margin.tier_notional[tile],
            tier_rate=margin.tier_rate[tile],
            tier_deduction=margin.tier_deduction[tile],
            inverse=margin.inverse[tile],
        ),
        carry=carry._replace(borrow=carry.borrow[tile]),
    )
