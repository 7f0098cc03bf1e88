"""What docs/data.md says about ccxt's demands and the lock."""

import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[3]
SENTENCE = re.compile(r"ccxt (\S+) demands.*?requirements\.lock`: ([^.]+)\.", re.DOTALL)


def locked() -> dict[str, set[str]]:
    """Versions of the lock by package; some have one per Python version."""
    text = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for name, pinned in re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", text, re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(pinned)
    return found


def stated() -> tuple[str, set[str]]:
    match = SENTENCE.search((REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8"))
    assert match is not None
    return match[1], set(re.split(r",\s+", match[2]))


def test_what_is_said_to_differ_is_in_the_lock():
    assert stated()[1] <= set(locked())


def test_packages_on_which_ccxt_and_the_lock_differ_are_those_that_the_page_names():
    try:
        demands = [Requirement(line) for line in requires("ccxt") or []]
    except PackageNotFoundError:
        pytest.skip('the extra is absent: pip install "quant_assets[crypto]"')
    said, names = stated()
    if version("ccxt") != said:
        pytest.skip(f"the page speaks of ccxt {said}, this is {version('ccxt')}")
    pins = locked()
    differ = {
        canonicalize_name(demand.name)
        for demand in demands
        if (demand.marker is None or demand.marker.evaluate({"extra": ""}))
        and not all(map(demand.specifier.contains, pins.get(canonicalize_name(demand.name), ())))
    }
    assert differ == names
