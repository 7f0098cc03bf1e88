"""Fixtures of the storage tests."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def _memory() -> Iterator[Path]:
    """A folder in memory where the system has that: fsync is free there."""
    memory = "/dev/shm"  # noqa: S108 - a private folder is made inside
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def root() -> Iterator[Path]:
    """A data root of one test, in memory."""
    yield from _memory()


@pytest.fixture(scope="module")
def in_memory() -> Iterator[Path]:
    """A data root that the tests of a module share, in memory."""
    yield from _memory()
