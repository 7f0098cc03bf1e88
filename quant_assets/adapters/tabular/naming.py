"""Unified symbols of a table's words, for crypto venues; elsewhere a word is the symbol."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from quant_assets.adapters.files.native_symbols import of_base, symbols_of, unified
from quant_assets.adapters.tabular.tables import Batch
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

_CRYPTO = frozenset({"crypto_perpetual", "crypto_spot"})


@dataclass
class Naming:
    """Turns the words of one file into symbols.

    A crypto file names pairs (`BTCUSDT`) or bases (`BTC`); the first batch tells which: pairs end
    with a quote currency of the venue. Words with a `/` are unified already.
    """

    venue: Venue
    pairs: bool | None = field(default=None, init=False)

    def symbols(self, rows: Batch, column: str) -> pd.Series:
        """Symbols of a batch; rows whose word cannot be one are set aside."""
        words = rows.words(column)
        if self.venue.market.asset_class not in _CRYPTO:
            return words
        if self.pairs is None:
            self.pairs = bool(words.str.upper().str.endswith(self.venue.market.currency).any())
        names, strange = symbols_of(words, self._resolve)
        rows.set_aside(np.asarray(strange), f"{column} is neither a pair nor a base currency")
        return names

    def of_file(self, word: str) -> str:
        """Symbol of the instrument that a file is named after."""
        if self.venue.market.asset_class not in _CRYPTO:
            return word
        symbol = unified(word, self.venue)
        if symbol is None:
            raise DataError(
                f"{word}: the file's rows do not name their instrument, and {word!r} is no pair of "
                f"base and quote currency. Name the file like BTC{self.venue.market.currency}.csv"
            )
        return symbol

    def _resolve(self, word: str) -> str | None:
        if "/" in word:
            return word
        return unified(word, self.venue) if self.pairs else of_base(word, self.venue)
