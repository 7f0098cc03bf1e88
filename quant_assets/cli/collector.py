"""The garbage collector of a short command: it looks seldom, because little is thrown away."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 200_000  # objects; Python's own 700 cost a fifth of a command that loads modules and ends


@contextmanager
def seldom_collected() -> Iterator[None]:
    """While the body runs, cycles are looked for after 200,000 new objects, not after 700.

    For one run: what it throws away is little beside what it holds. A search, which makes and
    drops runs by the thousand, keeps Python's own thresholds. What there is at the end (modules,
    mostly) is not looked at again, not even when the program ends.
    """
    before = gc.get_threshold()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*before)
