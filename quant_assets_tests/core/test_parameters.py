from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import (
    Parameters,
    choice,
    number,
    numbers_by_symbol,
    optional_number,
    plug_in,
    whole,
)
from quant_assets.quant.sizing.base import SIZERS, Sizer
from quant_assets.quant.sizing.fixed import Fixed

NAN, INFINITY = float("nan"), float("inf")


@dataclass(frozen=True, kw_only=True)
class Sample(Parameters):
    name: ClassVar[str] = "sample"
    pct: float = number(0.02, above=0.0, below=1.0)
    cap: float = number(INFINITY, above=0.0)
    bars: int = whole(5, least=1)
    side: str = choice("touch", "through")
    target: float | None = optional_number(least=0.0)
    rates: Mapping[str, float] = numbers_by_symbol(least=0.0)


def test_values_inside_their_ranges_are_kept_and_whole_reals_become_floats():
    found = Sample(pct=0.5, cap=2, bars=3, side="through", target=0, rates={"B": 1, "A": 0.5})
    assert found.parameters() == {
        "pct": 0.5,
        "cap": 2.0,
        "bars": 3,
        "side": "through",
        "target": 0.0,
        "rates": {"A": 0.5, "B": 1.0},
    }
    assert isinstance(found.cap, float)
    assert Sample().cap == INFINITY


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"pct": 0.0}, "sample: pct is 0.0; it must be a number and above 0 and below 1"),
        ({"pct": 1}, "pct is 1;"),
        ({"pct": NAN}, "pct is nan"),
        ({"pct": "0.02"}, "pct is '0.02'"),
        ({"pct": True}, "pct is True"),
        ({"cap": -INFINITY}, "cap is -inf"),
        ({"bars": 1.5}, "bars is 1.5; it must be a whole number and at least 1"),
        ({"bars": 0}, "bars is 0"),
        ({"side": "across"}, "side is 'across'; it must be one of touch, through"),
        ({"target": -1.0}, "target is -1.0"),
        ({"target": INFINITY}, "target is inf"),
        ({"rates": {"A": -1.0}}, "rates of A is -1.0"),
        ({"rates": [1.0]}, "it must map symbols to numbers"),
    ],
)
def test_a_value_outside_of_its_range_is_named(parameters, message):
    with pytest.raises(ConfigError) as error:
        Sample(**parameters)
    assert message in str(error.value)


def test_digest_changes_with_a_parameter_and_not_with_its_spelling():
    assert Sample(pct=0.5, cap=2).digest() == Sample(pct=0.5, cap=2.0).digest()
    assert Sample(pct=0.5).digest() != Sample(pct=0.4).digest()


def test_a_plug_in_is_made_of_its_name_or_of_its_name_with_parameters():
    assert plug_in(SIZERS, Sizer, "fixed") == Fixed()
    assert plug_in(SIZERS, Sizer, {"fixed": {"fraction": 0.1}}) == Fixed(fraction=0.1)
    assert plug_in(SIZERS, Sizer, {"fixed": None}) == Fixed()
    own = Fixed(fraction=0.3)
    assert plug_in(SIZERS, Sizer, own) is own


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("fixd", "no Sizer named 'fixd'"),
        ({"fixed": {"fracton": 0.1}}, "fixed has no parameter 'fracton'"),
        ({"fixed": {"fracton": 0.1}}, "did you mean 'fraction'?"),
        ({"fixed": [0.1]}, "write them as a mapping"),
        ({"fixed": {}, "kelly": {}}, "is no Sizer"),
        ("kelly", "periods_per_year"),
        (7, "7 is no Sizer"),
    ],
)
def test_a_spelling_that_makes_no_plug_in_says_why(spelling, message):
    with pytest.raises(ConfigError) as error:
        plug_in(SIZERS, Sizer, spelling)
    assert message in str(error.value)
