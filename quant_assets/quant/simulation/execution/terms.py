"""What the event kernel is told: named tuples of arrays and numbers, made by the plug-ins.

Arrays `(time or 1, symbol)`: a first axis of 1 holds for every bar. NaN in a distance, price or
limit: there is none. An empty array `(0, 0)`: nobody decides this. What risk rules and entry
sizers give is defined beside them, below the simulation, and offered here again.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.risk.terms import (
    STOP_FRACTION,
    STOP_PRICE,
    TARGET_FRACTION,
    TARGET_PRICE,
    TIME_BARS,
    TRAIL_FRACTION,
    TRAIL_PRICE,
    ExitTerms,
    LimitTerms,
)
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION, NOTIONAL, RISK_FRACTION, UNITS

__all__ = [
    "ENTER_LONG",
    "ENTER_SHORT",
    "EQUITY_FRACTION",
    "EXIT_LONG",
    "EXIT_SHORT",
    "NEXT_CLOSE",
    "NEXT_OPEN",
    "NEXT_VWAP",
    "NOTIONAL",
    "RISK_FRACTION",
    "SAME_CLOSE",
    "STOP_FRACTION",
    "STOP_PRICE",
    "TARGET_FRACTION",
    "TARGET_PRICE",
    "TIME_BARS",
    "TRAIL_FRACTION",
    "TRAIL_PRICE",
    "UNITS",
    "BarArrays",
    "CarryTerms",
    "Codes",
    "CommissionTerms",
    "Decisions",
    "DetailBars",
    "ExecutionTerms",
    "ExitTerms",
    "FillTerms",
    "Flags",
    "Floats",
    "InstrumentTerms",
    "Integers",
    "LimitTerms",
    "MarginTerms",
    "SlippageTerms",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]

ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
NEXT_OPEN, NEXT_CLOSE, NEXT_VWAP, SAME_CLOSE = 0, 1, 2, 3


class BarArrays(NamedTuple):
    """`(time, symbol)` prices and volume; `day` `(time,)` numbers the days (loss limits, DAY).

    `volatility` (per bar) and `average_volume` (units a bar) are known before their bar opens;
    they price the impact. `spread` is the relative bid-ask spread. `(0, 0)` where nobody asks.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    day: Integers
    volatility: Floats
    average_volume: Floats
    spread: Floats


class DetailBars(NamedTuple):
    """Bars of a finer clock: those of bar t are rows `first[t]` to `first[t + 1]`; else empty.

    The kernel follows them as they are; `fills.base.detail_bars` makes them from bars, and puts the
    whole bar where they are incomplete.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    first: Integers


class Decisions(NamedTuple):
    """Signals `(time, symbol)` as bits, sizes of entries, weights, and prices of entry orders.

    `size` is `(time or 1, symbol)` in `size_unit`; a RISK_FRACTION is the share of equity that is
    lost when the first stop is met. `target` are weights of equity, NaN: no decision.
    """

    signal: Codes
    size: Floats
    size_unit: int
    target: Floats
    limit: Floats
    stop: Floats
    strength: Floats
    warm_up: int


class FillTerms(NamedTuple):
    """When and how orders fill.

    `model`: NEXT_OPEN, NEXT_CLOSE, NEXT_VWAP ((o + h + l + c) / 4 of the bar) or SAME_CLOSE.
    `through`: a limit fills only when the bar trades beyond it, not on a touch. `participation`:
    share of the bar's volume that may be filled (infinity: all). An entry at market waits for
    `time_to_live` bars after its first, and a remainder is carried for as many. `latency`: bars
    between decision and the first bar of the order. `optimistic`: target before stop inside one
    bar (for the audit); the worst case else.
    """

    model: int
    through: bool
    participation: float
    time_to_live: int
    latency: int
    optimistic: bool


class SlippageTerms(NamedTuple):
    """Relative price concession of market and stop fills; the parts add up.

    fixed + half_spread x spread[t, s] + impact x volatility x (quantity / average_volume)^exponent
    + volume_share x (quantity / volume)^2. Limit orders and targets fill at their price.
    """

    fixed: float
    half_spread: float
    impact: float
    exponent: float
    volume_share: float


class CommissionTerms(NamedTuple):
    """Commission of one fill: flat + per unit + rate of notional, between minimum and maximum.

    `maker` and `taker` are rates of notional; `per_unit` has tiers by the units traded in the
    month so far, applied marginally: `tier_from` `(tier,)` increasing from 0, `per_unit`
    `(tier,)`. `minimum` is money per order (minus infinity: none, so that a negative rate stays a
    rebate), `maximum` a rate of notional (infinity: none) that holds against it. `sell_rate` and
    `buy_rate`: rates of notional on one side alone, outside of minimum and maximum (transaction
    taxes). `unit_maker` and `unit_taker`: money per unit, outside of them as well (what exchanges
    and clearing take; negative: a rebate), `unit_sell` per unit sold, at most `unit_sell_most` per
    order. The sum is rounded half up to a multiple of `increment` (0: exact).
    """

    flat: float
    per_unit: Floats
    tier_from: Floats
    maker: float
    taker: float
    minimum: float
    maximum: float
    sell_rate: float
    increment: float
    buy_rate: float
    unit_maker: float = 0.0
    unit_taker: float = 0.0
    unit_sell: float = 0.0
    unit_sell_most: float = np.inf


class CarryTerms(NamedTuple):
    """Interest and borrow, yearly rates ACT/365 of calendar days, and funding settlements.

    `borrow` `(symbol,)` on the previous close of what is short. Own cash is cash less the value of
    shorts (not of derivatives) at the previous close: `cash_rate` where it is positive,
    `debit_rate` where it is negative; `rebate` is paid on the value of shorts. `days` `(time,)`:
    calendar days since the bar before; empty: as the open times of the bars say. Funding: event i
    falls into bar `funding_bar[i]`, `funding_due[i]` as in the rebalancing kernel, of a symbol, at
    a rate and a mark (NaN: last close).
    """

    borrow: Floats
    cash_rate: float
    debit_rate: float
    days: Floats
    funding_bar: Integers
    funding_due: Integers
    funding_symbol: Integers
    funding_rate: Floats
    funding_mark: Floats
    rebate: float = 0.0


class MarginTerms(NamedTuple):
    """Buying power and liquidation.

    `leverage`: gross notional that may stand per unit of equity; purchases beyond it are cut.
    `tier_notional` `(symbol, tier)` from 0, `tier_rate` and `tier_deduction` give the maintenance
    margin of a position: notional x rate - deduction. When equity at the bar's worst price falls
    below the sum, positions are closed at the price at which it did, less `liquidation_fee` of
    notional, but no more than is left of equity. Empty tiers: no maintenance margin, equity must
    stay above 0. `inverse` `(symbol,)`: the contract settles in its base, profit = q (1 / entry - 1
    / price), in base units. `linear` `(symbol,)`: a derivative in the quote currency, profit = q
    (price - entry). Neither exchanges its notional: opening binds notional / leverage, profit comes
    into cash when it is realised.
    """

    leverage: float
    tier_notional: Floats
    tier_rate: Floats
    tier_deduction: Floats
    liquidation_fee: float
    inverse: Flags
    linear: Flags


class InstrumentTerms(NamedTuple):
    """`(symbol,)`: lot size, tick size, least notional (0: none), contract multiplier.

    `fx` `(time or 1, symbol)`: price of one unit of the quote currency in the account's.
    """

    lot: Floats
    tick: Floats
    least_notional: Floats
    multiplier: Floats
    fx: Floats


class ExecutionTerms(NamedTuple):
    """All that an execution model tells the kernel; `detail` is empty without a finer clock."""

    fills: FillTerms
    slippage: SlippageTerms
    commission: CommissionTerms
    carry: CarryTerms
    margin: MarginTerms
    instruments: InstrumentTerms
    detail: DetailBars
