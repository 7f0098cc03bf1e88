"""What a file's name says, for layouts whose rows do not name their instrument."""

import re
from datetime import date

from quant_assets.core.errors import DataError

_ENDINGS = re.compile(r"\.(csv|txt|parquet|zip|gz|tar|tgz)$", re.IGNORECASE)
# Words of a name that tell bar length or span, not the instrument.
_TAIL = re.compile(
    r"[_-](\d+(s|sec|m|min|h|hour|d|day)|minute|hour|hourly|daily|bars|ohlcv|trade|quote|\d{6,8})$",
    re.IGNORECASE,
)
_DAY = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


def stem(name: str) -> str:
    """The last part of a delivered name, without `.csv`, `.gz` and their like."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    while (shorter := _ENDINGS.sub("", last)) != last:
        last = shorter
    return last


def instrument(name: str) -> str:
    """Symbol that a file is named after: `6EH4.XCME_1min_bars_20240101_20240131.csv` is 6EH4.XCME.

    Raises `DataError` when nothing is left.
    """
    last = stem(name)
    while (shorter := _TAIL.sub("", last)) != last:
        last = shorter
    if not last:
        raise DataError(
            f"{name}: the rows do not name their instrument and neither does the file: name the "
            "file after its symbol, for example AAPL.csv"
        )
    return last


def day_in(name: str) -> date | None:
    """The day that a name holds, as 20150324 or 2015-03-24; the last part that has one counts."""
    for part in reversed(name.split("/")):
        for match in _DAY.finditer(part):
            try:
                return date(int(match[1]), int(match[2]), int(match[3]))
            except ValueError:
                continue
    return None
