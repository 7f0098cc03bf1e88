"""What commands do with a run when it is made: keep it, print it, show its report."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from quant_assets.cli.console import make_console
from quant_assets.cli.strategies.kept import evidence_record, evidence_tables, kept_evidence
from quant_assets.cli.strategies.running import Choice, StrategyRun, prepare, runs_folder
from quant_assets.cli.strategies.showing import run_table, run_title, say
from quant_assets.cli.strategies.storing import REPORT, find_run, keep_run, run_record

if TYPE_CHECKING:
    from quant_assets.cli.strategies.searching import Search, Windows
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
    """Keep the run, print its figures and where it lies.

    more : evidence for report and record, beside what was kept of the same run before.
    """
    kept = runs_folder(settings)
    more = {**kept_evidence(kept, run), **(more or {})}
    facts, tables = evidence_record(more), evidence_tables(more)
    text = page_of(run, more) if page else None
    folder = keep_run(kept, run, page=text, tables=tables, facts=facts)
    record = run_record(run) | facts | {"folder": str(folder)}
    if as_json:
        click.echo(json.dumps(record, indent=1))
    else:
        console = make_console()
        say(console, [run_title(record)], style="bold")
        console.print(run_table(record))
        say(console, record["assumptions"], style="dim")
        if "leak_check" in record:
            say(console, [f"leak check: {record['leak_check'].replace('_', ' ')}"])
        say(console, [f"run {run.run_hash}, result {record['hashes']['result'][:16]}"])
        say(console, [f"report: {folder / REPORT}" if page else f"tables: {folder}"])
    if show:
        click.launch((folder / REPORT).as_uri())


def show_stored(settings: "Settings", text: str, *, show: bool, as_json: bool) -> None:
    """Print a stored run and where its report is."""
    stored = find_run(runs_folder(settings), text)
    if as_json:
        click.echo(json.dumps(dict(stored.record) | {"folder": str(stored.folder)}, indent=1))
    else:
        console = make_console()
        say(console, [run_title(stored.record)], style="bold")
        console.print(run_table(stored.record))
        say(console, [f"report: {stored.report}" if stored.report.is_file() else "no report"])
    if show and stored.report.is_file():
        click.launch(stored.report.as_uri())


def finish_sweep(
    settings: "Settings",
    choice: Choice,
    search: "Search",
    *,
    top: int,
    show: bool,
    as_json: bool,
) -> None:
    """Search, print the best trials, keep the run of the best one."""
    from dataclasses import replace

    from quant_assets.cli.strategies.searching import scores_in_words, searched, trials_table

    made = prepare(choice, settings)
    trials, scores = searched(made, choice, search, settings)
    best = trials.best
    words = scores_in_words(scores, best.number)
    changed = dict(choice.changed) | best.params
    run = prepare(replace(choice, changed=changed), settings).run()
    if not as_json:
        console = make_console()
        console.print(trials_table(trials, scores, top))
        say(console, [words])
        if trials.reused:
            say(console, [f"{trials.reused:,} of {len(trials):,} trials were known already"])
    frame = trials.frame().merge(scores.frame.drop(columns="sharpe"), on="trial_number")
    more = {"trials": frame, "objective": trials.objective.name, "scores": words}
    finish(settings, run, page=True, show=show, as_json=as_json, more=more)


def finish_walk(
    settings: "Settings",
    choice: Choice,
    search: "Search",
    windows: "Windows",
    *,
    show: bool,
    as_json: bool,
) -> None:
    """Walk forward, print the windows, keep the run of the strategy as it was given."""
    from quant_assets.cli.strategies.searching import walked, windows_of, windows_table

    made = prepare(choice, settings)
    found = walked(made, choice, search, windows, settings)
    rows = windows_of(found)
    if not as_json:
        console = make_console()
        console.print(windows_table(rows, found.objective.name))
        text = f"out of sample over all windows: {found.oos_value:.2f}; {found.n_trials} trials"
        say(console, [text, "the whole history with the parameters as given:"])
    more = {"walk_forward": rows, "walk_objective": found.objective.name}
    finish(settings, made.run(), page=True, show=show, as_json=as_json, more=more)
