"""One console for all commands: as wide as the terminal, and wide enough for tables in a pipe."""

from rich.console import Console

PIPE_WIDTH = 124


def make_console(*, stderr: bool = False) -> Console:
    """A console; without a terminal it is wide, so that tables in logs and files stay whole."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=PIPE_WIDTH)
