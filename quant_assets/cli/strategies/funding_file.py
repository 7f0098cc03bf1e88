"""Funding settlements that are given beside the bars: those of a file, or that none is paid."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from quant_assets.cli.strategies.bars import Found, any_venue
from quant_assets.core.errors import DataError
from quant_assets.quant.market.funding_rates import with_funding_rate

ZERO = "zero"


def with_funding(found: Found, given: str | None) -> Found:
    """The bars with the settlements of a file, or with none where `zero` is given.

    The settlements between the first bar and the end of the last one take the place of stored ones,
    and become the extra `funding_rate`. A `DataError` where the file has none of these symbols.
    """
    if given is None:
        return found
    if given == ZERO:
        return replace(found, funding=None, zero_funding=True)
    rows, panel = read_funding(Path(given)), found.panel
    mine = rows["symbol"].isin(panel.symbols)
    if not mine.any():
        known = ", ".join(sorted(rows["symbol"].unique())[:5])
        raise DataError(
            f"--funding {given}: it has no settlement of {', '.join(panel.symbols[:5])}; it has "
            f"those of {known}"
        )
    first, last = pd.Timestamp(panel.ts[0], tz="UTC"), pd.Timestamp(panel.ts[-1], tz="UTC")
    chosen = rows[mine & rows["ts"].between(first, last + panel.bar_length)].reset_index(drop=True)
    return replace(found, panel=with_funding_rate(panel, chosen), funding=chosen)


def read_funding(path: Path) -> pd.DataFrame:
    """Settlements of a file in any known layout: ts, available_at, symbol, rate, mark_price.

    A settlement is known when it is due; a mark that the file does not have is NaN.

    Raises
    ------
    DataError
        A file that is not there or has no settlements, lines that cannot be read, and settlements
        that are there twice: they would be paid twice.
    """
    from quant_assets.adapters.files.opening import open_source
    from quant_assets.adapters.files.recognition import recognise

    if not path.is_file():
        raise DataError(f"--funding {path}: there is no such file (`zero` says that none is paid)")
    frames, unread = [], 0
    for file in open_source(path):
        for raw in recognise(file).read(file, any_venue()):
            if raw.dataset == "funding":
                frames.append(raw.frame)
                unread += 0 if raw.rejects is None else len(raw.rejects)
    if not frames:
        raise DataError(f"--funding {path}: no settlements in it; columns ts, symbol, rate")
    rows = pd.concat(frames, ignore_index=True).sort_values(["ts", "symbol"], ignore_index=True)
    if unread:
        raise DataError(f"--funding {path}: {unread:,} lines cannot be read; repair or remove them")
    twice = rows[rows.duplicated(["ts", "symbol"])]
    if len(twice):
        symbol, moment = twice["symbol"].iloc[0], twice["ts"].iloc[0]
        raise DataError(f"--funding {path}: {symbol} at {moment} is there twice: paid twice")
    if "mark_price" not in rows.columns:
        rows["mark_price"] = np.nan
    return rows.assign(available_at=rows["ts"])[
        ["ts", "available_at", "symbol", "rate", "mark_price"]
    ]
