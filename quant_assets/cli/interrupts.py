"""Ctrl-C ends the program within five seconds, even where Python loses it.

`KeyboardInterrupt` is raised wherever the main thread happens to be: in a callback of the garbage
collector it is ignored, in a compiler or solver it waits, pydantic turns it into an error of its
own. A second thread therefore sees the signal too and, when the orderly end takes too long, ends
the process as kill -9 would. That is safe: every file is written atomically.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

GRACE_SECONDS = 4.0  # with the time that two busy cores take to end children: below five
EXIT_INTERRUPTED = 130
MESSAGE = "interrupted: finished cells are kept; run the same command to go on"


@contextmanager
def watched_interrupts() -> Iterator[list[int]]:
    """Watch for Ctrl-C while the body runs; the list holds the signals that Python handled.

    Does nothing where Ctrl-C is ignored already (a job in the background), or outside the main
    thread.
    """
    received: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or not _in_main_thread():
        yield received
        return

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        signal.default_int_handler(number, frame)

    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    ended = threading.Event()
    threading.Thread(target=_watch, args=(reader, ended), daemon=True).start()
    signal.signal(signal.SIGINT, note)
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield received
    finally:
        ended.set()
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGINT, before)
        os.close(writer)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _watch(reader: int, ended: threading.Event) -> None:
    """Read signal numbers as they arrive, whoever handles them; nothing more to read: the end."""
    with os.fdopen(reader, "rb", buffering=0) as numbers:
        while number := numbers.read(1):
            if number[0] == signal.SIGINT:
                break
    if not number:
        return
    import psutil  # 0.05 s, for this alone; now, so that no time is lost after the wait

    if not ended.wait(GRACE_SECONDS):
        for child in psutil.Process().children(recursive=True):
            child.kill()
        os.write(2, f"\n{MESSAGE}\n".encode())
        os._exit(EXIT_INTERRUPTED)
