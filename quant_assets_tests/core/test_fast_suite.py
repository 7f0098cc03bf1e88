"""The fast suite leaves out no fast test, whoever runs which part of it."""

import ast
from pathlib import Path

import pytest

from quant_assets_tests.fast_suite import files_of_tests, files_of_worker, is_slow, share_of

FILES = [Path(f"test_{number}.py") for number in range(7)]


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 9])
def test_shares_hold_every_file_once_and_are_of_one_size(workers):
    shares = [share_of(FILES, worker, workers) for worker in range(workers)]
    assert sorted(file for share in shares for file in share) == FILES
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def is_marked_slow(file: Path) -> bool:
    """What pytest does: the marks that the module has after its import."""
    text = file.read_text(encoding="utf-8")
    for node in ast.parse(text).body if "pytestmark" in text else []:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            marks = node.value.elts if isinstance(node.value, ast.List) else [node.value]
            return any(ast.unparse(mark).startswith("pytest.mark.slow") for mark in marks)
    return False


@pytest.mark.slow
def test_files_that_are_left_out_are_those_whose_module_is_marked_slow():
    marked = {file for file in files_of_tests() if is_marked_slow(file)}
    assert {file for file in files_of_tests() if is_slow(file)} == marked
    assert files_of_worker(0, 2) | files_of_worker(1, 2) == set(files_of_tests()) - marked
