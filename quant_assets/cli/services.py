"""A program that ends with this one, together with everything that it started."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

import psutil

__all__ = ["run_service"]

ENDING = (signal.SIGTERM, signal.SIGHUP)  # beside Ctrl-C
GRACE_SECONDS = 2.5  # with the kill after it below the four that Ctrl-C leaves a command


def run_service(arguments: Sequence[str]) -> int:
    """Run a program until it ends or this process is asked to; its exit status, 0 when asked.

    SIGTERM, a terminal that hangs up, and Ctrl-C ask; so does the end of the program itself. It
    gets a session of its own: a signal to this process's group reaches it through here alone, and
    what it started is found by the session, also where its parent is gone. All of it is asked to
    end and killed after 2.5 seconds. A signal that is ignored already (nohup) stays ignored.
    """
    asked = {one: signal.getsignal(one) for one in (*ENDING, signal.SIGINT)}
    for one in ENDING:
        if asked[one] is signal.SIG_DFL:
            signal.signal(one, signal.default_int_handler)
    try:
        process = subprocess.Popen(arguments, start_new_session=True)  # noqa: S603 - own words
        try:
            return process.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            for one in asked:  # asking twice must not leave half of it running
                signal.signal(one, signal.SIG_IGN)
            _end(process)
    finally:
        for one, handler in asked.items():
            signal.signal(one, handler)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a session: politely, then by force."""
    seconds = GRACE_SECONDS
    for way in (psutil.Process.terminate, psutil.Process.kill, psutil.Process.kill):
        members = _members(process.pid)
        for one in members:
            with suppress(psutil.NoSuchProcess):
                way(one)
        psutil.wait_procs(members, timeout=seconds)
        seconds = 0.5  # what is killed is gone at once, but may have started something before
    process.wait()


def _members(session: int) -> list[psutil.Process]:
    """The living processes of a session."""
    found = []
    for one in psutil.process_iter(["status"]):
        with suppress(OSError):
            if os.getsid(one.pid) == session and one.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(one)
    return found
