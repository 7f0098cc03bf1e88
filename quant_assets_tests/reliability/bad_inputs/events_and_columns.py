"""Rows 23 to 30: symbols that look like something else, events, and columns that changed."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.market.open_interest import open_interest_steps
from quant_assets.quant.market.order_book import crossed_books
from quant_assets.quant.market.row_checks.check import check_rows
from quant_assets.quant.simulation.settlements import require_funding
from quant_assets_tests.adapters.venue_models import make_venue
from quant_assets_tests.quant.market.event_frames import open_interest
from quant_assets_tests.quant.market.row_checks.raws import bars, checked, grid, raw, rules, told
from quant_assets_tests.reliability.bad_inputs.landing import (
    HEADER,
    NEW_YORK,
    Landing,
    bar,
    table,
)

HOUR = timedelta(hours=1)
PERPETUAL = "BTC/USDT:USDT"


def case_23_symbols_that_look_like_values(landing: Landing) -> None:
    """Read as strings."""
    symbols = ["NA", "NULL", "TRUE", "NAN", "INF", "1INCH", "1E5"]
    lines = [bar(0, symbol=symbol) for symbol in symbols]
    found = landing.drop(table(lines), **NEW_YORK)
    assert found.bars.symbol.tolist() == sorted(symbols)
    assert found.bars.symbol.dtype == "str"
    mixed = checked("bars", bars(5, ts=[grid(1)[0]] * 5, symbol=["nan", "None", "", "N/A", "null"]))
    assert set(mixed.frame.symbol) == {"nan", "None", "", "N/A", "null"}


def case_24_funding_missing(landing: Landing) -> None:
    """Refuse to simulate a perpetual, or `assume_zero`, which every report states."""
    nothing = checked("funding", raw(ts=[], rate=[])).frame
    span = (datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC))
    with pytest.raises(DataError, match=r"no funding for the held perpetuals .*assume_zero"):
        require_funding(nothing, (PERPETUAL,), np.array([100]), HOUR, span)
    market = {"funding": "assume_zero"}
    venue = make_venue("simulated", first="2024-01-01", last="2024-02-01", market=market)
    assert any(stamp.startswith("FUNDING ASSUMED ZERO") for stamp in venue.stamps())


def case_25_funding_interval_change(landing: Landing) -> None:
    """Exact event times; no divisor."""
    hours = [0, 8, 16, 24, 28, 32, 33, 34]
    moments = [grid(1)[0] + hour * HOUR + timedelta(milliseconds=7) for hour in hours]
    result = checked("funding", raw(ts=moments, rate=1e-4))
    assert result.frame.ts.tolist() == moments
    assert result.frame.rate.tolist() == [1e-4] * 8
    assert result.doubts.empty


def case_26_open_interest_reset_or_unit_change(landing: Landing) -> None:
    """The unit is a column; a reset, a jump or another unit is flagged."""
    series = open_interest(
        ("01", "A", 100.0),
        ("02", "A", 105.0),
        ("03", "A", 105_000.0),
        ("04", "A", 0.0),
        ("05", "A", 10.0, "contracts"),
    )
    assert open_interest_steps(series).reason.tolist() == ["jump", "reset to zero", "unit changed"]
    frame = raw(ts=grid(1), open_interest=1.0, open_interest_value=1.0, unit="coins")
    assert told(checked("open_interest", frame)) == [(2, "quarantined", "unknown unit")]


def case_27_liquidations_repeated_by_a_reconnect(landing: Landing) -> None:
    """One row by id, else by time, side, price and quantity."""
    moment = grid(1)[0]
    frame = raw(
        ts=[moment] * 4 + [moment + HOUR],
        event_id=["", "", "7", "7", ""],
        side="sell",
        price=[5.0, 5.0, 5.0, 5.0, 5.0],
        quantity=[1.0, 1.0, 2.0, 2.0, 1.0],
    )
    result = checked("liquidations", frame)
    assert result.frame.event_id.tolist() == ["7", "sell-5.0-1.0", "sell-5.0-1.0"]
    assert told(result) == [(3, "repaired", "duplicate"), (5, "repaired", "duplicate")]


def case_28_crossed_or_locked_book(landing: Landing) -> None:
    """Flag; such a snapshot has no mid price."""
    frame = raw(
        ts=grid(3),
        level=0.0,
        bid_price=[100.0, 101.0, 102.0],
        bid_quantity=1.0,
        ask_price=101.0,
        ask_quantity=1.0,
    )
    result = checked("order_book", frame)
    assert result.frame.is_crossed.tolist() == [False, True, True]
    flags = crossed_books(result.frame)
    assert flags.outcome.tolist() == ["flagged"] * 2
    assert flags.value.tolist() == [0.0, 1.0]


def case_29_schema_drift(landing: Landing) -> None:
    """A column more is noted; one that is gone, renamed or of another type is refused."""
    more = [f"{line},7" for line in map(bar, range(3))]
    found = landing.drop(table(more, header=f"{HEADER},extra"))
    assert found.receipt is not None
    assert found.receipt.notes == ["column 'extra' was not read"]
    assert len(found.bars) == 3
    renamed = table(map(bar, range(3)), header=HEADER.replace("close", "last_price"))
    landing.drop(renamed, name="renamed.csv").refused(
        "renamed.csv", "Missing: close", "Not expected: last_price"
    )
    gone = table(map(bar, range(3)), header=HEADER.replace("low", "least"))
    landing.drop(gone, name="gone.csv").refused("gone.csv: no column low", "least")
    words = table(bar(hour, close="up") for hour in range(3))
    landing.drop(words, name="words.csv").refused("words.csv: column close", "line 2 has 'up'")
    with pytest.raises(DataError, match=r"\['low'\] are missing"):
        check_rows("bars", bars(3).drop(columns="low"), rules())


def case_30_numbers_of_another_locale(landing: Landing) -> None:
    """Refuse with a sample."""
    for number in ("100,5", "1.100,5", "1,100.5", "12%"):
        lines = [bar(hour, close=f'"{number}"') for hour in range(3)]
        name = f"{number.replace('%', 'p')}.csv"
        found = landing.drop(table(lines), name=name)
        found.refused(
            f"{name}: column close", f"line 2 has '{number}'", "Write numbers like 1234.5"
        )
    frame = bars(2).assign(close=pd.Series(["1.5", "2,5"], dtype="str"))
    with pytest.raises(DataError, match=r"column close is str.*line 3 has '2,5'"):
        check_rows("bars", frame, rules())
