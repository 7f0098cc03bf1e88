"""Instants out of published integers and texts; nothing is guessed that a layout did not declare.

Integers are counted from 1970-01-01 UTC. Their unit is known by their digits, which are unambiguous
from September 2001 to November 2286: 10 for seconds, 13, 16 and 19 for ms, us and ns.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Unit = Literal["s", "ms", "us", "ns"]
Instants = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]
DIGITS: dict[Unit, int] = {"s": 10, "ms": 13, "us": 16, "ns": 19}
_PER_SECOND: dict[Unit, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_MICROSECONDS = 10**6
NOT_A_TIME = np.datetime64("NaT", "us")


def from_integers(values: npt.NDArray[np.int64], *units: Unit) -> Instants:
    """UTC `datetime64[us]`; NaT where the digits are not those of a declared unit; ns is cut."""
    stamps = np.full(len(values), NOT_A_TIME)
    for unit in units:
        highest = np.iinfo(np.int64).max
        low, high = 10 ** (DIGITS[unit] - 1), min(10 ** DIGITS[unit] - 1, highest)
        fits = (values >= low) & (values <= high)
        stamps[fits] = in_microseconds(values[fits], unit).astype("datetime64[us]")
    return stamps


def in_microseconds(values: npt.NDArray[np.int64], unit: Unit) -> npt.NDArray[np.int64]:
    """Integers of `unit` as microseconds."""
    scale = _PER_SECOND[unit]
    if scale > _MICROSECONDS:
        return values // (scale // _MICROSECONDS)
    return values * (_MICROSECONDS // scale)


def one_unit_later(values: npt.NDArray[np.int64], stamps: Instants) -> Instants:
    """The instant after the last one of an interval, in the unit in which it was published."""
    shown = values.astype(np.float64)
    step = np.select(
        [shown < 10.0 ** DIGITS["s"], shown < 10.0 ** DIGITS["ms"]], [10**6, 10**3], default=1
    )
    return np.asarray(stamps + step.astype("timedelta64[us]"))


def from_text(values: pd.Series, form: str) -> Instants:
    """UTC `datetime64[us]` of texts without zone that are UTC by declaration; NaT where not `form`.

    `form` is a `strptime` format; the whole text has to fit.
    """
    parsed = pd.to_datetime(values, format=form, errors="coerce", utc=True)
    return np.asarray(parsed.dt.tz_localize(None).to_numpy(dtype="datetime64[us]"))


def to_column(stamps: Instants) -> pd.Series:
    """`datetime64[us, UTC]` column."""
    return pd.Series(pd.DatetimeIndex(stamps).as_unit("us").tz_localize("UTC"))
