import numpy as np
import pandas as pd
import pytest

from quant_assets.reporting.monthly import MONTHS, monthly_heats, tint
from quant_assets.reporting.performance import Performance


def _performance(benchmark: list[float]) -> Performance:
    ts = pd.DatetimeIndex(
        ["2023-11-30", "2023-12-01", "2023-12-02", "2024-02-01"], tz="UTC"
    ).as_unit("us")
    net = np.array([0.10, 0.10, -0.50, 0.25])[:, None]
    zeros = np.zeros(4)
    return Performance(
        ts, ("champion",), "champion", net, np.array(benchmark), zeros, zeros.astype(bool)
    )


def test_heat_of_two_years_by_hand() -> None:
    (heat,) = monthly_heats(_performance([np.nan] * 4))
    newer, older = heat.rows
    assert (newer.year, older.year) == (2024, 2023)
    assert [cell.text for cell in older.months] == [""] * 10 + ["10.0", "−45.0"]
    assert older.total.text == "−39.5"
    assert newer.months[1].text == newer.total.text == "25.0"
    assert len(newer.months) == len(MONTHS)


def test_excess_is_the_difference_of_months_and_of_years() -> None:
    ours, theirs, excess = monthly_heats(_performance([0.0, 0.0, 0.1, 0.05]))
    assert [h.title for h in (ours, theirs, excess)] == ["Champion", "Benchmark", "Excess"]
    assert theirs.rows[1].total.text == "10.0"
    assert excess.rows[1].months[11].text == "−55.0"
    assert excess.rows[1].total.text == "−49.5"
    assert excess.rows[0].months[0].text == ""


@pytest.mark.parametrize(
    ("value", "tone"),
    [
        (0.0, ""),
        (1e-5, ""),
        (np.nan, ""),
        (0.005, "up-1"),
        (-0.02, "down-2"),
        (0.03, "up-3"),
        (-0.06, "down-4"),
        (0.5, "up-5"),
    ],
)
def test_tint_has_five_steps_either_way(value: float, tone: str) -> None:
    assert tint(value) == tone


def test_tint_of_years_is_wider() -> None:
    assert tint(0.06, scale=3.5) == "up-2"
