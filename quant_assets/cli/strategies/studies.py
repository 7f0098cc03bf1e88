"""Commands that ask how much of a strategy's result stands when something is otherwise."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from quant_assets.cli.strategies.options import (
    json_option,
    open_option,
    parse_numbers,
    run_options,
)

if TYPE_CHECKING:
    from quant_assets.cli.strategies.running import Choice

workers_option = click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True,
    help="Processes; the results do not depend on it.",
)  # fmt: skip


@click.command("audit")
@run_options
@open_option
@json_option
def audit(choice: "Choice", show: bool, as_json: bool) -> None:
    """Run with better, usual and worse fills: optimistic, default and pessimistic side by side.

    Decisions, commission and carry stay; what differs is when, where and how much is filled, and
    slippage. A strategy that earns with optimistic fills alone earns nothing.

    \b
    Examples:
      quant-assets strategy audit rsi2_reversion --venue sp500_demo
      quant-assets strategy audit my_idea.yaml --bars prices.parquet --json
    """
    from quant_assets.cli.strategies.evidence import audited
    from quant_assets.cli.strategies.session import finish_study
    from quant_assets.cli.strategies.showing import audit_table

    def study(made: Any, _run: Any) -> Any:
        table = audited(made)
        return {"audit": table}, [audit_table(table)], []

    finish_study(choice, study, show=show, as_json=as_json)


@click.command("costs")
@run_options
@click.option("--fees", default="0,1,2,4,8", show_default=True, help="Factors on the commission.")
@click.option("--slippages", default="0,1,2,4", show_default=True, help="Factors on slippage.")
@click.option("--delays", default="0,1", show_default=True, help="Bars that orders come later.")
@workers_option
@open_option
@json_option
def costs(  # noqa: PLR0913, PLR0917 - one argument per option
    choice: "Choice",
    fees: str,
    slippages: str,
    delays: str,
    workers: int,
    show: bool,
    as_json: bool,
) -> None:
    """Run at many costs, to see at which fees, slippage and delays a strategy stops to earn.

    \b
    Examples:
      quant-assets strategy costs rsi2_reversion --venue sp500_demo
      quant-assets strategy costs my_idea.yaml --venue sp500_demo --fees 1,5,25 --delays 0,1,2
    """
    from quant_assets.cli.strategies.robustness import costs as surface_of
    from quant_assets.cli.strategies.robustness import survival_note
    from quant_assets.cli.strategies.session import finish_study
    from quant_assets.cli.strategies.showing import survival_tables

    given: dict[str, Any] = {
        "fees": parse_numbers("--fees", fees),
        "slippages": parse_numbers("--slippages", slippages),
        "delays": [int(one) for one in parse_numbers("--delays", delays, whole=True)],
    }

    def study(made: Any, _run: Any) -> Any:
        surface = surface_of(made, **given, workers=workers)
        return {"cost_surface": surface}, survival_tables(surface), [survival_note(surface)]

    finish_study(choice, study, show=show, as_json=as_json)


@click.command("capacity")
@run_options
@click.option(
    "--smallest", type=click.FloatRange(min=0, min_open=True), default=1e3, show_default=True,
    help="Capital to begin with.",
)  # fmt: skip
@click.option(
    "--largest", type=click.FloatRange(min=0, min_open=True), default=1e12, show_default=True,
    help="Capital to end with.",
)  # fmt: skip
@click.option(
    "--share", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.5,
    show_default=True, help="Of the Sharpe ratio that must be left.",
)  # fmt: skip
@open_option
@json_option
def capacity(
    choice: "Choice", smallest: float, largest: float, share: float, show: bool, as_json: bool
) -> None:
    """Find the capital at which a strategy's own impact takes half of its Sharpe ratio.

    Only slippage that depends on size makes it finite: take an execution with `sqrt_volume` or
    `volume_share`, as --execution pessimistic has it, and bars with volume.

    \b
    Examples:
      quant-assets strategy capacity my_idea.yaml --bars prices.parquet --execution pessimistic
    """
    from quant_assets.cli.strategies.robustness import borne
    from quant_assets.cli.strategies.session import finish_study
    from quant_assets.cli.strategies.showing import capacity_table

    def study(made: Any, _run: Any) -> Any:
        frame, note = borne(made, smallest=smallest, largest=largest, share=share)
        return {"capacity": frame, "capacity_note": note}, [capacity_table(frame)], [note]

    finish_study(choice, study, show=show, as_json=as_json)


@click.command("monte-carlo")
@run_options
@click.option(
    "--paths", type=click.IntRange(min=1), default=1000, show_default=True,
    help="Histories that are drawn.",
)  # fmt: skip
@click.option(
    "--noisy-runs", type=click.IntRange(min=0), default=0, show_default=True,
    help="Runs again on prices with noise; each takes as long as the run itself.",
)  # fmt: skip
@click.option(
    "--noise", type=click.FloatRange(min=0, min_open=True), default=0.1, show_default=True,
    help="Size of the noise, in standard deviations of a bar's return.",
)  # fmt: skip
@workers_option
@open_option
@json_option
def monte_carlo(  # noqa: PLR0913, PLR0917 - one argument per option
    choice: "Choice",
    paths: int,
    noisy_runs: int,
    noise: float,
    workers: int,
    show: bool,
    as_json: bool,
) -> None:
    """Draw histories that might have been: days in blocks, trades in other orders, trades missed.

    With --noisy-runs also the strategy again on prices that were a little otherwise.

    \b
    Examples:
      quant-assets strategy monte-carlo rsi2_reversion --venue sp500_demo --paths 2000
      quant-assets strategy monte-carlo my_idea.yaml --venue sp500_demo --noisy-runs 50 --workers 2
    """
    from quant_assets.cli.strategies.robustness import monte_carlo as drawn
    from quant_assets.cli.strategies.session import finish_study
    from quant_assets.cli.strategies.showing import monte_carlo_table

    given: dict[str, Any] = {
        "n_paths": paths,
        "noisy_runs": noisy_runs,
        "scale": noise,
        "workers": workers,
    }

    def study(made: Any, run: Any) -> Any:
        found = drawn(made, run.result, **given)
        return found, [monte_carlo_table(found["monte_carlo"])], [found["bands_note"]]

    finish_study(choice, study, show=show, as_json=as_json)


@click.command("diff")
@run_options
@click.option("--to", "other", metavar="STRATEGY", help="The other strategy; default: the same.")
@click.option("--to-set", "to_set", multiple=True, metavar="KEY=VALUE", help="Its parameters.")
@click.option(
    "--to-execution",
    type=click.Choice(["optimistic", "default", "realistic_volume", "pessimistic"]),
    help="Its preset of fills and costs.",
)  # fmt: skip
@click.option("--to-capital", type=click.FloatRange(min=0, min_open=True), help="Its capital.")
@click.option("--to-symbols", help="Its symbols, separated by commas.")
@open_option
@json_option
def diff(  # noqa: PLR0913, PLR0917 - one argument per option
    choice: "Choice",
    other: str | None,
    to_set: tuple[str, ...],
    to_execution: str | None,
    to_capital: float | None,
    to_symbols: str | None,
    show: bool,
    as_json: bool,
) -> None:
    """Say why two runs differ: one part after the other is swapped, and each change is priced.

    The first run is what the usual options say, the second the same with what the --to options
    change. Steps add up to the difference; `alone` is what a part does without the others. The
    second run is kept, with the table.

    \b
    Examples:
      quant-assets strategy diff rsi2_reversion --venue sp500_demo --to-set entry=20
      quant-assets strategy diff my_idea.yaml --venue sp500_demo --to-execution pessimistic
    """
    from quant_assets.cli.strategies.bars import parse_symbols
    from quant_assets.cli.strategies.robustness import compared
    from quant_assets.cli.strategies.running import prepare
    from quant_assets.cli.strategies.session import finish_study
    from quant_assets.cli.strategies.showing import diff_table
    from quant_assets.cli.strategies.targets import parse_settings
    from quant_assets.core.config import load_settings
    from quant_assets.core.errors import ConfigError

    changed = dict(choice.changed) if other is None else {}
    wanted = choice.wanted
    if to_symbols:
        wanted = replace(wanted, symbols=parse_symbols(to_symbols))
    second = replace(
        choice,
        strategy=other or choice.strategy,
        changed=changed | parse_settings(to_set),
        execution=to_execution or choice.execution,
        capital=to_capital or choice.capital,
        wanted=wanted,
    )
    if second == choice:
        raise ConfigError(
            "the two runs are the same: say what the second one changes, with --to STRATEGY, "
            "--to-set KEY=VALUE, --to-execution, --to-capital or --to-symbols"
        )
    first = prepare(choice, load_settings())

    def study(made: Any, _run: Any) -> Any:
        table = compared(first, made)
        name, version = first.target.strategy.name, first.target.strategy.version
        note = f"From {name} {version} as first given to this run, part by part."
        if table.empty:
            note = f"Nothing that differs from {name} {version} goes into the simulation."
        return {"diff": table, "diff_note": note}, [diff_table(table)], [note]

    finish_study(second, study, show=show, as_json=as_json)


@click.command("vault")
@run_options
@click.option(
    "--months", type=click.IntRange(min=1), default=12, show_default=True,
    help="How many are sealed.",
)  # fmt: skip
@click.option(
    "--look", "reason", metavar="REASON", help="Open the vault, and why; the look is counted."
)
@open_option
@json_option
def vault(choice: "Choice", months: int, reason: str | None, show: bool, as_json: bool) -> None:
    """Look at the last months, sealed until now, with a strategy that is ready; looks are counted.

    Work with --hold-out MONTHS on the other commands, so that nothing sees those months. Without
    --look this command only tells how often they were looked at. A look runs the strategy on all
    bars; with each one the significance that it must reach gets harder. Exit code 1 when a look
    does not reach it.

    \b
    Examples:
      quant-assets strategy vault rsi2_reversion --venue sp500_demo --months 24
      quant-assets strategy vault rsi2_reversion --venue sp500_demo --months 24 --look "it is ready"
    """
    from quant_assets.cli.strategies.session import finish_look, show_looks

    chosen = replace(choice, hold_out=0)
    if reason is None:
        show_looks(chosen, months, as_json=as_json)
    else:
        finish_look(chosen, months, reason, show=show, as_json=as_json)


COMMANDS = (audit, capacity, costs, diff, monte_carlo, vault)
