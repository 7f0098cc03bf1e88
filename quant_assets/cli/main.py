"""`quant-assets`: entry point, command discovery, and the one place that turns errors into exits.

Exit codes: 0 done, 1 a run or a check failed, 2 wrong usage or settings, 3 data or storage at
fault, 130 interrupted.
"""

import importlib
import json
import pkgutil
import sys

import click

from quant_assets.cli import commands
from quant_assets.cli.interrupts import EXIT_INTERRUPTED, MESSAGE, watched_interrupts
from quant_assets.cli.suggesting import SuggestingGroup
from quant_assets.core.errors import ConfigError, DataError, QuantAssetsError, StorageError

PROGRAM = "quant-assets"
EXIT_FAILED, EXIT_USAGE, EXIT_DATA = 1, 2, 3


class DiscoveredGroup(SuggestingGroup):
    """Loads a command's module only when it is asked for, so that `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the files in `commands/`."""
        del ctx
        names = (info.name for info in pkgutil.iter_modules(commands.__path__))
        return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The `command` object of the file of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{cmd_name.replace('-', '_')}")
        return module.command


@click.group(cls=DiscoveredGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="quant_assets", prog_name=PROGRAM)
def cli() -> None:
    """Research, portfolios and their lineage, from raw venue data to a tear sheet.

    \b
    Examples:
      quant-assets demo                      real prices, all six pillars, ten years
      quant-assets status                    what is materialised, stale, missing or failed
      quant-assets plan --venue sp500_demo   what a backfill would compute, and why
      quant-assets ui                        the same graph in the Dagster UI

    Exit codes: 0 done, 1 a run or a check failed, 2 wrong usage or settings, 3 data or storage at
    fault, 130 interrupted.
    """


def _exit_code(error: QuantAssetsError) -> int:
    if isinstance(error, ConfigError):
        return EXIT_USAGE
    if isinstance(error, DataError | StorageError):
        return EXIT_DATA
    return EXIT_FAILED


def main() -> None:
    """Run the command line; every expected error becomes one message and an exit code."""
    with watched_interrupts() as interrupts:
        try:
            code = _run("--json" in sys.argv)
        except Exception:
            if not interrupts:
                raise
            code = EXIT_INTERRUPTED
    sys.exit(code)


def _run(wants_json: bool) -> int:
    try:
        code = cli.main(prog_name=PROGRAM, standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):  # click turns the second into the first
        click.echo(MESSAGE, err=True)
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except QuantAssetsError as error:
        name = type(error).__name__
        if wants_json:
            click.echo(json.dumps({"error": name, "message": str(error)}))
        else:
            click.echo(f"{name}: {error}", err=True)
        return _exit_code(error)
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
