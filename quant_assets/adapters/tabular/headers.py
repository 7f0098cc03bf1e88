"""Headers: one meaning is written in many ways, and a column of unknown meaning is never guessed.

Names are compared without case, with `_` for blanks and hyphens: `Adj Close` is `adj_close`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from quant_assets.core.errors import DataError

TIME = ("ts", "timestamp", "datetime", "date", "time", "timestamp_utc", "ts_utc", "datetime_utc")
SYMBOL = ("symbol", "ticker", "instrument", "coin", "pair")
# Columns that split a file between venues; one that a file has must be named in `select`.
PLACES = ("venue", "exchange", "market", "contract")
PRICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: (name,) for name in ("open", "high", "low", "close")}
)
VOLUME = ("volume",)
CLOSING = tuple(
    name + unit for unit in ("", "_utc", "_ms", "_us") for name in ("closes_at", "close_time")
)
# What is surely no instrument when it heads a column.
RESERVED = frozenset(
    {
        *TIME,
        *SYMBOL,
        *PLACES,
        *PRICES,
        *VOLUME,
        *CLOSING,
        "adj_close",
        "adjusted_close",
        "return",
        "returns",
    }
    | {"quote_volume", "trades", "tick_volume", "funding_rate", "open_interest", "side", "quantity"}
    | {"source", "line", "available_at", "is_gap", "rate", "price", "amount"}
)


def plain(name: str) -> str:
    """Name of a column without case, blanks and hyphens."""
    return re.sub(r"[\s\-]+", "_", name.strip()).lower()


class Header:
    """Names of a table's columns, found by meaning."""

    def __init__(self, names: Sequence[str], *, where: str) -> None:
        self.names = tuple(names)
        self._where = where
        self._found: dict[str, str] = {}
        for name in names:
            if plain(name) in self._found:
                raise DataError(
                    f"{where}: columns {self._found[plain(name)]!r} and {name!r} have one meaning; "
                    "remove or rename one of them"
                )
            self._found[plain(name)] = name

    def find(self, known: Iterable[str]) -> str | None:
        """The column that has one of the known names; the first of them wins."""
        return next((self._found[name] for name in known if name in self._found), None)

    def need(self, known: Sequence[str], *, meaning: str) -> str:
        """Like `find`; a missing one is a `DataError` that lists what there is."""
        found = self.find(known)
        if found is None:
            raise DataError(
                f"{self._where}: no column for {meaning} (one of {', '.join(known)}); "
                f"its columns are {', '.join(self.names)}"
            )
        return found

    def has(self, *meanings: Iterable[str]) -> bool:
        """True when there is a column for each of the meanings."""
        return all(self.find(known) is not None for known in meanings)

    def surplus(self, used: Iterable[str | None]) -> list[str]:
        """A note for each column that nobody reads."""
        known = set(used)
        return [f"column {name!r} was not read" for name in self.names if name not in known]
