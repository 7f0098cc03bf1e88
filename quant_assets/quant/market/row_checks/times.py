"""Times that cannot be: before the venue, after the delivery, in another unit."""

from datetime import UTC, timedelta

import numpy as np

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bars import Instants, instant, microseconds
from quant_assets.quant.market.row_checks.sheet import Bools, Sheet

# What a unit error does to the microseconds of a time.
_UNITS = {
    10**-3: "the file's numbers are a unit 1,000 times finer than they were read as",
    10**-6: "the file's numbers are a unit 1,000,000 times finer than they were read as",
    10**3: "the file's numbers are a unit 1,000 times coarser than they were read as",
    10**6: "the file's numbers are a unit 1,000,000 times coarser than they were read as",
}


def check_times(sheet: Sheet, *, inside_history: bool) -> None:
    """Set aside what lies outside the venue's history or was not finished when it came.

    `sheet.available_at` is set; `inside_history` is False for rows that may be older. Raises
    `DataError` when too many times lie outside [history.first, received + 1 day] (another unit, or
    another history), and for any time more than two bars after the delivery was received (a wrong
    clock or zone).
    """
    if inside_history:
        _refuse_wrong_unit(sheet)
    _refuse_future(sheet)
    if inside_history:
        _set_aside_outside(sheet)
    received = instant(sheet.rules.received_at)
    unclosed = sheet.available_at > received
    if unclosed.any():
        ahead = sheet.available_at - received
        sheet.set_aside(unclosed, "unclosed", ahead / np.timedelta64(1, "s"))


def _set_aside_outside(sheet: Sheet) -> None:
    ends = sheet.rules.ends
    outside = sheet.ts < instant(sheet.rules.begins)
    if ends is not None:
        outside |= sheet.ts >= instant(ends)
    sheet.set_aside(outside, "outside history")


def _refuse_wrong_unit(sheet: Sheet) -> None:
    rules = sheet.rules
    begins, last = instant(rules.begins), instant(rules.received_at + timedelta(days=1))
    if rules.ends is not None:
        last = min(last, instant(rules.ends + timedelta(days=1)))
    outside = _outside(sheet.ts, begins, last)
    if not outside.any():
        return
    end = "today" if rules.last is None else f"{rules.last}"
    sheet.refuse_share(
        outside,
        f"lie outside the venue's history {rules.first} to {end}",
        f"{_unit_hint(sheet, outside, begins, last)}Correct the file, or history.first and "
        f"history.last of the venue {rules.venue}",
    )


def _outside(ts: Instants, first: np.datetime64, last: np.datetime64) -> Bools:
    return np.asarray((ts < first) | (ts > last))


def _unit_hint(sheet: Sheet, outside: Bools, first: np.datetime64, last: np.datetime64) -> str:
    """Name the unit error that would explain all of the rows outside, if one does."""
    micros = microseconds(sheet.ts[outside & sheet.kept]).astype(np.float64)
    low, high = microseconds(np.array([first, last]))
    for factor, words in _UNITS.items():
        moved = micros * factor
        if ((moved >= low) & (moved <= high)).all():
            return f"It looks as if {words}. "
    return ""


def _refuse_future(sheet: Sheet) -> None:
    rules = sheet.rules
    received = instant(rules.received_at)
    late = (sheet.ts > received + np.timedelta64(2 * rules.bar_length)) & sheet.kept
    if not late.any():
        return
    row = int(np.flatnonzero(late)[0])
    ahead = np.max((sheet.ts - received)[late]).astype("timedelta64[s]").item()
    raise DataError(
        f"{sheet.place(row)}: column ts: {int(late.sum()):,} rows lie in the future of the "
        f"delivery, which was received at {rules.received_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} "
        f"UTC; the source's clock is ahead by {ahead} or its time zone is wrong. Only rows up to "
        f"2 bars ahead ({2 * rules.bar_length}) are set aside as unclosed. Correct the zone or "
        "the clock and deliver again"
    )
