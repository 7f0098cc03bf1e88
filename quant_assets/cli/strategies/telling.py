"""How far long work is: a bar on a terminal, else a line every 5 per cent, on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from quant_assets.cli.console import make_console

if TYPE_CHECKING:
    from quant_assets.quant.tuning.study import Progress

PROGRESS_STEP = 5  # per cent, where no terminal shows a bar
COUNTED, SHARE = "{finished:,} of {planned:,} {what}, {share} %", "{share} % of the {what}"
SILENT_SECONDS = 3.0  # of a run: most are over by then


@contextmanager
def telling(what: str, form: str = COUNTED) -> "Iterator[Progress]":
    """Tell how far a search is: a bar on a terminal, else a line every 5 per cent, on stderr."""
    from rich.progress import Progress as Bar

    console = make_console(stderr=True)
    if console.is_terminal:
        with Bar(console=console, transient=True) as bar:
            task = bar.add_task(what, total=None)

            def moved(finished: int, planned: int | None) -> None:
                bar.update(task, completed=finished, total=planned)

            yield moved
        return
    told = 0

    def line(finished: int, planned: int | None) -> None:
        nonlocal told
        share = 100 * finished // planned if planned else 0
        if planned and share // PROGRESS_STEP > told:
            told = share // PROGRESS_STEP
            text = form.format(finished=finished, planned=planned, what=what, share=share)
            console.print(text, highlight=False)

    yield line


@contextmanager
def telling_late(what: str) -> Iterator[Callable[[float], None]]:
    """As `telling`, for the share of work that is done; silent for the first three seconds."""
    from contextlib import ExitStack
    from time import monotonic

    began, told = monotonic(), None
    with ExitStack() as stack:

        def moved(share: float) -> None:
            nonlocal told
            if told is None and monotonic() - began < SILENT_SECONDS:
                return
            if told is None:
                told = stack.enter_context(telling(what, SHARE))
            told(round(100 * share), 100)

        yield moved
