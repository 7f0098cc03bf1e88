"""Bars of a backtest: the stored ones of a venue, or those of a file."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.util import hash_pandas_object

from quant_assets.core.errors import ConfigError, DataError, MissingCellError
from quant_assets.quant.market.bars import first_row
from quant_assets.quant.market.funding_rates import with_funding_rate
from quant_assets.quant.market.sessions import sessions_of

if TYPE_CHECKING:
    from quant_assets.core.config import Settings
    from quant_assets.core.venues import Venue
    from quant_assets.quant.market.bar_panel import BarPanel

Floats = npt.NDArray[np.float64]
PRICES = ("open", "high", "low", "close")
VALUES = (*PRICES, "volume")


@dataclass(frozen=True)
class Wanted:
    """What bars are asked for: a venue's or a file's, which symbols, from and to which UTC day.

    bar_length : None: as they are. start, end : days, both included; None: open. Bars before the
        start that are there are given, too: they warm up. benchmark : as `benchmark_returns` takes
        it; None: none. members : a universe will say who may be traded.
    """

    venue: str | None = None
    file: Path | None = None
    symbols: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    bar_length: timedelta | None = None
    benchmark: str | None = None
    members: bool = False


@dataclass(frozen=True)
class Found:
    """Bars, what they are called, what must be said beside every result, and funding settlements.

    stamps : of the venue; notes : what was done to the bars. zero_funding : perpetuals whose
        funding is assumed to be zero. benchmark : its returns, `(time,)`. source : the bars that
        longer ones are made of; None: they are as they were found. rows : long, before they were
        narrowed. detail, rates : what the execution asks for besides, see `with_inputs`. start : of
        the first bar that is traded; None: of the first one.
    """

    panel: "BarPanel"
    universe: str
    currency: str
    stamps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    funding: pd.DataFrame | None = field(default=None, repr=False)
    zero_funding: bool = False
    benchmark: Floats | None = field(default=None, repr=False)
    source: "BarPanel | None" = field(default=None, repr=False)
    rows: pd.DataFrame | None = field(default=None, repr=False)
    detail: "BarPanel | None" = field(default=None, repr=False)
    rates: pd.DataFrame | None = field(default=None, repr=False)
    start: datetime | None = None

    @property
    def series(self) -> dict[str, Any]:
        """Series that a backtest takes beside the bars, by the names of its arguments."""
        given = {"funding": self.funding, "detail": self.detail, "rates": self.rates}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def inputs(self) -> dict[str, Any]:
        """All that a backtest takes beside the bars, by the names of its arguments."""
        return self.series | ({} if self.start is None else {"start": self.start})

    @property
    def first_bar(self) -> int:
        """Row of the first bar that is traded."""
        return first_row(self.panel.ts, self.start)

    @property
    def digest(self) -> str:
        """SHA-256 of clock, symbols, all values, and who was a member of the universe."""
        import hashlib

        known = hashlib.sha256("\n".join(self.panel.symbols).encode())
        for panel in (self.panel, self.detail):
            if panel is None:
                continue
            for moments in (panel.ts, panel.available_at):
                known.update(np.ascontiguousarray(moments).tobytes())
            for name, values in sorted(panel.columns().items()):
                known.update(name.encode())
                known.update(np.where(np.isnan(values), np.nan, values).tobytes())
            if panel.universe is not None:
                known.update(f"universe {panel.universe.on_exit}".encode())
                known.update(np.ascontiguousarray(panel.members).tobytes())
        for frame in (self.funding, self.rates):
            if frame is not None:
                rows = hash_pandas_object(frame, index=False)
                known.update(rows.to_numpy().tobytes())
        return known.hexdigest()


def find_bars(wanted: Wanted, settings: "Settings") -> Found:
    """Read, narrow and, where a longer bar is wanted, resample."""
    from quant_assets.core.venues import format_duration

    if wanted.venue is None and wanted.file is None:
        raise ConfigError("which bars? give --venue NAME, or --bars FILE (parquet or CSV)")
    venue = _venue(wanted.venue, settings) if wanted.venue else None
    notes: list[str] = []
    if wanted.file is not None:
        frame = _of_file(wanted.file, venue, notes)
        universe = wanted.file.name
    else:
        universe = str(wanted.venue)
        frame = _stored(universe, settings)
    whole = frame
    frame = _narrowed(frame, wanted, universe)
    panel = _panel(frame, notes, _traded(frame, wanted))
    if venue is not None:
        panel = panel.with_sessions(sessions_of(venue.market))
    source = None
    if wanted.bar_length is not None and wanted.bar_length != panel.bar_length:
        source, panel = panel, longer(panel, wanted.bar_length)
        lengths = (format_duration(one.bar_length) for one in (panel, source))
        notes.append("bars of {} made of bars of {}".format(*lengths))
    funding = _funding(wanted, venue, settings, panel, notes) if venue is not None else None
    if funding is not None and len(funding):
        panel = with_funding_rate(panel, funding)
    benchmark = None
    if wanted.benchmark is not None:
        from quant_assets.cli.strategies.benchmarks import benchmark_returns

        places: dict[str, Any] = {"venue": venue, "file": wanted.file, "settings": settings}
        benchmark = benchmark_returns(wanted.benchmark, whole, panel, **places)
    start = _first_traded(panel, wanted, notes)
    return Found(
        panel,
        universe,
        venue.market.currency if venue is not None else "",
        tuple(venue.stamps()) if venue is not None else (),
        tuple(notes),
        funding,
        venue is not None
        and venue.market.asset_class == "crypto_perpetual"
        and venue.market.funding != "required",
        benchmark,
        source,
        whole,
        start=start,
    )


def _stored(venue: str, settings: "Settings") -> pd.DataFrame:
    """All stored bars of a venue; a `MissingCellError` names the command that makes them."""
    from quant_assets.storage.reading import load

    try:
        return load("bars", venue=venue, root=settings.data_root)
    except MissingCellError:
        raise MissingCellError(
            f"no bars of {venue} are stored under {settings.data_root}: quant-assets backfill "
            f"--venue {venue} --assets sessions,raw_bars,bars"
        ) from None


def _venue(name: str, settings: "Settings") -> "Venue":
    """The venue; one that comes with the package is read without all others, 0.1 s sooner."""
    from quant_assets.adapters.venues.loader import load_venues, packaged_folder
    from quant_assets.core.venues import Venue
    from quant_assets.core.yaml_loader import load_model

    packaged = packaged_folder() / f"{name}.yaml"
    if packaged.is_file():
        return load_model(packaged, Venue)
    venues = load_venues(settings.venues_folder)
    if name not in venues:
        near = difflib.get_close_matches(name, venues, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ConfigError(
            f"no venue {name!r}{hint}: give --venue NAME, or --bars FILE; known: "
            f"{', '.join(venues)}"
        )
    return venues[name]


def _of_file(path: Path, venue: "Venue | None", notes: list[str]) -> pd.DataFrame:
    """Bars of a file in any known layout, as the venue, or else UTC, would have it."""
    from quant_assets.adapters.files.opening import open_source
    from quant_assets.adapters.files.recognition import recognise

    if not path.is_file():
        what = "is a folder; name a file in it" if path.is_dir() else "there is no such file"
        raise DataError(f"{path}: {what}")
    described = venue or any_venue()
    frames, unread = [], 0
    for file in open_source(path):
        for raw in recognise(file).read(file, described):
            if raw.dataset == "bars":
                frames.append(raw.frame)
                unread += 0 if raw.rejects is None else len(raw.rejects)
    if not frames:
        raise DataError(f"{path.name}: no bars in it; columns ts, symbol, close are needed")
    if unread:
        notes.append(f"{unread:,} lines of {path.name} could not be read and are left out")
    frame = pd.concat(frames, ignore_index=True)
    known = ["ts", "symbol", *(name for name in VALUES if name in frame.columns)]
    return frame[known].sort_values(["ts", "symbol"], ignore_index=True)


def any_venue() -> "Venue":
    """What a file is taken for of which nothing is said: times in UTC, symbols as written."""
    from quant_assets.core.venues import Venue

    return Venue.model_validate(
        {
            "name": "file",
            "title": "Bars of a file",
            "provider": {"name": "files"},
            "history": {"first": "1970-01-01"},
            "market": {
                "asset_class": "equity",
                "currency": "USD",
                "calendar": "24/7",
                "time_zone": "UTC",
                "bar_length": "1d",
                "bars_per_year": 365,
                "price_fields": list(VALUES),
            },
            "alpha": {"month_bars": 21},
        }
    )


def _narrowed(frame: pd.DataFrame, wanted: Wanted, universe: str) -> pd.DataFrame:
    if wanted.symbols:
        known = set(frame["symbol"].unique())
        unknown = sorted(set(wanted.symbols) - known)
        if unknown:
            shown = ", ".join(sorted(known)[:12]) + (", …" if len(known) > 12 else "")
            near = difflib.get_close_matches(unknown[0].upper(), known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ";"
            raise DataError(f"{universe} has no {', '.join(unknown)}{hint} it has {shown}")
        frame = frame[frame["symbol"].isin(wanted.symbols)]
    start = None if wanted.start is None else _day(wanted.start)
    end = None if wanted.end is None else _day(wanted.end)
    if start is not None and end is not None and end < start:
        raise ConfigError(f"the first day {wanted.start} is after the last one, {wanted.end}")
    whole = frame[frame["close"].notna()]
    frame = whole if end is None else whole[whole["ts"] < end + pd.Timedelta(days=1)]
    traded = _traded(frame, wanted)
    if traded.empty:
        days = [f"{day:%Y-%m-%d}" for day in (whole["ts"].min(), whole["ts"].max()) if len(whole)]
        raise DataError(
            f"{universe} has no bars from {wanted.start or 'its first'} to "
            f"{wanted.end or 'its last'}; it has {' to '.join(days) or 'none at all'}. --start and "
            "--end say other days, --any-dates leaves out those of a strategy file"
        )
    if len(traded) == len(frame) or wanted.symbols or wanted.members:
        return frame
    return frame[frame["symbol"].isin(traded["symbol"].unique())]  # the others had ended before


def _traded(frame: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """Rows from the start on."""
    return frame if wanted.start is None else frame[frame["ts"] >= _day(wanted.start)]


def _first_traded(panel: "BarPanel", wanted: Wanted, notes: list[str]) -> datetime | None:
    """Open of the first bar at the start or after it; None where it is the first of all."""
    if wanted.start is None:
        return None
    row = first_row(panel.ts, _day(wanted.start))
    if row == len(panel):
        raise DataError(f"no bar begins at {wanted.start} or later: --start says another day")
    if row == 0:
        return None
    notes.append(f"{row:,} bars before {str(panel.ts[row])[:16]} warm up and are not traded")
    return pd.Timestamp(panel.ts[row], tz="UTC").to_pydatetime()


def _day(text: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(text, tz="UTC")
    except ValueError as cause:
        raise ConfigError(f"{text!r} is no day: write YYYY-MM-DD") from cause


def _panel(frame: pd.DataFrame, notes: list[str], traded: pd.DataFrame) -> "BarPanel":
    """Bars without columns that nobody knows; the length is the smallest step between two bars.

    traded : the rows that are; a column that they do not know is not given.
    """
    from quant_assets.quant.market.bar_panel import BarPanel

    given = [name for name in VALUES if name in frame.columns and traded[name].notna().any()]
    if "open" not in given:
        notes.append("the bars have closes alone: what fills at an open fills at that bar's close")
    if "volume" not in given:
        notes.append("the bars have no volume: no order is limited by it")
    times = np.unique(frame["ts"].to_numpy(dtype="datetime64[us]"))
    n_traded = traded["ts"].nunique()
    if n_traded < 2:
        raise DataError(f"the bars have {n_traded} times; a backtest needs at least 2")
    step = np.diff(times).min().astype(timedelta)
    columns = ["ts", "symbol", *given]
    columns += ["available_at"] if "available_at" in frame.columns else []
    return BarPanel.from_frame(frame[columns].astype({"symbol": "str"}), bar_length=step)


def longer(panel: "BarPanel", length: timedelta) -> "BarPanel":
    """Bars of that length made of shorter ones; a `DataError` where these are not shorter."""
    from quant_assets.core.venues import format_duration
    from quant_assets.quant.market.bar_panel import BarPanel
    from quant_assets.quant.market.longer_bars import length_on
    from quant_assets.quant.market.resample import BarArrays, resample_panel

    if length < panel.bar_length:
        raise DataError(
            f"bars of {format_duration(length)} are wanted and these have "
            f"{format_duration(panel.bar_length)}; longer bars can be made of shorter ones, "
            "not the other way round"
        )
    arrays = (getattr(panel, name) for name in VALUES)
    made = resample_panel(
        BarArrays(panel.ts, panel.available_at, *arrays), length_on(panel, length)
    )
    values: dict[str, Any] = {name: getattr(made, name) for name in VALUES}
    found = BarPanel(made.ts, panel.symbols, length, **values, available_at=made.available_at)
    return found.with_sessions(panel.sessions)


def _funding(
    wanted: Wanted, venue: "Venue", settings: "Settings", panel: "BarPanel", notes: list[str]
) -> pd.DataFrame | None:
    """Stored settlements of the symbols; said when a venue of perpetuals has none."""
    from quant_assets.storage.reading import load

    if venue.market.funding == "none" or wanted.file is not None:
        return None
    try:
        rows = load("funding", venue=venue.name, root=settings.data_root)
    except MissingCellError:
        notes.append(
            "no funding is stored: perpetuals are held without it. "
            f"quant-assets backfill --venue {venue.name} --assets raw_funding,funding"
        )
        return None
    first, last = pd.Timestamp(panel.ts[0], tz="UTC"), pd.Timestamp(panel.ts[-1], tz="UTC")
    inside = rows["ts"].between(first, last + panel.bar_length)
    return rows[inside & rows["symbol"].isin(panel.symbols)].reset_index(drop=True)


def parse_symbols(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """`A,B` as a tuple, each once; text that names none is refused."""
    words = text.split(",") if isinstance(text, str) else list(text or ())
    found = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
    if text is not None and not found:
        raise ConfigError(f"{text!r} names no symbol: write A,B")
    return found
