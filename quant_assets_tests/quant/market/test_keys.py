"""One row per key, the newest."""

from quant_assets.contracts.liquidations import Liquidations
from quant_assets.quant.market.keys import latest_rows
from quant_assets_tests.quant.market.event_frames import liquidations

FIRST = ("03 10:00:00.123", "03 10:00:01", "A", "1", "sell", 10.0, 2.0)
SECOND = ("03 10:00:00.124", "03 10:00:02", "A", "2", "buy", 11.0, 1.0)
REVISED = ("03 10:00:00.123", "03 11:00:00", "A", "1", "sell", 10.5, 2.0)


def test_latest_rows_unique_frame_is_returned_as_it_is():
    frame = liquidations(FIRST, SECOND)
    assert latest_rows(frame, Liquidations) is frame


def test_latest_rows_repeated_key_keeps_what_was_known_last_and_sorts():
    frame = liquidations(SECOND, REVISED, FIRST, check=False)
    kept = latest_rows(frame, Liquidations)
    assert kept.equals(liquidations(REVISED, SECOND))
