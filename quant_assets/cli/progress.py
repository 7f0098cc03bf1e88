"""Progress per pillar on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from quant_assets.orchestration.graph import ordered_specs
from quant_assets.orchestration.plan import Plan
from quant_assets.orchestration.walk import Progress as Callback

PILLARS = (
    "ingestion",
    "discovery",
    "alpha",
    "synthesis",
    "optimization",
    "simulation",
    "reporting",
)


def _totals(plan: Plan) -> dict[str, int]:
    """Number of cells that the run will visit per group."""
    span = plan.windows()
    totals: dict[str, int] = {}
    names = {cell.spec.main for cell in plan.pending}
    for cell in plan.cells:
        inside = cell.spec.kind == "venue" or (span and span[0] <= cell.window <= span[1])
        if cell.spec.main in names and inside:
            totals[cell.spec.group] = totals.get(cell.spec.group, 0) + 1
    return totals


@contextmanager
def pillar_progress(plan: Plan, console: Console) -> Iterator[Callback]:
    """A callback for the walker that moves one bar per pillar."""
    totals = _totals(plan)
    groups = {spec.main: spec.group for spec in ordered_specs()}
    bars = Progress(
        TextColumn("{task.description:<13}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TextColumn("cells"),
        TimeElapsedColumn(),
        console=console,
        refresh_per_second=5,
    )
    with bars:
        tasks = {
            group: bars.add_task(group, total=totals[group], start=False)
            for group in sorted(totals, key=lambda g: PILLARS.index(g) if g in PILLARS else 99)
        }
        started: set[str] = set()

        def moved(asset: str, _key: str, _unchanged: bool) -> None:
            group = groups[asset]
            if group in tasks:
                if group not in started:
                    bars.start_task(tasks[group])
                    started.add(group)
                bars.advance(tasks[group])

        yield moved
