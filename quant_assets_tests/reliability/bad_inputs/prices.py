"""Rows 11 to 22: bars that cannot be, that are odd, that are absent, or that mean another unit."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.adjustments import Adjustments
from quant_assets.contracts.gap_ledger import GapLedger
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.analytics.checks import data_verdicts
from quant_assets.quant.market.adjust import adjust_bars
from quant_assets.quant.market.aliases import Alias, by_instrument, with_strangers
from quant_assets.quant.market.bars import clean_bars
from quant_assets.quant.market.flags import FlagLimits, flag_bars
from quant_assets.quant.market.gap_ledger import gap_ledger_window
from quant_assets.quant.market.quality import quality_window
from quant_assets.quant.market.universe import universe_window
from quant_assets_tests.quant.market.event_frames import doubts, frame_of
from quant_assets_tests.quant.market.frames import bars_frame, discovery, ingestion
from quant_assets_tests.quant.market.row_checks.raws import bars, checked, raw, told, with_cell
from quant_assets_tests.reliability.bad_inputs.landing import Landing, bar, table

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TELEMETRY = NullTelemetry()
NAN = float("nan")
SHORT = FlagLimits(scale_rows=40, least_rows=10)


def walk(n_rows: int = 80) -> np.ndarray:
    return 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.002, n_rows)))


def flags_of(close: np.ndarray) -> list[tuple[int, str]]:
    """Row and reason of every flag; the bars themselves all stay."""
    frame = bars_frame({"A": list(close)}, step=HOUR)
    found = flag_bars(frame, limits=SHORT)
    assert set(found.outcome) <= {"flagged"}
    return list(zip(((found.ts - frame.ts[0]) // HOUR).tolist(), found.reason, strict=True))


def case_11_negative_or_zero_price(landing: Landing) -> None:
    """Quarantine."""
    found = landing.drop(table([bar(0), bar(1, close="0"), bar(2, close="-5"), bar(3)]))
    assert found.told == [(line, "quarantined", "close not above zero") for line in (3, 4)]
    assert found.bars.ts.dt.hour.tolist() == [0, 3]


def case_12_high_below_low_or_close_outside(landing: Landing) -> None:
    """Quarantine; one tick is tolerated."""
    low = with_cell(bars(4), 1, high=98.0)
    assert told(checked("bars", low)) == [(3, "quarantined", "high below low")]
    found = landing.drop(table([bar(0), bar(1, close="101.1"), bar(2, close="101.2"), bar(3)]))
    assert found.told == [(4, "quarantined", "close outside high and low")]
    assert found.bars.close.tolist() == [100.5, 101.1, 100.5]


def case_13_nan_infinity_and_negative_zero(landing: Landing) -> None:
    """NaN is a gap, infinity quarantined, -0.0 is 0.0."""
    frame = with_cell(bars(6, ts=pd.date_range("2020-02-01", periods=6, freq="h")), 1, close=NAN)
    frame = with_cell(with_cell(frame, 3, high=np.inf), 4, volume=-0.0)
    facts = {"bar_length": HOUR, "first": date(2020, 1, 1)}
    result = checked("bars", frame, **facts)
    assert told(result) == [
        (3, "quarantined", "missing price"),
        (5, "quarantined", "infinite value"),
        (6, "repaired", "negative zero"),
    ]
    assert not np.signbit(result.frame.volume).any()
    context = ingestion(calendar="24/7", bar_length=HOUR, partial=True)
    series = clean_bars(context, TELEMETRY, raw_bars=result.frame)
    assert series.is_gap.tolist() == [False, True, False, True, False, False]
    assert series.close[series.is_gap].isna().all()
    ledger = gap_ledger_window(context, TELEMETRY, bars=series, raw_doubts=result.doubts)
    assert ledger.cause.tolist() == ["quarantined"] * 2


def case_14_zero_volume(landing: Landing) -> None:
    """Accept."""
    found = landing.drop(table([bar(0), bar(1, volume="0"), bar(2)]))
    assert found.bars.volume.tolist() == [10.0, 0.0, 10.0]
    assert found.told == []


def case_15_negative_volume(landing: Landing) -> None:
    """Quarantine."""
    found = landing.drop(table([bar(0), bar(1, volume="-3"), bar(2)]))
    assert found.told == [(3, "quarantined", "negative volume")]
    assert found.doubts.value.tolist() == [-3.0]


def case_16_stale_price(landing: Landing) -> None:
    """Accept and flag equal bars with volume; the score of the day falls."""
    close = walk()
    close[30:38] = close[30]
    assert flags_of(close) == [(row, "stale") for row in (35, 36, 37)]
    frame = bars_frame({"A": list(close)}, step=HOUR)
    about = flag_bars(frame, limits=SHORT)
    quality = quality_window(ingestion(), TELEMETRY, bars=frame, doubts=about)
    assert quality.stale.tolist() == [0, 3, 0, 0]
    assert quality.score.tolist() == [1.0, 1 - 3 / 24, 1.0, 1.0]


def case_17_spike_of_one_bar(landing: Landing) -> None:
    """Accept and flag by robust z; nothing is deleted, and the way back is no spike."""
    close = walk()
    close[50] *= 100.0
    assert flags_of(close) == [(50, "spike")]


def case_18_gap_of_bars_and_outage(landing: Landing) -> None:
    """Gap ledger with length and cause; NaN, nothing is carried forward."""
    frame = bars_frame({"A": [1.0, None, None, 2.0, None, 3.0], "B": [1.0, None, None, *[2.0] * 3]})
    context = ingestion(calendar="24/7", partial=True)
    series = clean_bars(context, TELEMETRY, raw_bars=frame)
    gaps = series[series.is_gap]
    assert gaps[["open", "high", "low", "close"]].isna().all(axis=None)
    ledger = gap_ledger_window(context, TELEMETRY, bars=series, raw_doubts=doubts())
    GapLedger.check_frame(ledger, where="ledger")
    found = ledger[["symbol", "bars", "cause"]].to_numpy().tolist()
    assert found == [["A", 2, "whole venue"], ["B", 2, "whole venue"], ["A", 1, "unknown"]]


def case_19_split_or_denomination_change(landing: Landing) -> None:
    """A jump by a known ratio fails a check until a factor explains it; factors adjust on read."""
    for ratio in (0.5, 1 / 3, 0.2, 10.0, 1000.0):
        close = walk()
        close[40:] *= ratio
        assert (40, "ratio jump") in flags_of(close)
    close[40:] /= 2000.0
    frame = bars_frame({"A": list(close)}, step=HOUR)
    event = frame.ts[40].isoformat()
    split = frame_of(Adjustments, [(event, event, "A", "split", 0.5)])
    for events, passed in ((None, False), (split, True)):
        about = flag_bars(frame, adjustments=events, limits=SHORT)
        quality = quality_window(ingestion(), TELEMETRY, bars=frame, doubts=about)
        found = {verdict.check: verdict.passed for verdict in data_verdicts(quality, about)}
        assert found["unexplained_jumps"] is passed
    adjusted = adjust_bars(frame, split, as_of=datetime(2021, 1, 1, tzinfo=UTC))
    np.testing.assert_allclose(adjusted.close, walk() * 0.5, rtol=1e-12)


def case_20_dividend_is_an_event_of_its_own(landing: Landing) -> None:
    """Discrete events have their own table; stored prices stay as published."""
    event = raw(ts=pd.to_datetime(["2024-03-04"]), symbol="A", kind="dividend", price_factor=0.99)
    table_of_events = checked("adjustments", event).frame
    frame = bars_frame({"A": [100.0] * 4}, start="2024-03-02")
    before = frame.copy(deep=True)
    read = adjust_bars(frame, table_of_events, as_of=datetime(2024, 4, 1, tzinfo=UTC))
    assert read.close.tolist() == [99.0, 99.0, 100.0, 100.0]
    assert read.volume.tolist() == [10.0] * 4
    pd.testing.assert_frame_equal(frame, before)
    odd = with_cell(event, 0, kind="rumour")
    assert told(checked("adjustments", odd)) == [(2, "quarantined", "unknown kind")]


def case_21_symbol_rename_and_ticker_reuse(landing: Landing) -> None:
    """Aliases have dates; rows are joined by instrument."""
    aliases = [
        Alias("FB", "META", date(2012, 5, 18), date(2022, 6, 8)),
        Alias("META", "META", date(2022, 6, 9)),
        Alias("META", "METAVERSE ETF", date(2021, 6, 30), date(2022, 1, 30)),
    ]
    days = ("2020-01-02", "2021-07-01", "2022-03-01", "2023-01-02")
    ts = pd.Series(pd.to_datetime(list(days), utc=True)).dt.as_unit("us")
    rows = pd.DataFrame({"ts": ts, "symbol": ["FB", "META", "META", "META"]})
    assert by_instrument(rows, with_strangers(aliases))["symbol"].tolist() == [
        *("META", "METAVERSE ETF", "META-UNTIL-20220608", "META")
    ]
    with pytest.raises(DataError, match="aliases of META overlap"):
        with_strangers([*aliases, Alias("META", "ANOTHER", date(2023, 1, 1))])


def case_22_delisting(landing: Landing) -> None:
    """The history is kept, nothing is invented after the last bar, the universe is as of a time."""
    frame = bars_frame({"DEAD": [5.0] * 3, "LIVE": [1.0] * 20})
    series = clean_bars(ingestion(calendar="24/7"), TELEMETRY, raw_bars=frame)
    assert series.symbol.value_counts().to_dict() == {"LIVE": 20, "DEAD": 3}
    assert not series.is_gap.any()
    early = universe_window(discovery(), TELEMETRY, bars=series[series.ts < series.ts[0] + 3 * DAY])
    late = universe_window(discovery(), TELEMETRY, bars=series)
    assert early.is_listed.tolist() == [True, True]
    assert late.set_index("symbol").is_listed.to_dict() == {"DEAD": False, "LIVE": True}
