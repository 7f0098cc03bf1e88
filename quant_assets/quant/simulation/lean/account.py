"""A backtest by the lean kernel: what it can do, and the run."""

from collections.abc import Callable
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
from quant_assets.quant.simulation.lean.isolated import (
    IsolatedWalk,
    columns_of,
    empty_log,
    terms_of_columns,
    tiles_of,
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
    "lean_decisions",
    "lean_rates",
    "run_lean",
    "simulate_lean",
]

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
N_COUNTS, N_SHARED_VALUES, N_SHARED_CODES = 5, 6, 7  # of the shared kernel's
FIRST, ROW = 0, 1  # among its counts
STEPS = 20  # of progress


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


def lean_rates(terms: ExecutionTerms, accounts: Accounts) -> LeanRates:
    """Rates of terms without `obstacles`."""
    fee, leverage = terms.commission, float(terms.margin.leverage)
    rates = (float(fee.taker), float(fee.maker), float(terms.slippage.fixed), leverage)
    return LeanRates(*rates, accounts.rest, accounts.shared, terms.fills.time_to_live)


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

    Orders and equity are those of the event kernel, bit for bit.
    """
    capital = float(initial_capital)
    if rates.shared:
        prices = LeanBars(*(one_type(bars[name]) for name in FIELDS))
        made = walk_shared(prices, decisions, rates, capital)
        return None if made is None else LeanResult(bars.ts, bars.symbols, capital, *made)
    run = IsolatedWalk(bars, rates, capital)
    if not run.walk(decisions):
        return None
    return LeanResult(bars.ts, bars.symbols, capital, run.orders(), run.equity)


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
    places, fills = empty_log(decisions.signal)
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
    capital, rates = accounts.initial_capital, lean_rates(terms, accounts)
    whole = accounts.shared or not strategy.symbolwise
    tiles = [] if whole else list(tiles_of(bars, budget_mb))
    if len(tiles) < 2:
        decisions = _decisions(strategy, bars, terms, accounts.shared)
        return None if decisions is None else run_lean(bars, decisions, rates, capital)
    run = IsolatedWalk(bars, rates, capital)
    for tile in tiles:
        part = columns_of(bars, tile)
        decisions = _decisions(strategy, part, terms_of_columns(terms, tile), False)
        if decisions is None or not run.walk(decisions, tile.start):
            return None
    return LeanResult(bars.ts, bars.symbols, capital, run.orders(), run.equity)


def _decisions(
    strategy: VectorStrategy, bars: BarPanel, terms: ExecutionTerms, shared: bool
) -> LeanDecisions | None:
    """What a strategy decides, None where an obstacle stands in the way."""
    signals, plan = strategy.signals(bars), strategy.plan(bars)
    if obstacles(bars, signals, plan, terms, shared=shared):
        return None
    return lean_decisions(bars, signals, plan, shared=shared, warm_up=strategy.warm_up)


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
