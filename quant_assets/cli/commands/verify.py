"""`quant-assets verify`: compare every stored bit with what its manifest says."""

import json

import click


@click.command("verify")
@click.option("--venue", help="Only this venue.")
@click.option("--asset", help="Only this asset.")
@click.option("--replay", is_flag=True, help="Compute the venue again elsewhere and compare.")
@click.option("--windows", metavar="A...B", help="With --replay: only up to window B.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    venue: str | None, asset: str | None, replay: bool, windows: str | None, as_json: bool
) -> None:
    """Hash every object, decode every frame, follow every reference; name what disagrees.

    \b
    Examples:
      quant-assets verify
      quant-assets verify --venue sp500_demo --json
      quant-assets verify --replay --venue sp500_demo --windows 1990-01-01...1991-06-01

    Exit code 1 when anything disagrees. Warnings leave it at 0.
    """
    from quant_assets.core.config import load_settings
    from quant_assets.core.errors import ConfigError
    from quant_assets.storage.snapshots import SnapshotStore
    from quant_assets.storage.verification import verify

    if replay:
        from quant_assets.orchestration.replay import replay_venue
        from quant_assets.orchestration.workspace import current_workspace

        if venue is None:
            raise ConfigError("--replay needs --venue: it computes one venue again")
        report = replay_venue(current_workspace(), venue, windows=windows)
    else:
        store = SnapshotStore(load_settings().data_root.absolute())
        report = verify(store, venue=venue, asset=asset)
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=1))
    else:
        for line in report.lines():
            click.echo(line)
    raise SystemExit(0 if report.ok else 1)
