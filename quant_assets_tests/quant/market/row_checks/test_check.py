"""What holds for every dataset: times, order, repeats, doubts."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.adapters.layouts.base import RAW_COLUMNS
from quant_assets.core.errors import DataError
from quant_assets.core.registry import discover
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.check import PACKAGE, check_rows
from quant_assets.quant.market.row_checks.rules import RowRules
from quant_assets_tests.adapters.venue_models import make_venue
from quant_assets_tests.quant.market.row_checks.raws import (
    BTC,
    ETH,
    MINUTES,
    bars,
    checked,
    grid,
    rules,
    told,
    with_cell,
)

pytestmark = pytest.mark.slow

RECEIVED = datetime(2024, 6, 1, tzinfo=UTC)


def test_every_dataset_of_the_layouts_has_its_check_and_its_columns():
    checks = discover(PACKAGE, RowCheck)
    assert set(checks) == set(RAW_COLUMNS)
    for dataset, check in checks.items():
        wanted = {"ts", "line", *check.columns()} - set(check.optional)
        assert wanted <= set(RAW_COLUMNS[dataset])


def test_rules_of_a_venue_take_market_and_history():
    venue = make_venue(
        "simulated", first="2024-01-01", last="2024-02-01", market={"publication_delay": "7s"}
    )
    made = RowRules.of(venue, file="a.csv", received_at=RECEIVED)
    assert made == rules(
        venue="test_simulated",
        file="a.csv",
        publication_delay=timedelta(seconds=7),
        last=date(2024, 2, 1),
    )
    with pytest.raises(DataError, match="has no time zone"):
        RowRules.of(venue, file="a.csv", received_at=RECEIVED.replace(tzinfo=None))


def test_clean_rows_come_back_sorted_and_without_doubts():
    frame = bars(4, ts=[*grid(2), *grid(2)], symbol=[ETH, ETH, BTC, BTC], close=[1, 2, 3, 4])
    frame = frame.assign(open=frame.close, high=frame.close, low=frame.close)
    result = checked("bars", frame)
    assert result.frame[["symbol", "close"]].to_numpy().tolist() == [
        [BTC, 3.0],
        [ETH, 1.0],
        [BTC, 4.0],
        [ETH, 2.0],
    ]
    assert (result.frame.available_at - result.frame.ts == MINUTES + timedelta(seconds=3)).all()
    assert result.doubts.empty
    assert result.undated.empty
    assert result.counts == {
        "rows": 4,
        "stored": 4,
        "quarantined": 0,
        "dropped": 0,
        "repaired": 0,
        "flagged": 0,
        "undated": 0,
    }


@pytest.mark.parametrize("dataset", sorted(RAW_COLUMNS))
def test_no_rows_give_the_empty_frame(dataset):
    check = discover(PACKAGE, RowCheck)[dataset]
    whole = check.contract.empty().drop(columns="available_at")
    frame = whole.assign(line=np.empty(0, dtype="int64"), event_id=pd.Series([], dtype="str"))
    assert checked(dataset, frame).frame.empty


def test_unreadable_time_stands_apart_with_line_and_text():
    frame = with_cell(bars(3), 1, ts=pd.NaT)
    result = checked("bars", frame)
    [row] = result.undated.to_dict("records")
    assert (row["line"], row["symbol"], row["reason"]) == (3, BTC, "time cannot be read")
    assert "ts=NaT" in row["text"]
    assert "close=100.5" in row["text"]
    assert result.doubts.empty
    assert result.counts["undated"] == 1


def test_doubt_names_file_line_and_the_row_as_it_stood():
    result = checked("bars", with_cell(bars(), 2, volume=-1.5))
    [doubt] = result.doubts.to_dict("records")
    assert doubt["file"] == "drop/bars.csv"
    assert doubt["line"] == 4
    assert doubt["value"] == -1.5
    assert doubt["ts"] == pd.Timestamp("2024-03-01 00:10", tz="UTC")
    assert doubt["available_at"] == pd.Timestamp("2024-03-01 00:15:03", tz="UTC")
    assert "ts=2024-03-01T00:10:00.000000Z" in doubt["text"]
    assert "high=101.0" in doubt["text"]
    assert "volume=-1.5" in doubt["text"]
    assert len(doubt["text"]) <= 200


def test_a_doubt_of_thousands_of_rows_keeps_every_row():
    frame = bars(3000, volume=-1.0)
    result = checked("bars", frame)
    assert len(result.doubts) == 3000
    assert result.doubts.line.tolist() == frame.line.tolist()


def test_missing_symbol_is_set_aside_and_odd_symbols_are_words():
    symbols = ["NA", "NULL", "nan", "TRUE", "1INCH", None]
    result = checked("bars", bars(6, symbol=symbols))
    assert result.frame.symbol.tolist() == symbols[:5]
    assert told(result) == [(7, "quarantined", "no symbol")]
    assert result.doubts.symbol.tolist() == [""]


# --- times ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "stored"),
    [("2024-03-01 00:15:03", 3), ("2024-03-01 00:15:02", 2), ("2024-03-01 00:14:59", 2)],
)
def test_bar_that_was_not_published_when_the_file_came_is_unclosed(received, stored):
    at = datetime.fromisoformat(received).replace(tzinfo=UTC)
    result = checked("bars", bars(3), received_at=at)
    assert len(result.frame) == stored
    expected = [(4, "quarantined", "unclosed")][: 3 - stored]
    assert told(result) == expected
    if expected:
        assert result.doubts.value[0] == (datetime(2024, 3, 1, 0, 15, 3, tzinfo=UTC) - at).seconds


def test_bars_close_when_the_source_says_if_that_is_later():
    closes = [moment + timedelta(minutes=7) for moment in grid(3)]
    result = checked("bars", bars(3, closes_at=[closes[0], None, closes[2]]))
    wait = (result.frame.available_at - result.frame.ts).dt.total_seconds().tolist()
    assert wait == [423.0, 303.0, 423.0]


def test_time_beyond_two_bars_after_receipt_refuses_and_names_the_clock():
    received = datetime(2024, 3, 1, 0, 5, tzinfo=UTC)
    assert checked("bars", bars(4), received_at=received).counts["quarantined"] == 4
    with pytest.raises(DataError, match=r"drop/bars.csv: line 6: BTC.* clock is ahead by 0:15:00"):
        check_rows("bars", bars(5), rules(received_at=received))


@pytest.mark.parametrize(
    ("factor", "words"), [(1000, "1,000 times finer"), (1 / 1000, "1,000 times coarser")]
)
def test_times_in_another_unit_refuse_with_the_unit(factor, words):
    frame = bars(5)
    micros = frame.ts.to_numpy(dtype="datetime64[us]").astype("int64") * factor
    moved = pd.Series(micros.astype("int64").astype("datetime64[us]")).dt.tz_localize("UTC")
    with pytest.raises(DataError, match=r"line 2: .*5 of 5 rows lie outside.*" + words):
        check_rows("bars", frame.assign(ts=moved), rules())


def test_few_rows_outside_the_history_are_set_aside():
    frame = bars(200, ts=[pd.Timestamp("2023-12-31 23:55", tz="UTC"), *grid(199)])
    result = checked("bars", frame)
    assert told(result) == [(2, "quarantined", "outside history")]
    assert checked("bars", bars(4), first=date(2024, 3, 1)).doubts.empty
    last = checked("bars", bars(300), last=date(2024, 3, 1))
    assert last.counts["quarantined"] == 12
    assert set(last.doubts.reason) == {"outside history"}


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_times_without_zone_or_of_another_are_refused(zone):
    frame = bars()
    naive = frame.ts.dt.tz_localize(None)
    other = naive if zone is None else frame.ts.dt.tz_convert(zone)
    with pytest.raises(DataError, match="column ts is datetime64") as error:
        check_rows("bars", frame.assign(ts=other), rules())
    assert ("no time zone" in str(error.value)) is (zone is None)


# --- order and repeats ------------------------------------------------------------------------


def test_few_rows_out_of_order_are_sorted_with_one_doubt_that_counts():
    moments = grid(300)
    moments[10], moments[11] = moments[11], moments[10]
    moments[50], moments[60] = moments[60], moments[50]
    frame = bars(300, ts=moments, close=np.linspace(99.5, 100.5, 300))
    result = checked("bars", frame)
    assert result.frame.ts.is_monotonic_increasing
    [doubt] = result.doubts.to_dict("records")
    assert (doubt["outcome"], doubt["reason"], doubt["line"]) == ("repaired", "out of order", 13)
    assert doubt["value"] == 3.0
    by_ts = frame.sort_values("ts").close.to_numpy()
    np.testing.assert_array_equal(result.frame.close, by_ts)


def test_many_rows_out_of_order_refuse():
    moments = grid(100)
    moments[10:14] = moments[10:14][::-1]
    with pytest.raises(DataError, match=r"line 13: .*3 of 100 rows are out of order"):
        check_rows("bars", bars(100, ts=moments), rules())


def test_newest_first_and_symbol_by_symbol_are_orders():
    newest_first = bars(6, ts=[*grid(3)[::-1], *grid(3)[::-1]], symbol=[ETH] * 3 + [BTC] * 3)
    result = checked("bars", newest_first)
    assert result.doubts.empty
    assert result.frame.symbol.tolist() == [BTC, ETH] * 3


def test_a_block_in_the_wrong_place_is_one_break_however_many_rows_it_has():
    days = grid(3, timedelta(days=1))
    symbols = [f"S{column:02d}" for column in range(40)]
    frame = bars(120, ts=np.repeat([days[1], days[2], days[0]], 40), symbol=symbols * 3)
    result = checked("bars", frame)
    assert told(result) == [(82, "repaired", "out of order")]
    assert result.doubts.value.tolist() == [1.0]
    assert len(result.frame) == 120


def test_a_file_of_vintages_is_in_the_order_of_its_collections():
    days = grid(41, timedelta(days=1))
    ts = [day for row in range(40) for day in (days[row + 1], days[row])]
    collected = [days[row + 1] + timedelta(hours=23) for row in range(40) for _ in range(2)]
    frame = bars(80, ts=ts, collected_at=collected)
    result = checked("bars", frame, bar_length=timedelta(days=1))
    assert set(result.doubts.reason) == {"duplicate"}
    assert len(result.frame) == 41


def test_a_file_that_repeats_itself_is_in_order():
    frame = pd.concat([bars(100)] * 3).assign(line=range(2, 302))
    result = checked("bars", frame)
    assert result.counts["dropped"] == 200
    assert set(result.doubts.reason) == {"duplicate"}


def test_equal_rows_are_one_and_each_other_one_is_noted():
    frame = pd.concat([bars(3), bars(3), bars(1)]).assign(line=range(2, 9))
    result = checked("bars", frame.sort_values("ts", kind="stable"))
    assert len(result.frame) == 3
    assert told(result) == [(line, "repaired", "duplicate") for line in (5, 6, 7, 8)]
    assert result.counts["dropped"] == result.counts["repaired"] == 4


def test_unequal_rows_of_one_time_are_all_set_aside():
    frame = bars(5, ts=[grid(2)[0]] * 3 + grid(3)[1:], close=[100, 100, 100.5, 100, 100])
    result = checked("bars", frame)
    assert len(result.frame) == 2
    assert told(result) == [(line, "quarantined", "same time, other values") for line in (2, 3, 4)]


def test_newest_vintage_stays_and_the_older_ones_are_revised():
    ts = [grid(1)[0]] * 4
    vintages = ["2024-04-02", "2024-04-01", "2024-04-03", "2024-04-02"]
    frame = bars(4, ts=ts, collected_at=vintages, close=[100.2, 100.1, 100.3, 100.3])
    result = checked("bars", frame)
    assert result.frame.close.tolist() == [100.3]
    assert told(result) == [
        (2, "repaired", "revised"),
        (3, "repaired", "revised"),
        (5, "repaired", "duplicate"),
    ]


def test_contradiction_inside_the_newest_vintage_is_no_revision():
    frame = bars(
        3,
        ts=[grid(1)[0]] * 3,
        collected_at=["2024-04-02", "2024-04-01", "2024-04-02"],
        close=[100.2, 100.1, 100.3],
    )
    result = checked("bars", frame)
    assert result.frame.empty
    assert [outcome for _, outcome, _ in told(result)] == ["quarantined", "repaired", "quarantined"]


def test_older_row_is_no_way_out_of_a_contradiction():
    frame = bars(
        3,
        ts=[grid(1)[0]] * 3,
        collected_at=["2024-04-02", "2024-04-02", "2024-04-01"],
        close=[100.2, 100.3, 100.2],
    )
    result = checked("bars", frame)
    assert result.frame.empty
    assert result.counts["dropped"] == 1


def test_a_gap_row_does_not_contradict_the_bar():
    frame = with_cell(bars(2, ts=[grid(1)[0]] * 2), 1, close=np.nan)
    result = checked("bars", frame)
    assert len(result.frame) == 1
    assert told(result) == [(3, "quarantined", "missing price")]


def test_negative_zero_becomes_zero_with_a_doubt():
    result = checked("bars", with_cell(bars(), 1, volume=-0.0))
    assert not np.signbit(result.frame.volume).any()
    assert told(result) == [(3, "repaired", "negative zero")]


# --- columns ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1.234,5", "1,234.5", "12%", "$5"])
def test_numbers_as_text_refuse_with_the_sample(text):
    frame = bars().assign(close=["1", "2", text, "3"])
    with pytest.raises(DataError) as error:
        check_rows("bars", frame, rules())
    assert f"column close is str, not float64; line 4 has '{text}'" in str(error.value)


def test_missing_column_is_named():
    with pytest.raises(DataError, match=r"drop/bars.csv: bars need .*\['low'\] are missing"):
        check_rows("bars", bars().drop(columns="low"), rules())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.sampled_from([BTC, ETH]),
            st.sampled_from([100.0, 99.0, 0.0, -1.0, np.nan, np.inf]),
        ),
        max_size=12,
    )
)
def test_any_rows_are_stored_once_or_have_a_doubt(cells):
    cells = sorted(cells, key=lambda cell: cell[0])
    moments = grid(6)
    frame = bars(
        len(cells),
        ts=[moments[row] for row, _, _ in cells],
        symbol=[symbol for _, symbol, _ in cells],
        close=[close for _, _, close in cells],
    )
    result = checked("bars", frame)
    gone = result.counts["quarantined"] + result.counts["dropped"]
    assert result.doubts.line.nunique() == gone
    values = {}
    for line, row in enumerate(cells):
        values.setdefault(row[:2], []).append((line, row[2]))
    possible = {100.0, 99.0}
    expected = {
        key: priced[0]
        for key, rows in values.items()
        if len(priced := {close for _, close in rows if not np.isnan(close)}) == 1
        and (priced := list(priced))[0] in possible
    }
    stored = {
        ((row.ts - moments[0]) // MINUTES, row.symbol): row.close
        for row in result.frame.itertuples()
    }
    assert stored == expected
