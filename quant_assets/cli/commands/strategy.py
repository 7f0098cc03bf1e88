"""`quant-assets strategy`: write, check, simulate, tune, compare and explain strategies."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quant_assets.cli.collector import seldom_collected
from quant_assets.cli.strategies import studies
from quant_assets.cli.strategies.options import (
    json_option,
    open_option,
    run_options,
    search_options,
)
from quant_assets.cli.suggesting import SuggestingGroup

if TYPE_CHECKING:
    from quant_assets.cli.strategies.running import Choice
    from quant_assets.cli.strategies.searching import Search


@click.group("strategy", cls=SuggestingGroup)
def command() -> None:
    """Trading strategies: from an idea to a run whose every trade can be looked at.

    A STRATEGY is a YAML file, a Python file with one strategy class, a name of the library
    (`quant-assets strategy list`), or the name of a file in `strategies_folder`.

    \b
    Examples:
      quant-assets strategy new my_idea
      quant-assets strategy check my_idea/my_idea.yaml --venue sp500_demo
      quant-assets strategy backtest my_idea/my_idea.yaml --venue sp500_demo
      quant-assets strategy backtest donchian_breakout --bars prices.parquet --set entry=55
      quant-assets strategy report donchian_breakout --venue sp500_demo --open
    """


@command.command("list")
@click.option("--runs", is_flag=True, help="Stored runs, newest last, in place of strategies.")
@json_option
def list_all(runs: bool, as_json: bool) -> None:
    """List the strategies of the library and of `strategies_folder`, or the stored runs.

    \b
    Examples:
      quant-assets strategy list
      quant-assets strategy list --runs
      quant-assets strategy list --json
    """
    from quant_assets.cli.console import make_console
    from quant_assets.cli.strategies.listing import known_strategies, rows_table, run_rows
    from quant_assets.core.config import load_settings

    settings = load_settings()
    rows = run_rows(settings) if runs else known_strategies(settings)
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    elif rows:
        make_console().print(rows_table(rows))
    else:
        click.echo("no run is stored yet; `quant-assets strategy backtest` makes one")


@command.command("new")
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), help="Default: a new folder NAME here.")
def new(name: str, folder: Path | None) -> None:
    """Write a strategy to begin with: the class, a test that passes, and the same idea as YAML.

    \b
    Examples:
      quant-assets strategy new my_idea
      quant-assets strategy new my_idea --folder strategies
    """
    from quant_assets.core.errors import ConfigError
    from quant_assets.quant.strategies.library import library_strategies
    from quant_assets.quant.strategies.template import strategy_template

    files = strategy_template(name)
    if name in library_strategies():
        raise ConfigError(f"{name!r} is a strategy of the library; choose another name")
    target = folder or Path(name)
    there = [str(target / file) for file in files if (target / file).exists()]
    if there:
        raise ConfigError(
            f"{', '.join(there)}: would be overwritten; choose another name or folder"
        )
    target.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (target / file).write_text(text, encoding="utf-8")
        click.echo(target / file)
    click.echo(f"next: quant-assets strategy check {target / name}.yaml --venue sp500_demo")


@command.command("check")
@run_options
@json_option
def check(choice: "Choice", as_json: bool) -> None:
    """Run the leak check: no decision, order or fill may change when the future does.

    The strategy is run again on histories that end early, or go on differently; what it decided
    before must not change. Exit code 1 unless the verdict is `trusted`.

    \b
    Examples:
      quant-assets strategy check my_idea.yaml --venue sp500_demo
      quant-assets strategy check donchian_breakout --venue sp500_demo --symbols AAPL,XOM --json
    """
    from quant_assets.cli.strategies.evidence import leak_report
    from quant_assets.cli.strategies.running import prepare
    from quant_assets.core.config import load_settings

    found = leak_report(prepare(choice, load_settings()))
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=1, default=str))
    else:
        click.echo(str(found))
        click.echo(f"{len(found.outputs)} outputs, {found.n_rows:,} bars, {found.cost:.1f} runs")
    raise SystemExit(0 if found.trusted else 1)


@command.command("backtest")
@run_options
@click.option(
    "--report/--no-report", default=True, help="Write the HTML report.", show_default=True
)
@open_option
@json_option
def backtest(choice: "Choice", report: bool, show: bool, as_json: bool) -> None:
    """Simulate a strategy, print its figures, keep trades, equity and report.

    Fills, fees and slippage are those of the strategy's file; without one: the next open, and the
    defaults of `docs/methods/execution.md`. The run is kept under a hash of all that went in, so
    that the same run is the same folder.

    \b
    Examples:
      quant-assets strategy backtest rsi2_reversion --venue sp500_demo
      quant-assets strategy backtest my_idea.yaml --bars prices.parquet --start 2020-01-01
      quant-assets strategy backtest donchian_breakout --venue sp500_demo --set entry=55 --json
    """
    from quant_assets.cli.strategies.running import prepare
    from quant_assets.cli.strategies.session import Output, finish
    from quant_assets.core.config import load_settings

    with seldom_collected():
        settings = load_settings()
        run = prepare(choice, settings).run()
        finish(settings, run, Output(show, as_json, page=report or show))


@command.command("report")
@run_options
@click.option("--check/--no-check", "leaks", default=True, help="With the leak check.")
@click.option("--audit/--no-audit", default=True, help="With better and worse fills side by side.")
@click.option("--costs", "survival", is_flag=True, help="With 40 runs at other costs.")
@click.option(
    "--paths", type=click.IntRange(min=0), default=1000, show_default=True,
    help="Histories that might have been; 0: none.",
)  # fmt: skip
@open_option
@json_option
def report(  # noqa: PLR0913, PLR0917 - one argument per option
    choice: "Choice",
    leaks: bool,
    audit: bool,
    survival: bool,
    paths: int,
    show: bool,
    as_json: bool,
) -> None:
    """Write the whole report of a strategy, or tell where that of a stored run is.

    STRATEGY may be (the beginning of) a run's hash, or a name without --venue and --bars: then
    nothing is computed. Else the strategy is simulated, checked for leaks, its fills are audited
    and its returns and trades resampled.

    \b
    Examples:
      quant-assets strategy report donchian_breakout --venue sp500_demo
      quant-assets strategy report donchian_breakout --venue sp500_demo --costs --open
      quant-assets strategy report donchian_breakout --open
    """
    from quant_assets.cli.strategies.running import prepare
    from quant_assets.cli.strategies.session import Output, finish, show_stored
    from quant_assets.core.config import load_settings

    settings = load_settings()
    if choice.wanted.venue is None and choice.wanted.file is None:
        show_stored(settings, choice.strategy, show=show, as_json=as_json)
        return
    from quant_assets.cli.strategies.evidence import audited, leak_report, resampled
    from quant_assets.cli.strategies.robustness import default_surface

    made = prepare(choice, settings)
    run = made.run()
    more: dict[str, Any] = {"leaks": leak_report(made)} if leaks else {}
    more |= {"audit": audited(made)} if audit else {}
    more |= resampled(run.result, paths) if paths else {}
    more |= {"cost_surface": default_surface(made)} if survival else {}
    finish(settings, run, Output(show, as_json), more)


@command.command("sweep")
@run_options
@search_options
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="Shown.")
@open_option
@json_option
def sweep(choice: "Choice", search: "Search", top: int, show: bool, as_json: bool) -> None:
    """Try many parameters, judge how much of the best is luck, and report the best.

    Every trial counts, refused and failed ones too: the deflated Sharpe ratio of the best is what
    is left after the best that luck gives among so many. The run of the best is kept with all
    trials and a heat map.

    \b
    Examples:
      quant-assets strategy sweep rsi2_reversion --venue sp500_demo --try entry=5,10,20
      quant-assets strategy sweep moving_average_cross --venue sp500_demo \\
          --try fast=5:50:5 --try slow=60:240:20 --workers 2
    """
    from quant_assets.cli.strategies.session import finish_sweep
    from quant_assets.core.config import load_settings

    finish_sweep(load_settings(), choice, search, top=top, show=show, as_json=as_json)


@command.command("walk-forward")
@run_options
@search_options
@click.option("--train", type=click.IntRange(min=2), required=True, help="Bars to choose on.")
@click.option("--test", type=click.IntRange(min=1), required=True, help="Bars to trade then.")
@click.option("--expanding", is_flag=True, help="Training begins with the first bar, always.")
@open_option
@json_option
def walk_forward(  # noqa: PLR0913, PLR0917 - one argument per option
    choice: "Choice",
    search: "Search",
    train: int,
    test: int,
    expanding: bool,
    show: bool,
    as_json: bool,
) -> None:
    """Choose parameters on one stretch of bars, trade the next one, and go on.

    Degradation is how much of the objective inside the training bars is lost outside of them.

    \b
    Examples:
      quant-assets strategy walk-forward rsi2_reversion --venue sp500_demo \\
          --try entry=5,10,20 --train 500 --test 125
    """
    from quant_assets.cli.strategies.searching import Windows
    from quant_assets.cli.strategies.session import finish_walk
    from quant_assets.core.config import load_settings

    windows = Windows(train, test, expanding)
    finish_walk(load_settings(), choice, search, windows, show=show, as_json=as_json)


@command.command("compare")
@click.argument("runs", nargs=-1, required=True)
@json_option
def compare(runs: tuple[str, ...], as_json: bool) -> None:
    """Show stored runs side by side, and what differs between them.

    RUNS are hashes (or how they begin), or names of strategies: their newest run.

    \b
    Examples:
      quant-assets strategy compare rsi2_reversion donchian_breakout
      quant-assets strategy compare 3ef57d69 c96a7115 --json
    """
    from quant_assets.cli.console import make_console
    from quant_assets.cli.strategies.comparing import differences
    from quant_assets.cli.strategies.running import runs_folder
    from quant_assets.cli.strategies.showing import comparison_table, say
    from quant_assets.cli.strategies.storing import find_run
    from quant_assets.core.config import load_settings

    folder = runs_folder(load_settings())
    records = [find_run(folder, text).record for text in runs]
    if as_json:
        click.echo(json.dumps({"runs": records, "differences": differences(records)}, indent=1))
        return
    console = make_console()
    console.print(comparison_table(records))
    say(console, differences(records))


for study in studies.COMMANDS:
    command.add_command(study)
