"""Machine code on disk is renewed when a file changes that it was compiled from."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from quant_assets.core import kernels

PACKAGE = {
    "caller.py": """
from quant_assets.core.kernels import across_files
from house.inner.callee import twice

@across_files()
def answer(x):
    return twice(x) + 1
""",
    "inner/callee.py": """
from quant_assets.core.kernels import across_files
from ..constants import FACTOR

@across_files()
def twice(x):
    return FACTOR * x
""",
    "constants.py": "FACTOR = 2\n",
    "stranger.py": "from house import caller\n",
}
RUN = """
from numba.core import event
from house.caller import answer
with event.install_recorder("numba:compile") as recorder:
    found = answer(20)
compiled = sorted({e.data["dispatcher"].py_func.__name__ for _, e in recorder.buffer})
print(found, *compiled)
"""


@pytest.fixture
def house(tmp_path) -> Path:
    """A package of two compiled functions and a constant, in three files."""
    for name, text in PACKAGE.items():
        file = tmp_path / "house" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        (file.parent / "__init__.py").touch()
    return tmp_path / "house"


def names(house: Path, file: str) -> list[str]:
    root = house.resolve()
    return [path.relative_to(root).as_posix() for path in kernels.source_files(root / file)]


def answer_of(house: Path) -> list[str]:
    """What a new process computes, and what it compiled for it."""
    path = os.pathsep.join([str(house.parent), *filter(None, sys.path)])
    own = {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(house.parent / "cache")}
    told = subprocess.run(
        [sys.executable, "-c", RUN],
        env={**os.environ, **own},
        check=True,
        capture_output=True,
        text=True,
    )
    return told.stdout.split()


def test_files_are_those_that_are_imported_also_indirectly(house):
    own = ["__init__.py", "inner/__init__.py", "inner/callee.py"]
    assert names(house, "constants.py") == ["constants.py"]
    assert names(house, "inner/callee.py") == ["constants.py", "inner/callee.py"]
    assert set(names(house, "caller.py")) <= {"caller.py", "constants.py", *own}
    assert {"caller.py", "constants.py", "inner/callee.py"} <= set(names(house, "caller.py"))
    assert "stranger.py" not in names(house, "caller.py")


def test_imports_inside_of_functions_and_of_other_packages_do_not_count(house):
    (house / "late.py").write_text("import numpy\ndef warm_up():\n    import house.constants\n")
    (house / "tried.py").write_text("try:\n    import house.constants\nexcept ImportError: ...\n")
    assert names(house, "late.py") == ["late.py"]
    assert set(names(house, "tried.py")) == {"constants.py", "tried.py"}
    text = "def f():\n    x = 1\n# margin\n    return x\nimport house.constants\n"
    (house / "margin.py").write_text(text)
    assert set(names(house, "margin.py")) == {"constants.py", "margin.py"}


@pytest.mark.slow(seconds=5)
def test_a_caller_is_compiled_anew_when_the_file_of_a_callee_changes_and_only_then(house):
    assert answer_of(house) == ["41", "answer", "twice"]
    (house / "stranger.py").write_text("from house import caller, constants\n")
    assert answer_of(house) == ["41"]
    (house / "constants.py").write_text("FACTOR = 3\n")
    assert answer_of(house) == ["61", "answer", "twice"]
    changed = (house / "caller.py").read_text().replace("+ 1", "+ 2")
    (house / "caller.py").write_text(changed)
    assert answer_of(house) == ["62", "answer"]


@pytest.mark.slow
def test_constants_do_not_make_more_versions_of_a_function():
    plain = kernels.across_files(no_cpython_wrapper=True)

    @plain
    def chosen(x, which):
        return x if which[0] else x * which[1]

    @kernels.across_files()
    def asked(x):
        return chosen(x, (True, 2)) + chosen(x, (False, 3))

    assert asked(1.0) == 4.0
    assert len(chosen.signatures) == 1


@pytest.mark.parametrize("moved", ["_cache_file", "_source_stamp"])
def test_a_numba_that_keeps_its_stamp_elsewhere_keeps_nothing_on_disk(monkeypatch, moved):
    asked = []

    class Elsewhere:
        """A dispatcher of another numba."""

        def __init__(self, function, options):
            self.function, self._cache = function, self
            asked.append(options)
            if moved == "_source_stamp":
                self._cache_file = object()

        def __call__(self, x):
            return self.function(x)

    monkeypatch.setattr(kernels, "njit", lambda **options: lambda f: Elsewhere(f, options))
    assert kernels.across_files(error_model="numpy")(lambda x: x + 1)(1) == 2
    assert asked == [{"cache": True, "error_model": "numpy"}, {"error_model": "numpy"}]


def test_the_numba_that_is_installed_has_what_is_touched():
    """Fails with a numba that moved it: then kernels would be compiled in each process."""

    @kernels.across_files()
    def one():
        return 1

    own, all_files = one._cache._cache_file._source_stamp
    assert own
    assert all_files == kernels.source_stamp(Path(__file__))
    assert isinstance(one, numba.core.dispatcher.Dispatcher)
