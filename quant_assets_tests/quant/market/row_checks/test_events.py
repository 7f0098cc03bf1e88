"""Funding, marks, open interest, liquidations, order books, adjustments, aliases."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.market.row_checks.check import check_rows
from quant_assets_tests.quant.market.row_checks.raws import (
    BTC,
    ETH,
    checked,
    grid,
    raw,
    rules,
    told,
    with_cell,
)

pytestmark = pytest.mark.slow

EIGHT_HOURS = timedelta(hours=8)
SECOND = timedelta(seconds=1)


def funding(n_rows: int = 3, **columns: object) -> pd.DataFrame:
    return raw(**{"ts": grid(n_rows, EIGHT_HOURS), "rate": 1e-4, **columns})


def liquidations(n_rows: int = 3, **columns: object) -> pd.DataFrame:
    flat = {"event_id": "", "side": "sell", "price": 60000.5, "quantity": 0.25}
    return raw(**{"ts": grid(n_rows, SECOND), **flat, **columns})


def book(n_levels: int = 3, n_snapshots: int = 2, **columns: object) -> pd.DataFrame:
    levels = np.tile(np.arange(n_levels), n_snapshots)
    flat = {
        "ts": np.repeat(grid(n_snapshots, SECOND), n_levels),
        "level": levels,
        "bid_price": 100.0 - levels,
        "bid_quantity": 1.0,
        "ask_price": 101.0 + levels,
        "ask_quantity": 2.0,
    }
    return raw(**(flat | columns))


def interest(n_rows: int = 3, **columns: object) -> pd.DataFrame:
    flat = {"open_interest": 1000.0, "open_interest_value": 6e7, "unit": "base"}
    return raw(**{"ts": grid(n_rows, SECOND), **flat, **columns})


# --- funding ----------------------------------------------------------------------------------


def test_funding_keeps_its_exact_time_and_is_named_by_its_minute():
    moments = [moment + timedelta(milliseconds=5) for moment in grid(3, EIGHT_HOURS)]
    result = checked("funding", funding(ts=moments, mark_price=[6e4, np.nan, 7e4]))
    assert result.frame.event_id.tolist() == [
        "funding-2024-03-01T00:00Z",
        "funding-2024-03-01T08:00Z",
        "funding-2024-03-01T16:00Z",
    ]
    assert (result.frame.ts == pd.DatetimeIndex(moments)).all()
    assert (result.frame.available_at - result.frame.ts == timedelta(seconds=3)).all()
    assert result.doubts.empty


def test_settlement_told_twice_some_milliseconds_apart_is_paid_once():
    moments = grid(2, EIGHT_HOURS)
    late = moments[0] + timedelta(milliseconds=7)
    result = checked("funding", funding(ts=[moments[0], late, moments[1]]))
    assert len(result.frame) == 2
    assert result.frame.mark_price.isna().all()
    assert told(result) == [(3, "repaired", "duplicate")]


def test_settlement_told_twice_with_other_rates_is_set_aside():
    moments = grid(1, EIGHT_HOURS)
    late = moments[0] + timedelta(milliseconds=7)
    result = checked("funding", funding(ts=[moments[0], late], rate=[1e-4, 2e-4]))
    assert result.frame.empty
    assert set(result.doubts.reason) == {"same time, other values"}


def test_intervals_of_funding_may_change():
    hours = [0, 8, 16, 20, 24, 25, 26]
    moments = [pd.Timestamp("2024-03-01", tz="UTC") + timedelta(hours=hour) for hour in hours]
    result = checked("funding", funding(7, ts=moments, rate=-1e-4))
    assert result.frame.ts.tolist() == moments
    assert result.doubts.empty


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"rate": np.nan}, "missing rate"),
        ({"rate": np.inf}, "infinite value"),
        ({"rate": -0.2}, "rate beyond 10% of notional"),
        ({"mark_price": 0.0}, "mark price not above zero"),
    ],
)
def test_impossible_settlement_is_set_aside(values, reason):
    result = checked("funding", with_cell(funding(mark_price=6e4), 1, **values))
    assert told(result) == [(3, "quarantined", reason)]


def test_rates_in_per_cent_refuse():
    with pytest.raises(DataError, match=r"line 2: .*3 of 3 rows have a rate beyond 10%.*fractions"):
        check_rows("funding", funding(rate=0.5), rules())


# --- marks, open interest ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "reason"),
    [(0.0, "mark price not above zero"), (np.nan, "missing price"), (np.inf, "infinite value")],
)
def test_impossible_mark_is_set_aside(value, reason):
    marks = raw(ts=grid(3), mark_price=[1.0, value, 2.0])
    result = checked("marks", marks)
    assert result.frame.mark_price.tolist() == [1.0, 2.0]
    assert told(result) == [(3, "quarantined", reason)]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"open_interest": np.nan}, "missing open interest"),
        ({"open_interest": -1.0}, "open interest below zero"),
        ({"open_interest_value": -1.0}, "open interest value below zero"),
        ({"open_interest_value": np.inf}, "infinite value"),
        ({"unit": "coins"}, "unknown unit"),
        ({"unit": None}, "unknown unit"),
    ],
)
def test_impossible_open_interest_is_set_aside(values, reason):
    result = checked("open_interest", with_cell(interest(), 1, **values))
    assert told(result) == [(3, "quarantined", reason)]
    assert len(result.frame) == 2


def test_open_interest_keeps_times_off_the_grid_and_may_be_zero():
    moments = [moment + timedelta(seconds=7) for moment in grid(3)]
    frame = interest(ts=moments, open_interest=[0.0, 1.0, 2.0]).drop(columns="open_interest_value")
    result = checked("open_interest", frame)
    assert result.frame.ts.tolist() == moments
    assert result.frame.open_interest_value.isna().all()


# --- liquidations -----------------------------------------------------------------------------


def test_liquidation_without_id_is_named_by_side_price_and_quantity():
    result = checked("liquidations", liquidations(1))
    assert result.frame.event_id.tolist() == ["sell-60000.5-0.25"]


def test_liquidations_of_a_reconnect_are_one_row():
    moments = grid(2, SECOND)
    frame = liquidations(
        5,
        ts=[moments[0], moments[0], moments[0], moments[0], moments[1]],
        quantity=[1.0, 1.0, 2.0, 1.0, 1.0],
        symbol=[BTC, BTC, BTC, ETH, BTC],
    )
    result = checked("liquidations", frame)
    assert told(result) == [(3, "repaired", "duplicate")]
    assert result.frame[["symbol", "quantity"]].to_numpy().tolist() == [
        [BTC, 1.0],
        [BTC, 2.0],
        [ETH, 1.0],
        [BTC, 1.0],
    ]


def test_liquidations_with_ids_are_told_apart_by_them():
    moment = grid(1)[0]
    frame = liquidations(
        5,
        ts=[moment, moment, moment, moment + SECOND, moment + SECOND],
        event_id=["a", "b", "a", "a", "b"],
        price=[1.0, 1.0, 1.0, 1.0, 2.0],
    )
    result = checked("liquidations", frame)
    assert told(result) == [
        (3, "quarantined", "same time, other values"),
        (4, "repaired", "duplicate"),
        (5, "repaired", "duplicate"),
        (6, "quarantined", "same time, other values"),
    ]
    assert result.frame.event_id.tolist() == ["a"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"side": "SELL"}, "unknown side"),
        ({"side": None}, "unknown side"),
        ({"price": np.nan}, "missing price"),
        ({"quantity": np.nan}, "missing quantity"),
        ({"price": 0.0}, "price not above zero"),
        ({"quantity": -1.0}, "quantity not above zero"),
        ({"quantity": np.inf}, "infinite value"),
    ],
)
def test_impossible_liquidation_is_set_aside(values, reason):
    result = checked("liquidations", with_cell(liquidations(), 1, **values))
    assert told(result) == [(3, "quarantined", reason)]


# --- order books ------------------------------------------------------------------------------


def test_clean_books_are_stored_level_by_level():
    frame = book().iloc[::-1].reset_index(drop=True)
    result = checked("order_book", frame)
    assert result.frame.level.tolist() == [0, 1, 2, 0, 1, 2]
    assert result.frame.level.dtype == "int64"
    assert not result.frame.is_crossed.any()
    assert result.doubts.empty


@pytest.mark.parametrize("bid", [101.0, 101.5])
def test_locked_or_crossed_snapshot_is_marked_on_all_its_rows(bid):
    result = checked("order_book", with_cell(book(), 3, bid_price=bid))
    assert result.frame.is_crossed.tolist() == [False] * 3 + [True] * 3


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"bid_price": 0.0}, "bid price not above zero"),
        ({"ask_price": -1.0}, "ask price not above zero"),
        ({"ask_quantity": -1.0}, "negative ask quantity"),
        ({"bid_quantity": np.inf}, "infinite value"),
        ({"bid_price": 100.0}, "levels out of order"),
        ({"ask_price": 100.5}, "levels out of order"),
        ({"level": 5}, "levels out of order"),
        ({"level": 1.5}, "level is no whole number"),
        ({"level": np.nan}, "level is no whole number"),
    ],
)
def test_impossible_level_sets_the_whole_snapshot_aside(values, reason):
    frame = book()
    frame["level"] = frame["level"].astype("float64")
    result = checked("order_book", with_cell(frame, 1, **values))
    found = {line: why for line, _, why in told(result)}
    assert found[3] == reason
    assert set(found) == {2, 3, 4}
    assert len(set(result.frame.ts)) == 1


def test_levels_of_one_line_are_one_doubt_a_reason():
    frame = with_cell(with_cell(book(line=[2] * 3 + [3] * 3), 1, bid_price=0.0), 2, bid_price=0.0)
    result = checked("order_book", frame)
    assert result.counts["quarantined"] == 3
    assert told(result) == [
        (2, "quarantined", "another level of the snapshot is wrong"),
        (2, "quarantined", "bid price not above zero"),
    ]


def test_level_told_twice_differently_sets_the_snapshot_aside():
    frame = pd.concat([book(), book(1, 1, bid_quantity=9.0, line=[99])], ignore_index=True)
    frame = frame.sort_values("ts", kind="stable").reset_index(drop=True)
    result = checked("order_book", frame)
    assert len(set(result.frame.ts)) == 1
    assert result.counts["quarantined"] == 4


def test_one_sided_and_padded_levels_are_no_mistake():
    frame = with_cell(book(), 1, ask_price=np.nan, ask_quantity=np.nan)
    frame = with_cell(frame, 2, ask_price=np.nan, bid_price=np.nan)
    result = checked("order_book", frame)
    assert len(result.frame) == 5
    assert told(result) == [(4, "repaired", "empty level")]


# --- adjustments, aliases ---------------------------------------------------------------------


def test_adjustments_older_than_the_history_are_kept_and_known_when_they_take_effect():
    moments = grid(2, timedelta(days=400), start="2019-01-01")
    frame = raw(ts=moments, kind=["split", "dividend"], price_factor=[0.5, 0.99])
    result = checked("adjustments", frame)
    assert (result.frame.available_at == result.frame.ts).all()
    assert result.doubts.empty


def test_split_and_dividend_of_one_day_are_two_events():
    day = grid(1)[0]
    frame = raw(ts=[day] * 3, kind=["split", "dividend", "split"], price_factor=[0.5, 0.99, 0.5])
    result = checked("adjustments", frame)
    assert result.frame.kind.tolist() == ["dividend", "split"]
    assert told(result) == [(4, "repaired", "duplicate")]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"price_factor": 0.0}, "factor not above zero"),
        ({"price_factor": np.nan}, "missing factor"),
        ({"price_factor": np.inf}, "infinite value"),
        ({"kind": "merger"}, "unknown kind"),
    ],
)
def test_impossible_adjustment_is_set_aside(values, reason):
    frame = raw(ts=grid(3), kind="split", price_factor=[0.5, 0.5, 0.5])
    assert told(checked("adjustments", with_cell(frame, 1, **values))) == [
        (3, "quarantined", reason)
    ]


def test_aliases_keep_open_ends_and_part_with_impossible_ones():
    frame = raw(ts=grid(4, timedelta(days=1), start="2004-01-01"), symbol="META")
    frame["ticker"] = pd.Series(["FB", "META", None, "FB"], dtype="str")
    frame["last"] = pd.to_datetime(
        pd.Series(["2022-06-08", None, None, "2003-01-01"]), utc=True
    ).astype("datetime64[us, UTC]")
    result = checked("aliases", frame)
    assert result.frame.ticker.tolist() == ["FB", "META"]
    assert result.frame["last"].isna().tolist() == [False, True]
    assert told(result) == [
        (4, "quarantined", "missing ticker"),
        (5, "quarantined", "ends before it begins"),
    ]


# --- depth bands ------------------------------------------------------------------------------


def bands(**columns: object) -> pd.DataFrame:
    """Two snapshots of bids and asks within 1 and 2 percent."""
    flat = {
        "ts": np.repeat(grid(2, SECOND), 4),
        "band_pct": [-2.0, -1.0, 1.0, 2.0] * 2,
        "depth": [20.0, 10.0, 5.0, 15.0] * 2,
        "notional": [2000.0, 1000.0, 500.0, 1500.0] * 2,
    }
    return raw(**(flat | columns))


def test_depth_bands_are_sorted_and_known_when_they_were_published():
    result = checked("depth_bands", bands().iloc[::-1].reset_index(drop=True))
    assert result.frame["band_pct"].tolist() == [-2.0, -1.0, 1.0, 2.0] * 2
    assert (result.frame["available_at"] == result.frame["ts"] + timedelta(seconds=3)).all()
    assert not len(result.doubts)


def test_depth_band_that_cannot_be_is_set_aside_and_one_that_shrinks_is_flagged():
    frame = bands(
        depth=[20.0, 10.0, 5.0, 4.0, 20.0, -1.0, np.nan, 15.0],
        band_pct=[-2.0, -1.0, 1.0, 2.0, 0.0, -1.0, 1.0, 101.0],
    )
    result = checked("depth_bands", frame)
    assert result.frame["band_pct"].tolist() == [-2.0, -1.0, 1.0, 2.0]
    reasons = dict(zip(result.doubts["line"], result.doubts["reason"], strict=True))
    assert reasons == {
        5: "less depth than in a narrower band",
        6: "band of no width",
        7: "negative depth",
        8: "missing depth",
        9: "band beyond 100 percent",
    }


def test_depth_band_that_comes_twice_is_one_row():
    frame = pd.concat([bands(), bands()], ignore_index=True)
    assert len(checked("depth_bands", frame).frame) == 8
