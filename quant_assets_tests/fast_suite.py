"""Which process of the fast suite imports which test files: see conftest.

Importing tests and what they import is a fifth of the fast suite. Files that are slow as a whole
are not imported, and with `--dist each` the workers share the others out.
"""

import re
from pathlib import Path

FAST = "not slow"
HERE = Path(__file__).parent
SLOW_FILE = re.compile(r"^pytestmark = (\[[^]]*)?pytest\.mark\.slow", re.MULTILINE)


def files_of_tests() -> list[Path]:
    """All files of tests, rooms one after the other."""
    return sorted(HERE.rglob("test_*.py"))


def is_slow(file: Path) -> bool:
    """The module is marked slow as a whole."""
    return SLOW_FILE.search(file.read_text(encoding="utf-8")) is not None


def share_of(files: list[Path], worker: int, workers: int) -> set[Path]:
    """As many files for each worker, side by side: rooms share libraries, kernels and samples."""
    return {file for at, file in enumerate(files) if at * workers // len(files) == worker}


def files_of_worker(worker: int, workers: int) -> set[Path]:
    """Files with a fast test in them that the worker of this number imports."""
    return share_of([file for file in files_of_tests() if not is_slow(file)], worker, workers)
