"""What an execution asks for beside bars: finer bars inside of them, and rates of currencies."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from quant_assets.cli.strategies.bars import Found, longer
from quant_assets.core.errors import DataError

if TYPE_CHECKING:
    from quant_assets.quant.market.bar_panel import BarPanel
    from quant_assets.quant.simulation.execution.fx.as_of import AsOf
    from quant_assets.quant.simulation.execution.fx.base import FxModel
    from quant_assets.quant.simulation.execution.model import ExecutionModel

RATES = ["ts", "available_at", "symbol", "rate"]
PAIR_COLUMNS = ("symbol", "pair", "currency")


def with_inputs(found: Found, model: "ExecutionModel", rates: Path | None = None) -> Found:
    """The bars with the finer bars and the rates that the execution follows.

    Finer bars are those that the longer bars were made of, or are made of them in turn. Rates are
    those of the file, else those of currency pairs among the bars themselves: the close of each
    bar, known from its `available_at` on.

    Raises
    ------
    DataError
        There are no finer bars, or no rates of a currency; it says what to do.
    """
    notes = list(found.notes)
    detail = _detail(found, model, notes)
    name = cast("FxModel", model.fx_model).name
    used: pd.DataFrame | None = None
    if name == "as_of":
        used = _rates(found, cast("AsOf", model.fx_model), rates, notes)
    elif rates is not None and name == "none":
        notes.append(f"{rates.name} was not used: the execution has no fx_model that takes rates")
    elif rates is not None:
        used = read_rates(rates)
    return replace(found, detail=detail, rates=used, notes=tuple(notes), source=None, rows=None)


def before(panel: "BarPanel", moment: np.datetime64) -> "BarPanel":
    """Bars that begin before a moment."""
    from quant_assets.quant.market.bar_panel import FIELDS, BarPanel

    last = int(np.searchsorted(panel.ts, moment))
    values = {name: getattr(panel, name)[:last] for name in FIELDS}
    known = panel.available_at[:last]
    cut = BarPanel(panel.ts[:last], panel.symbols, panel.bar_length, **values, available_at=known)
    return cut.with_sessions(panel.sessions)


def _detail(found: Found, model: "ExecutionModel", notes: list[str]) -> "BarPanel | None":
    from quant_assets.core.venues import format_duration

    wanted = model.fills.detail
    if wanted is None:
        return None
    who, length = model.fills.name, format_duration(wanted)
    run, source = found.panel.bar_length, found.source
    if wanted >= run or run % wanted:
        raise DataError(
            f"{who} follows orders on bars of {length}, which do not divide the run's bars of "
            f"{format_duration(run)}: name a shorter timeframe, or ask for longer bars "
            "(--bar-length, runtime.candle_interval of the file)"
        )
    stored = run if source is None else source.bar_length
    if source is None or wanted < stored or wanted % stored:
        raise DataError(
            f"{who} follows orders on bars of {length} inside of bars of {format_duration(run)}, "
            f"and {found.universe} has bars of {format_duration(stored)}: give bars of {length} "
            f"(--bars, --venue) and make the longer ones of them (--bar-length "
            f"{format_duration(run)}), or take another fill model, as --execution default"
        )
    notes.append(f"stops, targets and limits are followed on bars of {length}")
    return source if wanted == stored else longer(source, wanted)


def _rates(found: Found, fx: "AsOf", file: Path | None, notes: list[str]) -> pd.DataFrame | None:
    """Rates that were known before the last bar; None where all is in the account's currency."""
    needed = sorted({fx.currency_of(symbol) for symbol in found.panel.symbols} - {fx.account})
    if not needed:
        return None
    pairs = {name: (f"{name}/{fx.account}", f"{fx.account}/{name}") for name in needed}
    both = [pair for two in pairs.values() for pair in two]
    rates = _of_bars(found, both) if file is None else read_rates(file, account=fx.account)
    there = set(rates["symbol"])
    missing = [name for name, two in pairs.items() if there.isdisjoint(two)]
    if missing:
        raise DataError(
            f"as_of: {file.name if file is not None else found.universe} has no rates of "
            f"{', '.join(missing)} in {fx.account}: give --rates FILE (parquet or CSV) with ts, "
            f"symbol ({pairs[missing[0]][0]}) and rate"
        )
    if file is None:
        names = ", ".join(sorted(there))
        notes.append(f"rates of currencies are the closes of {names} of {found.universe}")
    last = pd.Timestamp(found.panel.ts[-1], tz="UTC")
    chosen = rates["symbol"].isin(both) & (rates["available_at"] <= last)
    return rates[chosen].reset_index(drop=True)


def _of_bars(found: Found, pairs: list[str]) -> pd.DataFrame:
    """Closes of currency pairs among the bars, as rates."""
    if found.rows is None:
        return pd.DataFrame(columns=RATES)
    mine = found.rows["symbol"].isin(pairs) & found.rows["close"].notna()
    rows = found.rows[mine].rename(columns={"close": "rate"}).astype({"symbol": "str"})
    return _dated(rows)


def read_rates(file: Path, *, account: str = "USD") -> pd.DataFrame:
    """Rates of a file: `ts`, `available_at`, `symbol` (`EUR/USD`) and `rate`, by time.

    The pair stands in a column `symbol`, `pair` or `currency`; `EUR` alone is `EUR/<account>`.
    Times without a zone are UTC. Without `available_at` a rate is known one step of the file after
    its `ts`: that of a day at the end of the day.

    Raises
    ------
    DataError
        A file that is not there, without these columns, or with rates that are no numbers.
    """
    if not file.is_file():
        raise DataError(f"--rates {file}: there is no such file")
    rows = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
    pair = next((name for name in PAIR_COLUMNS if name in rows.columns), None)
    if pair is None or not {"ts", "rate"} <= set(rows.columns):
        raise DataError(
            f"--rates {file.name}: it has the columns {', '.join(map(str, rows.columns))}; it "
            "must have ts, rate, and symbol, pair or currency"
        )
    if not pd.api.types.is_numeric_dtype(rows["rate"]):
        raise DataError(f"--rates {file.name}: the column rate has no numbers")
    rows = rows.dropna(subset=["ts", pair, "rate"]).rename(columns={pair: "symbol"})
    names = rows["symbol"].astype("str")
    rows["symbol"] = names.where(names.str.contains("/"), names + f"/{account}")
    for name in ("ts", "available_at"):
        if name in rows.columns:
            rows[name] = pd.to_datetime(rows[name], utc=True).dt.as_unit("us")
    return _dated(rows)


def _dated(rows: pd.DataFrame) -> pd.DataFrame:
    """Rates by time; without `available_at` they are known one step after their time."""
    if "available_at" not in rows.columns:
        steps = np.diff(np.unique(rows["ts"].to_numpy(dtype="datetime64[us]")))
        if len(rows) and not len(steps):
            raise DataError("rates of one time alone need a column available_at")
        step = pd.Timedelta(steps.min()) if len(steps) else pd.Timedelta(0)
        rows = rows.assign(available_at=(rows["ts"] + step).dt.as_unit("us"))
    return rows[RATES].sort_values(["ts", "symbol"], ignore_index=True)
