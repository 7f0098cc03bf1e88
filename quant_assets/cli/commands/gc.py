"""`quant-assets gc`: remove what no manifest names any more."""

import json

import click


@click.command("gc")
@click.option("--dry-run/--delete", default=True, help="Only count (default), or remove.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(dry_run: bool, as_json: bool) -> None:
    """Remove objects that no current manifest names as content, input, config or file.

    \b
    Examples:
      quant-assets gc
      quant-assets gc --delete
    """
    from quant_assets.core.config import load_settings
    from quant_assets.storage.gc import collect
    from quant_assets.storage.snapshots import SnapshotStore

    report = collect(SnapshotStore(load_settings().data_root.absolute()), dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=1))
        return
    for line in report.lines():
        click.echo(line)
