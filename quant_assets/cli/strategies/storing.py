"""Runs on disk: a folder each, whose `run.json` is written last and says that it is complete."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from quant_assets.core.errors import DataError, MissingCellError
from quant_assets.storage.paths import encode
from quant_assets.storage.writer import WriteGroup

if TYPE_CHECKING:
    from quant_assets.cli.strategies.running import StrategyRun

RECORD, REPORT = "run.json", "report.html"


@dataclass(frozen=True)
class StoredRun:
    """A run that was kept: its folder and what `run.json` says."""

    folder: Path
    record: Mapping[str, Any]

    @property
    def report(self) -> Path:
        """Its report; it need not exist."""
        return self.folder / REPORT

    def frame(self, name: str) -> pd.DataFrame:
        """One of its tables, such as trades, orders, fills or equity."""
        return pd.read_parquet(self.folder / f"{name}.parquet")


def keep_run(
    folder: Path,
    run: "StrategyRun",
    *,
    page: str | None,
    tables: Mapping[str, pd.DataFrame] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Write the tables, the report and `run.json`; a kill leaves the old run or the new one.

    tables, facts : of the evidence.
    """
    target = folder / encode(run.name) / run.run_hash
    result, group = run.result, WriteGroup()
    frames = {
        "trades": result.trades,
        "orders": result.orders,
        "fills": result.fills,
        "equity": result.equity.reset_index(),
        **(tables or {}),
    }
    for name, frame in frames.items():
        group.stage(target / f"{name}.parquet", _parquet(frame))
    if page is not None:
        group.stage(target / REPORT, page.encode())
    record = {**run_record(run), **(facts or {})}
    group.stage(target / RECORD, json.dumps(record, indent=1).encode(), rank=1)
    group.publish()
    return target


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer, bare = io.BytesIO(), frame.copy(deep=False)
    bare.attrs = {}  # of whoever made it; not all of them can be written
    bare.to_parquet(buffer, index=False)
    return buffer.getvalue()


def run_record(run: "StrategyRun") -> dict[str, Any]:
    """What is said of a run as plain values: names, hashes, span, parameters, figures."""
    from quant_assets.core.clock import utc_now
    from quant_assets.reporting.strategy.trade_figures import trade_figures

    facts, result = run.facts, run.result
    ts, benchmark = result.equity.index, result.benchmark
    against: dict[str, Any] = {}
    if benchmark is not None:
        grown = float(np.prod(1.0 + benchmark[result.first_bar : result.last_bar]) - 1.0)
        against = {"benchmark": facts.benchmark, "benchmark_return": plain(grown)}
    return {
        "strategy": facts.name,
        "version": facts.version,
        "source": facts.source,
        "run_hash": run.run_hash,
        "hashes": dict(facts.hashes),
        "universe": facts.universe,
        "symbols": list(result.preparation.symbols),
        "bar_length": facts.bar_length,
        "first_bar": ts[0].isoformat(),
        "last_bar": ts[-1].isoformat(),
        "n_bars": result.n_bars,
        "bars_before": result.first_bar,
        "form": result.form,
        "initial_capital": result.initial_capital,
        "final_equity": result.final_equity,
        "total_return": result.total_return,
        **against,
        "n_trades": result.n_trades,
        "open_trades": len(result.trades) - result.n_trades,
        "trade_figures": {name: plain(v) for name, v in trade_figures(result).items()},
        "metrics": {name: plain(value) for name, value in result.metrics.items()},
        "costs": {name: plain(v) for name, v in result.costs["amount"].items()},
        "parameters": facts.parameters,
        "execution": facts.execution,
        "assumptions": [*facts.stamps, *facts.notes],
        "written_at": utc_now().isoformat(timespec="milliseconds"),
    }


def plain(value: Any) -> Any:
    """A number that JSON has; NaN and infinities become null."""
    import math

    number = float(value)
    return number if math.isfinite(number) else None


def read_record(folder: Path) -> dict[str, Any]:
    """What `run.json` of a run's folder says; a `DataError` when it is damaged."""
    try:
        found: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except ValueError as cause:
        raise DataError(
            f"{folder / RECORD} is damaged ({cause}); remove its folder: the same command makes "
            "the run again"
        ) from cause
    return found


def stored_runs(folder: Path, name: str | None = None) -> list[StoredRun]:
    """Complete runs, newest last; of one strategy, or of all."""
    pattern = f"{encode(name)}/*/{RECORD}" if name else f"*/*/{RECORD}"
    found = [StoredRun(path.parent, read_record(path.parent)) for path in folder.glob(pattern)]
    return sorted(found, key=lambda run: (run.record["written_at"], run.record["run_hash"]))


def find_run(folder: Path, text: str) -> StoredRun:
    """The run that a hash (or how it begins) names, else the newest of the strategy `text`."""
    runs = stored_runs(folder)
    named = [run for run in runs if run.record["run_hash"].startswith(text) and len(text) >= 4]
    if len({run.folder for run in named}) == 1:
        return named[0]
    of_strategy = [run for run in runs if run.record["strategy"] == text]
    if of_strategy and not named:
        return of_strategy[-1]
    known = sorted({run.record["strategy"] for run in runs})
    raise MissingCellError(
        f"no stored run {text!r}"
        + (f": {len(named)} begin so; write more of the hash" if named else "")
        + f"; runs are stored of {', '.join(known) or 'no strategy yet'}. "
        "`quant-assets strategy backtest` makes and keeps one"
    )
