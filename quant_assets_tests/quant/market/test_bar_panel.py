"""Bars as panels: shapes, order, availability, what is absent, and frames there and back."""

import pickle
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel

DAY = timedelta(days=1)
TS = np.datetime64("2024-01-01", "us") + np.arange(4) * np.timedelta64(1, "D")
CLOSE = np.array([[10.0, 20.0], [11.0, 21.0], [12.0, np.nan], [13.0, 23.0]])


def long_frame(**columns: float) -> pd.DataFrame:
    """Three days of two symbols; the second has no last row."""
    frame = pd.DataFrame(
        {
            "ts": pd.DatetimeIndex(np.repeat(TS[:3], 2), tz="UTC"),
            "symbol": ["B", "A"] * 3,
            "close": [20.0, 10.0, 21.0, 11.0, 22.0, 12.0],
            **columns,
        }
    )
    return frame.iloc[:-1]


def panel(**changes: object) -> BarPanel:
    values = {"close": CLOSE, "open": CLOSE - 0.5, "high": CLOSE + 1.0, "low": CLOSE - 1.0}
    return BarPanel.from_arrays(TS, ("A", "B"), DAY, **{**values, **changes})


def test_from_arrays_prices_that_are_absent_are_those_of_the_close_and_volume_is_unknown():
    bars = BarPanel.from_arrays(TS, ("A", "B"), DAY, close=CLOSE)
    assert bars.closes_only
    assert all(np.array_equal(bars[name], CLOSE, equal_nan=True) for name in FIELDS[:4])
    assert np.isnan(bars.volume).all()
    assert bars.available_at.tolist() == (TS + np.timedelta64(1, "D")).tolist()
    assert not panel().closes_only


def test_from_arrays_one_series_is_a_panel_of_one_symbol():
    bars = BarPanel.from_arrays(TS, ("A",), DAY, close=CLOSE[:, 0])
    assert bars.close.shape == (4, 1)
    assert len(bars) == 4


def test_from_frame_sorts_symbols_and_leaves_absent_bars_nan():
    bars = BarPanel.from_frame(long_frame(spread=0.001), bar_length=DAY)
    assert bars.symbols == ("A", "B")
    np.testing.assert_array_equal(bars.close, [[10.0, 20.0], [11.0, 21.0], [np.nan, 22.0]])
    assert list(bars.extras) == ["spread"]


def test_from_frame_column_without_any_value_counts_as_absent():
    """A venue of closes has a column of opens, and nothing in it."""
    bars = BarPanel.from_frame(long_frame(open=np.nan, volume=np.nan), bar_length=DAY)
    assert bars.closes_only
    np.testing.assert_array_equal(bars.open, bars.close)
    partly = long_frame(open=np.nan)
    partly.loc[partly.index[0], "open"] = 19.0
    assert np.isnan(BarPanel.from_frame(partly, bar_length=DAY).open[1:]).all()


def test_from_frame_bar_is_known_when_the_last_of_its_rows_is():
    frame = long_frame()
    frame["available_at"] = frame["ts"] + pd.Timedelta(days=1)
    frame.loc[frame.index[3], "available_at"] += pd.Timedelta(hours=7)
    known = BarPanel.from_frame(frame, bar_length=DAY).available_at
    late = TS[:3] + np.timedelta64(1, "D")
    late[1] += np.timedelta64(7, "h")
    np.testing.assert_array_equal(known, late)


def test_frame_there_and_back_is_the_same_panel():
    bars = panel(volume=np.full((4, 2), 5.0), extras={"spread": np.full((4, 2), 0.01)})
    again = BarPanel.from_frame(bars.frame(), bar_length=DAY)
    for name in bars.columns():
        present = ~np.isnan(bars.close)
        np.testing.assert_array_equal(again[name][present], bars[name][present])
    assert again.symbols == bars.symbols


def test_rows_and_select_cut_every_array():
    bars = panel(extras={"spread": CLOSE / 1e4})
    part = bars.rows(slice(1, 3)).select(["B"])
    assert part.symbols == ("B",)
    np.testing.assert_array_equal(part.close[:, 0], CLOSE[1:3, 1])
    np.testing.assert_array_equal(part["spread"][:, 0], CLOSE[1:3, 1] / 1e4)
    assert part.close.flags.c_contiguous


def test_pickle_keeps_every_column():
    bars = panel(extras={"spread": CLOSE / 1e4})
    again = pickle.loads(pickle.dumps(bars))  # noqa: S301 - our own bytes
    for name, values in bars.columns().items():
        np.testing.assert_array_equal(again[name], values)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"open": CLOSE[:3]}, r"open is float64 \(3, 2\); it must be \(4, 2\)"),
        ({"low": np.where(CLOSE == 21.0, 0.0, CLOSE)}, "low of B at 2024-01-02.* is 0.0"),
        ({"available_at": TS - np.timedelta64(1, "s")}, "row 0 .* available before its bar opened"),
        ({"vwap": CLOSE}, "close is needed"),
        ({"close": -CLOSE}, "close of A at 2024-01-01.* is -10.0"),
    ],
)
def test_bars_that_cannot_be_are_refused_by_name(changes: dict[str, np.ndarray], words: str):
    with pytest.raises(DataError, match=words):
        panel(**changes)


def test_clock_that_stands_still_is_refused():
    with pytest.raises(DataError, match=r"row 1 .* is not after the row before"):
        BarPanel.from_arrays(TS[[0, 0, 1, 2]], ("A", "B"), DAY, close=CLOSE)


def test_rows_that_repeat_and_names_that_are_unknown_are_refused():
    frame = long_frame()
    with pytest.raises(DataError, match="repeats ts and symbol"):
        BarPanel.from_frame(pd.concat([frame, frame.iloc[:1]]), bar_length=DAY)
    with pytest.raises(DataError, match=r"symbols \['Z'\] are not among the 2"):
        panel().select(["Z"])
    with pytest.raises(DataError, match="the bars have no 'vwap'"):
        panel()["vwap"]
