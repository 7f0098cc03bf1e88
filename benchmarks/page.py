"""A result as a table on the terminal, and all results as a markdown page."""

import os
import platform
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.table import Table

from quant_assets.cli.console import make_console
from quant_assets.core.clock import utc_now

PEERS = ("polars", "TA-Lib", "vectorbt", "skfolio", "piqp", "highspy")
PACKAGES = ("quant_assets", "dagster", "pandas", "numpy", "pyarrow", "duckdb", "cvxpy", "numba")
HEAD = """# Benchmarks

Made by `python -m benchmarks NAME… --write docs/benchmarks.md`; nothing here is written by hand.
"""
WIDTH = 120
Row = dict[str, object]


@dataclass(frozen=True)
class Result:
    """Rows of one benchmark; all rows have the same keys."""

    name: str
    title: str
    target: str
    rows: list[Row]

    @property
    def columns(self) -> list[str]:
        """Column names, in the order of the first row."""
        return list(self.rows[0]) if self.rows else []

    def show(self) -> None:
        """Print the table."""
        table = Table()
        for column in self.columns:
            table.add_column(column, justify="left" if column == self.columns[0] else "right")
        for row in self.rows:
            table.add_row(*(text(value) for value in row.values()))
        console = make_console()
        console.print(f"\n[bold]{self.title}[/bold] (target: {self.target})", highlight=False)
        console.print(table)

    def markdown(self, *, quick: bool = False) -> str:
        """The same as a section of the page."""
        command = f"python -m benchmarks {self.name}{' --quick' if quick else ''}"
        lines = [f"## {self.title}", "", *textwrap.wrap(f"Target: {self.target}.", WIDTH), ""]
        lines += [*textwrap.wrap(f"`{command}` on {machine()}.", WIDTH), ""]
        lines.append("| " + " | ".join(self.columns) + " |")
        rule = [":---", *["---:"] * (len(self.columns) - 1)]
        lines.append("| " + " | ".join(rule) + " |")
        lines += ["| " + " | ".join(text(v) for v in row.values()) + " |" for row in self.rows]
        return "\n".join([*lines, ""])


def text(value: object) -> str:
    """A value as it stands in a table: three significant digits for measured numbers."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def cpu_model() -> str:
    """Name of the processor, as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def machine() -> str:
    """What was measured on."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    packages = ", ".join(_versions())
    return (
        f"{utc_now():%Y-%m-%d}, {os.cpu_count()} cores, {cpu_model()}, {platform.system()}, "
        f"load average at the end {load}; "
        f"Python {platform.python_version()}, {packages}"
    )


def _versions() -> Iterator[str]:
    """Ours and the peers', of those that are installed where the measuring is done."""
    for name in (*PACKAGES, *PEERS):
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue


def render(results: Sequence[Result], *, quick: bool, before: str = "") -> str:
    """The page; sections of `before`, the page as it was, that were not measured now stay."""
    sections = dict(_sections(before))
    sections |= {result.title: result.markdown(quick=quick) for result in results}
    return "\n".join([HEAD, *sections.values()])


def _sections(page: str) -> list[tuple[str, str]]:
    parts = page.split("\n## ")[1:]
    return [(part.partition("\n")[0], f"## {part.rstrip()}\n") for part in parts]
