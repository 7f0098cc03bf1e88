"""Who had which ticker: the map files that were delivered, and what the venue itself says."""

from collections.abc import Iterable
from datetime import date

import pandas as pd

from quant_assets.core.venues import Strict, Venue
from quant_assets.quant.market.aliases import Alias, dated_names, with_strangers


class NamedTicker(Strict):
    """One entry of `provider.settings.aliases`: `ticker` is `symbol` from `first` to `last`.

    Both days are included; left out they mean for ever.
    """

    ticker: str
    symbol: str
    first: date = date.min
    last: date | None = None


def names_of(aliases: pd.DataFrame, rules: Iterable[NamedTicker]) -> list[Alias]:
    """All names of the venue's instruments, those of unnamed predecessors included.

    A ticker that the venue's rules name is decided by them alone, the others by `aliases`, which
    were delivered. Raises `DataError` when two instruments have one ticker on one day.
    """
    said = [Alias(rule.ticker, rule.symbol, rule.first, rule.last) for rule in rules]
    decided = {alias.ticker for alias in said}
    delivered = dated_names(aliases)
    return with_strangers([*(a for a in delivered if a.ticker not in decided), *said])


def rules_of(venue: Venue) -> list[NamedTicker]:
    """The rules that a venue's provider settings have; they were checked with the settings."""
    found = venue.provider.settings.get("aliases") or []
    return [NamedTicker.model_validate(rule) for rule in found]
