"""Futures that are put in place of what came, where they begin, and what is compared."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.leaks.cuts import Room, plan
from quant_assets.quant.leaks.futures import Futures, Probe
from quant_assets.quant.leaks.outputs import activity, difference, outputs_of
from quant_assets.quant.leaks.samples import sample_of
from quant_assets.quant.market.bar_panel import FIELDS
from quant_assets_tests.quant.leaks.markets import market

BARS = market(120)
SERIES = np.cumsum(np.random.default_rng(3).normal(size=150)) + 100.0


def futures_of(data, seed=0):
    return Futures(sample_of(data), np.random.default_rng(seed))


@pytest.mark.parametrize("kind", ["truncated", "noise", "missing"])
def test_future_keeps_the_past_to_the_bit_and_changes_the_rest(kind):
    futures, probe = futures_of(BARS), Probe(kind, 60, 0 if kind == "truncated" else 30)
    bars = futures.changed(probe).value()
    rows = 61 if kind == "truncated" else 91
    assert len(bars) == rows
    for name in (*FIELDS, "funding"):
        np.testing.assert_array_equal(bars[name][:61], BARS[name][:61])
        later = bars[name][61:]
        assert kind == "truncated" or not np.isin(later, BARS[name]).any()
    assert kind != "missing" or np.isnan(bars.close[61:]).all()


def test_noise_is_a_market():
    bars = futures_of(BARS).changed(Probe("noise", 60, 59)).value()
    later, past = slice(61, None), slice(0, 61)
    known = np.isfinite(bars.close)
    assert (bars.high >= bars.low - 1e-12)[known].all()
    assert (bars.high >= bars.close - 1e-9)[known].all()
    jumps = np.nanmedian(bars.close[later], axis=0) / bars.close[60]
    assert (jumps > 1.5).any()
    assert (jumps < 0.67).any()
    was = np.isfinite(BARS.close)
    assert (known & ~was)[later].any()
    assert (was & ~known)[later].any()
    assert (known == was)[past].all()
    assert (bars.available_at[later] > BARS.available_at[later]).any()


def test_probes_of_opposite_turn_send_each_symbol_both_ways():
    up, down = (
        futures_of(BARS).changed(Probe("noise", 60, 40, turn)).value().close for turn in (1, -1)
    )
    rose = [np.nanmedian(close[61:, 0]) > BARS.close[60, 0] for close in (up, down)]
    assert sorted(rose) == [False, True]


def test_futures_are_taken_back_before_the_next():
    bars = market(120)
    futures = futures_of(bars)
    for probe in (Probe("noise", 20, 40), Probe("missing", 70, 20), Probe("noise", 5, 114)):
        futures.changed(probe)
    whole = futures.restored().value()
    for name in FIELDS:
        np.testing.assert_array_equal(whole[name], BARS[name])
    assert futures.untouched()
    bars.close.base[3, 0] = 1.0  # nobody gets at it without meaning to
    assert not futures.untouched()


def test_truncated_data_lack_symbols_that_were_not_listed_yet():
    futures = futures_of(BARS)
    assert futures.changed(Probe("truncated", 20, 0)).value().symbols == ("AAA", "BBB", "CCC")
    assert len(futures.changed(Probe("truncated", 20, 0, newcomers=True)).value().symbols) == 4
    assert len(futures.changed(Probe("truncated", 60, 0)).value().symbols) == 4


def test_rows_that_came_late_are_hidden_until_they_were_known():
    late = market(120, late=1, seed=4)
    row = int(np.argmax(np.diff(late.available_at) < np.timedelta64(0)))
    sample = sample_of(late)
    assert np.flatnonzero(sample.hidden(row)).tolist() == [*range(row, 120)]
    assert np.flatnonzero(sample.hidden(row + 1)).tolist() == [row, *range(row + 2, 120)]
    assert np.flatnonzero(sample.hidden(row + 2)).tolist() == [*range(row + 3, 120)]
    waited = np.maximum.accumulate(late.available_at)
    assert np.flatnonzero(sample_of(late, decided_at=waited).hidden(row)).tolist() == [
        *range(row + 1, 120)
    ]


def test_plan_costs_what_it_may_and_covers_early_and_late_rows():
    rng = np.random.default_rng(0)
    for n_rows in (300, 5_000, 200_000):
        active = {"entry": rng.random(n_rows) < 0.05}
        active["entry"][:100] = False
        room = max(n_rows, 1_000)
        probes = plan(active, n_rows, Room(room, least=16, early=9, tail=0.5), rng)
        assert sum(probe.rows for probe in probes) <= room
        assert {probe.kind for probe in probes} == {"truncated", "noise", "missing"}
        assert {probe.turn for probe in probes if probe.kind == "noise"} == {1, -1}
        assert min(probe.cut for probe in probes) >= 100
        assert max(probe.cut for probe in probes) >= min(0.69, 0.59 * room / n_rows) * n_rows
        assert all(0 <= probe.cut < n_rows - 1 for probe in probes)


def test_difference_by_hand():
    one = np.array([[1.0, np.nan], [2.0, 1e6], [3.0, 4.0]])
    assert difference(one, one.copy()) is None
    tiny = one.copy()
    tiny[1, 1] = np.nextafter(1e6, 2e6)
    found = difference(one, tiny)
    assert not found.cells.any()
    assert found.rounding == np.spacing(1e6)
    assert difference(one, tiny, ulps=0).cells.sum() == 1
    moved = one.copy()
    moved[2, 1], moved[0, 1] = 5.0, 0.0
    found = difference(one, moved)
    assert found.rows.tolist() == [0, 2]
    assert (found.example, found.found) == ((0, 1), 0.0)
    flags = np.array([[True], [False]])
    assert difference(flags, ~flags).cells.all()
    assert difference(flags, flags.copy()) is None


def test_activity_is_where_something_is_said():
    assert activity(np.array([[True, False], [False, False]])).tolist() == [True, False]
    numbers = np.array([[np.nan], [0.0], [1.0], [1.0], [2.0]])
    assert activity(numbers).tolist() == [False, False, True, False, True]
    constant = np.full((50, 1), 0.25)
    assert activity(constant).all()


def test_outputs_are_named_by_what_holds_them():
    sample = sample_of(SERIES)
    given = {"a": SERIES, "b": (SERIES, pd.Series(SERIES)), "c": None}
    assert list(outputs_of(given, sample)) == ["a", "b_0", "b_1"]
    with pytest.raises(DataError, match="'value' has 149 rows for 150"):
        outputs_of(SERIES[1:], sample)
    with pytest.raises(DataError, match="single value"):
        outputs_of(3.0, sample)
