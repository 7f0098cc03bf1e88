import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.parameters import plug_in
from quant_assets.quant.simulation.execution.fills.base import FILLS, FillModel, detail_bars
from quant_assets.quant.simulation.execution.terms import (
    NEXT_CLOSE,
    NEXT_OPEN,
    NEXT_VWAP,
    SAME_CLOSE,
    FillTerms,
)
from quant_assets_tests.quant.simulation.execution.bar_samples import (
    HOUR,
    flat_bars,
    random_bars,
    spanned,
)

INFINITY = float("inf")


@pytest.mark.parametrize(
    ("spelling", "terms"),
    [
        ("next_open", (NEXT_OPEN, False, INFINITY, 10, 0, False)),
        ("next_close", (NEXT_CLOSE, False, INFINITY, 10, 0, False)),
        ("vwap_like", (NEXT_VWAP, False, INFINITY, 10, 0, False)),
        ("same_close", (SAME_CLOSE, False, INFINITY, 10, 0, False)),
        ("realistic_volume", (NEXT_OPEN, True, 0.10, 5, 0, False)),
        ("detail_timeframe", (NEXT_OPEN, False, INFINITY, 10, 0, False)),
        (
            {"next_open": {"limits": "through", "same_bar": "best", "latency": 2}},
            (NEXT_OPEN, True, INFINITY, 10, 2, True),
        ),
        (
            {"realistic_volume": {"participation": 0.025, "time_to_live": 3}},
            (NEXT_OPEN, True, 0.025, 3, 0, False),
        ),
    ],
)
def test_fill_model_tells_the_kernel_what_is_documented(spelling, terms):
    assert plug_in(FILLS, FillModel, spelling).terms() == FillTerms(*terms)


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ({"next_open": {"limits": "cross"}}, "limits is 'cross'"),
        ({"next_open": {"latency": -1}}, "latency is -1"),
        ({"realistic_volume": {"participation": 1.5}}, "participation is 1.5"),
        ({"same_close": {"latency": 1}}, "latency is 1"),
        ({"detail_timeframe": {"timeframe": "5min"}}, "'5min' is not a duration"),
    ],
)
def test_fill_model_with_a_wrong_parameter_is_refused(spelling, message):
    with pytest.raises(ConfigError, match=message):
        plug_in(FILLS, FillModel, spelling)


def test_detail_bars_lie_in_the_bar_that_spans_them():
    minutes = random_bars(24 * 6, 2, length=HOUR / 12, seed=1)
    kept = np.delete(np.arange(len(minutes)), [0, 13, 14, 40])
    minutes = minutes.rows(kept)
    hours = spanned(minutes, 6, HOUR)
    present = np.array([0, 1, 3, 5])  # two bars are missing: what lies in them belongs to nobody
    found = detail_bars(hours.rows(present), minutes)
    for row, bar in enumerate(present):
        begins = hours.ts[bar]
        inside = (minutes.ts >= begins) & (minutes.ts < begins + np.timedelta64(HOUR))
        part = slice(found.first[row], found.first[row + 1])
        np.testing.assert_array_equal(found.high[part], minutes.high[inside])
        np.testing.assert_array_equal(found.open[part], minutes.open[inside])
    assert found.first[-1] == len(found.low)


def test_detail_bars_follow_the_symbols_of_the_run():
    minutes = random_bars(36, 2, length=HOUR / 12)
    hours = spanned(minutes, 3, HOUR)
    turned = detail_bars(hours.select(("S1", "S0")), minutes)
    np.testing.assert_array_equal(turned.close, minutes.close[:, ::-1])


@pytest.mark.parametrize("length", [HOUR, 2 * HOUR, HOUR / 7])
def test_detail_bars_that_do_not_divide_the_bars_are_refused(length):
    with pytest.raises(DataError, match="do not divide"):
        detail_bars(flat_bars(3, length=HOUR), flat_bars(3, length=length))
