"""Progress per pillar on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from quant_assets.orchestration.announcing import Announced
from quant_assets.orchestration.graph import ordered_specs
from quant_assets.orchestration.plan import Plan

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


@dataclass
class PillarBars:
    """A bar per pillar on a terminal; elsewhere a line every 5 % of a run that takes its time."""

    groups: dict[str, str]
    bars: Progress
    tasks: dict[str, TaskID]
    lines: Announced | None
    _done: dict[str, int] = field(default_factory=dict)

    def __call__(self, asset: str, key: str, unchanged: bool) -> None:
        """One more cell."""
        if self.lines is not None:
            self.lines(asset, key, unchanged)
        self._move(asset, 1, 0.0)

    def part(self, asset: str, key: str, share: float) -> None:
        """Share of the cell that is in work."""
        if self.lines is not None:
            self.lines.part(asset, key, share)
        self._move(asset, 0, share)

    def _move(self, asset: str, cells: int, share: float) -> None:
        group = self.groups[asset]
        if group not in self.tasks:
            return
        if group not in self._done:
            self.bars.start_task(self.tasks[group])
        self._done[group] = self._done.get(group, 0) + cells
        self.bars.update(self.tasks[group], completed=self._done[group] + share)


@contextmanager
def pillar_progress(plan: Plan, console: Console) -> Iterator[PillarBars]:
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

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    lines = None if console.is_terminal else Announced(say, max(1, sum(totals.values())), None)
    with bars:
        tasks = {
            group: bars.add_task(group, total=totals[group], start=False)
            for group in sorted(totals, key=lambda g: PILLARS.index(g) if g in PILLARS else 99)
        }
        yield PillarBars(groups, bars, tasks, lines)
