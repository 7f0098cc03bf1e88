"""`quant-assets query`: SQL over the lake."""

from pathlib import Path

import click
from rich.table import Table

from quant_assets.cli.console import make_console


@click.command("query")
@click.argument("sql")
@click.option("--json", "as_json", is_flag=True, help="Rows as JSON.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Rows shown."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rows to a file: .parquet, .csv (safe for spreadsheets) or .json.",
)
def command(sql: str, as_json: bool, limit: int, out: Path | None) -> None:
    """Run one SQL statement; every asset is a view with the extra columns venue and window.

    \b
    Examples:
      quant-assets query "SELECT entrant, sum(fees) AS fees FROM equity GROUP BY 1 ORDER BY 2"
      quant-assets query "SELECT * FROM equity WHERE \"window\" = '1995-01-01'" --json
      quant-assets query "SELECT * FROM trades_v2" --out trades.csv
    """
    from quant_assets.core.config import load_settings
    from quant_assets.storage.catalog import run_query

    frame = run_query(load_settings().data_root.absolute(), sql)
    if out is not None:
        from quant_assets.storage.exports import export_frame

        export_frame(frame, out)
        click.echo(f"{len(frame)} rows: {out}")
        return
    if as_json:
        click.echo(frame.to_json(orient="records", date_format="iso"))
        return
    table = Table(*(str(name) for name in frame.columns))
    for row in frame.head(limit).itertuples(index=False):
        table.add_row(*(f"{v:.6g}" if isinstance(v, float) else str(v) for v in row))
    console = make_console()
    console.print(table)
    if len(frame) > limit:
        console.print(f"{len(frame) - limit} more rows; raise --limit or use --json")
