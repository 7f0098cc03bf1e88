"""Options that the commands of `quant-assets strategy` share."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quant_assets.cli.collector import seldom_collected

if TYPE_CHECKING:
    from quant_assets.cli.strategies.running import Choice

Decorator = Callable[..., Any]
PRESET = click.Choice(["optimistic", "default", "realistic_volume", "pessimistic"])


def run_options(function: Decorator) -> Decorator:
    """Options that say which strategy runs on which bars; the function gets a `Choice`."""

    @click.argument("strategy")
    @click.option("--venue", help="Venue whose stored bars are used; see `quant-assets venues`.")
    @click.option(
        "--bars",
        "file",
        type=click.Path(path_type=Path),
        help="File with bars: parquet or CSV with ts, symbol, close, …, or any known layout.",
    )
    @click.option("--symbols", help="Symbols to keep, separated by commas; default: all.")
    @click.option(
        "--start",
        metavar="DAY",
        help="First UTC day that is traded, YYYY-MM-DD; default: the file's.",
    )
    @click.option("--end", metavar="DAY", help="Last UTC day, included.")
    @click.option("--any-dates", is_flag=True, help="Dates and universe of the file do not count.")
    @click.option("--bar-length", metavar="LENGTH", help="Make longer bars: 15m, 1h, 1d.")
    @click.option(
        "--set", "changes", multiple=True, metavar="KEY=VALUE",
        help="Change a parameter; in YAML by its path: components.sizing.params.fraction=0.2",
    )  # fmt: skip
    @click.option(
        "--execution",
        type=PRESET,
        help="Preset of fills and costs in place of the strategy's own.",
    )
    @click.option("--capital", type=click.FloatRange(min=0, min_open=True), help="At the start.")
    @click.option(
        "--benchmark", metavar="NAME",
        help="Beside the equity: a symbol, `universe`, the venue's index, or a column of --bars.",
    )  # fmt: skip
    @click.option(
        "--funding", metavar="FILE",
        help="Settlements of perpetuals: ts, symbol, rate, mark_price; `zero`: they pay none.",
    )  # fmt: skip
    @click.option(
        "--rates",
        type=click.Path(path_type=Path),
        help="File with rates of currencies, for fx_model as_of: ts, symbol (EUR/USD), rate.",
    )
    @click.option(
        "--universe", metavar="FILE|venue",
        help="Trade members only: a file with symbol, entered, left; or the venue's universe.",
    )  # fmt: skip
    @click.option(
        "--on-exit", type=click.Choice(["close", "keep"]),
        help="Positions of symbols that left the universe; default: close.",
    )  # fmt: skip
    @click.option(
        "--hold-out", type=click.IntRange(min=1), metavar="MONTHS",
        help="Keep the last months sealed; see `quant-assets strategy vault`.",
    )  # fmt: skip
    @functools.wraps(function)
    def wrapper(*args: Any, **options: Any) -> Any:
        with seldom_collected():  # it loads numpy and pandas
            choice = _choice(options)
        return function(*args, choice=choice, **options)

    return wrapper


def _choice(options: dict[str, Any]) -> "Choice":
    """Takes its own options out of `options`."""
    from quant_assets.cli.strategies.bars import Wanted, parse_symbols
    from quant_assets.cli.strategies.members import Members
    from quant_assets.cli.strategies.running import Choice
    from quant_assets.cli.strategies.targets import parse_settings
    from quant_assets.core.errors import ConfigError
    from quant_assets.core.venues import parse_duration

    length = options.pop("bar_length")
    try:
        bar_length = parse_duration(length)
    except ValueError as cause:
        raise ConfigError(f"--bar-length: {cause}") from None
    wanted = Wanted(
        venue=options.pop("venue"),
        file=options.pop("file"),
        symbols=parse_symbols(options.pop("symbols")),
        start=options.pop("start"),
        end=options.pop("end"),
        bar_length=bar_length,
        benchmark=options.pop("benchmark"),
    )
    return Choice(
        strategy=options.pop("strategy"),
        wanted=wanted,
        changed=parse_settings(options.pop("changes")),
        execution=options.pop("execution"),
        capital=options.pop("capital"),
        any_dates=options.pop("any_dates"),
        hold_out=options.pop("hold_out") or 0,
        rates=options.pop("rates"),
        funding=options.pop("funding"),
        members=Members(options.pop("universe"), options.pop("on_exit")),
    )


def parse_numbers(option: str, text: str, *, whole: bool = False) -> list[float]:
    """`0,1,2.5` as numbers, at least 0; `whole` ones where they count something."""
    from quant_assets.core.errors import ConfigError

    try:
        found = [float(word) for word in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 0.0 or (whole and any(one % 1 for one in found)):
        kind = "whole numbers" if whole else "numbers"
        raise ConfigError(f"{option} {text!r}: write {kind} of at least 0, as in {option} 0,1,2")
    return found


json_option = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
open_option = click.option("--open", "show", is_flag=True, help="Open the report in the browser.")


def search_options(function: Decorator) -> Decorator:
    """Options of a search; the function gets a `Search`."""

    @click.option(
        "--try", "tried", multiple=True, required=True, metavar="KEY=VALUES",
        help="Values of a parameter: fast=5,10,20, or fast=5:50:5 from, to, step. Repeatable.",
    )  # fmt: skip
    @click.option(
        "--search", "kind", default="grid", show_default=True,
        type=click.Choice(["grid", "random", "sobol", "optuna"]), help="How values are chosen.",
    )  # fmt: skip
    @click.option(
        "--trials", type=click.IntRange(min=1), default=100, show_default=True,
        help="How many combinations; a grid tries all.",
    )  # fmt: skip
    @click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
    @click.option(
        "--objective", default="sharpe", show_default=True,
        help="What is best: sharpe, sortino, calmar, total_return, deflated_sharpe, …",
    )  # fmt: skip
    @click.option(
        "--workers", type=click.IntRange(min=1), default=1, show_default=True,
        help="Processes; the results do not depend on it.",
    )  # fmt: skip
    @functools.wraps(function)
    def wrapper(*args: Any, **options: Any) -> Any:
        from quant_assets.cli.strategies.searching import Search

        names = ("tried", "kind", "trials", "seed", "objective", "workers")
        search = Search(**{name: options.pop(name) for name in names})
        return function(*args, search=search, **options)

    return wrapper
