"""Rows 1 to 10: rows that come twice, in disorder, or at times that cannot be."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.market.alignment import refuse_time_shifts, time_shifts
from quant_assets.quant.market.row_checks.check import check_rows
from quant_assets_tests.quant.market.frames import bars_frame
from quant_assets_tests.quant.market.row_checks.raws import (
    MINUTES,
    bars,
    checked,
    grid,
    rules,
    told,
)
from quant_assets_tests.reliability.bad_inputs.landing import BTC, NEW_YORK, Landing, bar, table

HOUR = timedelta(hours=1)


def case_01_exact_duplicate_bars(landing: Landing) -> None:
    """Repair: dropped and counted."""
    found = landing.drop(table([*map(bar, range(5)), bar(2)]))
    assert len(found.bars) == found.counts["stored"] == 5
    assert found.counts["dropped"] == found.counts["repaired"] == 1
    assert found.told == [(7, "repaired", "duplicate")]


def case_02_same_timestamp_different_values(landing: Landing) -> None:
    """Quarantine both, unless the source has an order of revisions."""
    found = landing.drop(table([*map(bar, range(5)), bar(2, close="100.7")]))
    assert found.bars.ts.dt.hour.tolist() == [0, 1, 3, 4]
    assert found.told == [(line, "quarantined", "same time, other values") for line in (4, 7)]
    vintages = bars(2, ts=[grid(1)[0]] * 2, close=[100.1, 100.2], collected_at=grid(2))
    ordered = checked("bars", vintages)
    assert ordered.frame.close.tolist() == [100.2]
    assert told(ordered) == [(2, "repaired", "revised")]


def case_03_out_of_order_rows(landing: Landing) -> None:
    """Repair by a stable sort with one flag; refuse beyond 1 %."""
    hours = [*range(100), 101, 100, *range(102, 200)]
    found = landing.drop(table(map(bar, hours)))
    assert found.bars.ts.is_monotonic_increasing
    assert len(found.bars) == 200
    assert found.told == [(103, "repaired", "out of order")]
    assert found.doubts.value.tolist() == [1.0]
    scrambled = np.random.default_rng(1).permutation(200)
    landing.drop(table(map(bar, scrambled)), name="b.csv").refused(
        "b.csv: line ", "rows are out of order", "Sort the file by time"
    )


def case_04_hours_that_clocks_skip_or_repeat(landing: Landing) -> None:
    """Localise by the declared zone; refuse an ambiguous or absent hour, naming it."""
    line = "{},AAPL,100,101,99,100,1"
    good = landing.drop(table([line.format("2024-03-08T10:00:00")]), **NEW_YORK)
    assert good.bars.ts.tolist() == [pd.Timestamp("2024-03-08 15:00", tz="UTC")]
    for name, hour, words in (
        ("spring.csv", "2024-03-10T02:30:00", "2024-03-10 02:30:00 does not exist in America/New"),
        ("autumn.csv", "2024-11-03T01:30:00", "2024-11-03 01:30:00 happens twice in America/New"),
    ):
        found = landing.drop(table([line.format(hour)]), name=name, **NEW_YORK)
        found.refused(name, "column ts: line 2", words, "UTC offsets")


def case_05_wrong_time_zone(landing: Landing) -> None:
    """Error when returns agree with another source only at a lag."""
    close = 100 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, 400)))
    other = bars_frame({"A": list(close)}, start="2024-03-01", step=HOUR)
    ours = bars_frame({"A": list(close)}, start="2024-03-01 05:00", step=HOUR)
    assert time_shifts(ours, other, HOUR)["reason"].tolist() == ["shifted in time"]
    with pytest.raises(DataError, match=r"b.csv: column ts: .*A by 5:00:00 late.*time zone"):
        refuse_time_shifts(ours, other, HOUR, source="b.csv")
    refuse_time_shifts(other, other, HOUR, source="b.csv")
    assert shift_told(landing, close, late=5) == [("b.csv", "shifted in time", 18000.0)]


def case_06_nanoseconds_to_seconds_mixed_up(landing: Landing) -> None:
    """Refuse times outside the venue's history; they are stored in microseconds, UTC."""
    good = landing.drop(table(map(bar, range(5))))
    assert str(good.bars.ts.dtype) == "datetime64[us, UTC]"
    moments = grid(5, start="1970-01-20 18:54:00")  # 2024 in milliseconds, read as microseconds
    with pytest.raises(DataError, match=r"5 of 5 rows lie outside.*unit 1,000 times coarser"):
        check_rows("bars", bars(5, ts=moments), rules())
    late = [line.replace("2024", "1970") for line in map(bar, range(5))]
    landing.drop(table(late), name="old.csv").refused("old.csv: line 2", "1970", "history.first")


def case_07_naive_timestamps(landing: Landing) -> None:
    """Refuse unless the zone is declared."""
    naive = [line.replace("Z,", ",") for line in map(bar, range(3))]
    found = landing.drop(table(naive))
    found.refused("bars.csv: column ts: line 2", "has no UTC offset", "timestamp_utc")
    frame = bars(3)
    with pytest.raises(DataError, match=r"no time zone.*Declare the zone"):
        check_rows("bars", frame.assign(ts=frame.ts.dt.tz_localize(None)), rules())


def case_08_bar_stamped_at_its_close(landing: Landing) -> None:
    """Refuse when the file says so, or another source; a bar has its open and `available_at`."""
    result = checked("bars", bars(3))
    assert (result.frame.available_at - result.frame.ts == MINUTES + timedelta(seconds=3)).all()
    with pytest.raises(DataError, match=r"close 0:00:00 after their ts.*stamped at the close"):
        check_rows("bars", bars(30, closes_at=grid(30)), rules())
    close = 100 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, 400)))
    other = bars_frame({"A": list(close)}, start="2024-03-01 00:00", step=HOUR)
    ours = bars_frame({"A": list(close)}, start="2024-03-01 01:00", step=HOUR)
    assert time_shifts(ours, other, HOUR)["reason"].tolist() == ["stamped at the close"]
    assert shift_told(landing, close, late=1) == [("b.csv", "stamped at the close", 3600.0)]


def shift_told(landing: Landing, close: np.ndarray, *, late: int) -> list[tuple]:
    """What is doubted when the hours of a delivery come again, some hours later."""
    for name, hours in (("a.csv", 0), ("b.csv", late)):
        lines = [
            f"{moment:%Y-%m-%dT%H:%M:%SZ},{BTC},{price:.6f},{price:.6f},{price:.6f},{price:.6f},1"
            for moment, price in zip(
                pd.date_range("2024-01-01", periods=len(close), freq="h", tz="UTC") + hours * HOUR,
                close,
                strict=True,
            )
        ]
        found = landing.drop(table(lines), name=name)
    rows = found.doubts[found.doubts["reason"] != "revised"]
    return list(rows[["file", "reason", "value"]].itertuples(index=False, name=None))


def case_09_unclosed_last_bar(landing: Landing) -> None:
    """Never stored: it was not known when the file came."""
    received = datetime(2024, 3, 1, 0, 12, tzinfo=UTC)
    result = checked("bars", bars(3), received_at=received)
    assert result.frame.available_at.max() <= pd.Timestamp(received)
    assert told(result) == [(4, "quarantined", "unclosed")]


def case_10_future_timestamp(landing: Landing) -> None:
    """Refuse beyond now + 2 bars; the difference of the clocks is recorded."""
    received = datetime(2024, 3, 1, 0, 0, tzinfo=UTC)
    near = checked("bars", bars(3), received_at=received)
    assert near.frame.empty
    assert near.doubts.value.tolist() == [303.0, 603.0, 903.0]  # seconds ahead, by bar
    with pytest.raises(DataError, match=r"line 5: .*clock is ahead by 0:15:00 or its time zone"):
        check_rows("bars", bars(4), rules(received_at=received))
    far = [line.replace("2024", "2094") for line in map(bar, range(100))]
    landing.drop(table(far)).refused("bars.csv: line 2", "outside the venue's history")
