"""Splits and dividends on read: the true return, and what was not known yet."""

import pandas as pd
import pytest

from quant_assets.contracts.adjustments import Adjustments
from quant_assets.contracts.bars import Bars
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.market.adjust import adjust_bars, clean_adjustments, unapplied
from quant_assets_tests.quant.market.event_frames import adjustments, at
from quant_assets_tests.quant.market.frames import bars_frame, ingestion

CLOSES = {"A": [100.0, 102.0, 51.51, 52.0], "B": [10.0, 11.0, 12.0, 13.0]}
SPLIT = ("03", "01", "A", "split", 0.5)
DIVIDEND = ("04", "04", "A", "dividend", 0.99)


def adjusted(*events: tuple, as_of: str) -> pd.DataFrame:
    frame = adjust_bars(bars_frame(CLOSES), adjustments(*events), as_of=at(as_of).to_pydatetime())
    return Bars.check_frame(frame, where="adjusted")


def closes(frame: pd.DataFrame, symbol: str = "A") -> list[float]:
    return frame.loc[frame["symbol"] == symbol, "close"].tolist()


def test_adjust_bars_return_of_the_split_day_is_the_true_one():
    frame = adjusted(SPLIT, as_of="05")
    assert closes(frame) == [50.0, 51.0, 51.51, 52.0]
    assert closes(frame)[2] / closes(frame)[1] - 1.0 == pytest.approx(0.01)
    volume = frame.loc[frame["symbol"] == "A", "volume"].tolist()
    assert volume == [20.0, 20.0, 10.0, 10.0]
    assert closes(frame, "B") == CLOSES["B"]


def test_adjust_bars_as_of_before_the_split_uses_the_old_factor():
    """The split was announced on the 1st; it changes no price before it takes effect."""
    assert closes(adjusted(SPLIT, as_of="02 23:00")) == [100.0]
    assert closes(adjusted(SPLIT, as_of="03")) == [50.0, 51.0]


def test_adjust_bars_event_that_is_known_late_counts_from_then_on():
    late = ("03", "05 12:00", "A", "split", 0.5)
    assert closes(adjusted(late, as_of="05 11:59")) == CLOSES["A"]
    assert closes(adjusted(late, as_of="05 12:00")) == [50.0, 51.0, 51.51, 52.0]


def test_adjust_bars_factors_of_later_events_multiply_and_dividends_leave_volumes():
    frame = adjusted(SPLIT, DIVIDEND, as_of="05")
    assert closes(frame) == pytest.approx([49.5, 50.49, 51.51 * 0.99, 52.0])
    assert frame.loc[frame["symbol"] == "A", "volume"].tolist() == [20.0, 20.0, 10.0, 10.0]
    assert closes(adjusted(DIVIDEND, as_of="05")) == pytest.approx(
        [99.0, 102.0 * 0.99, 51.51 * 0.99, 52.0]
    )


def test_adjust_bars_changes_no_input_and_keeps_gaps():
    bars = bars_frame({"A": [100.0, float("nan"), 51.0]})
    before = bars.copy()
    frame = adjust_bars(bars, adjustments(SPLIT), as_of=at("05").to_pydatetime())
    assert bars.equals(before)
    assert frame["is_gap"].tolist() == [False, True, False]
    assert frame["close"].isna().tolist() == [False, True, False]


def test_adjust_bars_without_events_is_what_was_known():
    frame = adjusted(as_of="05")
    pd.testing.assert_frame_equal(frame, bars_frame(CLOSES))


@pytest.mark.parametrize(
    ("price_adjustment", "left"),
    [("none", ["split", "dividend"]), ("splits", ["dividend"]), ("total_return", [])],
)
def test_unapplied_events_are_those_that_the_prices_do_not_contain(price_adjustment, left):
    events = adjustments(SPLIT, DIVIDEND)
    assert unapplied(price_adjustment, events)["kind"].tolist() == left


def test_clean_adjustments_keeps_events_and_refuses_a_dividend_above_one():
    raw = adjustments(SPLIT, DIVIDEND)
    frame = clean_adjustments(ingestion(), NullTelemetry(), raw_adjustments=raw)
    assert frame is raw
    wrong = adjustments(("04", "04", "A", "dividend", 1.01))
    with pytest.raises(DataError, match=r"dividend of A at 2020-02-04 .* price factor 1.01, above"):
        clean_adjustments(ingestion(), NullTelemetry(), raw_adjustments=wrong)


def test_clean_adjustments_without_events_is_the_empty_frame():
    raw = Adjustments.empty()
    frame = clean_adjustments(ingestion(), NullTelemetry(), raw_adjustments=raw)
    assert Adjustments.check_frame(frame, where="empty").empty


@pytest.mark.parametrize("kind", ["fork", "airdrop"])
def test_coins_that_were_given_adjust_prices_and_leave_volumes(kind: str):
    given = ("04", "04", "A", kind, 0.99)
    assert adjusted(given, as_of="05").equals(adjusted(DIVIDEND, as_of="05"))
    assert unapplied("splits", adjustments(SPLIT, given))["kind"].tolist() == [kind]
    wrong = adjustments(("04", "04", "A", kind, 1.01))
    with pytest.raises(DataError, match=rf"the {kind} of A at 2020-02-04 .* above 1; 1 - worth"):
        clean_adjustments(ingestion(), NullTelemetry(), raw_adjustments=wrong)
