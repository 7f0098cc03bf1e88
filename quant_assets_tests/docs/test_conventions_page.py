"""docs/conventions.md: every test and every function that it names exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from quant_assets_tests.docs.pages import REPOSITORY, Page

pytestmark = pytest.mark.slow

PAGE = Page(REPOSITORY / "docs" / "conventions.md")
NUMBERED = re.compile(r"^\| (\d+) \| [^|]+ \| `([\w.]+)` \| [^|]+ \|$")
LISTED = re.compile(r"^(?:(\d+)\.|  ) +`([\w/]+\.py)::(\w+)`$")
SECTIONS = PAGE.text.split("\n## ")[1:-1]  # the last one lists what has no code yet
each_section = pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.partition("\n")[0])
LONGEST = 140


@cache
def names_in(path: Path) -> frozenset[str]:
    """Names that a module defines or assigns at its top."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(found)


def rules(section: str) -> list[tuple[str, str]]:
    """(number, who keeps it) of each row of the section's table."""
    return [m.groups() for line in section.splitlines() if (m := NUMBERED.match(line))]


def proofs(section: str) -> list[tuple[str, str, str]]:
    """(number or "", file, test) of each line of the section's list."""
    found = [m.groups(default="") for line in section.splitlines() if (m := LISTED.match(line))]
    return [(number, file, test) for number, file, test in found]


def exists(file: Path, name: str) -> bool:
    return file.exists() and name in names_in(file)


@each_section
def test_every_rule_has_its_tests_and_every_line_is_understood(section: str):
    numbers = [number for number, _ in rules(section)]
    assert numbers == [str(k) for k in range(1, len(numbers) + 1)]
    assert [number for number, *_ in proofs(section) if number] == numbers
    table = [line for line in section.splitlines() if line.startswith("|")]
    assert len(table) == len(numbers) + 2
    items = [line for line in section.splitlines() if "::" in line]
    assert len(items) == len(proofs(section))


@each_section
def test_every_named_test_exists(section: str):
    root = REPOSITORY / "quant_assets_tests"
    assert [f"{f}::{t}" for _, f, t in proofs(section) if not exists(root / f, t)] == []


@each_section
def test_everyone_who_keeps_a_rule_exists(section: str):
    lost = []
    for _, name in rules(section):
        module, _, attribute = name.rpartition(".")
        file = REPOSITORY / "quant_assets" / (module.replace(".", "/") + ".py")
        if not exists(file, attribute):
            lost.append(name)
    assert lost == []


def test_lines_are_short():
    assert [line for line in PAGE.text.splitlines() if len(line) > LONGEST] == []
