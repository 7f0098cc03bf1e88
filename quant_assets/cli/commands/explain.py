"""`quant-assets explain`: from one cell or one value back to the raw rows."""

import json

import click

from quant_assets.core.errors import ConfigError


def _conditions(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    wrong = [name for name, sign, _ in pairs if not sign or not name]
    if wrong:
        raise ConfigError(f"--where {wrong[0]!r}: write column=value, for example symbol=AAPL")
    return {name: value for name, _, value in pairs}


@click.command("explain")
@click.argument("asset")
@click.option("--venue", default="sp500_demo", show_default=True, help="Venue name.")
@click.option("--window", required=True, help="Window key, YYYY-MM-DD, or `all`.")
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Rows to explain.")
@click.option("--depth", type=click.IntRange(min=1), help="Levels of inputs; default: all.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    asset: str, venue: str, window: str, where: tuple[str, ...], depth: int | None, as_json: bool
) -> None:
    """Walk from a cell, or from the rows that --where picks, back to the raw data, with hashes.

    \b
    Examples:
      quant-assets explain portfolio_weights --window 1995-01-01
      quant-assets explain portfolio_weights --window 1995-01-01 \
          --where entrant=champion --where symbol=AAPL
      quant-assets explain equity --window 1995-01-01 --depth 2 --json
    """
    from quant_assets.core.config import load_settings
    from quant_assets.storage.lineage import explain
    from quant_assets.storage.paths import Cell
    from quant_assets.storage.snapshots import SnapshotStore
    from quant_assets.storage.value_lineage import explain_value

    store = SnapshotStore(load_settings().data_root.absolute())
    if where:
        found = explain_value(store, asset, venue, window, where=_conditions(where))
    else:
        found = explain(store, Cell(asset, venue, window), depth=depth)
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=1, default=str))
        return
    for line in found.lines():
        click.echo(line)
