"""Rows of `quant-assets strategy list`."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from quant_assets.cli.strategies.running import runs_folder
from quant_assets.cli.strategies.storing import stored_runs
from quant_assets.cli.strategies.targets import YAML

if TYPE_CHECKING:
    from quant_assets.core.config import Settings


def known_strategies(settings: "Settings") -> list[dict[str, Any]]:
    """Strategies of the library, then the files of `strategies_folder`."""
    from quant_assets.quant.strategies.library import library_strategies

    rows = [
        {
            "strategy": name,
            "kind": kind.__module__.split(".")[-2],
            "version": kind.version,
            "parameters": _parameters(kind),
            "about": (kind.__doc__ or "").strip().splitlines()[0],
        }
        for name, kind in library_strategies().items()
    ]
    folder = settings.strategies_folder
    paths = sorted(folder.iterdir()) if folder is not None and folder.is_dir() else []
    return rows + [_file_row(path) for path in paths if path.suffix in YAML]


def _parameters(kind: type) -> str:
    given = [field for field in dataclasses.fields(kind) if field.init]
    return ", ".join(f"{field.name}={_default(field)}" for field in given)


def _default(field: "dataclasses.Field[Any]") -> Any:
    return "…" if field.default is dataclasses.MISSING else field.default


def _file_row(path: Any) -> dict[str, Any]:
    from quant_assets.core.errors import ConfigError
    from quant_assets.quant.strategies.config import load_strategy

    try:
        strategy = load_strategy(path).strategy
    except ConfigError as error:
        problem = str(error).splitlines()[0]
        row = {"strategy": path.stem, "kind": "file", "version": "", "parameters": ""}
        return row | {"about": f"cannot be used: {problem}"}
    stages = ", ".join(stage.name for stage in strategy.middlewares)
    row = {"strategy": strategy.name, "kind": "file", "version": strategy.version}
    return row | {"parameters": "", "about": f"{path.name}: {stages}"}


def run_rows(settings: "Settings") -> list[dict[str, Any]]:
    """Stored runs, newest last."""
    return [
        {
            "run": run.record["run_hash"],
            "strategy": f"{run.record['strategy']} {run.record['version']}",
            "universe": run.record["universe"],
            "span": f"{run.record['first_bar'][:10]} to {run.record['last_bar'][:10]}",
            "return": f"{run.record['total_return']:.2%}",
            "trades": str(run.record["n_trades"]),
            "checked": run.record.get("leak_check", "not checked"),
            "written": run.record["written_at"],
        }
        for run in stored_runs(runs_folder(settings))
    ]


def rows_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Rows of one kind as a table."""
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    return table
