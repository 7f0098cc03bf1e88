"""What commands do with a run when it is made: keep it, print it, show its report."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
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


@dataclass(frozen=True)
class Output:
    """What the user sees: the report in a browser, JSON, an HTML page at all, few words."""

    show: bool = False
    as_json: bool = False
    page: bool = True
    brief: bool = False


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
    output: Output,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Keep the run, print its figures and where it lies.

    more : evidence for report and record, beside what was kept of the same run before.
    """
    kept = runs_folder(settings)
    more = {**kept_evidence(kept, run), **(more or {})}
    facts, tables = evidence_record(more), evidence_tables(more)
    text = page_of(run, more) if output.page else None
    folder = keep_run(kept, run, page=text, tables=tables, facts=facts)
    record = run_record(run) | facts | {"folder": str(folder)}
    if output.as_json:
        click.echo(json.dumps(record, indent=1))
    else:
        console = make_console()
        if not output.brief:
            say(console, [run_title(record)], style="bold")
            console.print(run_table(record))
            say(console, record["assumptions"], style="dim")
        if "leak_check" in record and not output.brief:
            say(console, [f"leak check: {record['leak_check'].replace('_', ' ')}"])
        say(console, [f"run {run.run_hash}, result {record['hashes']['result'][:16]}"])
        say(console, [f"report: {folder / REPORT}" if output.page else f"tables: {folder}"])
    if output.show:
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
        if made.found.panel.bar_length < timedelta(days=1):
            say(console, ["figures of trials are of UTC days; those of the best run, of its bars:"])
        if trials.reused:
            say(console, [f"{trials.reused:,} of {len(trials):,} trials were known already"])
    frame = trials.frame().merge(scores.frame.drop(columns="sharpe"), on="trial_number")
    more = {"trials": frame, "objective": trials.objective.name, "scores": words}
    finish(settings, run, Output(show, as_json), more)


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
    equity = found.equity[["equity", "window"]].rename_axis("ts")
    name = found.objective.name
    more = {"walk_forward": rows, "walk_objective": name, "walk_equity": equity}
    finish(settings, made.run(), Output(show, as_json), more)


Study = Callable[[Any, StrategyRun], tuple[dict[str, Any], list[Any], list[str]]]


def finish_study(choice: Choice, study: Study, *, show: bool, as_json: bool) -> None:
    """Make the run, study it, print what was found, keep both.

    study : gives evidence for the report, tables and lines for the terminal.
    """
    from quant_assets.core.config import load_settings

    settings = load_settings()
    made = prepare(choice, settings)
    run = made.run()
    more, tables, lines = study(made, run)
    if not as_json:
        console = make_console()
        say(console, [run_title(run_record(run))], style="bold")
        for table in tables:
            console.print(table)
        say(console, lines)
    finish(settings, run, Output(show, as_json, brief=True), more)


def show_looks(choice: Choice, months: int, *, as_json: bool) -> None:
    """Tell what is sealed and how often it was looked at; nothing of it is shown."""
    from quant_assets.cli.strategies.robustness import looks
    from quant_assets.cli.strategies.running import sealed
    from quant_assets.cli.strategies.showing import looks_table
    from quant_assets.core.config import load_settings

    settings = load_settings()
    made = prepare(choice, settings)
    found, vault = sealed(made.found, settings, months)
    rows = looks(vault)
    n_bars = len(made.found.panel) - made.found.first_bar
    n_sealed = len(made.found.panel) - len(found.panel)
    if as_json:
        facts = {"vault": vault.name, "sealed_from": str(vault.first), "sealed_bars": n_sealed}
        click.echo(json.dumps(facts | {"looks": rows}, indent=1))
        return
    console = make_console()
    text = (
        f"{n_sealed:,} of {n_bars:,} bars are sealed, from {str(vault.first)[:10]} "
        f"on; they were looked at {vault.opened} times"
    )
    say(console, [text])
    if rows:
        console.print(looks_table(rows))
    say(console, ['look with --look "why"; work without them with --hold-out on other commands'])


def finish_look(choice: Choice, months: int, reason: str, *, show: bool, as_json: bool) -> None:
    """Look into the vault, print and keep what the strategy does in the sealed months."""
    from quant_assets.cli.strategies.robustness import look
    from quant_assets.cli.strategies.showing import parts_table
    from quant_assets.core.config import load_settings

    settings = load_settings()
    found = look(choice, settings, months, reason)
    if not as_json:
        console = make_console()
        say(console, [run_title(run_record(found.run))], style="bold")
        console.print(parts_table(found.parts))
        say(console, [found.note])
    more = {"vault": found.parts, "vault_note": found.note}
    finish(settings, found.run, Output(show, as_json, brief=True), more)
    raise SystemExit(0 if found.luck <= found.level else 1)
