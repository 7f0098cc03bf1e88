"""Whether a file is still being written, by somebody on this machine."""

import os
from pathlib import Path

_WRITES = os.O_WRONLY | os.O_RDWR


def is_being_written(path: Path) -> bool:
    """True when a process of this user has the file open for writing.

    Known on Linux; elsewhere False, and only the time since the last write counts.
    """
    try:
        target = os.stat(path)
        processes = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return False
    return any(_writes(name, (target.st_dev, target.st_ino)) for name in processes)


def _writes(process: str, target: tuple[int, int]) -> bool:
    folder = f"/proc/{process}/fd"
    try:
        handles = os.listdir(folder)
    except OSError:
        return False  # ended meanwhile, or another user's
    return any(_is_writer(process, handle, target) for handle in handles)


def _is_writer(process: str, handle: str, target: tuple[int, int]) -> bool:
    try:
        found = os.stat(f"/proc/{process}/fd/{handle}")
        if (found.st_dev, found.st_ino) != target:
            return False
        facts = Path(f"/proc/{process}/fdinfo/{handle}").read_text(encoding="ascii")
    except OSError:
        return False
    flags = next(line.split()[1] for line in facts.splitlines() if line.startswith("flags:"))
    return bool(int(flags, 8) & _WRITES)
