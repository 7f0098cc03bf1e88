"""Provider `files`: what you drop into the venue's landing folder, in any known layout."""

from typing import Annotated, ClassVar, Literal

import pandas as pd
from pydantic import Field

from quant_assets.adapters.instrument_names import NamedTicker, names_of
from quant_assets.adapters.providers.base import Dataset
from quant_assets.adapters.stored import StoredProvider
from quant_assets.contracts.aliases import Aliases
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Strict
from quant_assets.core.windows import Window

Scale = Annotated[float, Field(gt=0)]


class FilesSettings(Strict):
    """How to read this venue's files.

    `symbols` keeps those alone; `select` keeps rows whose column has that word, for files that hold
    several venues or markets; `scale` divides prices that are published as integers, by one number
    for all or by symbol (and `default`); `layout` names the one layout to expect, where content
    alone could mean two. `published` says how the files'
    prices are adjusted; where the venue's `price_adjustment` says more, that is done on read.
    `aliases` says who had a ticker, and when, where no map file does.
    """

    symbols: list[str] | None = None
    select: dict[str, str] = Field(default_factory=dict)
    scale: Scale | dict[str, Scale] | None = None
    layout: str | None = None
    published: Literal["none", "splits", "total_return"] | None = None
    aliases: list[NamedTicker] = Field(default_factory=list)


class Files(StoredProvider):
    """Every row comes from a delivered file; see `quant-assets ingest`."""

    name: ClassVar[str] = "files"
    settings_model: ClassVar[type[Strict]] = FilesSettings
    settings: FilesSettings

    @property
    def published(self) -> str:
        """How the files' prices are adjusted; default: as the venue says."""
        return self.settings.published or self.venue.market.price_adjustment

    def rules(self) -> list[NamedTicker]:
        """The venue's own aliases."""
        return self.settings.aliases

    def fetch(self, dataset: Dataset, window: Window) -> pd.DataFrame:
        """Rows of the window, of the chosen symbols alone; the benchmark need not be one of them.

        Everything that is delivered is stored, so a longer list needs no new delivery.
        """
        rows = super().fetch(dataset, window)
        wanted = self.settings.symbols
        if wanted is None or dataset == "reference":
            return rows
        # A doubt without a symbol concerns them all.
        return rows[rows["symbol"].isin([*wanted, ""])].reset_index(drop=True)

    def check_venue(self) -> None:
        """Prices can be adjusted on read, never the other way; no ticker is two instruments'."""
        try:
            names_of(Aliases.empty(), self.rules())
        except DataError as error:
            self.refuse("provider.settings.aliases", str(error))
        steps = ("none", "splits", "total_return")
        wanted = self.venue.market.price_adjustment
        if steps.index(self.published) > steps.index(wanted):
            self.refuse(
                "provider.settings.published",
                f"{self.published} cannot be undone to price_adjustment {wanted}",
            )
