"""What a provider is: a source that delivers one venue's raw data, window by window."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NoReturn, get_args

import pandas as pd
from pydantic import ValidationError

from quant_assets.contracts.adjustments import Adjustments
from quant_assets.contracts.aliases import Aliases
from quant_assets.contracts.bars import Bars
from quant_assets.contracts.base import Contract
from quant_assets.contracts.depth_bands import DepthBands
from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.funding import Funding
from quant_assets.contracts.liquidations import Liquidations
from quant_assets.contracts.open_interest import OpenInterest
from quant_assets.contracts.order_book import OrderBook
from quant_assets.contracts.reference_returns import ReferenceReturns
from quant_assets.core.errors import ConfigError
from quant_assets.core.registry import get
from quant_assets.core.sources import NoSources, Sources
from quant_assets.core.venues import History, Strict, Venue
from quant_assets.core.windows import Window
from quant_assets.core.yaml_loader import problems
from quant_assets.quant.market.bars import instant, instants

PACKAGE = "quant_assets.adapters.providers"
Dataset = Literal[
    "bars",
    "funding",
    "open_interest",
    "liquidations",
    "order_book",
    "depth_bands",
    "adjustments",
    "aliases",
    "doubts",
    "reference",
]
CONTRACTS: Mapping[Dataset, type[Contract]] = MappingProxyType(
    {
        "bars": Bars,
        "funding": Funding,
        "open_interest": OpenInterest,
        "liquidations": Liquidations,
        "order_book": OrderBook,
        "depth_bands": DepthBands,
        "adjustments": Adjustments,
        "aliases": Aliases,
        "doubts": Doubts,
        "reference": ReferenceReturns,
    }
)


class Provider(ABC):
    """One venue's source of raw data.

    A provider sets `name` and, when it has settings, `settings_model`: a strict pydantic model of
    `venue.provider.settings`. It guarantees that `fetch` returns a frame of the dataset's contract
    with `window.start <= ts < window.end`, inside the venue's history, sorted, and the same bytes
    when asked twice; a dataset that it lacks is the contract's empty frame. Nothing is opened,
    computed or downloaded before the first `fetch` or `source_digest`.
    """

    name: ClassVar[str]
    settings_model: ClassVar[type[Strict]] = Strict

    def __init__(self, venue: Venue, sources: Sources | None = None) -> None:
        self.venue = venue
        self.sources: Sources = sources or NoSources()
        self.settings: Any = parse_settings(venue, self.settings_model)
        self.check_venue()

    def check_venue(self) -> None:  # noqa: B027 - a provider without conditions overrides nothing
        """Raise `ConfigError` when the venue claims what this provider cannot deliver."""

    @abstractmethod
    def source_digest(self, dataset: Dataset, window: Window) -> str:
        """SHA-256 of what the rows of this window depend on apart from code and settings.

        Cheap and deterministic. Equal digests mean equal rows, so a longer history must not change
        the digest of a window that ends before it.
        """

    @abstractmethod
    def fetch(self, dataset: Dataset, window: Window) -> pd.DataFrame:
        """Rows of `dataset` in the window, as published."""

    def history(self) -> History | None:
        """Days for which there are data; None when nothing was delivered yet."""
        return self.venue.history

    def newest_bar(self) -> datetime | None:
        """Open time of the newest bar; None where the days of `history` are all that is known."""
        return None

    def span(self, window: Window) -> tuple[datetime, datetime]:
        """Cut the window to the part [start, end) that lies in the venue's history."""
        history = self.venue.history
        start = max(window.start, midnight(history.first))
        if history.last is None:
            return start, window.end
        return start, min(window.end, midnight(history.last) + timedelta(days=1))

    def refuse(self, key: str, message: str) -> NoReturn:
        """Raise `ConfigError` about one key of the venue."""
        raise ConfigError(f"venue {self.venue.name}: {key}: {message} (provider {self.name})")


class Table:
    """A dataset's whole history in memory, sorted by `ts`; windows of it are slices."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._ts = instants(frame["ts"])

    def rows(self, span: tuple[datetime, datetime]) -> pd.DataFrame:
        """Rows with `start <= ts < end`."""
        first, after = (int(self._ts.searchsorted(instant(moment))) for moment in span)
        return self._frame.iloc[first : max(first, after)].reset_index(drop=True)


def midnight(day: date) -> datetime:
    """Give the first instant of a UTC day."""
    return datetime.combine(day, time(), tzinfo=UTC)


def parse_settings(venue: Venue, model: type[Strict]) -> Strict:
    """`venue.provider.settings` as the provider's own model; errors name venue and keys."""
    try:
        return model.model_validate(venue.provider.settings)
    except ValidationError as error:
        found = problems(error, model, venue.provider.settings)
    raise ConfigError(
        "\n".join(f"venue {venue.name}: provider.settings.{problem}" for problem in found)
    )


def provider_class(name: str) -> type[Provider]:
    """Find the provider plug-in called `name`; a missing one lists those that are known."""
    return get(PACKAGE, Provider, name)  # type: ignore[type-abstract] # a base, by design


def provider_for(venue: Venue, sources: Sources | None = None) -> Provider:
    """Make the provider that the venue names; its settings are checked.

    `sources` are what the venue has been given: dropped files, pulled pages.
    """
    return provider_class(venue.provider.name)(venue, sources)


def contract_of(dataset: str) -> type[Contract]:
    """Find the contract of a dataset's frame; an unknown dataset is a `ConfigError`."""
    for known in get_args(Dataset):
        if known == dataset:
            return CONTRACTS[known]
    raise ConfigError(f"no dataset named {dataset!r}; known: {', '.join(get_args(Dataset))}")
