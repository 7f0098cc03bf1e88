"""What `demo` and `backfill` share: plan, launch with progress, show the outcome."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from quant_assets.cli.alerting import planning, tell_run
from quant_assets.cli.progress import PillarBars, pillar_progress
from quant_assets.core.clock import run_stamp
from quant_assets.core.errors import QuantAssetsError
from quant_assets.operations.disk_space import DiskWatch
from quant_assets.orchestration.launch import LaunchResult, launch
from quant_assets.orchestration.plan import Plan, make_plan
from quant_assets.orchestration.run_manifest import RunJournal
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.paths import Cell, encode


@dataclass(frozen=True)
class RunOptions:
    """Toggles of a launch; they are listed in its manifest."""

    assets: tuple[str, ...] | None = None
    force: bool = False


class RunFailedError(QuantAssetsError):
    """A run ended with failed steps; the first causes are in the message."""


def demo_windows(
    workspace: Workspace, venue: str, *, windows: int | None, years: int | None
) -> str | None:
    """Last window of the demo: `windows` decisions, or `years` of data, or None for all."""
    span = workspace.span(venue)
    if windows is not None:
        return workspace.grid.shift(span.first_decision, windows - 1)
    if years is None:
        return None
    first = workspace.grid.window(span.first_data).start
    return workspace.grid.shift(workspace.grid.key_at(first.replace(year=first.year + years)), -1)


def run_venue(
    workspace: Workspace,
    venue: str,
    *,
    console: Console,
    first: str | None = None,
    last: str | None = None,
    options: RunOptions | None = None,
) -> LaunchResult:
    """Bring one venue up to date between two windows; raises `RunFailedError` with first causes."""
    options = options or RunOptions()
    if not workspace.span(venue).has_data:
        say_no_data(console, venue)
        return LaunchResult(venue)
    started = time.perf_counter()
    sinks = workspace.telemetry_sinks.names  # a sink that cannot be had is told before any work
    if sinks:
        console.print(f"telemetry also goes to {', '.join(sinks)}")
    swept = workspace.store.sweep()
    if swept["temps"] or swept["links"]:
        console.print(f"swept {swept['temps']} stale temp files, re-made {swept['links']} links")
    with planning(workspace, venue):
        plan = make_plan(workspace, venue, first=first, last=last, assets=options.assets)
    if options.force:
        plan = plan.forced()
    seconds = time.perf_counter() - started
    console.print(
        f"{venue}: {len(plan.cells)} cells planned in {seconds:.1f} s, "
        f"{len(plan.pending)} to look at"
    )
    if not plan.pending:
        console.print("nothing changed: nothing to compute")
        tell_run(workspace, plan, LaunchResult(venue), whole=options.assets is None)
        return LaunchResult(venue)
    watch = DiskWatch(workspace.store.layout.root, partial(_warn, console))
    watch.look()
    result = _launch_recorded(workspace, plan, console, options, watch)
    tell_run(workspace, plan, result, whole=options.assets is None)
    console.print(f"{venue}: done in {time.perf_counter() - started:.1f} s")
    if not result.success:
        causes = "\n".join(f"  {step}: {cause}" for step, cause in result.failures[:5])
        raise RunFailedError(
            f"{len(result.failures)} steps of {venue} failed:\n{causes}\n"
            "Finished cells are kept; mend the cause and run the same command again."
        )
    return result


def say_no_data(console: Console, venue: str) -> None:
    """Say that nothing was delivered to the venue yet, and what delivers."""
    hint = f"{venue}: no data yet: quant-assets ingest --venue {venue}"
    console.print(hint, soft_wrap=True, highlight=False)


def _warn(console: Console, text: str) -> None:
    console.print(f"[yellow]warning:[/yellow] {escape(text)}", highlight=False)


@dataclass(frozen=True)
class _Moved:
    """Tells the progress of a launch to all who want to know it."""

    journal: RunJournal
    bars: PillarBars
    watch: DiskWatch

    def __call__(self, asset: str, key: str, unchanged: bool) -> None:
        """One more cell."""
        self.journal.moved(asset, key, unchanged)
        self.bars(asset, key, unchanged)
        self.watch.look()

    def part(self, asset: str, key: str, share: float) -> None:
        """Share of the cell that is in work."""
        self.bars.part(asset, key, share)


def _launch_recorded(
    workspace: Workspace, plan: Plan, console: Console, options: RunOptions, watch: DiskWatch
) -> LaunchResult:
    """Launch with progress bars and a run manifest, which is finished whatever happens."""
    journal = RunJournal(workspace, plan, asdict(options))
    run_id = journal.start()
    result = LaunchResult(plan.venue)
    try:
        with pillar_progress(plan, console) as bars:
            moved = _Moved(journal, bars, watch)
            launch(workspace, plan, result, run_id=run_id, progress=moved, force=options.force)
    except BaseException as error:
        result.failures.append(("run", f"{type(error).__name__}: {error}"))
        raise
    finally:
        journal.finish(result.dagster_run_ids, result.failures)
    return result


def update_league(workspace: Workspace) -> None:
    """Bring the table over all venues up to date, once any leaderboard is stored."""
    from quant_assets.orchestration.league import refresh_league

    if workspace.store.venues("tournament"):
        refresh_league(workspace, f"{run_stamp()}-league")


def leaderboard_table(frame: pd.DataFrame) -> Table:
    """The leaderboard as a rich table."""
    table = Table(title="Leaderboard (net of costs; rank 0 is the benchmark)")
    columns = {
        "rank": ("#", "{:d}"),
        "entrant": ("entrant", "{}"),
        "cagr_net": ("CAGR net", "{:.2%}"),
        "cagr_gross": ("CAGR gross", "{:.2%}"),
        "annual_volatility": ("vol", "{:.2%}"),
        "sharpe_ratio": ("Sharpe", "{:.2f}"),
        "max_drawdown": ("max DD", "{:.1%}"),
        "annual_turnover": ("turnover/y", "{:.1f}"),
        "costs": ("costs", "{:,.0f}"),
        "break_even_bps": ("break-even bps", "{:.0f}"),
    }
    for title, _ in columns.values():
        table.add_column(title, justify="left" if title == "entrant" else "right", no_wrap=True)
    for row in frame.to_dict("records"):
        cells = [
            form.format(row[name]) if row[name] == row[name] else "–"
            for name, (_, form) in columns.items()
        ]
        cells[1] += "" if row["trusted"] else " (not trusted)"
        table.add_row(*cells, style="bold" if row["entrant"] == "champion" else None)
    return table


def tear_sheet_path(workspace: Workspace, venue: str) -> Path:
    """File of the venue's current tear sheet; `MissingCellError` when there is none yet."""
    manifest = workspace.store.require(Cell("tear_sheet", venue, "all"))
    name = next(iter(manifest.files))
    return workspace.store.layout.reports / "tear_sheet" / encode(venue) / encode(name)


def report_run(workspace: Workspace, venue: str, *, console: Console, as_json: bool) -> None:
    """Print the leaderboard, the assumptions and the tear sheet's place."""
    from quant_assets.orchestration.checks import model_leaks
    from quant_assets.orchestration.strategy_roles import verdicts
    from quant_assets.reporting.model_leaks import model_stamps
    from quant_assets.reporting.strategy_roles import role_stamps

    frame = workspace.store.read(Cell("tournament", venue, "all"))
    path = tear_sheet_path(workspace, venue)
    roles = role_stamps(workspace.venue(venue).strategies, verdicts(workspace, venue))
    stamps = [
        *workspace.venue(venue).stamps(),
        *roles,
        *model_stamps(model_leaks(workspace, venue)),
    ]
    if as_json:
        rows = json.loads(frame.to_json(orient="records"))
        facts = {"venue": venue, "tear_sheet": str(path), "stamps": stamps, "leaderboard": rows}
        click.echo(json.dumps(facts, indent=1))
        return
    console.print(leaderboard_table(frame))
    for note in stamps:
        console.print(f"[dim]{note}[/dim]")
    console.print(f"tear sheet: {path}", soft_wrap=True, highlight=False)


def run_side_by_side(
    venues: list[str], *, windows: str | None, options: RunOptions, workers: int, console: Console
) -> None:
    """One process per venue, `workers` at a time: a crash of one leaves the others alone."""

    def run(venue: str) -> tuple[str, int, str]:
        command = [sys.executable, "-m", "quant_assets.cli.main", "backfill", "--venue", venue]
        command += ["--windows", windows] if windows else []
        command += ["--assets", ",".join(options.assets)] if options.assets else []
        command += ["--force"] if options.force else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - own program, own words
        return venue, done.returncode, (done.stdout + done.stderr).strip()

    failed = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for venue, code, text in pool.map(run, venues):
            console.print(text, highlight=False, markup=False)
            if code != 0:
                failed.append(f"{venue} (exit {code})")
    if failed:
        raise RunFailedError(f"venues failed: {', '.join(failed)}; finished cells are kept")
