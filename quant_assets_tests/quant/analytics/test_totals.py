"""The passes under the performance table: accuracy, memory, calendar."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.analytics import totals
from quant_assets.quant.analytics.table import performance_table
from quant_assets.quant.analytics.totals import MONTHS, YEARS, Inputs, measure, span_starts

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
DAYS = ["2020-12-30", "2020-12-31", "2021-01-01", "2021-03-01", "2022-03-01"]


@pytest.mark.parametrize("extent", [1e-12, 1e-8, 1e-3, 0.1, 0.25, 0.9, 50.0])
def test_log_growth_is_log1p_to_the_last_digits(extent):
    from quant_assets.quant.analytics.totals_kernel import log_growth

    x = np.r_[RNG.uniform(-1, 1, 2000) * extent, extent, -extent, 0.0]
    x = x[x > -1.0]
    found = np.empty(len(x))
    log_growth(x, extent, found)
    np.testing.assert_allclose(found, np.log1p(x), rtol=4e-16)


def test_log_growth_of_a_total_loss_is_minus_infinity():
    from quant_assets.quant.analytics.totals_kernel import log_growth

    found = np.empty(2)
    log_growth(np.array([-1.0, -2.0]), 2.0, found)
    assert found.tolist() == [-np.inf, -np.inf]


def test_spans_begin_with_months_and_years():
    ts = pd.DatetimeIndex([f"{day} 20:00" for day in DAYS], tz="UTC")
    assert span_starts(ts, MONTHS).tolist() == [0, 2, 3, 4, 5]
    assert span_starts(ts, YEARS).tolist() == [0, 2, 4, 5]
    assert span_starts(ts[:0], MONTHS).tolist() == [0]
    assert span_starts(ts.tz_convert("Asia/Tokyo"), YEARS).tolist() == [0, 2, 4, 5]
    assert span_starts(ts.tz_localize(None), YEARS).tolist() == [0, 2, 4, 5]


def test_sums_that_nobody_asks_for_are_not_made():
    found = measure(Inputs(RNG.normal(0, 0.01, (30, 2)), 252), {totals.OWN, totals.BENCHMARK})
    assert set(found.sums) == {totals.OWN}


def test_every_total_has_its_place_in_the_kernel():
    from quant_assets.quant.analytics import totals_kernel as kernel

    block = np.array([[0.1, -0.1, 0.2, -0.05]])
    market = np.array([0.01, 0.02, 0.0, -0.01])
    row, starts = np.zeros(4), np.array([0, 2, 4], dtype=np.int64)
    for fields, fill in [
        (totals.OwnTotals, lambda out: kernel.own_totals(block, row, out)),
        (totals.RelativeTotals, lambda out: kernel.relative_totals(block, market, row, out)),
        (totals.TailTotals, lambda out: kernel.tail_totals(np.sort(block, axis=1), out)),
        (totals.CalendarTotals, lambda out: kernel.calendar_totals(block, starts, out)),
    ]:
        out = np.full((1, len(fields._fields) + 3), np.nan)
        fill(out)
        assert np.isfinite(out[0, :-3]).all(), fields  # all are filled,
        assert np.isnan(out[0, -3:]).all(), fields  # and no more


@pytest.mark.slow
def test_memory_does_not_grow_with_the_strategies():
    returns = RNG.normal(3e-4, 0.01, (500, 2000))
    performance_table(returns[:, :10], periods_per_year=252, benchmark=returns[:, 0])
    tracemalloc.start()
    try:
        table = performance_table(returns, periods_per_year=252, benchmark=returns[:, 0])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * totals.BLOCK_BYTES + 3 * table.size * 8
