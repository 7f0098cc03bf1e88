"""The universe of a run: the members of a venue as they were known, or those of a file."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from quant_assets.cli.strategies.bars import Found, Wanted
from quant_assets.core.errors import ConfigError, DataError, MissingCellError

if TYPE_CHECKING:
    from quant_assets.core.config import Settings
    from quant_assets.quant.market.membership import OnExit

VENUE = "venue"


class Members(NamedTuple):
    """Who may be traded: `venue`, or a file; None: all symbols. on_exit : see `PanelUniverse`."""

    source: str | None = None
    on_exit: "OnExit | None" = None


def with_members(found: Found, members: Members, wanted: Wanted, settings: "Settings") -> Found:
    """The bars with their universe.

    Raises
    ------
    ConfigError
        Members of a venue without a venue, or a rule of exit without members.
    MissingCellError
        The universe of the venue is not stored; it names the command that makes it.
    DataError
        A file that is not there, or whose rows are no universe.
    """
    from quant_assets.quant.market.membership import Membership

    if members.source is None:
        if members.on_exit is not None:
            raise ConfigError("--on-exit says what becomes of members: give --universe as well")
        return found
    of_venue = members.source == VENUE
    rows = _stored(wanted, settings) if of_venue else _of_file(Path(members.source))
    membership = Membership.from_frame(rows, on_exit=members.on_exit or "close")
    panel = found.panel.with_universe(membership, found.first_bar)
    if wanted.symbols and panel.universe is not None:  # the others were left out on purpose
        panel = replace(panel, universe=replace(panel.universe, absent=()))
    n = panel.members[found.first_bar :].sum(axis=1)
    who = f"members of {wanted.venue}" if of_venue else f"members of {Path(members.source).name}"
    note = f"{who}, as they were known at each decision: {n.min()} to {n.max()} of "
    note += f"{len(panel.symbols)} symbols"
    return replace(found, panel=panel, notes=(*found.notes, note))


def _stored(wanted: Wanted, settings: "Settings") -> pd.DataFrame:
    """All rows of the venue's universe."""
    from quant_assets.storage.reading import load

    if wanted.venue is None:
        raise ConfigError(
            "the members of which venue? give --venue NAME, or --universe FILE with symbol, "
            "entered and left"
        )
    try:
        return load("universe", venue=wanted.venue, root=settings.data_root)
    except MissingCellError:
        raise MissingCellError(
            f"no universe of {wanted.venue} is stored under {settings.data_root}: quant-assets "
            f"backfill --venue {wanted.venue} --assets universe"
        ) from None


def _of_file(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"--universe {path}: there is no such file")
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
