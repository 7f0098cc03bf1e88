"""Rows of bars: prices that fit each other, on the venue's grid, of the venue's length."""

from datetime import timedelta
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.base import Contract
from quant_assets.core.errors import DataError
from quant_assets.quant.market.bars import ALWAYS_OPEN, Instants, instants, microseconds
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.sheet import Bools, Sheet

PRICES = ("open", "high", "low", "close")
CLOSES_AT = "closes_at"
MONDAY = np.datetime64("1970-01-05", "us")
MIN_STEPS, SAMPLE = 20, 1000
MAX_TICK_SHARE = 1e-3
ROUNDING = 1e-9


class BarRows(RowCheck):
    """A bar is known when it has closed and was published; a missing price is a gap, no row."""

    name: ClassVar[str] = "bars"
    contract: ClassVar[type[Contract]] = Bars
    made: ClassVar[tuple[str, ...]] = ("is_gap",)

    def known_at(self, sheet: Sheet) -> Instants:
        """At `ts` + bar length, or when the source says that it closes, whichever is later."""
        rules = sheet.rules
        closes = sheet.ts + np.timedelta64(rules.bar_length)
        told = _told_close(sheet)
        if told is not None:
            closes = np.fmax(closes, told)  # NaT: the source says nothing
        return closes + np.timedelta64(rules.publication_delay)

    def set_aside_missing(self, sheet: Sheet) -> None:
        """A row without one of the prices that the venue offers."""
        offered = [name for name in PRICES if name in sheet.rules.price_fields]
        missing = np.isnan(sheet.numbers[offered[0]])
        for name in offered[1:]:
            missing |= np.isnan(sheet.numbers[name])
        sheet.set_aside(missing, "missing price")

    def judge(self, sheet: Sheet) -> None:
        """See the base class."""
        _check_grid(sheet)
        _check_closes(sheet)
        _check_length(sheet)
        _check_prices(sheet)
        volume = sheet.numbers["volume"]
        sheet.set_aside(volume < 0, "negative volume", volume)
        if "volume" in sheet.rules.price_fields:
            sheet.remark(np.isnan(volume), "flagged", "missing volume")

    def made_columns(self, sheet: Sheet) -> dict[str, pd.Series]:
        """Nothing that was delivered is a gap."""
        return {"is_gap": pd.Series(np.zeros(len(sheet.ts), dtype=bool))}


def _told_close(sheet: Sheet) -> Instants | None:
    return instants(sheet.raw[CLOSES_AT]) if CLOSES_AT in sheet.raw.columns else None


def _check_grid(sheet: Sheet) -> None:
    """Bars of a 24/7 venue begin at multiples of their length (weeks on Monday)."""
    if sheet.rules.calendar != ALWAYS_OPEN:
        return
    length = np.timedelta64(sheet.rules.bar_length).astype("timedelta64[us]")
    if _all_follow(sheet.ts, length):
        return
    off = (sheet.ts - MONDAY) % length
    mask = off != np.timedelta64(0)
    if not mask.any():
        return
    sheet.refuse_share(
        mask,
        f"do not lie on the grid of {sheet.rules.bar_length}",
        "Correct the times, or set market.bar_length to what the file delivers",
    )
    sheet.set_aside(mask, "off the grid", off / np.timedelta64(1, "s"))


def _all_follow(ts: Instants, length: np.timedelta64) -> bool:
    """Whether the first time lies on the grid and every other one bar after the one before it."""
    begins = len(ts) > 0 and (ts[0] - MONDAY) % length == np.timedelta64(0)
    return bool(begins and (ts[1:] - ts[:-1] == length).all())


def _check_closes(sheet: Sheet) -> None:
    """A bar closes after it opens, and about one bar later, if the source says when."""
    told, rules = _told_close(sheet), sheet.rules
    if told is None:
        return
    least = rules.bar_length / 2 if rules.calendar == ALWAYS_OPEN else timedelta(0)
    open_for = told - sheet.ts
    odd = (open_for <= np.timedelta64(least)) | (open_for > np.timedelta64(2 * rules.bar_length))
    odd &= ~np.isnat(told) & sheet.kept
    if not odd.any():
        return
    typical = np.median(open_for[odd].astype("timedelta64[s]").astype(np.int64))
    sheet.refuse_share(
        odd,
        f"close {timedelta(seconds=float(typical))} after their ts, not {rules.bar_length}",
        "ts is when a bar opens: shift a file that is stamped at the close, or set "
        "market.bar_length",
    )
    sheet.set_aside(odd, "closes at an odd time", open_for / np.timedelta64(1, "s"))


def _check_length(sheet: Sheet) -> None:
    """Refuse longer bars that happen to lie on the grid: they would count as known too early."""
    step = np.timedelta64(sheet.rules.bar_length).astype("timedelta64[us]")
    longer = 2 * int(step.astype(np.int64))
    ts = sheet.ts[sheet.kept]
    if 0 < _common_step(ts[:SAMPLE]) < longer or _common_step(ts) < longer:
        return  # more rows never make the common step longer: mostly a few of them tell
    moments = np.unique(ts)
    if len(moments) > MIN_STEPS:
        common = _common_step(moments)
        raise DataError(
            f"{sheet.place(int(np.flatnonzero(sheet.kept)[0]))}: all {len(moments):,} times of "
            f"the file are multiples of {timedelta(microseconds=common)} apart, but the bars of "
            f"the venue {sheet.rules.venue} last {sheet.rules.bar_length}. Set market.bar_length "
            "to what the file delivers, or deliver it to a venue of its own"
        )


def _common_step(ts: Instants) -> int:
    """Greatest common divisor of the distances between times, in microseconds; 0 for one time."""
    at = microseconds(ts)
    return int(np.gcd.reduce(at - at[0])) if len(at) else 0


def _check_prices(sheet: Sheet) -> None:
    opened, high, low, close = (sheet.numbers[name] for name in PRICES)
    if _fit(opened, high, low, close):
        return
    for name in PRICES:
        price = sheet.numbers[name]
        sheet.set_aside(price <= 0, f"{name} not above zero", price)
    crossed, excesses = low - high, {}
    for name, price in (("open", opened), ("close", close)):
        excesses[f"{name} outside high and low"] = np.fmax(price - high, low - price)
    broken = (crossed > 0) & sheet.kept
    for excess in excesses.values():
        broken |= (excess > 0) & sheet.kept
    if not broken.any():
        return
    tick = _ticks(sheet, broken)
    sheet.set_aside(broken & (crossed > tick), "high below low", crossed)
    for reason, excess in excesses.items():
        sheet.set_aside(broken & (excess > tick), reason, excess)


def _fit(opened: Floats, high: Floats, low: Floats, close: Floats) -> bool:
    """Whether all rows have four prices above zero that fit each other: then there is no doubt."""
    return bool(
        (low > 0).all()
        and (low <= opened).all()
        and (opened <= high).all()
        and (low <= close).all()
        and (close <= high).all()
    )


def _ticks(sheet: Sheet, broken: Bools) -> Floats:
    """Price step of each row of `broken`, and the rounding of its floats, 0 elsewhere."""
    ticks = np.zeros(len(broken))
    for code in np.unique(sheet.codes[broken]):
        rows = np.flatnonzero(sheet.kept & (sheet.codes == code))
        mine = rows[broken[rows]]
        prices = np.concatenate([sheet.numbers[name][rows] for name in PRICES])
        price = np.fmax.reduce([np.abs(sheet.numbers[name][mine]) for name in PRICES])
        given = sheet.rules.tick_size
        step = np.minimum(_decimal_step(prices), MAX_TICK_SHARE * price)
        ticks[mine] = (step if given is None else given) + ROUNDING * price
    return ticks


def _decimal_step(prices: Floats) -> float:
    """The largest of 1, 0.1, ... 1e-9 of which all prices are multiples, else 0."""
    known = prices[np.isfinite(prices)]
    for places in range(10):
        scaled = known * 10.0**places
        if (np.abs(scaled - np.rint(scaled)) <= 1e-6 * np.maximum(1.0, ROUNDING * scaled)).all():
            return float(10.0**-places)
    return 0.0
