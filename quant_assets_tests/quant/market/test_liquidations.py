"""Forced orders keep their exact times and come once."""

from quant_assets.contracts.liquidations import Liquidations
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.market.liquidations import clean_liquidations
from quant_assets_tests.quant.market.event_frames import at, liquidations
from quant_assets_tests.quant.market.frames import ingestion

LONG = ("03 10:00:00.123", "03 10:00:01", "A", "sell-10-2", "sell", 10.0, 2.0)
SHORT = ("03 10:00:00.123", "03 10:00:01", "A", "buy-11-3", "buy", 11.0, 3.0)


def test_clean_liquidations_repeated_delivery_is_one_row_at_its_exact_time():
    again = (LONG[0], "03 10:05:00", *LONG[2:])
    raw = liquidations(SHORT, LONG, again, check=False)
    telemetry = RecordingTelemetry()
    frame = clean_liquidations(ingestion(), telemetry, raw_liquidations=raw)
    Liquidations.check_frame(frame, where="liquidations")
    assert frame["ts"].tolist() == [at("03 10:00:00.123")] * 2
    assert frame["available_at"].tolist() == [at("03 10:00:01"), at("03 10:05:00")]
    assert telemetry.rows == [
        {
            "kind": "metrics", "scope": "liquidations", "events": 2.0, "repeated": 1.0,
            "notional of longs": 20.0, "notional of shorts": 33.0,
        }
    ]  # fmt: skip


def test_clean_liquidations_without_rows_is_the_empty_frame():
    raw = Liquidations.empty()
    frame = clean_liquidations(ingestion(), NullTelemetry(), raw_liquidations=raw)
    assert Liquidations.check_frame(frame, where="empty").empty
