"""What commands do with a run when it is made: keep it, print it, show its report."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from quant_assets.cli.console import make_console
from quant_assets.cli.strategies.running import StrategyRun, runs_folder
from quant_assets.cli.strategies.showing import run_table, say
from quant_assets.cli.strategies.storing import REPORT, find_run, keep_run, run_record

if TYPE_CHECKING:
    import pandas as pd

    from quant_assets.core.config import Settings


def page_of(run: StrategyRun, more: Mapping[str, Any]) -> str:
    """The report of a run. more : fields of `StrategyReport`."""
    from quant_assets.reporting.strategy.inputs import StrategyReport
    from quant_assets.reporting.strategy.report import render_strategy_report

    facts, strategy = run.facts, run.prepared.target.strategy
    return render_strategy_report(
        StrategyReport(facts=facts, result=run.result, strategy=strategy, **more)
    )


def finish(
    settings: "Settings",
    run: StrategyRun,
    *,
    page: bool,
    show: bool,
    as_json: bool,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Keep the run, print its figures and where it lies; `more` goes into report and record."""
    more = more or {}
    facts = _record_of(more)
    text = page_of(run, more) if page else None
    tables = _tables_of(more)
    folder = keep_run(runs_folder(settings), run, page=text, tables=tables, facts=facts)
    record = run_record(run) | facts | {"folder": str(folder)}
    if as_json:
        click.echo(json.dumps(record, indent=1))
    else:
        console = make_console()
        console.print(run_table(record))
        say(console, record["assumptions"], style="dim")
        if "leak_check" in record:
            say(console, [f"leak check: {record['leak_check'].replace('_', ' ')}"])
        say(console, [f"run {run.run_hash}, result {record['hashes']['result'][:16]}"])
        say(console, [f"report: {folder / REPORT}" if page else f"tables: {folder}"])
    if show:
        click.launch((folder / REPORT).as_uri())


def _record_of(more: Mapping[str, Any]) -> dict[str, Any]:
    leaks = more.get("leaks")
    return {} if leaks is None else {"leak_check": leaks.verdict, "trusted": leaks.trusted}


def _tables_of(more: Mapping[str, Any]) -> "dict[str, pd.DataFrame]":
    names = ("audit", "trials", "walk_forward")
    return {name: more[name].reset_index() for name in names if more.get(name) is not None}


def show_stored(settings: "Settings", text: str, *, show: bool, as_json: bool) -> None:
    """Print a stored run and where its report is."""
    stored = find_run(runs_folder(settings), text)
    if as_json:
        click.echo(json.dumps(dict(stored.record) | {"folder": str(stored.folder)}, indent=1))
    else:
        console = make_console()
        console.print(run_table(stored.record))
        say(console, [f"report: {stored.report}" if stored.report.is_file() else "no report"])
    if show and stored.report.is_file():
        click.launch(stored.report.as_uri())
