"""Settings, venues, grid and store of one data root, and what they imply per venue."""

import difflib
import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING

from quant_assets.adapters.calendars import session_bars
from quant_assets.adapters.providers.base import Provider, provider_for
from quant_assets.adapters.telemetry_sinks.base import TelemetrySinks, open_sinks
from quant_assets.adapters.venues.loader import load_venues
from quant_assets.core.config import Settings, load_settings
from quant_assets.core.errors import ConfigError
from quant_assets.core.venues import Venue
from quant_assets.core.windows import Grid, Window
from quant_assets.quant.market.bars import ALWAYS_OPEN
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.sources import SourceStore
from quant_assets.storage.writer import write_atomically

if TYPE_CHECKING:
    from quant_assets.quant.strategies.config import LoadedStrategy


@dataclass(frozen=True)
class VenueSpan:
    """Window keys between which a venue has data and decisions."""

    first_data: str
    first_decision: str
    last_data: str | None
    has_data: bool = True

    def empty_reason(self, kind: str, window: str) -> str:
        """Why a cell of `kind` has no rows by rule; empty when it should have some."""
        if not self.has_data:
            return "nothing was delivered to this venue yet"
        if window < self.first_data:
            return f"before the venue's first data window {self.first_data}"
        if self.last_data is not None and window > self.last_data:
            return f"after the venue's last data window {self.last_data}"
        if kind != "series" and window < self.first_decision:
            return f"before the venue's first decision window {self.first_decision}"
        return ""


class Workspace:
    """Everything that definitions and commands share for one data root."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.grid: Grid = settings.grid
        self.store = SnapshotStore(
            settings.data_root.absolute(), cache_megabytes=settings.cache_megabytes
        )
        self._providers: dict[str, Provider] = {}
        self._sources: dict[str, SourceStore] = {}

    @cached_property
    def venues(self) -> dict[str, Venue]:
        """Venues by name; each has its training length resolved."""
        loaded = self._chosen(load_venues(self.settings.venues_folder))
        for venue in loaded.values():
            self._check_grid(venue)
        return {name: self._resolve(venue) for name, venue in sorted(loaded.items())}

    @cached_property
    def strategies(self) -> "dict[str, LoadedStrategy]":
        """Strategies of the user's folder by name; none without a folder."""
        if self.settings.strategies_folder is None:
            return {}
        from quant_assets.adapters.strategies.loader import load_strategies

        return load_strategies(self.settings.strategies_folder)

    def _chosen(self, loaded: dict[str, Venue]) -> dict[str, Venue]:
        names = self.settings.venues
        unknown = sorted(set(names or ()) - set(loaded))
        if unknown:
            raise ConfigError(
                f"settings.venues names {unknown}; known: {', '.join(sorted(loaded))}"
            )
        return loaded if names is None else {name: loaded[name] for name in names}

    def _resolve(self, venue: Venue) -> Venue:
        if venue.training_windows is not None:
            return venue
        return venue.model_copy(update={"training_windows": self.settings.training_windows})

    def _check_grid(self, venue: Venue) -> None:
        first = self.grid.key_at(venue.history.first)
        if first <= self.grid.start.isoformat():
            raise ConfigError(
                f"venue {venue.name} has data from {venue.history.first}, but the grid starts at "
                f"{self.grid.start}: it must start at least one window earlier. Set grid.start in "
                "settings.yaml (another grid needs another data_root), or leave the venue out by "
                "listing the others under `venues`."
            )

    def venue(self, name: str) -> Venue:
        """The venue called `name`; an unknown one lists those that are known."""
        if name not in self.venues:
            near = difflib.get_close_matches(name, self.venues, n=1)
            hint = f" did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"no venue named {name!r};{hint} known: {', '.join(self.venues)}")
        return self.venues[name]

    def provider(self, name: str) -> Provider:
        """The venue's provider, made once."""
        if name not in self._providers:
            self._providers[name] = provider_for(self.venue(name), self.sources(name))
        return self._providers[name]

    def sources(self, name: str) -> SourceStore:
        """What the venue was given so far; empty for a provider that needs no deliveries."""
        if name not in self._sources:
            self._sources[name] = SourceStore(self.store.layout, self.venue(name).name)
        return self._sources[name]

    @cached_property
    def telemetry_sinks(self) -> TelemetrySinks:
        """The sinks that the settings name; an unknown or uninstalled one is a `ConfigError`."""
        return open_sinks(self.settings.telemetry_sinks, self.store.layout.sink)

    def span(self, name: str) -> VenueSpan:
        """First and last windows of a venue."""
        venue, history = self.venue(name), self.provider(name).history()
        first = self.grid.key_at((history or venue.history).first)
        first_decision = self.grid.shift(first, training_windows(venue))
        if history is None:  # no window at all: the last one lies before the first
            return VenueSpan(first, first_decision, self.grid.shift(first, -1), has_data=False)
        last = self.grid.key_at(history.last) if history.last else None
        return VenueSpan(first, first_decision, last)

    def is_partial(self, venue: Venue, window: Window) -> bool:
        """True when the venue's data end inside the window.

        This is exact to the bar where the provider knows its newest one and the calendar is known:
        the last day of a month is not over when its first bar is there.
        """
        provider = self.provider(venue.name)
        history, newest = provider.history(), provider.newest_bar()
        last = history.last if history is not None else None
        if last is not None and last + timedelta(days=1) < window.end.date():
            return True
        if newest is None:
            return False
        due = newest + venue.market.bar_length
        if venue.market.calendar == ALWAYS_OPEN:
            return due < window.end
        return due < window.end and len(session_bars(venue.market, due, window.end)) > 0

    def record_grid(self) -> None:
        """Write the grid into the root once; refuse a root that was made with another one."""
        path = self.store.layout.root / "workspace.json"
        mine = {"cadence": self.grid.cadence, "start": self.grid.start.isoformat()}
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            if found != mine:
                raise ConfigError(
                    f"{path} says this root holds the grid {found}, but the settings say {mine}: "
                    "use another data_root (QUANT_ASSETS_DATA_ROOT) for another grid"
                )
            return
        write_atomically(path, json.dumps(mine, sort_keys=True).encode())


def training_windows(venue: Venue) -> int:
    """Training length of a resolved venue."""
    if venue.training_windows is None:
        raise ConfigError(f"venue {venue.name}: training_windows is not resolved")
    return venue.training_windows


@cache
def current_workspace() -> Workspace:
    """The workspace of this process, from `settings.yaml` and the environment."""
    return Workspace(load_settings())
