"""The forty-four bad inputs that a data platform must expect, each with its stated outcome."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from quant_assets_tests.reliability.bad_inputs import (
    damage_and_attacks,
    events_and_columns,
    prices,
    sources,
    times_and_repeats,
)
from quant_assets_tests.reliability.bad_inputs.landing import Landing

MODULES = (times_and_repeats, prices, events_and_columns, damage_and_attacks, sources)
ROWS = 44


def cases() -> dict[str, Callable[[Landing], None]]:
    """Every `case_<row>_<input>` by name, in the order of the rows."""
    found = {}
    for module in MODULES:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if re.match(r"case_\d\d_", name):
                found[name.removeprefix("case_")] = function
    return dict(sorted(found.items()))


CASES = cases()


def test_there_is_one_case_for_each_of_the_rows():
    assert [int(name[:2]) for name in CASES] == list(range(1, ROWS + 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_bad_input_has_its_stated_outcome(tmp_path: Path, name: str):
    CASES[name](Landing(tmp_path))
