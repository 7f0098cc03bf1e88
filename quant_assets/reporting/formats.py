"""How numbers are written on every page: one function per unit, one sign for what is missing.

Fractions come in, text goes out. NaN, None and infinities are written as an em dash; a number that
rounds to zero has no sign; the minus is U+2212, as wide as the plus, so that columns align.
"""

import math
from datetime import datetime

import pandas as pd

MISSING = "—"
MINUS = "−"


def _text(
    value: float | None, digits: int, *, scale: float = 1.0, sign: bool = False
) -> str | None:
    if value is None or not math.isfinite(value):
        return None
    rounded = round(float(value) * scale, digits)
    body = f"{abs(rounded):,.{digits}f}"
    if rounded < 0:
        return MINUS + body
    return f"+{body}" if sign and rounded > 0 else body


def percent(value: float | None, digits: int = 1, *, sign: bool = False) -> str:
    """Write a fraction as per cent: 0.1234 is `12.3%`."""
    text = _text(value, digits, scale=100.0, sign=sign)
    return MISSING if text is None else f"{text}%"


def basis_points(value: float | None, digits: int = 1) -> str:
    """Write a value that already is in basis points: 12.34 is `12.3 bps`."""
    text = _text(value, digits)
    return MISSING if text is None else f"{text} bps"


def ratio(value: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """Write a dimensionless number."""
    return _text(value, digits, sign=sign) or MISSING


def money(value: float | None, currency: str) -> str:
    """Write an amount in whole units of `currency`: `1,234,567 USD`."""
    text = _text(value, 0)
    return MISSING if text is None else f"{text} {currency}"


def count(value: float | None) -> str:
    """Write a whole number with thousands separators."""
    return _text(value, 0) or MISSING


def day(moment: datetime | None) -> str:
    """Write the UTC day of a moment, `YYYY-MM-DD`."""
    return MISSING if pd.isna(moment) else f"{moment:%Y-%m-%d}"


def plural(number: int, noun: str) -> str:
    """`1 window`, `2 windows`."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"
