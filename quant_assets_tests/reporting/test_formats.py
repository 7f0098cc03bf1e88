import math

import pandas as pd
import pytest

from quant_assets.reporting.formats import (
    basis_points,
    count,
    day,
    money,
    percent,
    plural,
    ratio,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, "12.3%"),
        (-0.12345, "−12.3%"),
        (12.34567, "1,234.6%"),
        (0.0, "0.0%"),
        (-0.0, "0.0%"),
        (-0.0004, "0.0%"),
        (math.nan, "—"),
        (math.inf, "—"),
        (None, "—"),
    ],
)
def test_percent_of_value_is_text(value: float | None, text: str) -> None:
    assert percent(value) == text


def test_percent_with_sign_marks_gains_but_never_zero() -> None:
    assert percent(0.0151, 2, sign=True) == "+1.51%"
    assert percent(0.0, 2, sign=True) == "0.00%"
    assert percent(-0.5, 0, sign=True) == "−50%"


def test_money_has_thousands_separators_and_currency() -> None:
    assert money(1234567.4, "USD") == "1,234,567 USD"
    assert money(-950.0, "EUR") == "−950 EUR"
    assert money(math.nan, "EUR") == "—"


def test_other_units_follow_the_same_rules() -> None:
    assert basis_points(5) == "5.0 bps"
    assert basis_points(math.nan) == "—"
    assert ratio(0.8351) == "0.84"
    assert ratio(-0.001) == "0.00"
    assert ratio(0.0) == "0.00"
    assert count(8060) == "8,060"
    assert count(0) == "0"


def test_day_of_moment_and_of_nothing() -> None:
    assert day(pd.Timestamp("2022-12-28 21:00", tz="UTC")) == "2022-12-28"
    assert day(pd.NaT) == "—"
    assert day(None) == "—"


def test_plural_counts() -> None:
    assert [plural(n, "bar") for n in (0, 1, 2000)] == ["0 bars", "1 bar", "2,000 bars"]
