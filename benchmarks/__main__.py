"""`python -m benchmarks [NAME…] [--quick] [--json] [--write PAGE]`."""

import json
import tempfile
from pathlib import Path

import click

from benchmarks import discovery, page


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
@click.option("--quick", is_flag=True, help="Fewer repeats: shows that everything runs.")
@click.option("--json", "as_json", is_flag=True, help="Rows as JSON instead of tables.")
@click.option("--write", type=click.Path(path_type=Path), help="Also write into a markdown page.")
def main(names: tuple[str, ...], quick: bool, as_json: bool, write: Path | None) -> None:
    """Measure; without names, everything. Nothing is written but temporary data."""
    known = discovery.benchmarks()
    for name in names:
        if name not in known:
            raise click.UsageError(f"no benchmark {name!r}; known: {', '.join(known)}")
    results = []
    for name in names or known:
        module = known[name]
        with tempfile.TemporaryDirectory(prefix=f"benchmark-{name}-") as folder:
            result = page.Result(
                name, module.TITLE, module.TARGET, module.measure(Path(folder), quick=quick)
            )
        results.append(result)
        if not as_json:
            result.show()
    if as_json:
        click.echo(json.dumps({r.name: r.rows for r in results}, indent=1))
    if write is not None:
        before = write.read_text(encoding="utf-8") if write.exists() else ""
        write.write_text(page.render(results, quick=quick, before=before), encoding="utf-8")
        click.echo(f"wrote {write}", err=True)


if __name__ == "__main__":
    main()
