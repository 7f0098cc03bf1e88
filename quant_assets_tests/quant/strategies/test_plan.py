"""Sizes and labels that a plan cannot have are refused by name, before a run."""

import numpy as np
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.risk.terms import TIME_BARS, ExitTerms
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION, EntrySizes
from quant_assets.quant.strategies.plan import Plan

ONE = np.full((1, 2), 0.5)
WRONG = [
    ({"sizes": EntrySizes(ONE, 99)}, "unit of sizes is 99"),
    ({"sizes": EntrySizes([[0.5, 0.5]], EQUITY_FRACTION)}, "sizes of a plan is list"),  # type: ignore[arg-type]
    ({"sizes": EntrySizes(ONE[0], EQUITY_FRACTION)}, r"sizes of a plan is \(2,\)"),
    ({"labels": {"mood": np.zeros(5)}}, r"mood of a plan is \(5,\); it must be an array"),
]


@pytest.mark.parametrize(("given", "told"), WRONG)
def test_plan_refuses_by_name(given: dict[str, object], told: str) -> None:
    with pytest.raises(DataError, match=told):
        Plan(**given)  # type: ignore[arg-type]


def test_plan_takes_sizes_of_every_unit() -> None:
    assert all(Plan(sizes=EntrySizes(ONE, unit)).sizes is not None for unit in range(4))


def test_whole_numbers_become_the_floats_that_kernels_read() -> None:
    kind, whole = np.array([TIME_BARS], dtype=np.int8), np.full((1, 2), 3)
    plan = Plan(sizes=EntrySizes(whole, 0), exits=ExitTerms(kind, whole[None]))
    assert plan.sizes is not None
    assert plan.exits is not None
    assert plan.sizes.size.dtype == plan.exits.level.dtype == np.float64
    assert plan.sizes.size.tolist() == [[3.0, 3.0]]
    assert plan.exits.level.tolist() == [[[3.0, 3.0]]]
    floats = ExitTerms(kind, np.full((1, 1, 2), 3.0))
    assert Plan(exits=floats).exits is floats
