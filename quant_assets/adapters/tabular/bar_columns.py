"""Columns of bars, from a table of any spelling."""

from dataclasses import dataclass, replace

import numpy as np

from quant_assets.adapters.files.native_symbols import is_inverse
from quant_assets.adapters.files.stamps import Instants
from quant_assets.adapters.layouts.base import Raw
from quant_assets.adapters.tabular.headers import CLOSING, PRICES, VOLUME, Header
from quant_assets.adapters.tabular.long_form import Columns, numbers_or_nan
from quant_assets.adapters.tabular.tables import Batch, closing_moments
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

OPTIONAL = {
    "adjusted_close": ("adj_close", "adjusted_close"),
    "quote_volume": ("quote_volume",),
    "trades": ("trades",),
}
DAY = np.timedelta64(1, "D")
CONTRACT_VOLUME = "volume of inverse contracts counts contracts, not base: it was left out"


@dataclass(frozen=True)
class BarColumns:
    """Which column of a table is which field of a bar; None where it has none."""

    venue: Venue
    fields: dict[str, str | None]
    optional: dict[str, str]
    closing: str | None

    @classmethod
    def of(cls, header: Header, venue: Venue, *, where: str) -> "BarColumns":
        """Closes alone are bars as well; a bar with some of its prices is a `DataError`."""
        fields = {name: header.find(known) for name, known in PRICES.items()}
        missing = [name for name, column in fields.items() if column is None]
        if "close" in missing or len(missing) not in {0, 3}:
            raise DataError(
                f"{where}: no column {', '.join(missing)}; its columns are "
                f"{', '.join(header.names)}. Bars have open, high, low and close, or close alone"
            )
        found = {name: header.find(known) for name, known in OPTIONAL.items()}
        return cls(
            venue,
            {**fields, "volume": header.find(VOLUME)},
            {name: column for name, column in found.items() if column is not None},
            header.find(CLOSING),
        )

    @property
    def used(self) -> list[str | None]:
        """Every column that is read."""
        return [*self.fields.values(), *self.optional.values(), self.closing]

    def read(self, rows: Batch) -> Columns:
        """The fields of a batch; NaN in those that the table does not have."""
        found: Columns = {name: numbers_or_nan(rows, c) for name, c in self.fields.items()}
        found |= {name: rows.numbers(column) for name, column in self.optional.items()}
        if self.closing is not None:
            found["closes_at"] = closing_moments(rows, self.closing, self.venue)
        return found


def collected_after(days: Instants) -> Instants:
    """When rows that were collected on a day were surely there: at its end (UTC).

    A vintage is named after the session that it brings, and no session ends after its UTC day.
    """
    return np.asarray(days + DAY)


def base_volume(raw: Raw) -> Raw:
    """Without the volume of inverse contracts, which exchanges count in contracts, not in base."""
    symbol = raw.frame["symbol"]
    inverse = symbol.isin([name for name in symbol.unique() if is_inverse(name)])
    if not inverse.any():
        return raw
    frame = raw.frame.assign(volume=raw.frame["volume"].mask(inverse))
    return replace(raw, frame=frame, notes=[*raw.notes, CONTRACT_VOLUME])
