"""`quant-assets doctor`: look at the data root and at Dagster's view of it."""

import json

import click


@click.command("doctor")
@click.option("--repair", is_flag=True, help="Sweep temp files, re-make links, tell Dagster.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(repair: bool, as_json: bool) -> None:
    """Examine root, disk, links, locks and sizes, and reconcile Dagster's event log with the data.

    \b
    Examples:
      quant-assets doctor
      quant-assets doctor --repair

    The manifests are the truth; the event log is a view. Exit code 1 when an error was found.
    """
    from quant_assets.orchestration.reconcile import reconcile
    from quant_assets.orchestration.workspace import current_workspace
    from quant_assets.storage.doctor import examine

    workspace = current_workspace()
    if repair and workspace.store.layout.root.is_dir():
        workspace.store.sweep()
    findings = [*examine(workspace.store), *reconcile(workspace, repair=repair)]
    if as_json:
        click.echo(json.dumps([finding.as_dict() for finding in findings], indent=1))
    else:
        for finding in findings:
            click.echo(str(finding))
        click.echo(f"{len(findings)} findings" if findings else "nothing to mend")
    raise SystemExit(1 if any(f.severity == "error" for f in findings) else 0)
